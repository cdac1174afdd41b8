"""What may be seen of a world at an instant: last prices, books, charts, auctions, interruptions, lists.

Here: ``Board``, which holds the present session and answers every question of a quote call from what has
ended by now. Nothing later than its instant leaves it. Not here: wire texts (``quotations``, ``charts``), accounts;
figures beside the prices (``library``).

For those who answer calls and streams
--------------------------------------
``sight(symbol)``, ``depth``, ``top``, ``table()`` (all names at once, for rankings) : present prices
``phase_of(symbol)`` : in which state a name is (VI, halted, auction…); ``phase`` : the market's
``expected(symbol)`` : price, volume and span of the auction a name is in
``evening(symbol)`` : the aftermarket's own prices; the regular session's stay in ``sight`` (unverified)
``vi_of(symbol)``, ``vi_events(day)``, ``breaker(market)``, ``breakers()``, ``halted(symbol)``, ``announced()``
``daily_rows``, ``period_rows``, ``minute_rows``, ``index_rows``, ``index_period_rows``, ``index_minutes``
``library`` : flows, statements, net asset values, headlines, corporate actions (see there)
``script(event)`` : lets something happen from now on
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import Instrument, Int64Array, Kind, Market, Phase
from haetae.domain.units import Instant, Symbol, day_of, instant_at, kst_text
from haetae.emulator.auctions import Expected
from haetae.emulator.holds import ViEvent
from haetae.emulator.interventions import Intervention, first_instant
from haetae.emulator.library import Library
from haetae.emulator.record import Record
from haetae.emulator.schedule import Announcement, announcements
from haetae.emulator.session import AUCTIONS, Session, Standing
from haetae.emulator.sights import LEVELS, Depth, Glance, Sight, SightTable, book_around
from haetae.emulator.stage import Pause
from haetae.emulator.tape import Tape
from haetae.emulator.world import World
from haetae.krx import Rulebook, is_trading_day
from haetae.krx.afterhours import OffHours

__all__ = ["LEVELS", "Board", "Books", "Depth", "OffView", "Session", "Sight", "SightTable", "Standing"]


class Books(Protocol):
    """Whoever knows the order book of a name after a row of a tape."""

    world: World

    def depth(self, symbol: str, row: int | None = None) -> Depth:
        """Return ten levels a side."""
        ...


class OffView:
    """A market outside the regular session as a stream sees it: its prints, and the books around them."""

    in_minutes = False

    def __init__(self, session: Session, tape: Tape, world: World) -> None:
        """Look at the tape of such a market."""
        self.day = session.day
        self.rules = session.rules
        self.base = session.base
        self.tape = tape
        self.world = world
        self._session = session

    def best(self, row: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return best ask, best bid and the size of each after a row."""
        quotes = self._session.quotes(self.tape.price[row], row)
        return quotes.ask, quotes.bid, quotes.size

    def depth(self, symbol: str, row: int | None = None) -> Depth:
        """Return the order book after a number of rows (all by default)."""
        column, session = self.world.column[symbol], self._session
        rows = len(self.tape.end) if row is None else row
        last = int(self.tape.price[max(rows - 1, 0), column])
        return book_around(
            last,
            (int(session.lower[column]), int(session.upper[column])),
            session.instruments[column],
            session.rules,
            place=rows * 7 + column * 3,
            usual=max(1, int(session.usual[column]) // 8),
            rises=bool((rows + column) % 2),
        )


class Board(Record):
    """The market as seen at ``now``; ``move`` takes it forward."""

    def __init__(self, world: World, now: Instant) -> None:
        """Open the board at an instant."""
        super().__init__(world, now)
        self.library = Library(self)
        self._announced: tuple[Session, list[Announcement]] | None = None

    def script(self, event: Intervention) -> None:
        """Let something happen ahead of now; what has been seen never changes.

        Raises
        ------
        MarketRuleError
            If it lies behind, or on a day that has begun where it must come overnight.
        """
        at = first_instant(event)
        if at < self.now or day_of(at) not in self.world.row:
            raise MarketRuleError(
                Text(
                    ko="시장에 일어날 일은 앞으로 올 거래일에만 둘 수 있습니다",
                    en="what happens to the market must lie in a session ahead",
                ),
                expected=f"an instant of a session at or after {kst_text(self.now)}",
                found=kst_text(at),
                next_step=Text(
                    ko="GET /state의 시각을 보고 다시 정하세요", en="see GET /state and choose a later instant"
                ),
            )
        self.world.intervene(event)
        self.rebuild()

    @property
    def phase(self) -> Phase:
        """Phase of the market now; ``CLOSED`` on days without a session."""
        day = day_of(self.now)
        return Rulebook.on(day).phase_at(self.now) if self.trades(day) else Phase.CLOSED

    def trades(self, day: dt.date) -> bool:
        """Whether a day is a session of this world's calendar."""
        return is_trading_day(day) and day <= self.world.days[-1]

    def instrument(self, symbol: str) -> Instrument | None:
        """Return a listed name as it stands today; none for an unknown, not yet or no longer listed code."""
        column, session = self.world.column.get(symbol), self.session
        return session.instruments[column] if column is not None and session.base[column] > 0 else None

    def phase_of(self, symbol: str) -> Standing:
        """Return in which state a name is now."""
        column = self.world.column.get(symbol)
        if column is None or not self.trades(day_of(self.now)) or self.session.day != day_of(self.now):
            return Standing.CLOSED
        return self.session.standing(column, self.now)

    def halted(self, symbol: str) -> bool:
        """Whether a name does not trade today, or is halted now (a breaker of the market is no halt)."""
        column = self.world.column[symbol]
        return bool(self.session.halted[column]) or self.phase_of(symbol) is Standing.HALTED

    def expected(self, symbol: str) -> Expected | None:
        """Return what the auction a name is in would print now; none outside auctions."""
        column = self.world.column[symbol]
        return self.session.expected(column, self.now) if self.session.day == day_of(self.now) else None

    def vi_of(self, symbol: str) -> ViEvent | None:
        """Return the VI a name is in now."""
        if self.phase_of(symbol) is not Standing.VI:
            return None
        return self.session.vi_at(self.world.column[symbol], self.now)

    def vi_events(self, day: dt.date) -> list[tuple[Symbol, ViEvent]]:
        """Return the VI of a day that have begun, newest first; one not released yet has ``released_at`` ahead."""
        row = self.world.row.get(day)
        if row is None or instant_at(day, 0) > self.now:
            return []
        session = self.session if row == self.session.row else None
        events = list(session.course.events if session else self.world.course(row).events)
        window = session.window_at(self.now) if session else None
        if session and window is not None and window.hours is OffHours.AFTERMARKET:
            found = session.off_market(OffHours.AFTERMARKET)
            events += found.events if found else ()
        shown = [(self.world.symbols[one.column], one) for one in events if one.at <= self.now]
        return sorted(shown, key=lambda pair: pair[1].at, reverse=True)

    def breaker(self, market: Market) -> Pause | None:
        """Return the circuit breaker a market is in now, its call auction included."""
        active = [p for p in self.breakers() if p.market is market and (p.until == 0 or self.now < p.until)]
        return active[-1] if active else None

    def breakers(self) -> list[Pause]:
        """Return today's circuit breakers so far."""
        if self.session.day != day_of(self.now):
            return []
        return [pause for pause in self.session.course.pauses if pause.level and pause.at <= self.now]

    def announced(self, since: Instant = 0) -> list[Announcement]:
        """Return what the exchange announced today after ``since`` and until now."""
        session = self.session
        if session.day != day_of(self.now):
            return []
        if self._announced is None or self._announced[0] is not session:
            self._announced = (session, announcements(self.world, session))
        return [one for one in self._announced[1] if since < one.at <= self.now]

    def evening(self, symbol: str) -> Sight | None:
        """Return what the aftermarket shows of a name; none before it has begun or where it has none."""
        session, column = self.session, self.world.column[symbol]
        window = next((window for window in session.windows if window.hours is OffHours.AFTERMARKET), None)
        if window is None or self.now < window.start or session.instruments[column].kind in window.without:
            return None
        market = session.off_market(OffHours.AFTERMARKET)
        rows = market.tape.seen(self.now) if market else 0
        regular = self.sight(symbol)
        if market is None or rows == 0:
            return Sight(symbol, regular.last, 0, 0, 0, regular.base, regular.lower, regular.upper, 0, 0)
        tape, row = market.tape, rows - 1
        return Sight(
            symbol,
            int(tape.price[row, column]),
            int(tape.opened[row, column]),
            int(tape.high[row, column]),
            int(tape.low[row, column]),
            regular.base,
            regular.lower,
            regular.upper,
            int(tape.cumulative[row, column]),
            int(tape.turnover[row, column]),
        )

    def off_view(self, hours: OffHours) -> OffView | None:
        """Return a market outside the regular session of today for a stream; none where the day has none."""
        market = self.session.off_market(hours)
        return OffView(self.session, market.tape, self.world) if market is not None else None

    def evening_top(self, symbol: str) -> tuple[int, int, int]:
        """Return best ask, best bid and their size in the aftermarket now; 0 where it has none."""
        sight = self.evening(symbol)
        if sight is None:
            return 0, 0, 0
        column, session = self.world.column[symbol], self.session
        item, rules = session.instruments[column], session.rules
        rises = (sight.volume + column) % 2 == 1
        ask = sight.last if rises else rules.ceil_tick(sight.last + 1, item.kind, item.market)
        bid = rules.floor_tick(max(ask - 1, 1), item.kind, item.market)
        size = 1 + int(session.usual[column]) // 8
        return (ask if ask <= sight.upper else 0), (bid if bid >= sight.lower else 0), size

    def depth(self, symbol: str, row: int | None = None) -> Depth:
        """Return the order book now, or after a row of the tape; during an auction around the expected price."""
        column, session = self.world.column[symbol], self.session
        rows = self.seen if row is None else row
        last = int(session.tape.price[rows - 1, column]) if rows else int(session.base[column])
        if row is None and self.phase_of(symbol) in AUCTIONS:
            expected = self.expected(symbol)
            last = expected.price if expected is not None and expected.price else last
        return book_around(
            last,
            (int(session.lower[column]), int(session.upper[column])),
            session.instruments[column],
            session.rules,
            place=rows * 7 + column * 3,
            usual=int(session.usual[column]),
            rises=bool((rows + column) % 2),
        )

    def top(self, symbol: str) -> tuple[int, int, int]:
        """Return best ask, best bid and the size of each; 0 before the first print."""
        rows = self.seen
        if rows == 0:
            return 0, 0, 0
        column = self.world.column[symbol]
        ask, bid, size = self.session.best(rows - 1)
        return int(ask[column]), int(bid[column]), int(size[column])

    def glances(self, symbols: list[Symbol]) -> list[Glance]:
        """Return several listed names at once."""
        columns = [self.world.column[symbol] for symbol in symbols]
        rows, nothing = self.seen, (self.session.base * 0,) * 3
        parts = [[part[column] for column in columns] for part in self._shown()]
        parts += [part[columns].tolist() for part in (self.session.best(rows - 1) if rows else nothing)]
        return list(map(Glance._make, zip(*parts, strict=True)))

    def cap(self, symbol: str) -> int:
        """Return the market value in won."""
        return self.session.instruments[self.world.column[symbol]].shares_outstanding * self.sight(symbol).last

    def is_fund(self, symbol: str) -> bool:
        """Whether a name is an ETF or ETN."""
        return self.world.instruments[self.world.column[symbol]].kind in (Kind.ETF, Kind.ETN)
