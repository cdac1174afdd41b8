"""What is told of names beside their prices: flows, statements, fund values, headlines, corporate actions.

Here: ``Library``, which lets out what is known at the board's instant: flows of a day after its close, statements
from the day they had to be filed, headlines from their minute, actions up to a month ahead (they are announced
before their day). Not here: how the figures are drawn (``flows``, ``statements``, ``funds``, ``headlines``).
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import OrderedDict

from haetae.domain.market import Int64Array, Kind, Market
from haetae.domain.units import Instant, Symbol, day_of
from haetae.emulator.bridge import STEPS
from haetae.emulator.flows import Flow, day_flows
from haetae.emulator.funds import nav_at_close, nav_path
from haetae.emulator.headlines import Headline, headlines_of
from haetae.emulator.interventions import Action
from haetae.emulator.record import Record
from haetae.emulator.statements import Statement, statements_of

_AHEAD = dt.timedelta(days=30)
"""How long before its day a corporate action is known."""
_DAYS_KEPT = 400


class Library:
    """Figures of a world as known by a record's instant."""

    def __init__(self, record: Record) -> None:
        """Read along with a record."""
        self._record = record
        self._flows: OrderedDict[tuple[dt.date, int], list[Flow]] = OrderedDict()
        self._paths: dict[tuple[int, Symbol], Int64Array] = {}
        self._news: dict[dt.date, list[Headline]] = {}

    def flows(self, symbol: Symbol, start: dt.date, end: dt.date) -> list[tuple[dt.date, Flow]]:
        """Return a name's net purchases by session, ascending; today's after the close."""
        column = self._record.world.column[symbol]
        return [(day, self._of_day(row)[column]) for row, day in self._sessions(start, end)]

    def market_flows(self, market: Market, start: dt.date, end: dt.date) -> list[tuple[dt.date, Flow]]:
        """Return the net purchases of all shares of a market by session, ascending."""
        world = self._record.world
        mine = [
            place
            for place, item in enumerate(world.instruments)
            if item.market is market and item.kind not in (Kind.ETF, Kind.ETN)
        ]
        found = []
        for row, day in self._sessions(start, end):
            total = Flow()
            for place in mine:
                total += self._of_day(row)[place]
            found.append((day, total))
        return found

    def _sessions(self, start: dt.date, end: dt.date) -> list[tuple[int, dt.date]]:
        days = self._record.world.days
        first = bisect.bisect_left(days, start)
        last = min(bisect.bisect_right(days, end), self._record.visible_days())
        return [(row, days[row]) for row in range(first, last)]

    def _of_day(self, row: int) -> list[Flow]:
        world = self._record.world
        key = (world.days[row], int(world.daily.volume[row].sum()))
        found = self._flows.get(key)
        if found is None:
            found = self._flows[key] = day_flows(world.key, world.days[row], world.symbols, world.daily.day(row))
            while len(self._flows) > _DAYS_KEPT:
                self._flows.popitem(last=False)
        return found

    def statements(self, symbol: Symbol) -> list[Statement]:
        """Return the filed statements of a name, ascending by period; years after their last quarter."""
        world, today = self._record.world, day_of(self._record.now)
        item = world.by_symbol[symbol]
        cap = item.base_price * item.shares_outstanding
        return [one for one in statements_of(world.key, item, cap, today) if one.known_on <= today]

    def nav_rows(self, symbol: Symbol, start: dt.date, end: dt.date) -> list[tuple[dt.date, int, int, int]]:
        """Return ``(day, NAV x 100, close, volume)`` of a fund by finished session, ascending."""
        world = self._record.world
        rows = self._record.daily_rows(symbol, start, end)
        full = world.days[: self._record.visible_days()]
        return [
            (day, nav_at_close(world.key, day, symbol, bar[3]), bar[3], bar[4])
            for day, bar in rows
            if full and day <= full[-1]
        ]

    def nav_minutes(self, symbol: Symbol) -> list[tuple[Instant, int, int]]:
        """Return ``(end, NAV x 100, price)`` of today's finished minutes of a fund, ascending."""
        session, path = self._record.session, self._path(symbol)
        column = self._record.world.column[symbol]
        rows = range(STEPS - 1, min(self._record.seen, len(path)), STEPS)
        return [(int(session.tape.end[row]), int(path[row]), int(session.tape.price[row, column])) for row in rows]

    def nav(self, symbol: Symbol) -> tuple[int, int, int, int]:
        """Return a fund's net asset value now, and its first, highest and lowest today, x 100; 0 before the open."""
        seen = self._record.seen
        if seen == 0:
            return 0, 0, 0, 0
        path = self._path(symbol)[:seen]
        return int(path[-1]), int(path[0]), int(path.max()), int(path.min())

    def nav_before(self, symbol: Symbol) -> int:
        """Return a fund's net asset value x 100 at the close of the session before."""
        world, row = self._record.world, self._record.session.row
        close = int(world.daily.close[row - 1, world.column[symbol]]) if row else 0
        return nav_at_close(world.key, world.days[row - 1], symbol, close) if close else 0

    def _path(self, symbol: Symbol) -> Int64Array:
        world, session = self._record.world, self._record.session
        key = (id(session), symbol)
        if key not in self._paths:
            self._paths = {known: path for known, path in self._paths.items() if known[0] == id(session)}
            price = session.tape.price[:, world.column[symbol]]
            self._paths[key] = nav_path(world.key, session.day, symbol, price)
        return self._paths[key]

    def headlines(self, count: int, *, symbol: Symbol = "", until: Instant = 0, before: str = "") -> list[Headline]:
        """Return the newest headlines up to an instant (now by default), newest first.

        ``before`` is the number of a headline: only those that came before it are wanted.
        """
        now = min(until or self._record.now, self._record.now)
        world, day = self._record.world, day_of(now)
        found: list[Headline] = []
        while len(found) < count and day >= world.days[0]:
            for one in reversed(self._headlines_on(day)):
                if one.at <= now and (not symbol or symbol in one.symbols) and (not before or one.key < before):
                    found.append(one)
            day -= dt.timedelta(days=1)
        return found[:count]

    def _headlines_on(self, day: dt.date) -> list[Headline]:
        """Return all headlines of a day; a name that is seldom in the news makes us look at many days."""
        world = self._record.world
        if day not in self._news:
            listed = [item for item in world.instruments if item.listed_on <= day]
            self._news[day] = headlines_of(world.key, day, listed)
        return self._news[day]

    def corporate_actions(self, start: dt.date, end: dt.date, symbol: Symbol = "") -> list[Action]:
        """Return the corporate actions whose day lies in a range and that have been announced, ascending."""
        known = min(end, day_of(self._record.now) + _AHEAD)
        actions = self._record.world.register.actions(start, known)
        return [one for one in actions if not symbol or one.symbol == symbol]

    def listings(self, start: dt.date, end: dt.date) -> list[tuple[dt.date, Symbol]]:
        """Return new listings in a range that have been announced, ascending."""
        world, known = self._record.world, min(end, day_of(self._record.now) + _AHEAD)
        found = [(item.listed_on, item.symbol) for item in world.instruments if start <= item.listed_on <= known]
        return sorted(found)
