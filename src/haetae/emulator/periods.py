"""Weeks, months and years of bars.

Here: ``gather``. A period stands under its last session; the newest one runs. Not here: where the bars come from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import Enum
from itertools import groupby

Bar = tuple[int, ...]
"""Open, high, low, close, volume; then sums (turnover) and, last, a figure of the first day (base price)."""


class Period(Enum):
    """Length of a period; the value is the letter a chart call uses."""

    WEEK = "W"
    MONTH = "M"
    YEAR = "Y"

    def key(self, day: dt.date) -> tuple[int, int]:
        """Return what all days of a period have in common."""
        match self:
            case Period.WEEK:
                return day.isocalendar()[:2]
            case Period.MONTH:
                return day.year, day.month
            case Period.YEAR:
                return day.year, 0


def gather(rows: Sequence[tuple[dt.date, Bar]], period: Period) -> list[tuple[dt.date, Bar]]:
    """Return the bars of periods from daily rows, ascending; days without a print have no prices to give."""
    found = []
    for _, group in groupby(rows, key=lambda row: period.key(row[0])):
        days = list(group)
        traded = [bar for _, bar in days if bar[4]] or [days[-1][1]]
        bar = [
            traded[0][0],
            max(bar[1] for bar in traded),
            min(bar[2] for bar in traded),
            days[-1][1][3],
            sum(bar[4] for _, bar in days),
        ]
        if len(days[0][1]) > 5:
            bar += [sum(bar[5] for _, bar in days), days[0][1][6]]
        found.append((days[-1][0], tuple(bar)))
    return found
