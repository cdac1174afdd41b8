"""A feature is one number wherever it is read: where a model learned, where it decides, where it is in shadow."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from feature_lakes import daily_lake, put
from haetae.domain.units import day_from, yyyymmdd
from haetae.features import daily
from haetae.krx import trading_days
from haetae.ports.tables import INSTRUMENTS
from haetae.research.market import load
from haetae.store.lake import Lake
from haetae.universe import UniverseSettings
from haetae.wiring.selection import INDEX, read_market
from haetae.wiring.shadowing import _evening
from random_panels import daily_panel

LONG_AGO = dt.date(2000, 1, 4)
OPEN = UniverseSettings(size=2, min_price_won=0, min_turnover_won=0, min_market_cap_won=0, max_idle_days=60)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake with bars, an index, flows and sectors."""
    made = daily_panel(5, symbols=6, sessions=150, halted=0.01)
    days = trading_days(dt.date(2024, 1, 2), dt.date(2024, 10, 31))[: len(made)]
    stamps = np.array([yyyymmdd(day) for day in days], np.int32)
    panel = dataclasses.replace(made, days=stamps)
    lake = daily_lake(tmp_path_factory.mktemp("one") / "lake", panel)
    names = len(panel.symbols)
    columns = {
        "symbol": list(panel.symbols),
        "name": list(panel.symbols),
        "market": ["KOSPI"] * names,
        "kind": ["common"] * names,
        "listed_on": [LONG_AGO] * names,
        "base_price": [0] * names,
        "shares_outstanding": [10_000_000] * names,
        "sector": [f"sector {place % 2}" for place in range(names)],
        "lot": [1] * names,
        "flags": [""] * names,
        "as_of": [LONG_AGO] * names,
    }
    put(lake, "instruments", pa.table(columns, schema=INSTRUMENTS))
    return lake


def test_training_the_evening_and_the_shadow_read_the_same_features(lake: Lake) -> None:
    market = load(lake, INDEX)
    learned = daily.SET.batch(market.inputs())
    day = day_from(int(market.panel.days[-1]))
    decided = read_market(lake, day, OPEN).features
    shadowed = _evening(lake, "daily", day).features
    assert decided.tobytes() == learned.tobytes()
    assert shadowed.tobytes() == learned.tobytes()
    known = dict(zip(daily.NAMES, np.isfinite(learned[-1]).any(axis=0), strict=True))
    beside = [spec.name for spec in daily.SPECS if {"foreign_won", "sector", "index"} & set(spec.inputs)]
    assert len(beside) >= 8
    assert [name for name in beside if not known[name]] == []


def test_flows_name_the_data(lake: Lake, tmp_path: Path) -> None:
    market = load(lake, INDEX)
    other = daily_lake(tmp_path / "lake", market.panel)
    rows = other.read("flows")
    changed = rows.set_column(rows.schema.get_field_index("foreign_won"), "foreign_won", pa.array([1] * len(rows)))
    before = load(other, INDEX).digest
    put(other, "flows", changed)
    assert load(other, INDEX).digest != before
