"""What may be seen of a world at an instant: last prices, books, charts, calendar.

Here: ``Board``, which holds the present session's tape and answers every question of a quote call
from what has ended by now. Nothing later than its instant leaves it. Not here: wire texts
(``quotations``), accounts.
"""

from __future__ import annotations

import bisect
import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from haetae.domain.market import Instrument, Int64Array, Kind, Phase
from haetae.domain.units import Instant, day_of, instant_at
from haetae.emulator.bridge import STEPS, MinuteBars, Tape
from haetae.emulator.market import World
from haetae.krx import Rulebook, is_trading_day

LEVELS = 10


@dataclass(frozen=True, slots=True)
class Sight:
    """One symbol as a quote shows it: won and shares; ``open``, ``high``, ``low`` 0 before a print."""

    symbol: str
    last: int
    open: int
    high: int
    low: int
    base: int
    lower: int
    upper: int
    volume: int
    turnover: int

    @property
    def sign(self) -> str:
        """전일대비부호: 1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
        if self.last == self.upper:
            return "1"
        if self.last == self.lower:
            return "4"
        return "2" if self.last > self.base else "5" if self.last < self.base else "3"

    @property
    def change(self) -> int:
        """Won against the base price."""
        return self.last - self.base

    @property
    def change_rate(self) -> float:
        """Percent against the base price."""
        return 100.0 * self.change / self.base if self.base else 0.0


@dataclass(frozen=True, slots=True)
class Depth:
    """Ten levels a side, best first; a price of 0 means that there is none."""

    asks: tuple[int, ...]
    bids: tuple[int, ...]
    ask_sizes: tuple[int, ...]
    bid_sizes: tuple[int, ...]


class Session:
    """The tape, limits and rules of one trading day of a world."""

    def __init__(self, world: World, row: int) -> None:
        """Build the session of a row of the world's days."""
        self.row = row
        self.day = world.days[row]
        self.rules = Rulebook.on(self.day)
        self.base: Int64Array = world.daily.base[row]
        self.base_prices = dict(zip(world.symbols, self.base.tolist(), strict=True))
        self.tape = Tape(world.minutes(row), self.base)
        self._grid = world.grid(self.day)
        self.lower, self.upper = self._grid.limits(self.base)
        self._best_of = -1
        self._best: tuple[Int64Array, Int64Array, Int64Array] = (self.base, self.base, self.base)
        self.usual: Int64Array = np.maximum(1, world.daily.volume[max(row - 1, 0)] // 2_000)

    @cached_property
    def _spread(self) -> tuple[Int64Array, Int64Array]:
        price = self.tape.price
        above = price + self._grid.tick(price)
        parity = (np.arange(1, len(price) + 1)[:, None] + np.arange(price.shape[1])) % 2 == 1
        ask = np.where(parity, price, above)
        return ask, ask - self._grid.tick(ask - 1)

    def best(self, row: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return best ask, best bid and the size of each after a tape row; 0 beyond a limit."""
        if self._best_of != row:
            self._best_of, self._best = row, self._top(row)
        return self._best

    def _top(self, row: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        ask, bid = self._spread[0][row], self._spread[1][row]
        place = np.arange(len(ask))
        size = 1 + self.usual * (1 + ((row + 1) * 7 + place * 3) % 9) // 4
        return np.where(ask <= self.upper, ask, 0), np.where(bid >= self.lower, bid, 0), size


class Board:
    """The market as seen at ``now``; ``move`` takes it forward."""

    def __init__(self, world: World, now: Instant) -> None:
        """Open the board at an instant."""
        self.world = world
        self.now = now
        self._session: Session | None = None
        self._extremes: dict[tuple[str, int], tuple[int, tuple[int, dt.date, int, dt.date]]] = {}
        self.move(now)

    @property
    def session(self) -> Session:
        """The session whose prices are shown: today's, or the last one before today."""
        row = bisect.bisect_right(self.world.days, day_of(self.now)) - 1
        row = max(row, 0)
        if self._session is None or self._session.row != row:
            self._session = Session(self.world, row)
        return self._session

    def move(self, now: Instant) -> None:
        """Let more of the tape be seen."""
        self.now = now

    def rebuild(self) -> None:
        """Forget what was built of the present session (after a shock)."""
        self._session = None
        self._extremes.clear()

    @property
    def seen(self) -> int:
        """Rows of the tape that have ended."""
        return self.session.tape.seen(self.now)

    @property
    def phase(self) -> Phase:
        """Phase of the market now; ``CLOSED`` on days without a session."""
        day = day_of(self.now)
        return Rulebook.on(day).phase_at(self.now) if self.trades(day) else Phase.CLOSED

    def trades(self, day: dt.date) -> bool:
        """Whether a day is a session of this world's calendar."""
        return is_trading_day(day) and day <= self.world.days[-1]

    def instrument(self, symbol: str) -> Instrument | None:
        """Return a listed name; none for an unknown or not yet listed code."""
        column = self.world.column.get(symbol)
        return self.world.instruments[column] if column is not None and self.session.base[column] > 0 else None

    def halted(self, symbol: str) -> bool:
        """Whether a name does not trade today."""
        column = self.world.column[symbol]
        return "halted" in self.world.instruments[column].flags or (
            int(self.world.daily.volume[self.session.row, column]) == 0
        )

    def sight(self, symbol: str) -> Sight:
        """Return what a quote of a listed symbol shows now."""
        column, session, rows = self.world.column[symbol], self.session, self.seen
        base = int(session.base[column])
        edges = (int(session.lower[column]), int(session.upper[column]))
        if rows == 0:
            return Sight(symbol, base, 0, 0, 0, base, *edges, 0, 0)
        tape = session.tape
        return Sight(
            symbol,
            int(tape.price[rows - 1, column]),
            int(tape.opened[rows - 1, column]),
            int(tape.high[rows - 1, column]),
            int(tape.low[rows - 1, column]),
            base,
            *edges,
            int(tape.cumulative[rows - 1, column]),
            int(tape.turnover[rows - 1, column]),
        )

    def depth(self, symbol: str, row: int | None = None) -> Depth:
        """Return the order book around the last price, by rule from the tape (nobody else trades here)."""
        column, session = self.world.column[symbol], self.session
        rows = self.seen if row is None else row
        last = int(session.tape.price[rows - 1, column]) if rows else int(session.base[column])
        lower, upper = int(session.lower[column]), int(session.upper[column])
        item = self.world.instruments[column]
        rules = session.rules
        ask = last if (rows + column) % 2 else rules.ceil_tick(last + 1, item.kind, item.market)
        asks, bids = [], []
        price = ask
        for _ in range(LEVELS):
            asks.append(price if price <= upper else 0)
            price = rules.ceil_tick(price + 1, item.kind, item.market)
        price = rules.floor_tick(ask - 1, item.kind, item.market)
        for _ in range(LEVELS):
            bids.append(price if price >= lower else 0)
            price = rules.floor_tick(price - 1, item.kind, item.market) if price > 1 else 0
        size = int(session.usual[column])
        sizes = [1 + size * (1 + (rows * 7 + column * 3 + level * 5) % 9) // 4 for level in range(2 * LEVELS)]
        return Depth(
            tuple(asks),
            tuple(bids),
            tuple(size if price else 0 for size, price in zip(sizes[:LEVELS], asks, strict=True)),
            tuple(size if price else 0 for size, price in zip(sizes[LEVELS:], bids, strict=True)),
        )

    def top(self, symbol: str) -> tuple[int, int, int]:
        """Return best ask, best bid and the size of each; 0 before the first print."""
        rows = self.seen
        if rows == 0:
            return 0, 0, 0
        column = self.world.column[symbol]
        ask, bid, size = self.session.best(rows - 1)
        return int(ask[column]), int(bid[column]), int(size[column])

    def visible_days(self) -> int:
        """Return how many rows of the daily table may be seen in full."""
        session = self.session
        finished = self.now >= session.rules.session.close_at
        return session.row + (1 if finished else 0)

    def daily_rows(self, symbol: str, start: dt.date, end: dt.date) -> list[tuple[dt.date, tuple[int, ...]]]:
        """Return ``(day, (open, high, low, close, volume, turnover, base))`` ascending; today's runs."""
        column, daily = self.world.column[symbol], self.world.daily
        full = self.visible_days()
        first = bisect.bisect_left(self.world.days, start)
        last = max(first, min(bisect.bisect_right(self.world.days, end), full))
        table = (daily.open, daily.high, daily.low, daily.close, daily.volume, daily.base)
        columns = [part[first:last, column].tolist() for part in table]
        found: list[tuple[dt.date, tuple[int, ...]]] = [
            (day, (o, h, low, c, v, (h + low + c) // 3 * v, base))
            for day, o, h, low, c, v, base in zip(self.world.days[first:last], *columns, strict=True)
            if c > 0
        ]
        today = self.session
        if full == today.row and start <= today.day <= end and self.seen and today.base[column] > 0:
            sight = self.sight(symbol)
            running = (sight.open, sight.high, sight.low, sight.last, sight.volume, sight.turnover, sight.base)
            found.append((today.day, running))
        return found

    def minute_rows(self, symbol: str, day: dt.date) -> list[tuple[Instant, Instant, tuple[int, ...]]]:
        """Return the traded minutes of a day that have begun to be seen, ascending.

        Each is ``(start, end, (open, high, low, close, volume, turnover so far))``; the newest may
        still run. Empty for a day without a session or before the first print.
        """
        row = self.world.row.get(day)
        if row is None or instant_at(day, 0) > self.now:
            return []
        column, whole = self.world.column[symbol], self.world.minutes(row)
        running = row == self.session.row and self.now < self.session.rules.session.close_at
        full = self.seen // STEPS if running else len(whole.start)
        live = np.flatnonzero(whole.volume[:full, column])
        parts = [part[live, column] for part in (whole.open, whole.high, whole.low, whole.close, whole.volume)]
        turnover = np.cumsum((parts[0] + parts[1] + parts[2] + parts[3]) // 4 * parts[4])
        columns = [part.tolist() for part in (*parts, turnover)]
        found = list(zip(whole.start[live].tolist(), whole.end[live].tolist(), zip(*columns, strict=True), strict=True))
        return found + self._running(whole, column, found[-1][2][5] if found else 0) if running else found

    def _running(self, whole: MinuteBars, column: int, turnover: int) -> list[tuple[Instant, Instant, tuple[int, ...]]]:
        """The minute that has begun to be seen and still runs, if it has traded."""
        tape, rows = self.session.tape, self.seen
        full = rows // STEPS
        piece = slice(full * STEPS, rows)
        volume = tape.volume[piece, column]
        if not volume.any():
            return []
        prices = tape.price[piece, column][volume > 0]
        bar = (int(prices[0]), int(prices.max()), int(prices.min()), int(prices[-1]), int(volume.sum()))
        so_far = turnover + int((prices * volume[volume > 0]).sum())
        return [(int(whole.start[full]), int(whole.end[full]), (*bar, so_far))]

    def index_rows(self, code: str, start: dt.date, end: dt.date) -> list[tuple[dt.date, tuple[int, ...]]]:
        """Return ``(day, (open, high, low, close, volume))`` of an index, finished days only, points x 100."""
        table = self.world.indices[code]
        first = bisect.bisect_left(self.world.days, start)
        last = min(bisect.bisect_right(self.world.days, end), self.visible_days())
        columns = (table.open, table.high, table.low, table.close, table.volume)
        return [
            (self.world.days[row], tuple(int(column[row]) for column in columns))
            for row in range(first, max(first, last))
        ]

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

    def cap(self, symbol: str) -> int:
        """Return the market value in won."""
        item = self.world.instruments[self.world.column[symbol]]
        return item.shares_outstanding * self.sight(symbol).last

    def is_fund(self, symbol: str) -> bool:
        """Whether a name is an ETF or ETN."""
        return self.world.instruments[self.world.column[symbol]].kind in (Kind.ETF, Kind.ETN)
