"""Laws of the lake: it is a map from keys to rows, whatever the order and size of the writes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.store.lake import Lake
from haetae.store.merge import sort_rows, upsert

DAYS = [dt.date(2024, 12, 30), dt.date(2025, 1, 2), dt.date(2025, 12, 30), dt.date(2026, 1, 2)]
SYMBOLS = ["000020", "00088K", "005930"]
KEYS = ("symbol", "day")

Row = tuple[str, dt.date, int]
row_lists = st.lists(st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(DAYS), st.integers(1, 10**12)), max_size=8)


def table(rows: list[Row]) -> pa.Table:
    price = pa.array([row[2] for row in rows], pa.int64())
    return pa.table(
        {
            "symbol": pa.array([row[0] for row in rows], pa.string()),
            "day": pa.array([row[1] for row in rows], pa.date32()),
            "open": price, "high": price, "low": price, "close": price, "volume": price,
        }
    )  # fmt: skip


def held(lake: Lake) -> list[Row]:
    rows = lake.read("daily")
    return list(zip(*(rows.column(name).to_pylist() for name in ("symbol", "day", "close")), strict=True))


@settings(max_examples=30, deadline=None)
@given(writes=st.lists(row_lists, max_size=4))
def test_a_lake_is_the_map_of_its_writes(fresh, writes: list[list[Row]]) -> None:
    lake = Lake(fresh())
    expected: dict[tuple[str, dt.date], int] = {}
    for rows in writes:
        lake.write("daily", table(rows), keys=KEYS)
        expected.update({(symbol, day): price for symbol, day, price in rows})
    assert held(lake) == [(*key, expected[key]) for key in sorted(expected)]


@settings(max_examples=30, deadline=None)
@given(rows=row_lists, chosen=st.sets(st.sampled_from(SYMBOLS)), bounds=st.tuples(*[st.sampled_from(DAYS)] * 2))
def test_reading_a_part_is_the_part_of_reading_all(fresh, rows, chosen, bounds) -> None:
    lake = Lake(fresh())
    lake.write("daily", table(rows), keys=KEYS)
    start, end = min(bounds), max(bounds)
    part = lake.read("daily", symbols=sorted(chosen), start=start, end=end).to_pylist()
    whole = lake.read("daily").to_pylist()
    assert part == [row for row in whole if row["symbol"] in chosen and start <= row["day"] <= end]


@settings(max_examples=30, deadline=None)
@given(rows=row_lists, chosen=st.sets(st.sampled_from(SYMBOLS)) | st.none())
def test_a_panel_holds_each_row_once_and_repeats_the_last_close(fresh, rows, chosen) -> None:
    lake = Lake(fresh())
    lake.write("daily", table(rows), keys=KEYS)
    asked = None if chosen is None else sorted(chosen)
    panel = lake.panel("daily", asked)
    known = {(s, d): price for s, d, price in held(lake) if asked is None or s in asked}
    assert panel.symbols == tuple(sorted(chosen if chosen is not None else {s for s, _ in known}))
    assert int(panel.traded.sum()) == len(known)
    for column, symbol in enumerate(panel.symbols):
        last = 0
        for line, number in enumerate(panel.days.tolist()):
            day = dt.date(number // 10_000, number // 100 % 100, number % 100)
            last = known.get((symbol, day), last)
            assert panel.close[line, column] == panel.open[line, column] == last
            assert panel.traded[line, column] == ((symbol, day) in known)


@given(old=row_lists, new=row_lists)
def test_upsert_twice_is_upsert_once(old: list[Row], new: list[Row]) -> None:
    base = upsert(table([]), table(old), KEYS)
    once = upsert(base, table(new), KEYS)
    assert upsert(once, table(new), KEYS).equals(once)


@given(rows=row_lists, seed=st.integers(0, 2**32 - 1))
def test_sorting_does_not_depend_on_the_order_of_arrival(rows: list[Row], seed: int) -> None:
    unique = upsert(table([]), table(rows), KEYS)
    order = np.random.default_rng(seed).permutation(len(unique))
    assert sort_rows(unique.take(pa.array(order)), KEYS).equals(unique)
