"""KIS as ``ports.MarketFeed``: prints of the stream and snapshots of the rest become minute slices.

Here: which symbols are streamed and which are asked for, phases and minute ends on the clock. Not here: bars
(`minutes`), sockets (`stream`), calls (`snapshots`), the index (`indices`), halts (`halts`), session times (``krx``).

One session takes 41 registrations. Execution notices come first, then symbols that are held or otherwise preferred,
then the others in the order given; what does not fit is read with ``intstock-multprice`` (30 a call) at every
minute's end, and in between where the settings say so. Registrations that are left over watch halts. A symbol is
*doubtful* from any gap (a lost session, a frame that did not parse, a registration that changed): it is asked for at
once, and at minutes' ends until that happened while it is streamed again. The feed first waits for the minute's end
itself, then for ``minute_grace_s``, then closes it: a driver that moves the clock to the next sleeper's instant has
all frames delivered in between.
"""
# long: one session of one feed; tiers, gaps and what is handed out are one story.

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from enum import Enum
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from haetae.domain.errors import HaetaeError
from haetae.domain.events import MarketReading
from haetae.domain.market import HaltChange, Phase, PhaseChange, Quote, Slice
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol, day_of, instant_at, yyyymmdd
from haetae.kis.halts import Halts
from haetae.kis.indices import Indices
from haetae.kis.minutes import MinuteBook
from haetae.kis.registrations import Rank
from haetae.kis.rest import KisRest
from haetae.kis.snapshots import Sight, Snapshots
from haetae.kis.stream import KisStream, Records, Taker
from haetae.kis.wire.frames import MARKET_STATUS, TRADES, Frame
from haetae.kis.wire.market_records import StatusRecord
from haetae.kis.wire.prints import COLUMNS, read_prints
from haetae.krx import Rulebook
from haetae.krx.sessions import Session
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_DAY, _CLOCK, _PRICE, _VOLUME, _TOTAL, _ASK, _BID, _ASK_SIZE, _BID_SIZE, _HALTED = (
    COLUMNS.index(name)
    for name in ("day", "clock", "price", "volume", "cumulative_volume", "ask", "bid", "ask_size", "bid_size", "halted")
)
_SNAPSHOT_S = 10.0
"""A minute's slice waits no longer for REST; what is missing then comes with the next one."""
_FEW = 10
"""Symbols asked for at a minute's end where each costs a call (mock domain, one call a second)."""
_CALM_S = 60
"""Seconds after the open in which silence means nothing yet."""


_SAME_MOMENT_S = 10
"""Two sources are compared where they spoke this close together: prices move."""


class Tier(Enum):
    """How a symbol's prices come: registered at the stream now, or asked for."""

    STREAM = "stream"
    ASKED = "asked"


class KisFeed:
    """Live market data of one session; one ``stream`` at a time.

    Attributes
    ----------
    closed_until : instant
        End of the newest slice given out.
    strange : int
        Prints of another day, which were left out.
    """

    def __init__(self, rest: KisRest, stream: KisStream, clock: Clock, *, with_index: bool = False) -> None:
        """Connect nothing yet; ``with_index`` reads the market as a whole beside the symbols."""
        self._snapshots = Snapshots(rest)
        self._stream = stream
        self._clock = clock
        self._settings = rest.settings
        self._trades = TRADES.tr_id(mock=rest.settings.is_mock)
        self._status = MARKET_STATUS.tr_id(mock=rest.settings.is_mock) if rest.settings.watch_status else ""
        self._session: Session | None = None
        self._book: MinuteBook | None = None
        self._halts = Halts(())
        self._symbols: tuple[Symbol, ...] = ()
        self._preferred: tuple[Symbol, ...] = ()
        self._doubtful: set[Symbol] = set()
        self._quotes: dict[Symbol, Quote] = {}
        self._prints: dict[Symbol, tuple[Instant, Instant, list[int]]] = {}
        self._told: deque[HaltChange | MarketReading] = deque()
        self._indices = Indices(rest, clock) if with_index else None
        self._totals: dict[Symbol, int] = {}
        self._on_prints: Callable[[Sequence[Symbol], NDArray[np.int64], Instant], None] | None = None
        self._news = asyncio.Event()
        self._day, self._midnight = 0, 0
        self._poll_at: Instant = 0
        self._ask_now: set[Symbol] = set()
        self.closed_until: Instant = 0
        self.strange = 0

    @property
    def late(self) -> int:
        """Prints of this session that came after their minute was closed."""
        return self._book.late if self._book else 0

    def tier(self, symbol: Symbol) -> Tier:
        """Return how a symbol's prices come now."""
        return Tier.STREAM if self._stream.holds(self._trades, symbol) else Tier.ASKED

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest best bid and ask of a symbol, printed or asked for; None before the first."""
        asked, printed = self._quotes.get(symbol), self._prints.get(symbol)
        if printed is None or (asked is not None and asked.seen > printed[1]):
            return asked
        at, seen, row = printed
        return Quote(symbol, at, seen, row[_PRICE], row[_BID], row[_ASK], row[_BID_SIZE], row[_ASK_SIZE])

    def age_s(self, symbol: Symbol) -> float | None:
        """Return the seconds since the newest quote of a symbol came; None before the first."""
        quote = self.quote(symbol)
        return None if quote is None else (self._clock.now() - quote.seen) / NS_PER_SECOND

    def price_gaps_bp(self) -> dict[Symbol, int]:
        """Return how far stream and query are apart on names that both told of within ten seconds, in basis points."""
        gaps = {}
        for symbol, asked in self._quotes.items():
            printed = self._prints.get(symbol)
            if printed is not None and abs(printed[1] - asked.seen) <= _SAME_MOMENT_S * NS_PER_SECOND:
                prices = asked.last, printed[2][_PRICE]
                if min(prices) > 0:
                    gaps[symbol] = abs(prices[0] - prices[1]) * 10_000 // min(prices)
        return gaps

    def on_prints(self, take: Callable[[Sequence[Symbol], NDArray[np.int64], Instant], None]) -> None:
        """Call ``take`` with symbols, prices and arrival of prints that are newer than all of their name before.

        What was asked for counts as a print where shares traded since; messages that come twice or late count once.
        """
        self._on_prints = take

    def prefer(self, symbols: Iterable[Symbol]) -> bool:
        """Stream these symbols before all others, in this order, now and from now on: those that are held.

        While a session runs, registrations are swapped; minutes of the symbols that change are repaired by REST.
        Returns whether registrations change.
        """
        preferred = tuple(dict.fromkeys(symbols))
        if preferred == self._preferred:
            return False
        self._preferred = preferred
        if not self._symbols:
            return False
        before = self._stream.target(self._trades)
        self._want()
        changed = before ^ self._stream.target(self._trades)
        self._doubt(changed)
        return bool(changed)

    async def stream(
        self, symbols: Sequence[Symbol]
    ) -> AsyncIterator[Slice | Quote | PhaseChange | HaltChange | MarketReading]:
        """Yield phase changes, halts, readings of the index, and one slice of all symbols per minute.

        It ends when today's session has closed.

        Preferred symbols are streamed first, then those early in ``symbols``; slices are sorted by code. Begun within a
        session, the first slice is that of the next whole minute. A phase is told when it begins, except the close,
        which is told after the last slice. Raises what the first snapshot raises.
        """
        now = self._clock.now()
        session = self._session = Rulebook.on(day_of(now)).session
        starts, ends = (edges.tolist() for edges in session.minute_edges())
        edges = [(start, end) for start, end in zip(starts, ends, strict=True) if start >= now]
        changes = [(at, phase) for at, phase in session.changes() if now < at < session.close_at]
        yield PhaseChange(now, session.phase_at(now))
        await self._begin(symbols, edges)
        try:
            for start, end in edges:
                async for event in self._changes(changes, until=start):
                    yield event
                async for event in self._changes(changes, until=end):
                    yield event
                async for halt in self._pass_time(end):
                    yield halt
                yield await self._close(end)
            if now < session.close_at:
                async for halt in self._pass_time(session.close_at):
                    yield halt
                yield PhaseChange(session.close_at, Phase.CLOSED)
        finally:
            await self._finish()

    async def _changes(
        self, changes: list[tuple[Instant, Phase]], *, until: Instant
    ) -> AsyncIterator[PhaseChange | HaltChange | MarketReading]:
        while changes and changes[0][0] <= until:
            at, phase = changes.pop(0)
            async for halt in self._pass_time(at):
                yield halt
            yield PhaseChange(at, phase)

    async def _pass_time(self, until: Instant) -> AsyncIterator[HaltChange | MarketReading]:
        """Wait for an instant, asking for what is not streamed in between, and yield what is told meanwhile."""
        while True:
            while self._told:
                yield self._told.popleft()
            now = self._clock.now()
            if now >= until:
                return
            asked, self._ask_now = sorted(self._ask_now), set()
            if asked:
                await self._ask(asked)
                continue
            wake = until
            if self._polls and now < self._poll_at < until - NS_PER_SECOND:
                wake = self._poll_at
            await self._sleep((wake - now) / NS_PER_SECOND)
            if self._polls and self._clock.now() >= self._poll_at:
                await self._poll(until)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or until there is something to tell or to ask."""
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._news.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._news.clear()

    async def _begin(self, symbols: Sequence[Symbol], edges: Sequence[tuple[Instant, Instant]]) -> None:
        wanted = tuple(dict.fromkeys(symbols))
        day = day_of(self._clock.now())
        self._day, self._midnight = yyyymmdd(day), instant_at(day, 0)
        self._halts, self._doubtful = Halts(wanted), set()
        self._prints.clear()
        self._quotes.clear()
        self._totals.clear()
        self._book, self._symbols = None, wanted
        self._stream.attach(self._trades, Taker(_no_records, self._gap, self._take))
        if self._status:
            self._stream.attach(self._status, Taker(self._take_status, _nothing))
        self._want()
        # Registered first, read afterwards: what is streamed by then is whole from this snapshot on.
        await self._stream.settle()
        held = self._held()
        sights = await self._snapshots.read(wanted)
        self._book = MinuteBook({symbol: sight.day for symbol, sight in sights.items()}, edges)
        self._note(sights)
        self._doubtful = set(self._stream.target(self._trades)) - held
        self._ask_now.clear()
        self._stream.expects_data = self._expects_data
        self._poll_at = self._clock.now()
        if self._indices is not None and self._session is not None:
            self._indices.follow(self._session, self._tell)
        _log.info("feed.begun", symbols=len(wanted), streamed=len(self._stream.target(self._trades)))

    def _want(self) -> None:
        """Tell the stream what is wanted, in which rank."""
        mine = set(self._symbols)
        first = [symbol for symbol in self._preferred if symbol in mine]
        rest = [symbol for symbol in self._symbols if symbol not in set(first)]
        for tr_id, ranks in (
            (self._trades, (Rank.HELD_SYMBOL, Rank.SYMBOL)),
            (self._status, (Rank.HELD_STATUS, Rank.STATUS)),
        ):
            if tr_id:
                self._stream.want(tr_id, first, ranks[0])
                self._stream.want(tr_id, rest, ranks[1])

    async def _close(self, end: Instant) -> Slice:
        grace = round(self._settings.minute_grace_s * NS_PER_SECOND)
        while (left := end + grace - self._clock.now()) > 0:
            await self._clock.sleep(left / NS_PER_SECOND)
        book = self._book
        assert book is not None
        held = self._held()
        # What becomes doubtful while we ask stays so; what was streamed before we asked is whole from then on.
        doubted, self._doubtful = self._doubtful, set()
        wanted = [symbol for symbol in self._symbols if symbol not in held]
        wanted += [symbol for symbol in self._symbols if symbol in held and symbol in doubted]
        if not self._snapshots.is_cheap:
            wanted = wanted[:_FEW]
        known = await self._ask(wanted)
        self._doubtful |= doubted - (held & set(wanted)) if known else doubted
        self.closed_until = end
        return book.close()

    @property
    def _polls(self) -> bool:
        return self._settings.asked_poll_s is not None and self._snapshots.is_cheap

    async def _poll(self, until: Instant) -> None:
        assert self._settings.asked_poll_s is not None
        asked = [symbol for symbol in self._symbols if not self._stream.holds(self._trades, symbol)]
        if until - self._clock.now() > NS_PER_SECOND:
            await self._ask(asked)
        self._poll_at = self._clock.now() + round(self._settings.asked_poll_s * NS_PER_SECOND)

    async def _ask(self, symbols: list[Symbol]) -> bool:
        """Bring symbols up to a snapshot; returns whether that could be done."""
        if not symbols:
            return True
        assert self._book is not None
        try:
            sights = await self._snapshots.read(symbols, within_s=_SNAPSHOT_S)
        except HaetaeError as fault:
            _log.warning("feed.snapshot_failed", fault=str(fault), symbols=len(symbols))
            return False
        for symbol, sight in sights.items():
            self._book.snapshot(symbol, sight.day)
        self._note(sights)
        return True

    async def _finish(self) -> None:
        self._stream.expects_data = None
        if self._indices is not None:
            await self._indices.close()
        symbols, self._symbols = self._symbols, ()
        try:
            for tr_id in (self._trades, self._status):
                if tr_id:
                    await self._stream.unregister(tr_id, symbols)
        except HaetaeError as fault:
            _log.warning("feed.unregister_failed", fault=str(fault))

    def _expects_data(self) -> bool:
        """Whether prices must be coming: in continuous trading, with many symbols streamed, no breaker known of."""
        session, now = self._session, self._clock.now()
        if session is None or self._halts.in_breaker:
            return False
        if not session.open_at + _CALM_S * NS_PER_SECOND <= now < session.auction_from:
            return False
        return self._stream.count(self._trades) >= self._settings.busy_registrations

    def _held(self) -> set[Symbol]:
        return {symbol for symbol in self._symbols if self._stream.holds(self._trades, symbol)}

    def _gap(self) -> None:
        """Messages may be missing of every symbol that is streamed, or should be."""
        self._doubt(self._stream.target(self._trades))

    def _doubt(self, symbols: Iterable[Symbol]) -> None:
        """Ask for symbols now, where they still are as the stream left them, and at the end of this minute."""
        doubted = set(symbols) & set(self._symbols)
        self._doubtful |= doubted
        if doubted and self._book is not None and self._snapshots.is_cheap:
            self._ask_now |= doubted
            self._news.set()

    def _take(self, frame: Frame) -> None:
        book, now = self._book, self._clock.now()
        found = read_prints(frame)
        fresh: list[tuple[Symbol, int]] = []
        for symbol, row in zip(found.symbols, found.values.tolist(), strict=True):
            if book is None:
                return  # the first snapshot is still to come, and will hold this
            if row[_DAY] != self._day:
                self.strange += 1
                continue
            clock = row[_CLOCK]
            at = self._midnight + (clock // 10_000 * 3_600 + clock // 100 % 100 * 60 + clock % 100) * NS_PER_SECOND
            book.trade(symbol, at, row[_PRICE], row[_TOTAL], row[_VOLUME])
            self._prints[symbol] = at, now, row
            if row[_TOTAL] > self._totals.get(symbol, -1):
                self._totals[symbol] = row[_TOTAL]
                fresh.append((symbol, row[_PRICE]))
            self._tell(self._halts.printed(symbol, at, halted=bool(row[_HALTED])))
        self._hand_out(fresh, now)

    def _hand_out(self, fresh: list[tuple[Symbol, int]], now: Instant) -> None:
        """Hand prints out that no message told of before."""
        if fresh and self._on_prints is not None:
            symbols, prices = zip(*fresh, strict=True)
            self._on_prints(symbols, np.array(prices, np.int64), now)

    def _take_status(self, records: Records) -> None:
        now = self._clock.now()
        for values in records:
            self._tell(self._halts.status(StatusRecord.decode(values), now))

    def _tell(self, changes: Sequence[HaltChange | MarketReading]) -> None:
        if changes:
            self._told.extend(changes)
            self._news.set()

    def _note(self, sights: dict[Symbol, Sight]) -> None:
        """Keep what a snapshot says of prices; it has no time of its own, so its arrival stands for it."""
        now = self._clock.now()
        fresh: list[tuple[Symbol, int]] = []
        for symbol, sight in sights.items():
            if sight.day.volume > self._totals.get(symbol, 0):
                self._totals[symbol] = sight.day.volume
                fresh.append((symbol, sight.day.price))
            if sight.bid and sight.ask:
                self._quotes[symbol] = Quote(
                    symbol, now, now, sight.day.price, sight.bid, sight.ask, sight.bid_size, sight.ask_size
                )
        self._hand_out(fresh, now)


def _nothing() -> None:
    """Do nothing: a status that was missed comes again with the next change."""


def _no_records(_: Records) -> None:
    """Take nothing: prints are taken by whole frames."""
