"""Laws of the rule arithmetic, each against fractions and whole numbers of any size.

The oracles below define a rule the slow way: a valid price is a multiple of the tick in force at it, a charge is the
floor of a fraction. They share no line with ``krx.scalar``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from haetae.domain.market import Int64Array
from haetae.krx import scalar
from haetae.krx.ticks import TICK_ROWS, Bands

MOST_AMOUNT, MOST_PRICE, ALL = 4 * 10**18, 10**14, 10**9
INT64 = 2**63 - 1
TABLES = tuple(dict.fromkeys(row.bands for row in TICK_ROWS))
GRID_TOP = 700_000

bands = st.sampled_from(TABLES)
prices = st.one_of(
    st.integers(1, GRID_TOP), st.integers(1, MOST_PRICE),
    st.sampled_from([bound + step for table in TABLES for bound, _ in table[:-1] for step in (-1, 0, 1)]),
)  # fmt: skip
near = st.one_of(st.integers(1, 600_000), st.sampled_from([1_999, 2_000, 4_999, 5_000, 49_950, 199_900, 500_000]))
rates = st.one_of(st.integers(0, ALL), st.sampled_from([0, 1, 140_527, 2_000_000, ALL - 1, ALL]))
amounts = st.one_of(st.integers(0, MOST_AMOUNT), st.integers(0, 10**10), st.sampled_from([0, 1, ALL, MOST_AMOUNT]))
lots = st.sampled_from([1, 10, 100])


def table_of(rows: Bands) -> tuple[Int64Array, Int64Array]:
    return np.array([bound for bound, _ in rows], np.int64), np.array([size for _, size in rows], np.int64)


def valid_prices(rows: Bands) -> list[int]:
    """Return every valid price up to beyond the grid's top: a multiple of the tick in force at it."""
    found = []
    for low, (bound, size) in zip((0, *(bound for bound, _ in rows)), rows, strict=False):
        found += [price for price in range(max(low, 1), min(bound, 2 * GRID_TOP)) if price % size == 0]
    return found


GRIDS = {rows: valid_prices(rows) for rows in TABLES}


def slow_tick(price: int, rows: Bands) -> int:
    return next(size for bound, size in rows if price < bound)


def slow_floor(price: int, rows: Bands) -> int:
    tick = slow_tick(price, rows)
    return Fraction(price, tick).__floor__() * tick


def slow_ceil(price: int, rows: Bands) -> int:
    tick = slow_tick(price, rows)
    return Fraction(price, tick).__ceil__() * tick


def slow_charge(amount: int, rate: int) -> int:
    return (amount * Fraction(rate, ALL)).__floor__()


@given(bands, prices)
def test_rounding_is_the_fraction_rounded(rows: Bands, price: int) -> None:
    table = table_of(rows)
    assert scalar.tick_size(price, *table) == slow_tick(price, rows)
    assert scalar.floor_tick(price, *table) == slow_floor(price, rows)
    assert scalar.ceil_tick(price, *table) == slow_ceil(price, rows)


@given(bands, near)
def test_rounding_finds_the_nearest_valid_prices(rows: Bands, price: int) -> None:
    grid, table = GRIDS[rows], table_of(rows)
    place = bisect_right(grid, price)
    assert scalar.floor_tick(price, *table) == (grid[place - 1] if place else 0)
    assert scalar.ceil_tick(price, *table) == grid[bisect_left(grid, price)]


@given(bands, prices)
def test_rounding_brackets_a_price_and_leaves_a_rounded_one(rows: Bands, price: int) -> None:
    table = table_of(rows)
    low, high = scalar.floor_tick(price, *table), scalar.ceil_tick(price, *table)
    assert low <= price <= high
    assert high - low in (0, scalar.tick_size(price, *table))
    assert scalar.floor_tick(low, *table) == low == scalar.ceil_tick(low, *table)
    assert scalar.floor_tick(high, *table) == high == scalar.ceil_tick(high, *table)


@given(bands, prices, prices)
def test_rounding_keeps_the_order_of_prices(rows: Bands, one: int, two: int) -> None:
    table, (one, two) = table_of(rows), sorted((one, two))
    assert scalar.floor_tick(one, *table) <= scalar.floor_tick(two, *table)
    assert scalar.ceil_tick(one, *table) <= scalar.ceil_tick(two, *table)


@given(bands, near, st.integers(0, 40))
def test_ticks_up_and_down_walk_along_the_valid_prices_and_undo_each_other(rows: Bands, price: int, n: int) -> None:
    grid, table = GRIDS[rows], table_of(rows)
    above, below = bisect_left(grid, price), bisect_right(grid, price) - 1
    up = scalar.ticks_up(price, n, *table)
    assert up == grid[above + n]
    assert scalar.ticks_down(price, n, *table) == grid[max(below - n, 0)]
    assert scalar.ticks_down(up, n, *table) == grid[above]
    if below >= n:
        assert scalar.ticks_up(scalar.ticks_down(price, n, *table), n, *table) == grid[below]


@given(st.lists(bands, min_size=1, max_size=4), prices, st.data())
def test_tables_may_stand_one_behind_the_other(several: list[Bands], price: int, data: st.DataObject) -> None:
    meant = data.draw(st.integers(0, len(several) - 1))
    bounds, sizes = (np.concatenate(part) for part in zip(*map(table_of, several), strict=True))
    first = sum(len(rows) for rows in several[:meant])
    assert scalar.floor_tick(price, bounds, sizes, first) == slow_floor(price, several[meant])
    assert scalar.ceil_tick(price, bounds, sizes, first) == slow_ceil(price, several[meant])


def slow_limits(base: int, limit_bp: int, rows: Bands) -> tuple[int, int]:
    tick = slow_tick(base, rows)
    band = (base * Fraction(limit_bp, 10_000) / tick).__floor__() * tick
    return slow_ceil(base - band, rows), slow_floor(base + band, rows)


@given(bands, prices, st.sampled_from([1_500, 3_000, 6_000]))
def test_limits_are_the_widest_valid_prices_within_the_band(rows: Bands, price: int, limit_bp: int) -> None:
    assert scalar.limit_prices(price, limit_bp, *table_of(rows)) == slow_limits(price, limit_bp, rows)
    base = max(slow_floor(price, rows), rows[0][1])
    lower, upper = scalar.limit_prices(base, limit_bp, *table_of(rows))
    assert lower <= base <= upper
    assert Fraction(upper - base, base) <= Fraction(limit_bp, 10_000)
    assert Fraction(base - lower, base) <= Fraction(limit_bp, 10_000)


@given(amounts, rates)
@example(MOST_AMOUNT, ALL)
def test_a_charge_is_the_floor_of_the_exact_product(amount: int, rate: int) -> None:
    assert scalar.part_of(amount, rate) == slow_charge(amount, rate) == scalar.charge(amount, rate)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=12), rates)
def test_charges_of_the_parts_add_up_to_the_charge_of_the_whole(parts: list[int], rate: int) -> None:
    before, paid = 0, 0
    for part in parts:
        added = scalar.charge_next(before, part, rate)
        assert added >= 0
        before, paid = before + part, paid + added
    assert paid == slow_charge(sum(parts), rate)


@given(st.integers(0, 10**6), st.integers(1, 10**12), rates, st.integers(0, 10**17))
@example(4 * 10**4, 10**14, ALL, 0)
def test_a_reserve_is_the_amount_and_the_fee_it_adds(quantity: int, price: int, rate: int, before: int) -> None:
    amount = quantity * price
    exact = amount + slow_charge(before + amount, rate) - slow_charge(before, rate)
    assert exact <= INT64
    assert scalar.reserve_buy(quantity, price, rate, before) == exact


@given(amounts, rates)
@example(MOST_AMOUNT, 0)
@example(MOST_AMOUNT, ALL)
def test_what_is_spendable_fits_with_its_fee_and_a_won_more_does_not(cash: int, rate: int) -> None:
    most = int(scalar.spendable(cash, rate))
    assert 0 <= most <= cash
    assert most + slow_charge(most, rate) <= cash
    assert most + 1 + slow_charge(most + 1, rate) > cash


@given(amounts, st.integers(1, MOST_PRICE), rates, lots)
@settings(max_examples=300)
def test_affordable_is_the_most_whole_lots_that_cash_can_reserve(cash: int, price: int, rate: int, lot: int) -> None:
    quantity = int(scalar.affordable(cash, price, rate, lot))
    assert quantity % lot == 0
    assert quantity * price + slow_charge(quantity * price, rate) <= cash
    more = quantity + lot
    assert more * price + slow_charge(more * price, rate) > cash


@pytest.mark.parametrize(("cash", "price"), [(0, 100), (-1, 100), (100, 0), (100, -5), (99, 100)])
def test_nothing_is_affordable_without_cash_or_a_price(cash: int, price: int) -> None:
    assert scalar.affordable(cash, price, 140_527, 1) == 0


@given(amounts, lots)
def test_whole_lots_leave_less_than_a_lot(quantity: int, lot: int) -> None:
    cut = scalar.whole_lots(quantity, lot)
    assert cut % lot == 0
    assert 0 <= quantity - cut < lot


@given(st.integers(1, MOST_PRICE), st.integers(1, MOST_PRICE), st.integers(0, 10_000))
@example(11_000, 10_000, 1_000)
@example(9_700, 10_000, 300)
def test_a_price_trips_from_its_rate_on(price: int, reference: int, rate_bp: int) -> None:
    far = Fraction(abs(price - reference), reference) >= Fraction(rate_bp, 10_000)
    assert bool(scalar.trips(price, reference, rate_bp)) is (far and rate_bp > 0)


@given(bands, prices)
def test_compiled_and_plain_python_agree(rows: Bands, price: int) -> None:
    table = table_of(rows)
    assert scalar.floor_tick.py_func(price, *table) == scalar.floor_tick(price, *table)
    compiled = tuple(scalar.limit_prices(price, 3_000, *table))
    assert compiled == tuple(scalar.limit_prices.py_func(price, 3_000, *table))
