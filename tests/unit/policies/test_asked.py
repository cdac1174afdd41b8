"""A strategy asked by the desk is due on the session after the close at which a backtest asks it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.domain.panel import Panel
from haetae.domain.units import instant_at, yyyymmdd
from haetae.krx import next_trading_day, trading_days
from haetae.policies.asked import ONCE_A_DAY, decision_minutes, due
from haetae.policies.schedule import schedule

DAYS = trading_days(dt.date(2024, 1, 2), dt.date(2025, 12, 30))


def _panel() -> Panel:
    days = np.array([yyyymmdd(day) for day in DAYS], np.int32)
    start = np.array([instant_at(day, 90_000) for day in DAYS], np.int64)
    block = np.full((len(DAYS), 1), 1_000, np.int64)
    return Panel(("005930",), days, start, start + 1, *([block] * 5), np.ones(block.shape, np.bool_))


@pytest.mark.parametrize("every", ["day", "week", "month"])
def test_the_desk_is_asked_the_session_after_a_backtest_asks(every: str) -> None:
    rows = schedule(every).rows(_panel())
    by_backtest = {next_trading_day(DAYS[row]) for row in rows}
    by_desk = {day for day in DAYS[1:] if due(schedule(every), day, 0)}
    assert by_desk == by_backtest
    assert not any(due(schedule(every), day, 10) for day in DAYS[1:40])


def test_every_fifth_session_counts_the_same_from_any_start() -> None:
    days = [place for place, day in enumerate(DAYS[1:]) if due(schedule("5d"), day, 0)]
    assert set(np.diff(days)) == {5}


def test_minutes_are_the_desks_own() -> None:
    assert decision_minutes(schedule("30m")) == 30
    assert decision_minutes(schedule("bar")) == 1
    assert decision_minutes(schedule("month")) == ONCE_A_DAY
    assert [minute for minute in range(100) if due(schedule("30m"), DAYS[5], minute)] == [0, 30, 60, 90]
