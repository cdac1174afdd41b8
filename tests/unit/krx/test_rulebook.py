"""Ticks, limits, costs, hours and settlement by answer; laws of the grid by property."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Kind, Market, Phase
from haetae.domain.orders import Side
from haetae.domain.units import hhmmss_of, instant_at
from haetae.krx import FeeSchedule, Rulebook, previous_trading_day, scalar, trading_days
from haetae.krx.costs import SALE_TAX_ROWS

TODAY = dt.date(2026, 11, 23)
OLD = dt.date(2022, 6, 2)
LIMITS = Path(__file__).parents[2] / "golden/krx_limits.csv"
any_kind = st.sampled_from(list(Kind))
any_market = st.sampled_from(list(Market))
any_day = st.sampled_from([OLD, dt.date(2014, 3, 3), dt.date(2023, 6, 1), TODAY])
any_price = st.integers(1, 10_000_000)


@pytest.mark.parametrize(
    ("price", "tick"),
    [(1, 1), (1_999, 1), (2_000, 5), (4_999, 5), (5_000, 10), (19_990, 10), (20_000, 50), (49_950, 50),
     (50_000, 100), (199_900, 100), (200_000, 500), (499_500, 500), (500_000, 1_000), (2_000_000, 1_000)],
)  # fmt: skip
def test_ticks_of_shares_since_2023(price: int, tick: int) -> None:
    for market in (Market.KOSPI, Market.KOSDAQ):
        assert Rulebook.on(TODAY).tick_size(price, Kind.COMMON, market) == tick


@pytest.mark.parametrize(
    ("price", "kospi", "kosdaq"),
    [(999, 1, 1), (1_000, 5, 5), (5_000, 10, 10), (10_000, 50, 50), (50_000, 100, 100), (100_000, 500, 100),
     (600_000, 1_000, 100)],
)  # fmt: skip
def test_ticks_of_shares_before_2023_differ_by_market(price: int, kospi: int, kosdaq: int) -> None:
    rules = Rulebook.on(OLD)
    assert rules.tick_size(price, Kind.COMMON, Market.KOSPI) == kospi
    assert rules.tick_size(price, Kind.COMMON, Market.KOSDAQ) == kosdaq


def test_ticks_of_funds() -> None:
    assert Rulebook.on(OLD).tick_size(1_500, Kind.ETF) == 5
    assert Rulebook.on(TODAY).tick_size(1_500, Kind.ETF) == 1
    assert Rulebook.on(TODAY).tick_size(35_000, Kind.ETN) == 5


@given(any_day, any_kind, any_market, any_price, st.integers(0, 30))
def test_rounding_lands_on_the_grid_on_its_own_side(
    day: dt.date, kind: Kind, market: Market, price: int, count: int
) -> None:
    rules = Rulebook.on(day)
    low, high = rules.floor_tick(price, kind, market), rules.ceil_tick(price, kind, market)
    assert low <= price <= high
    assert high - low in (0, rules.tick_size(price, kind, market))
    assert rules.ceil_tick(high, kind, market) == high
    table = rules.tick_table(kind, market)
    up = scalar.ticks_up(price, count, *table)
    assert rules.on_grid(up, kind, market)
    if up > 1 and high > 0:
        assert scalar.ticks_down(up, count, *table) == max(high, table[1][0])


def test_limits_are_those_at_which_the_market_was_seen_to_stop() -> None:
    for row in csv.DictReader(LIMITS.open()):
        rules = Rulebook.on(dt.date.fromisoformat(row["day"]))
        found = rules.price_limits(int(row["base"]), Kind.COMMON, Market(row["market"]))
        assert found == (int(row["lower"]), int(row["upper"])), row


@given(any_day, any_kind, any_market, any_price)
def test_limits_enclose_the_base_on_the_grid_and_within_the_percentage(
    day: dt.date, kind: Kind, market: Market, price: int
) -> None:
    rules = Rulebook.on(day)
    base = max(rules.floor_tick(price, kind, market), rules.tick_size(1, kind, market))
    lower, upper = rules.price_limits(base, kind, market)
    assert lower <= base <= upper
    assert rules.on_grid(lower, kind, market) and rules.on_grid(upper, kind, market)
    assert 10_000 * (upper - base) <= base * rules.limit_bp_of(market)
    assert 10_000 * (base - lower) <= base * rules.limit_bp_of(market)


def test_limits_were_fifteen_percent_before_june_2015() -> None:
    assert Rulebook.on(dt.date(2015, 6, 12)).price_limits(10_000) == (8_500, 11_500)
    assert Rulebook.on(dt.date(2015, 6, 15)).price_limits(10_000) == (7_000, 13_000)


@pytest.mark.parametrize(
    ("day", "market", "ppb"),
    [
        (dt.date(2019, 5, 29), Market.KOSPI, 3_000_000),
        (dt.date(2019, 5, 30), Market.KOSDAQ, 2_500_000),
        (dt.date(2022, 6, 2), Market.KOSPI, 2_300_000),
        (dt.date(2023, 6, 1), Market.KOSDAQ, 2_000_000),
        (dt.date(2024, 12, 26), Market.KOSPI, 1_800_000),
        (dt.date(2024, 12, 27), Market.KOSPI, 1_500_000),
        (dt.date(2025, 12, 26), Market.KOSDAQ, 1_500_000),
        (TODAY, Market.KOSPI, 2_000_000),
        (TODAY, Market.KONEX, 1_000_000),
    ],
)
def test_sale_tax_by_trade_day(day: dt.date, market: Market, ppb: int) -> None:
    assert Rulebook.on(day).sale_tax_ppb(market, Kind.COMMON) == ppb


def test_each_tax_row_begins_with_the_first_trade_that_settles_under_it() -> None:
    changed = [row for row in SALE_TAX_ROWS if row.first_day != row.in_force]
    assert len(changed) == 20
    for row in changed:
        assert Rulebook.on(row.first_day).settle_on() >= row.in_force
        assert Rulebook.on(previous_trading_day(row.first_day)).settle_on() < row.in_force


def test_sell_tax_is_zero_for_etf_and_for_every_buy() -> None:
    rules = Rulebook.on(TODAY)
    assert rules.charge(Side.SELL, 10_000_000, Market.KOSPI, Kind.ETF).tax == 0
    assert rules.charge(Side.BUY, 10_000_000, Market.KOSPI, Kind.COMMON).tax == 0


def test_a_charge_is_floored_to_a_won_each() -> None:
    paid = Rulebook.on(TODAY).charge(Side.SELL, 995_000, Market.KOSPI, Kind.COMMON)
    assert (paid.fee, paid.tax, paid.total) == (139, 1_990, 2_129)
    assert Rulebook.on(TODAY).with_fees(FeeSchedule(0)).charge(Side.SELL, 999, Market.KOSPI, Kind.COMMON).total == 1


@given(st.integers(0, 9 * 10**18), st.integers(0, 10**9))
def test_the_compiled_charge_is_exact_far_beyond_a_product_of_int64(amount: int, ppb: int) -> None:
    assert scalar.charge(amount, ppb) == amount * ppb // 10**9


@given(st.integers(0, 10**13), st.integers(1, 2_000_000), st.integers(0, 5_000_000), st.sampled_from([1, 10]))
def test_affordable_is_the_most_that_can_be_reserved(cash: int, price: int, ppb: int, lot: int) -> None:
    most = scalar.affordable(cash, price, ppb, lot)
    assert most % lot == 0
    assert most == 0 or scalar.reserve_buy(most, price, ppb) <= cash
    assert scalar.reserve_buy(most + lot, price, ppb) > cash


def test_a_regular_session_has_381_bars_and_the_last_is_the_closing_auction() -> None:
    session = Rulebook.on(TODAY).session
    starts, ends = session.minute_edges()
    assert len(starts) == 381
    assert (hhmmss_of(int(starts[0])), hhmmss_of(int(ends[0]))) == (90_000, 90_100)
    assert (hhmmss_of(int(starts[-1])), hhmmss_of(int(ends[-1]))) == (152_000, 153_000)
    assert (ends[:-1] == starts[1:]).all()


@pytest.mark.parametrize(
    ("day", "clock", "phase"),
    [
        (TODAY, 82_959, Phase.CLOSED),
        (TODAY, 83_000, Phase.OPENING_AUCTION),
        (TODAY, 90_000, Phase.CONTINUOUS),
        (TODAY, 151_959, Phase.CONTINUOUS),
        (TODAY, 152_000, Phase.CLOSING_AUCTION),
        (TODAY, 153_000, Phase.CLOSED),
        (TODAY, 160_000, Phase.AFTERMARKET),
        (TODAY, 200_000, Phase.CLOSED),
        (dt.date(2026, 9, 11), 170_000, Phase.CLOSED),
        (dt.date(2026, 11, 19), 93_000, Phase.OPENING_AUCTION),
        (dt.date(2026, 11, 19), 162_000, Phase.CLOSING_AUCTION),
        (dt.date(2026, 1, 2), 95_959, Phase.OPENING_AUCTION),
        (dt.date(2026, 1, 2), 152_000, Phase.CLOSING_AUCTION),
        (dt.date(2016, 7, 29), 145_000, Phase.CLOSING_AUCTION),
    ],
)
def test_phases_by_clock(day: dt.date, clock: int, phase: Phase) -> None:
    assert Rulebook.on(day).phase_at(instant_at(day, clock)) is phase


def test_phase_changes_and_phase_at_tell_the_same_story() -> None:
    for day in trading_days(dt.date(2026, 9, 1), dt.date(2026, 11, 30)):
        session = Rulebook.on(day).session
        for at, phase in session.changes():
            assert session.phase_at(at) is phase


def test_settlement_is_two_trading_days_later() -> None:
    assert Rulebook.on(dt.date(2026, 9, 22)).settle_on() == dt.date(2026, 9, 28)


def test_a_closed_day_has_no_rulebook() -> None:
    with pytest.raises(MarketRuleError):
        Rulebook.on(dt.date(2026, 11, 22))


@given(
    parts=st.lists(st.integers(1, 50_000_000), min_size=1, max_size=6),
    side=st.sampled_from(Side),
    market=st.sampled_from([Market.KOSPI, Market.KOSDAQ]),
)
def test_executions_cost_the_same_told_apart_or_together(parts, side, market):
    rules = Rulebook.on(TODAY)
    together = rules.charge(side, sum(parts), market, Kind.COMMON)
    before, fee, tax = 0, 0, 0
    for amount in parts:
        paid = rules.charge(side, amount, market, Kind.COMMON, before=before)
        assert paid.fee >= 0
        assert paid.tax >= 0
        before, fee, tax = before + amount, fee + paid.fee, tax + paid.tax
    assert (fee, tax) == (together.fee, together.tax)
