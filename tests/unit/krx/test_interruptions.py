"""What interrupts trading, when markets outside the session are open, how far prices may go: by answer."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Kind, Market, Phase
from haetae.domain.units import hhmmss_of
from haetae.krx import Rulebook, costs, limits, trading_days
from haetae.krx.afterhours import OffHours
from haetae.krx.interruptions import breaker_on, narrow_by_kind, periodic_min, reopening_min, sidecar_on, trips, vi_on

TODAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "static", "narrow", "wide"),
    [
        (dt.date(2014, 8, 29), None, None, None),
        (dt.date(2014, 9, 1), 0, (300, 200, 300), (600, 400, 600)),
        (dt.date(2015, 6, 12), 0, (300, 200, 300), (600, 400, 600)),
        (dt.date(2015, 6, 15), 1_000, (300, 200, 300), (600, 400, 600)),
        (TODAY, 1_000, (300, 200, 300), (600, 400, 600)),
    ],
)
def test_interruptions_of_single_names_by_date(day, static, narrow, wide) -> None:
    rules = vi_on(day)
    if static is None:
        assert rules is None
        return
    assert (rules.static_bp, rules.dynamic(narrow=True), rules.dynamic(narrow=False)) == (static, narrow, wide)
    assert (rules.call_s, rules.random_s) == (120, 30)
    assert Rulebook.on(day).vi is rules


def test_a_name_has_no_interruption_on_its_first_day_since_october_2021() -> None:
    assert vi_on(dt.date(2021, 10, 15)).on_listing_day
    assert not vi_on(dt.date(2021, 10, 18)).on_listing_day


@pytest.mark.parametrize(
    ("kind", "name", "narrow"),
    [
        (Kind.ETF, "KODEX 200", True),
        (Kind.ETF, "KODEX 인버스", True),
        (Kind.ETF, "KODEX 레버리지", False),
        (Kind.ETF, "KODEX 200선물인버스2X", False),
        (Kind.ETF, "KODEX 반도체", False),
        (Kind.ETF, "해태 국고채10년", True),
        (Kind.ETN, "해태 인버스 ETN", False),
        (Kind.COMMON, "200", False),
    ],
)
def test_funds_have_a_rate_by_what_they_follow(kind: Kind, name: str, narrow: bool) -> None:
    assert narrow_by_kind(kind, name) is narrow


@pytest.mark.parametrize(
    ("price", "reference", "rate", "tripped"),
    [(11_000, 10_000, 1_000, True), (10_990, 10_000, 1_000, False), (9_000, 10_000, 1_000, True),
     (9_010, 10_000, 1_000, False), (10_300, 10_000, 300, True), (10_290, 10_000, 300, False),
     (20_000, 10_000, 0, False), (7_360, 6_810, 600, True)],
)  # fmt: skip
def test_a_price_trips_at_its_rate(price: int, reference: int, rate: int, tripped: bool) -> None:
    assert trips(price, reference, rate) is tripped


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.sampled_from([200, 300, 400, 600, 1_000]))
def test_a_price_further_away_trips_too(reference: int, price: int, rate: int) -> None:
    if trips(price, reference, rate):
        assert trips(price + (1 if price > reference else -1), reference, rate)
        assert trips(price, reference, rate - 1)


def test_the_breaker_has_three_levels_since_june_2015_and_one_before() -> None:
    assert [level.fall_bp for level in breaker_on(dt.date(2015, 6, 12)).levels] == [1_000]
    rules = Rulebook.on(TODAY).breaker
    assert [(one.fall_bp, one.further_bp, one.halt_min, one.auction_min) for one in rules.levels] == [
        (800, 0, 20, 10),
        (1_500, 100, 20, 10),
        (2_000, 100, 0, 0),
    ]
    assert (rules.lasts_s, rules.guard_min) == (60, 40)
    assert breaker_on(dt.date(2001, 1, 2)) is None
    assert sidecar_on(TODAY).move_bp == 500


def test_some_flags_mean_single_prices_every_half_hour() -> None:
    assert periodic_min(TODAY, frozenset({"liquidation", "administrative"})) == 30
    assert periodic_min(TODAY, frozenset({"short_overheated"})) == 30
    assert periodic_min(dt.date(2012, 11, 2), frozenset({"short_overheated"})) == 0
    assert periodic_min(TODAY, frozenset({"administrative", "caution"})) == 0
    assert reopening_min(TODAY) == 10


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        (
            dt.date(2014, 3, 3),
            {
                OffHours.BEFORE_OPEN: (73_000, 83_000),
                OffHours.AFTER_CLOSE: (151_000, 153_000),
                OffHours.SINGLE_PRICE: (153_000, 180_000),
            },
        ),
        (
            dt.date(2018, 3, 5),
            {
                OffHours.BEFORE_OPEN: (73_000, 83_000),
                OffHours.AFTER_CLOSE: (154_000, 160_000),
                OffHours.SINGLE_PRICE: (160_000, 180_000),
            },
        ),
        (
            dt.date(2026, 9, 11),
            {
                OffHours.BEFORE_OPEN: (83_000, 84_000),
                OffHours.AFTER_CLOSE: (154_000, 160_000),
                OffHours.SINGLE_PRICE: (160_000, 180_000),
            },
        ),
        (
            TODAY,
            {
                OffHours.BEFORE_OPEN: (83_000, 84_000),
                OffHours.AFTER_CLOSE: (154_000, 160_000),
                OffHours.AFTERMARKET: (160_000, 200_000),
            },
        ),
        (
            dt.date(2026, 11, 19),
            {
                OffHours.BEFORE_OPEN: (93_000, 94_000),
                OffHours.AFTER_CLOSE: (164_000, 170_000),
                OffHours.AFTERMARKET: (170_000, 200_000),
            },
        ),
    ],
)
def test_markets_outside_the_session_by_date(day: dt.date, wanted: dict) -> None:
    found = Rulebook.on(day).off_hours()
    assert {w.hours: (hhmmss_of(w.start), hhmmss_of(w.end)) for w in found} == wanted
    assert [w.start for w in found] == sorted(w.start for w in found)
    for window in found:
        assert window.holds(window.start)
        assert not window.holds(window.end)


def test_the_aftermarket_of_the_windows_is_that_of_the_phases() -> None:
    for day in trading_days(dt.date(2026, 8, 31), dt.date(2026, 11, 30)):
        windows = {window.hours: window for window in Rulebook.on(day).off_hours()}
        session = Rulebook.on(day).session
        assert (OffHours.AFTERMARKET in windows) is (session.aftermarket_to > 0)
        if session.aftermarket_to:
            window = windows[OffHours.AFTERMARKET]
            assert (window.start, window.end) == (session.aftermarket_from, session.aftermarket_to)
            assert session.phase_at(window.start) is Phase.AFTERMARKET
            assert window.without == {Kind.ETF, Kind.ETN}


@pytest.mark.parametrize(
    ("day", "lower", "upper"),
    [
        (dt.date(2014, 3, 3), 7_650, 23_000),
        (dt.date(2023, 6, 23), 6_300, 26_000),
        (dt.date(2023, 6, 26), 6_000, 40_000),
    ],
)
def test_edges_of_a_first_day(day: dt.date, lower: int, upper: int) -> None:
    assert Rulebook.on(day).listing_day_limits(10_000) == (lower, upper)


@pytest.mark.parametrize(
    ("day", "market", "rate"),
    [
        (dt.date(2015, 6, 12), Market.KOSPI, 1_500),
        (dt.date(2015, 6, 15), Market.KOSPI, 3_000),
        (dt.date(2015, 6, 15), Market.KONEX, 1_500),
        (TODAY, Market.KOSDAQ, 3_000),
    ],
)
def test_daily_limits_by_date(day: dt.date, market: Market, rate: int) -> None:
    assert limits.limit_bp(day, market) == rate
    assert Rulebook.on(day).limit_bp_of(market) == rate


def test_dividends_are_taxed_at_fifteen_point_four_percent() -> None:
    assert costs.dividend_tax_ppb(TODAY) == 154_000_000
    with pytest.raises(MarketRuleError, match="2000-01-04"):
        costs.dividend_tax_ppb(dt.date(2000, 1, 4))


def test_the_single_prices_of_the_evening_widened_in_september_2014() -> None:
    for day, limit_bp, every_min in ((dt.date(2014, 8, 29), 500, 30), (dt.date(2014, 9, 1), 1_000, 10)):
        (window,) = [w for w in Rulebook.on(day).off_hours() if w.hours is OffHours.SINGLE_PRICE]
        assert (window.limit_bp, window.every_min) == (limit_bp, every_min)
