from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import StrategyError
from haetae.domain.panel import empty_panel
from haetae.domain.units import day_from
from haetae.policies.schedule import Unit, schedule
from panels import daily_panel, minute_panel

DAILY = daily_panel(120, 1, seed=1)
MINUTES = minute_panel(3, 1, seed=1)


@pytest.mark.parametrize(
    ("every", "unit", "count"),
    [
        ("bar", Unit.BAR, 1),
        ("Day", Unit.SESSION, 1),
        (" week ", Unit.WEEK, 1),
        ("month", Unit.MONTH, 1),
        ("5d", Unit.SESSION, 5),
        ("2 days", Unit.SESSION, 2),
        ("30m", Unit.MINUTE, 30),
        ("15 min", Unit.MINUTE, 15),
    ],
)
def test_the_words_are_understood(every: str, unit: Unit, count: int) -> None:
    found = schedule(every)
    assert (found.unit, found.count) == (unit, count)


@pytest.mark.parametrize("every", ["", "0d", "-5d", "hour", "5", "1.5d", "daily", "30s", "m", "5d5d"])
def test_anything_else_is_refused_with_the_words_there_are(every: str) -> None:
    with pytest.raises(StrategyError) as fault:
        schedule(every)
    assert fault.value.found == every
    assert "week" in str(fault.value.expected)


@given(st.sampled_from(["bar", "day", "week", "month", "3d", "30m"]), st.integers(0, 1_200), st.sampled_from("DM"))
def test_rows_ascend_from_the_first_and_something_is_left_to_trade(every: str, first: int, which: str) -> None:
    panel = DAILY if which == "D" and not every.endswith("m") else MINUTES
    rows = schedule(every).rows(panel, first)
    assert (np.diff(rows) > 0).all()
    assert all(first <= row < len(panel) - 1 for row in rows.tolist())
    if every in ("day", "week", "month", "3d"):
        ends = {last - 1 for _day, _first, last in panel.sessions()}
        assert set(rows.tolist()) <= ends


def test_days_are_every_session_but_the_last() -> None:
    assert schedule("day").rows(DAILY).tolist() == list(range(119))
    assert schedule("5d").rows(DAILY, 10).tolist() == list(range(10, 119, 5))


def test_weeks_end_with_their_last_session_also_across_years_and_holidays() -> None:
    days = [day_from(int(day)) for day in DAILY.days]
    ends = [n for n in range(len(days) - 1) if days[n].isocalendar()[:2] != days[n + 1].isocalendar()[:2]]
    assert schedule("week").rows(DAILY).tolist() == ends
    assert any(days[n].weekday() < 4 for n in ends), "a week that ends before Friday is among them"


def test_months_end_with_their_last_session() -> None:
    rows = schedule("month").rows(DAILY)
    assert [day_from(int(DAILY.days[row])).month for row in rows] == [1, 2, 3, 4, 5]
    assert all(DAILY.days[row + 1] // 100 > DAILY.days[row] // 100 for row in rows)


def test_minutes_are_counted_inside_sessions() -> None:
    rows = schedule("60m").rows(MINUTES)
    sessions = MINUTES.sessions()
    assert [int(row - sessions[0][1]) for row in rows if row < sessions[0][2]] == [4, 64, 124, 184, 244, 304, 364]
    assert len(rows) == 21


def test_minutes_of_daily_bars_are_refused_not_silently_never() -> None:
    with pytest.raises(StrategyError, match="minute bars"):
        schedule("30m").rows(DAILY)
    assert len(schedule("30m").rows(empty_panel(("005930",)))) == 0
