"""A strategy as the desk asks it: often and at the desk's own minutes, answering on its schedule only.

The desk asks every so many minutes of a session. A strategy of sessions, weeks or months is due at the first question
after its closed session: it sees the same closed bars then as a backtest shows it at the close, and its orders meet the
next session either way. Not here: the desk's minutes (``desk.settings``), rows of a backtest (`schedule`).
"""

from __future__ import annotations

import datetime as dt

from haetae.domain.decisions import Proposal, View
from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.krx import opens_at, previous_trading_day, trading_days
from haetae.policies.schedule import Schedule, Unit
from haetae.policies.strategy import Strategy, check

_ORIGIN = dt.date(2010, 1, 4)
"""Spans of several sessions are counted from here, so that every start of a program counts alike."""
ONCE_A_DAY = 400
"""Minutes between questions that leave one a session."""


class OnSchedule:
    """A policy of the desk around a strategy."""

    def __init__(self, strategy: Strategy, first_minute: int = 5) -> None:
        """Take the strategy and the minute of the session at which the desk asks first."""
        self._strategy = strategy
        self._schedule = strategy.schedule()
        self._first = first_minute

    @property
    def policy_id(self) -> str:
        """Name with parameters of the strategy."""
        return self._strategy.policy_id

    @property
    def decision_minutes(self) -> int:
        """How often the desk must ask."""
        return decision_minutes(self._schedule)

    def propose(self, view: View) -> Proposal:
        """Return the strategy's checked proposal where it is due, else one that changes nothing."""
        if not due(self._schedule, view.day, self._minute(view)):
            return self._strategy.hold(view, {})
        proposal = self._strategy.propose(view)
        check(proposal, view)
        return proposal

    def _minute(self, view: View) -> int:
        return (view.at - instant_at(view.day, opens_at(view.day))) // NS_PER_MINUTE - self._first


def decision_minutes(every: Schedule) -> int:
    """Return the minutes between a desk's questions that serve a schedule."""
    if every.unit is Unit.BAR:
        return every.count
    return every.count if every.unit is Unit.MINUTE else ONCE_A_DAY


def due(every: Schedule, day: dt.date, minute: int) -> bool:
    """Return whether a schedule is due on a day, so many minutes after the desk's first question."""
    if every.unit in (Unit.BAR, Unit.MINUTE):
        return minute % every.count == 0
    if minute != 0:
        return False
    closed = previous_trading_day(day)
    match every.unit:
        case Unit.WEEK:
            return closed.isocalendar()[:2] != day.isocalendar()[:2]
        case Unit.MONTH:
            return (closed.year, closed.month) != (day.year, day.month)
        case _:
            return every.count == 1 or (len(trading_days(_ORIGIN, closed)) - 1) % every.count == 0
