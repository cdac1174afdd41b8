"""When a strategy is asked: every session, week, month, or every so many minutes.

Here: the words and what they mean as rows of a panel. Not here: who asks (``backtest``, ``desk``). A row is known at
its end; the last session of a panel is left out, since nothing could be traded after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

import numpy as np

from haetae.domain.errors import StrategyError, Text
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.policies.baselines import decision_rows, minute_rows, month_rows

_SPAN = re.compile(r"(\d+)\s*(m|min|minutes?|d|days?)")


class Unit(Enum):
    """What a schedule counts."""

    BAR = "bar"
    MINUTE = "minute"
    SESSION = "session"
    WEEK = "week"
    MONTH = "month"


_WORDS = {"bar": Unit.BAR, "day": Unit.SESSION, "week": Unit.WEEK, "month": Unit.MONTH}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every ``count`` units; weeks and months end with their last session."""

    unit: Unit
    count: int = 1

    def rows(self, panel: Panel, first: int = 0) -> Int64Array:
        """Return the rows of a panel at whose end the strategy is asked, from row ``first`` on, ascending.

        Raises ``StrategyError`` where minutes are counted in a panel of daily bars.
        """
        match self.unit:
            case Unit.BAR:
                rows = np.arange(first, max(len(panel) - 1, first), self.count, dtype=np.int64)
            case Unit.MINUTE:
                if len(panel) and len(panel.sessions()) == len(panel):
                    raise _needs_minutes(self.count)
                rows = minute_rows(panel, every_minutes=self.count)
            case Unit.SESSION:
                return _from(decision_rows(panel, every_sessions=1), first)[:: self.count]
            case Unit.WEEK:
                rows = _week_rows(panel)
            case Unit.MONTH:
                rows = month_rows(panel)
        return _from(rows, first)


def schedule(every: str) -> Schedule:
    """Return what ``every`` says: ``bar``, ``day``, ``week``, ``month``, ``5d``, ``30m``.

    Raises ``StrategyError`` for anything else.
    """
    text = every.strip().lower()
    if text in _WORDS:
        return Schedule(_WORDS[text])
    found = _SPAN.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise StrategyError(
            Text(ko="언제 물어볼지 알 수 없습니다", en="it is not said when the strategy is asked"),
            expected="bar, day, week, month, 5d, 30m",
            found=every,
            next_step='every = "day"',
        )
    return Schedule(Unit.MINUTE if found[2].startswith("m") else Unit.SESSION, int(found[1]))


def _needs_minutes(count: int) -> StrategyError:
    return StrategyError(
        Text(ko="분마다 묻는 전략에는 분봉이 필요합니다", en="a strategy asked every few minutes needs minute bars"),
        expected="minute bars",
        found=f"daily bars, every = {count}m",
        next_step='--bars minute, or every = "day"',
    )


def _from(rows: Int64Array, first: int) -> Int64Array:
    return rows[rows >= first]


def _week_rows(panel: Panel) -> Int64Array:
    sessions = panel.sessions()
    weeks = [day_from(int(panel.days[first])).isocalendar()[:2] for _day, first, _last in sessions]
    ends = [sessions[n][2] - 1 for n in range(len(sessions) - 1) if weeks[n + 1] != weeks[n]]
    return np.array(ends, dtype=np.int64)
