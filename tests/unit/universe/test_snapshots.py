"""The stored form: one id for equal selections, another for anything else, and the way back."""

from __future__ import annotations

import dataclasses
import json

import pytest

from haetae.domain.errors import DataError
from haetae.domain.units import day_from
from haetae.universe import UniverseSettings, select
from haetae.universe.snapshots import canonical, content, identity, settings_hash, snapshot_of
from told_markets import told_market

SETTINGS = UniverseSettings(size=6, min_turnover_won=0, min_market_cap_won=0, min_price_won=0)
TOLD = told_market(7)
DAY = day_from(int(TOLD.panel.days[-1]))


def made(settings: UniverseSettings = SETTINGS, previous: str | None = None) -> dict[str, object]:
    names = TOLD.instruments(DAY)
    chosen = select(DAY, names, TOLD.panel, settings, statements=TOLD.statement_rows())
    return content(chosen, names, settings, table="daily", previous=previous)


def test_equal_selections_have_one_id_and_other_settings_or_another_past_have_others() -> None:
    ids = [identity(made()), identity(made())]
    other = dataclasses.replace(SETTINGS, value_weight=0.0)
    others = [identity(made(other)), identity(made(previous="0123456789abcdef"))]
    assert ids[0] == ids[1]
    assert len({ids[0], *others}) == 3
    assert settings_hash(SETTINGS) != settings_hash(other)
    assert settings_hash(SETTINGS) == settings_hash(dataclasses.replace(SETTINGS))


def test_a_record_survives_its_text_and_gives_the_snapshot_back() -> None:
    names = TOLD.instruments(DAY)
    chosen = select(DAY, names, TOLD.panel, SETTINGS, statements=TOLD.statement_rows())
    record = json.loads(canonical(made()))
    assert identity(record) == identity(made())
    assert snapshot_of(record) == chosen


def test_the_record_tells_of_every_candidate_and_every_other_name() -> None:
    record = made()
    symbols = {item.symbol for item in TOLD.instruments(DAY)}
    left_out = {item["symbol"] for item in record["exclusions"]}  # type: ignore[union-attr, index]
    candidates = record["candidates"]
    assert left_out | set(record["universe"]) == symbols  # type: ignore[call-overload]
    assert sorted(told["place"] for told in candidates.values()) == list(range(1, len(candidates) + 1))  # type: ignore[union-attr, arg-type]
    one = candidates[record["universe"][0]]  # type: ignore[index]
    assert one["name"].startswith("이름")
    assert set(one["scores"]) == {"value", "quality", "momentum", "low_volatility", "liquidity", "total"}
    assert one["figures"]["market_cap_won"] > 0


def test_a_record_of_another_schema_is_refused() -> None:
    with pytest.raises(DataError, match="schema"):
        snapshot_of({**made(), "schema": 99})
