"""What a source says of days against the table, and the calendar that believes it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import MarketRuleError
from haetae.krx import calendar
from haetae.krx.refresh import Calendar, Comparison, compare

MONDAY = dt.date(2026, 11, 23)
CHRISTMAS = dt.date(2026, 12, 25)
within = st.dates(dt.date(2010, 1, 1), dt.date(2027, 12, 31))
told = st.dictionaries(st.dates(dt.date(2008, 1, 1), dt.date(2029, 12, 31)), st.booleans(), max_size=40)


def week(**other: bool) -> list[tuple[dt.date, bool]]:
    """Return a week as the table has it, save for days named ``d23`` and the like."""
    days = [MONDAY + dt.timedelta(days=offset) for offset in range(7)]
    return [(day, other.get(f"d{day.day}", day.weekday() < 5)) for day in days]


def test_a_source_that_says_the_same_changes_nothing() -> None:
    found = compare(week())
    assert found.agreed == tuple(day for day, _ in week())
    assert found.differing == ()
    assert found.believing_the_source() == Calendar()


def test_a_day_that_the_source_closes_is_named_and_left_out() -> None:
    found = compare(week(d25=False))
    assert found.source_closed == (dt.date(2026, 11, 25),)
    assert found.source_open == ()
    believed = found.believing_the_source()
    assert believed.trading_days(MONDAY, dt.date(2026, 11, 29)) == tuple(
        dt.date(2026, 11, day) for day in (23, 24, 26, 27)
    )
    assert believed.next_trading_day(dt.date(2026, 11, 24)) == dt.date(2026, 11, 26)
    assert believed.previous_trading_day(dt.date(2026, 11, 26), 2) == MONDAY
    assert calendar.is_trading_day(dt.date(2026, 11, 25)), "the table itself does not change"


def test_a_day_that_the_source_opens_is_named_and_taken_in() -> None:
    found = compare([(CHRISTMAS, True), (dt.date(2026, 12, 26), True)])
    assert found.source_open == (CHRISTMAS, dt.date(2026, 12, 26))
    assert found.believing_the_source().next_trading_day(dt.date(2026, 12, 24), 2) == dt.date(2026, 12, 26)


def test_the_newer_word_on_a_day_counts() -> None:
    assert compare([(MONDAY, False), (MONDAY, True)]).differing == ()
    assert compare([(MONDAY, True), (MONDAY, False)]).source_closed == (MONDAY,)


def test_a_source_may_tell_of_days_beyond_the_table_and_only_of_those_it_told() -> None:
    found = compare([(dt.date(2028, 1, 3), True), (dt.date(2028, 1, 1), False)])
    assert (found.beyond_open, found.beyond_closed) == ((dt.date(2028, 1, 3),), (dt.date(2028, 1, 1),))
    assert found.differing == ()
    believed = found.believing_the_source()
    assert believed.is_trading_day(dt.date(2028, 1, 3))
    assert not believed.is_trading_day(dt.date(2028, 1, 1))
    with pytest.raises(MarketRuleError, match="2028-01-04"):
        believed.next_trading_day(dt.date(2028, 1, 3))


def test_a_step_of_no_trading_days_is_an_error() -> None:
    with pytest.raises(MarketRuleError):
        Calendar().next_trading_day(MONDAY, 0)
    with pytest.raises(MarketRuleError):
        Calendar().previous_trading_day(MONDAY, -1)


@given(told)
def test_each_day_told_has_one_place_and_the_source_is_believed_on_all(days: dict[dt.date, bool]) -> None:
    found = compare(days.items())
    parts = [found.agreed, found.source_closed, found.source_open, found.beyond_open, found.beyond_closed]
    assert sorted(day for part in parts for day in part) == sorted(days)
    assert all(list(part) == sorted(part) for part in parts)
    believed = found.believing_the_source()
    assert {day: believed.is_trading_day(day) for day in days} == days


@given(within, st.integers(1, 9))
def test_without_a_source_the_calendar_is_the_table(day: dt.date, n: int) -> None:
    assert Calendar() == Comparison().believing_the_source()
    assert Calendar().is_trading_day(day) is calendar.is_trading_day(day)
    later = min(day + dt.timedelta(days=30), dt.date(2027, 12, 31))
    assert Calendar().trading_days(day, later) == calendar.trading_days(day, later)
    if dt.date(2010, 2, 1) < day < dt.date(2027, 11, 30):
        assert Calendar().next_trading_day(day, n) == calendar.next_trading_day(day, n)
        assert Calendar().previous_trading_day(day, n) == calendar.previous_trading_day(day, n)
