"""What a source says of days, beside the calendar of this room: where both agree, where not, and a calendar that
believes the source.

The table of closing days (`closures`) is written ahead of its years, and the government may still close a day at a
fortnight's notice. So what the broker says of the coming days is compared with it each morning. Here: the comparison
and the calendar that follows. Not here: asking the broker, keeping its answer (``collector``), warning a person
(``wiring.doctor``). A source tells whether a day trades, not at which hours: those stay the table's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from haetae.domain.errors import MarketRuleError, Text
from haetae.krx import calendar
from haetae.krx.closures import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True, slots=True)
class Calendar:
    """Trading days as the table has them, save for days on which a source is believed instead.

    Attributes
    ----------
    opened, closed : frozenset of date
        Days that trade although the table closes them, and the reverse. Days beyond the table's years may stand in
        either: what a source says of them is all that is known.
    """

    opened: frozenset[dt.date] = frozenset()
    closed: frozenset[dt.date] = frozenset()

    def is_trading_day(self, day: dt.date) -> bool:
        """Return whether a day trades; raises ``MarketRuleError`` where neither table nor source knows."""
        if day in self.opened or day in self.closed:
            return day in self.opened
        return calendar.is_trading_day(day)

    def trading_days(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Return the trading days of ``[start, end]``, ascending."""
        span = (start + dt.timedelta(days=offset) for offset in range((end - start).days + 1))
        return tuple(day for day in span if self.is_trading_day(day))

    def next_trading_day(self, day: dt.date, n: int = 1) -> dt.date:
        """Return the n-th trading day after a day (which itself need not trade); ``n >= 1``."""
        return self._step(day, n, dt.timedelta(days=1))

    def previous_trading_day(self, day: dt.date, n: int = 1) -> dt.date:
        """Return the n-th trading day before a day (which itself need not trade); ``n >= 1``."""
        return self._step(day, n, dt.timedelta(days=-1))

    def _step(self, day: dt.date, n: int, one: dt.timedelta) -> dt.date:
        if n < 1:
            raise MarketRuleError(
                Text(ko=f"거래일 수는 1 이상이어야 합니다: {n}", en=f"a count of trading days must be at least 1: {n}"),
                expected="n >= 1",
                found=str(n),
                next_step="ask for the next or the previous trading day",
            )
        while n:
            day += one
            n -= self.is_trading_day(day)
        return day


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a source said of days, each day in exactly one place, ascending.

    Attributes
    ----------
    agreed : tuple of date
        Source and table say the same.
    source_closed, source_open : tuple of date
        Only the table trades; only the source trades.
    beyond_open, beyond_closed : tuple of date
        Days outside the table's years, as the source has them.
    """

    agreed: tuple[dt.date, ...] = ()
    source_closed: tuple[dt.date, ...] = ()
    source_open: tuple[dt.date, ...] = ()
    beyond_open: tuple[dt.date, ...] = ()
    beyond_closed: tuple[dt.date, ...] = ()

    @property
    def differing(self) -> tuple[dt.date, ...]:
        """Days on which source and table differ, ascending."""
        return tuple(sorted((*self.source_closed, *self.source_open)))

    def believing_the_source(self) -> Calendar:
        """Return the calendar with the source's word on every day on which it differs or is alone."""
        return Calendar(
            opened=frozenset((*self.source_open, *self.beyond_open)),
            closed=frozenset((*self.source_closed, *self.beyond_closed)),
        )


def compare(told: Iterable[tuple[dt.date, bool]]) -> Comparison:
    """Compare what a source says of days with the table.

    Parameters
    ----------
    told : iterable of (day, trades)
        Calendar days, weekends too. A day told twice counts as it was told last: give the older word first.
    """
    found: dict[str, list[dt.date]] = {}
    for day, trades in sorted(dict(told).items()):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            place = "beyond_open" if trades else "beyond_closed"
        elif calendar.is_trading_day(day) is trades:
            place = "agreed"
        else:
            place = "source_open" if trades else "source_closed"
        found.setdefault(place, []).append(day)
    return Comparison(**{place: tuple(days) for place, days in found.items()})
