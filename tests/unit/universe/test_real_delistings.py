"""The whole market of early 2021 and 2022 as the exchange published it, with the names that left later."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from haetae.domain.learning import UniverseSnapshot
from haetae.domain.market import DELISTED, Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import instant_at, yyyymmdd
from haetae.store.columns import instrument_columns, read_any, renamed, with_types
from haetae.store.departures import departure_rows, judge_departures
from haetae.universe import UniverseSettings, select
from real_bars import SHARED

WINDOWS = SHARED / "kr_marcap_windows" / "marcap_2021_2023_janfeb.parquet"
LEFT = SHARED / "kr_reference" / "delisting_to_2023.parquet"
EARLY, LATE, AFTER = dt.date(2021, 2, 22), dt.date(2022, 2, 17), dt.date(2023, 2, 14)
SETTINGS = UniverseSettings(min_history_rows=30, min_momentum_rows=30)
"""The windows have 33 and 31 sessions; nothing else is eased."""

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not (WINDOWS.exists() and LEFT.exists()), reason=f"the whole market is not at {WINDOWS}"),
]


@functools.cache
def market() -> tuple[Panel, pa.Table]:
    """Return the raw bars up to the later day, and what lists of three days and the delistings told of names."""
    given = read_any(WINDOWS)
    lists = given.filter(pc.is_in(given["date"], pa.array([EARLY, LATE, AFTER], pa.date32())))
    names, _ = renamed("instruments", lists, {})
    states = instrument_columns(with_types("instruments", names), None)
    left, _ = departure_rows(read_any(LEFT), {})
    gone = judge_departures(left).rows.select(FIELDS)
    known = pa.concat_tables([states.select(FIELDS), gone], promote_options="permissive")
    return _panel(given), known.sort_by([("symbol", "ascending"), ("as_of", "ascending")])


FIELDS = ["symbol", "name", "market", "kind", "listed_on", "shares_outstanding", "flags", "as_of"]


def _panel(given: pa.Table) -> Panel:
    rows = given.filter(pc.less_equal(given["date"], pa.scalar(LATE, pa.date32())))
    names, column = np.unique(rows["symbol"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    days, row = np.unique(rows["date"].to_numpy(), return_inverse=True)
    blocks = {name: np.zeros((len(days), len(names)), np.int64) for name in ("close", "volume")}
    for name, block in blocks.items():
        block[row, column] = rows[name].to_numpy()
    close = blocks["close"]
    for t in range(1, len(days)):
        close[t] = np.where(close[t] > 0, close[t], close[t - 1])
    dates = [dt.date.fromisoformat(str(day)) for day in days]
    at = np.array([instant_at(day, 153_000) for day in dates], dtype=np.int64)
    stamps = np.array([yyyymmdd(day) for day in dates], dtype=np.int32)
    return Panel(
        tuple(names.tolist()), stamps, at, at, close, close, close, close, blocks["volume"], blocks["volume"] > 0
    )


def states_on(day: dt.date) -> list[Instrument]:
    """Return the newest state of each name announced by a day."""
    rows = newest(market()[1].filter(pc.less_equal(market()[1]["as_of"], pa.scalar(day, pa.date32()))))
    return [
        Instrument(
            row["symbol"], row["name"], Market(row["market"]), Kind(row["kind"]), row["listed_on"], 0,
            row["shares_outstanding"] or 0, flags=frozenset(filter(None, (row["flags"] or "").split(","))),
            as_of=row["as_of"],
        )
        for row in rows
    ]  # fmt: skip


def newest(states: pa.Table) -> list[dict[str, Any]]:
    """Return the last row of each symbol of a table sorted by symbol and time."""
    codes = states["symbol"].combine_chunks().dictionary_encode().indices.to_numpy()
    return states.take(pa.array(np.flatnonzero(np.append(codes[1:] != codes[:-1], [True])))).to_pylist()


@functools.cache
def chosen(day: dt.date, size: int) -> UniverseSnapshot:
    settings = UniverseSettings(size=size, min_history_rows=30, min_momentum_rows=30)
    return select(day, states_on(day), market()[0], settings)


@functools.cache
def ends() -> dict[str, dt.date]:
    """Return the day on which each share of the windows was off the list."""
    return {row["symbol"]: row["as_of"] for row in newest(market()[1]) if row["flags"] == DELISTED}


def test_names_that_left_later_are_judged_and_chosen_like_any_other() -> None:
    early = chosen(EARLY, 300)
    later = {symbol for symbol, day in ends().items() if day > EARLY}
    assert {"036490", "028150", "008560"} <= later  # merged in 2021, 2021 and 2023
    assert {"036490", "028150", "008560"} <= set(early.scores)
    assert "008560" in early.symbols
    assert len(later & set(early.symbols)) >= 3


def test_nobody_is_chosen_once_its_last_day_has_passed() -> None:
    late = chosen(LATE, 300)
    gone = {symbol for symbol, day in ends().items() if day <= LATE}
    seen_early = gone & set(chosen(EARLY, 300).scores)
    assert {"036490", "028150"} <= seen_early
    assert gone.isdisjoint(late.scores)
    reasons = {(item.symbol, item.code) for item in late.exclusions}
    assert all((symbol, "listing.ended") in reasons for symbol in gone)


def test_the_market_of_that_day_alone_gives_the_same_fifty() -> None:
    panel = market()[0]
    rows = int(np.searchsorted(panel.days, yyyymmdd(EARLY), side="right"))
    alone = select(EARLY, states_on(EARLY), panel.rows(0, rows), SETTINGS)
    assert alone == select(EARLY, states_on(EARLY), panel, SETTINGS)
    assert len(alone.symbols) == 50


def test_no_administrative_issue_spac_or_preferred_line_of_the_real_lists_is_a_candidate() -> None:
    late = chosen(LATE, 300)
    told = {item.symbol: item for item in states_on(LATE)}
    candidates = [told[symbol] for symbol in late.scores]
    assert len(candidates) > 1_000
    assert not [item for item in candidates if "administrative" in item.flags or "스팩" in item.name]
    assert all(item.kind is Kind.COMMON and item.symbol.endswith("0") for item in candidates)
    caps = [late.figures[item.symbol]["market_cap_won"] for item in candidates]
    assert min(caps) >= SETTINGS.min_market_cap_won
    codes = {item.code for item in late.exclusions}
    assert {"flag.administrative", "flag.caution", "kind.spac", "kind.reit", "kind.preferred"} <= codes
