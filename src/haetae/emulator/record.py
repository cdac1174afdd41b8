"""The past and the running day of a world as seen at an instant: sights, daily bars, minutes, indices.

Here: ``Record``, which knows the instant and shows nothing that ended after it. Not here: the state of names and
of the market (``board``).
"""

from __future__ import annotations

import bisect
import datetime as dt

import numpy as np

from haetae.domain.market import Int64Array
from haetae.domain.units import Instant, day_of, instant_at
from haetae.emulator.bridge import STEPS
from haetae.emulator.interventions import Action, ActionKind
from haetae.emulator.periods import Bar, Period, gather
from haetae.emulator.session import Session
from haetae.emulator.sights import Sight, SightTable
from haetae.emulator.world import World


class Record:
    """What has ended by ``now``; ``move`` takes it forward."""

    def __init__(self, world: World, now: Instant) -> None:
        """Open the record at an instant."""
        self.world = world
        self.now = now
        self._session: Session | None = None
        self._span: tuple[Instant, Instant] = (0, 0)
        self._rows: tuple[Instant, int] = (-1, 0)
        self._lists: tuple[int, int, tuple[list[int], ...]] = (-1, -1, ())
        self._extremes: dict[tuple[str, int], tuple[int, tuple[int, dt.date, int, dt.date]]] = {}

    @property
    def session(self) -> Session:
        """The session whose prices are shown: today's, or the last one before today."""
        if self._session is not None and self._span[0] <= self.now < self._span[1]:
            return self._session
        days = self.world.days
        row = max(bisect.bisect_right(days, day_of(self.now)) - 1, 0)
        if self._session is None or self._session.row != row:
            self._session = Session(self.world, row)
        last = row + 1 == len(days)
        self._span = (min(self.now, instant_at(days[row], 0)), 2**62 if last else instant_at(days[row + 1], 0))
        return self._session

    def move(self, now: Instant) -> None:
        """Let more of the tape be seen."""
        self.now = now

    def rebuild(self) -> None:
        """Forget what was built of the present session (after a script)."""
        self._session = None
        self._rows = (-1, 0)
        self._lists = (-1, -1, ())
        self._extremes.clear()

    @property
    def seen(self) -> int:
        """Rows of the tape that have ended."""
        session = self.session
        if self._rows[0] != self.now:
            self._rows = (self.now, session.tape.seen(self.now))
        return self._rows[1]

    def _shown(self) -> tuple[list[int], ...]:
        """Price, opening price, high, low, shares and won so far of all names, as lists."""
        session, rows = self.session, self.seen
        if self._lists[:2] != (session.row, rows):
            tape = session.tape
            if rows:
                parts = (tape.price, tape.opened, tape.high, tape.low, tape.cumulative, tape.turnover)
                lists = tuple(part[rows - 1].tolist() for part in parts)
            else:
                nothing = [0] * len(session.base)
                lists = (session.base.tolist(), nothing, nothing, nothing, nothing, nothing)
            edges = (session.base.tolist(), session.lower.tolist(), session.upper.tolist())
            self._lists = (session.row, rows, (*lists, *edges))
        return self._lists[2]

    def sight(self, symbol: str) -> Sight:
        """Return what a quote of a symbol shows now; a name that left the list stands at its last price."""
        column = self.world.column[symbol]
        last, opened, high, low, volume, turnover, base, lower, upper = (part[column] for part in self._shown())
        if base == 0:
            last = base = self._last_known(column)
        return Sight(symbol, last, opened, high, low, base, lower, upper, volume, turnover)

    def _last_known(self, column: int) -> int:
        closes = self.world.daily.close[: self.session.row, column]
        found = np.flatnonzero(closes)
        return int(closes[found[-1]]) if len(found) else 0

    def table(self) -> SightTable:
        """Return the present figures of all names."""
        parts = [np.array(part, dtype=np.int64) for part in self._shown()]
        last, opened, high, low, volume, turnover, base, lower, upper = parts
        shares = np.array([item.shares_outstanding for item in self.session.instruments], dtype=np.int64)
        return SightTable(
            self.world.symbols, last, opened, high, low, base, lower, upper, volume, turnover, shares
        )  # fmt: skip

    def visible_days(self, column: int = -1) -> int:
        """Return how many rows of the daily table may be seen in full; a prolonged close counts for its name."""
        session = self.session
        close_at = session.course.released.get(column, session.rules.session.close_at)
        return session.row + (1 if self.now >= close_at else 0)

    def daily_rows(
        self, symbol: str, start: dt.date, end: dt.date, *, adjusted: bool = False
    ) -> list[tuple[dt.date, Bar]]:
        """Return ``(day, (open, high, low, close, volume, turnover, base))`` ascending; today's runs.

        ``adjusted`` divides prices before a split, bonus or rights issue of the past by what it did to them.
        """
        column, daily = self.world.column[symbol], self.world.daily
        full = self.visible_days(column)
        first = bisect.bisect_left(self.world.days, start)
        last = max(first, min(bisect.bisect_right(self.world.days, end), full))
        table = (daily.open, daily.high, daily.low, daily.close, daily.volume, daily.base)
        columns = [part[first:last, column].tolist() for part in table]
        found: list[tuple[dt.date, Bar]] = [
            (day, (o, h, low, c, v, (h + low + c) // 3 * v, base))
            for day, o, h, low, c, v, base in zip(self.world.days[first:last], *columns, strict=True)
            if c > 0
        ]
        today = self.session
        if full == today.row and start <= today.day <= end and self.seen and today.base[column] > 0:
            sight = self.sight(symbol)
            running = (sight.open, sight.high, sight.low, sight.last, sight.volume, sight.turnover, sight.base)
            found.append((today.day, running))
        return self._adjusted(symbol, found) if adjusted else found

    def _adjusted(self, symbol: str, rows: list[tuple[dt.date, Bar]]) -> list[tuple[dt.date, Bar]]:
        actions = [
            one
            for one in self.world.register.actions(self.world.days[0], day_of(self.now))
            if one.symbol == symbol and one.kind not in (ActionKind.DIVIDEND, ActionKind.MERGER)
        ]
        for action in actions:
            factor = self._price_factor(action)
            rows = [
                (day, bar) if day >= action.day else (day, (*(round(p * factor) for p in bar[:4]),
                 round(bar[4] / factor), bar[5], round(bar[6] * factor)))
                for day, bar in rows
            ]  # fmt: skip
        return rows

    def _price_factor(self, action: Action) -> float:
        row, column = self.world.row[action.day], self.world.column[action.symbol]
        before = int(self.world.daily.close[row - 1, column]) if row else 0
        return int(self.world.daily.base[row, column]) / before if before else 1.0

    def period_rows(
        self, symbol: str, start: dt.date, end: dt.date, period: Period, *, adjusted: bool = False
    ) -> list[tuple[dt.date, Bar]]:
        """Return weeks, months or years of daily rows, each under its last session; the newest runs.

        The base of a period is that of its first day.
        """
        return gather(self.daily_rows(symbol, start, end, adjusted=adjusted), period)

    def minute_rows(self, symbol: str, day: dt.date) -> list[tuple[Instant, Instant, Bar]]:
        """Return the traded minutes of a day that have begun to be seen, ascending.

        Each is ``(start, end, (open, high, low, close, volume, turnover so far))``; the newest may
        still run. Empty for a day without a session or before the first print.
        """
        row = self.world.row.get(day)
        if row is None or instant_at(day, 0) > self.now:
            return []
        column = self.world.column[symbol]
        start, end = self.world.times(row)
        opened, high, low, close, volume = self.world.minutes_of(row, column)
        running = row == self.session.row and self.visible_days(column) == row
        full = min(self.seen // STEPS, len(start) - 1) if running else len(start)
        live = np.flatnonzero(volume[:full])
        parts = [part[live] for part in (opened, high, low, close, volume)]
        turnover = np.cumsum((parts[0] + parts[1] + parts[2] + parts[3]) // 4 * parts[4])
        columns = [part.tolist() for part in (*parts, turnover)]
        found = list(zip(start[live].tolist(), end[live].tolist(), zip(*columns, strict=True), strict=True))
        if not running:
            return found
        return found + self._running(start, end, column, found[-1][2][5] if found else 0)

    def _running(
        self, start: Int64Array, end: Int64Array, column: int, turnover: int
    ) -> list[tuple[Instant, Instant, Bar]]:
        """The minute that has begun to be seen and still runs, if it has traded."""
        tape, rows = self.session.tape, self.seen
        full = min(rows // STEPS, len(start) - 1)
        piece = slice(full * STEPS, rows)
        volume = tape.volume[piece, column]
        if not volume.any():
            return []
        prices = tape.price[piece, column][volume > 0]
        bar = (int(prices[0]), int(prices.max()), int(prices.min()), int(prices[-1]), int(volume.sum()))
        so_far = turnover + int((prices * volume[volume > 0]).sum())
        return [(int(start[full]), int(end[full]), (*bar, so_far))]

    def index_rows(self, code: str, start: dt.date, end: dt.date) -> list[tuple[dt.date, Bar]]:
        """Return ``(day, (open, high, low, close, volume))`` of an index, finished days only, points x 100."""
        first = bisect.bisect_left(self.world.days, start)
        last = min(bisect.bisect_right(self.world.days, end), self.visible_days())
        return [(self.world.days[row], self.world.index_bar(code, row)) for row in range(first, max(first, last))]

    def index_period_rows(self, code: str, start: dt.date, end: dt.date, period: Period) -> list[tuple[dt.date, Bar]]:
        """Return weeks, months or years of an index, each under its last session."""
        return gather(self.index_rows(code, start, end), period)

    def index_minutes(self, code: str, day: dt.date) -> list[tuple[Instant, Instant, Bar]]:
        """Return ``(start, end, (open, high, low, close, volume))`` of an index's finished minutes, points x 100."""
        row = self.world.row.get(day)
        if row is None or instant_at(day, 0) > self.now:
            return []
        start, end = self.world.times(row)
        columns = self.world.index_minutes(code, row)
        volume = self.world.minutes(row).volume[:, self.world.members[code]].sum(axis=1)
        count = int(np.searchsorted(end, self.now, side="right"))
        parts = [part[:count].tolist() for part in (start, end, *columns, volume)]
        return [(one[0], one[1], tuple(one[2:])) for one in zip(*parts, strict=True)]

    def extremes(self, symbol: str, sessions: int) -> tuple[int, dt.date, int, dt.date]:
        """Return highest price, its day, lowest price, its day of the last finished sessions."""
        last = max(1, self.visible_days())
        known = self._extremes.get((symbol, sessions))
        if known is None or known[0] != last:
            known = self._extremes[symbol, sessions] = (last, self._extremes_until(symbol, sessions, last))
        return known[1]

    def _extremes_until(self, symbol: str, sessions: int, last: int) -> tuple[int, dt.date, int, dt.date]:
        column, first = self.world.column[symbol], max(0, last - sessions)
        high, low = self.world.daily.high[first:last, column], self.world.daily.low[first:last, column]
        top = int(high.argmax())
        bottom = int(np.where(low > 0, low, np.iinfo(np.int64).max).argmin())
        days = self.world.days
        return int(high[top]), days[first + top], int(low[bottom]), days[first + bottom]
