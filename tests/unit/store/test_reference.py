"""Answers of the lake as of a day never know what came later."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from haetae.domain.errors import DataError
from haetae.domain.market import Instrument, Kind, Market
from haetae.ports.tables import DELISTED, QUALITY, RESOLVED, TABLES, instrument_rows
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on, latest_closes, quality_lines

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2026, 11, day) for day in (16, 17, 18))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def named(symbol: str, as_of: dt.date, *flags: str) -> Instrument:
    return Instrument(
        symbol, "이름", Market.KOSDAQ, Kind.ETF, dt.date(2010, 1, 4), 5_000, 7, "G10", 1, frozenset(flags), as_of
    )


def wrote(lake: Lake, *instruments: Instrument) -> None:
    lake.write("instruments", instrument_rows(instruments), keys=TABLES["instruments"].keys)


def test_the_newest_description_of_each_name_counts_and_none_of_tomorrow(lake: Lake) -> None:
    wrote(lake, named("A", MONDAY), named("A", WEDNESDAY, "halted"), named("B", TUESDAY))
    assert instruments_on(lake, MONDAY) == (named("A", MONDAY),)
    assert instruments_on(lake, TUESDAY) == (named("A", MONDAY), named("B", TUESDAY))
    assert instruments_on(lake, WEDNESDAY) == (named("A", WEDNESDAY, "halted"), named("B", TUESDAY))


def test_a_delisted_name_may_come_back(lake: Lake) -> None:
    wrote(lake, named("A", MONDAY), named("A", TUESDAY, DELISTED), named("A", WEDNESDAY))
    assert [bool(instruments_on(lake, day)) for day in (MONDAY, TUESDAY, WEDNESDAY)] == [True, False, True]


def test_a_market_nobody_knows_is_a_typed_error(lake: Lake) -> None:
    rows = instrument_rows([replace(named("A", MONDAY))])
    place = rows.column_names.index("market")
    lake.write("instruments", rows.set_column(place, "market", pa.array(["NYSE"])), keys=("symbol", "as_of"))
    with pytest.raises(DataError, match="NYSE"):
        instruments_on(lake, MONDAY)


def test_the_latest_close_is_the_newest_at_the_close_of_the_day_and_not_stale(lake: Lake) -> None:
    closes = [("A", MONDAY, 10), ("A", WEDNESDAY, 12), ("B", MONDAY, 20), ("C", dt.date(2026, 9, 1), 30)]
    price = pa.array([close for _, _, close in closes], pa.int64())
    rows = pa.table(
        {
            "symbol": [symbol for symbol, _, _ in closes], "day": pa.array([day for _, day, _ in closes], pa.date32()),
            "open": price, "high": price, "low": price, "close": price, "volume": price,
        }
    )  # fmt: skip
    lake.write("daily", rows, keys=("symbol", "day"))
    assert latest_closes(lake, TUESDAY) == {"A": 10, "B": 20}
    assert latest_closes(lake, WEDNESDAY, ["A"]) == {"A": 12}
    assert latest_closes(lake, WEDNESDAY, within_days=100)["C"] == 30


def test_quality_lines_count_what_still_stands(lake: Lake) -> None:
    rows = [
        {"day": MONDAY, "table": "daily", "symbol": "A", "code": "JUMP", "detail": "x"},
        {"day": TUESDAY, "table": "daily", "symbol": "A", "code": "JUMP", "detail": "y"},
        {"day": TUESDAY, "table": "daily", "symbol": "B", "code": "LONG_HALT", "detail": "z"},
        {"day": WEDNESDAY, "table": "daily", "symbol": "B", "code": "JUMP", "detail": RESOLVED + "x"},
    ]
    lake.write("quality", pa.Table.from_pylist(rows, QUALITY), keys=TABLES["quality"].keys)
    lines = [(line.code, line.rows, line.symbols, line.first_day, line.last_day) for line in quality_lines(lake)]
    assert lines == [("JUMP", 2, 1, MONDAY, TUESDAY), ("LONG_HALT", 1, 1, TUESDAY, TUESDAY)]


def test_an_empty_lake_has_no_answers(lake: Lake) -> None:
    assert instruments_on(lake, MONDAY) == ()
    assert latest_closes(lake, MONDAY) == {}
    assert quality_lines(lake) == ()
