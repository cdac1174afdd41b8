"""KIS as ``ports.MarketFeed``: prints of the stream and snapshots of the rest become minute slices.

Here: which symbols are streamed and which are asked for, phases and minute ends on the clock. Not here: bars
(`minutes`), sockets (`stream`), calls (`rest`), session times (``krx``).

One session takes 41 registrations, so the first symbols given (as many as fit) are streamed and the others are read
with ``intstock-multprice`` (30 a call) at every minute's end; the mock domain lacks that call and is asked for one
price after the other. The feed first waits for the minute's end itself, then for ``minute_grace_s``, then closes it:
a driver that moves the clock to the next sleeper's instant has all frames delivered in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog

from haetae.domain.errors import HaetaeError, WireError
from haetae.domain.market import Phase, PhaseChange, Quote, Slice
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol, day_of, instant_at
from haetae.kis.minutes import MinuteBook, Snapshot
from haetae.kis.pacing import Lane
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream, Records, Taker
from haetae.kis.wire import rows
from haetae.kis.wire.frames import TRADES
from haetae.kis.wire.operations import MULTPRICE_SLOTS, OPERATIONS
from haetae.kis.wire.records import TradeRecord
from haetae.krx import Rulebook
from haetae.ports import Clock

_log = structlog.get_logger(__name__)


class KisFeed:
    """Live market data of one session; one ``stream`` at a time.

    Attributes
    ----------
    closed_until : instant
        End of the newest slice given out.
    """

    def __init__(self, rest: KisRest, stream: KisStream, clock: Clock) -> None:
        """Connect nothing yet."""
        self._rest = rest
        self._stream = stream
        self._clock = clock
        self._settings = rest.settings
        self._book: MinuteBook | None = None
        self._streamed: tuple[Symbol, ...] = ()
        self._asked: tuple[Symbol, ...] = ()
        self._doubtful: set[Symbol] = set()
        self._quotes: dict[Symbol, Quote] = {}
        self.closed_until: Instant = 0

    @property
    def late(self) -> int:
        """Prints of this session that came after their minute was closed."""
        return self._book.late if self._book else 0

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest best bid and ask of a streamed symbol."""
        return self._quotes.get(symbol)

    async def stream(self, symbols: Sequence[Symbol]) -> AsyncIterator[Slice | Quote | PhaseChange]:
        """Yield phase changes and one slice of all symbols per minute until today's session has closed.

        Symbols early in ``symbols`` are streamed first; slices are sorted by code. Begun within a session, the
        first slice is that of the next whole minute. A phase is told when it begins, except the close, which is
        told after the last slice. Raises what the first snapshot or the registration raises.
        """
        now = self._clock.now()
        session = Rulebook.on(day_of(now)).session
        starts, ends = (edges.tolist() for edges in session.minute_edges())
        edges = [(start, end) for start, end in zip(starts, ends, strict=True) if start >= now]
        changes = [(at, phase) for at, phase in session.changes() if now < at < session.close_at]
        yield PhaseChange(now, session.phase_at(now))
        await self._begin(symbols, edges)
        try:
            for start, end in edges:
                async for change in self._changes(changes, until=start):
                    yield change
                await self._until(end)
                async for change in self._changes(changes, until=end):
                    yield change
                yield await self._close(end)
            if now < session.close_at:
                await self._until(session.close_at)
                yield PhaseChange(session.close_at, Phase.CLOSED)
        finally:
            await self._finish()

    async def _changes(self, changes: list[tuple[Instant, Phase]], *, until: Instant) -> AsyncIterator[PhaseChange]:
        while changes and changes[0][0] <= until:
            at, phase = changes.pop(0)
            await self._until(at)
            yield PhaseChange(at, phase)

    async def _until(self, at: Instant) -> None:
        while (left := at - self._clock.now()) > 0:
            await self._clock.sleep(left / NS_PER_SECOND)

    async def _begin(self, symbols: Sequence[Symbol], edges: Sequence[tuple[Instant, Instant]]) -> None:
        wanted = tuple(dict.fromkeys(symbols))
        room = max(0, self._stream.free)
        self._streamed, self._asked = wanted[:room], wanted[room:]
        self._doubtful = set()
        self._book = MinuteBook(await self._snapshots(wanted), edges)
        tr_id = TRADES.tr_id(mock=self._settings.is_mock)
        self._stream.attach(tr_id, Taker(self._take, self._gap))
        await self._stream.register(tr_id, self._streamed)
        _log.info("feed.begun", streamed=len(self._streamed), asked=len(self._asked))

    async def _close(self, end: Instant) -> Slice:
        await self._until(end + round(self._settings.minute_grace_s * NS_PER_SECOND))
        book = self._book
        assert book is not None
        wanted = (*self._asked, *sorted(self._doubtful))
        if wanted:
            try:
                for symbol, seen in (await self._snapshots(wanted)).items():
                    book.snapshot(symbol, seen)
                self._doubtful.clear()
            except HaetaeError as fault:
                _log.warning("feed.snapshot_failed", fault=str(fault), symbols=len(wanted))
        self.closed_until = end
        return book.close()

    async def _finish(self) -> None:
        streamed, self._streamed, self._asked = self._streamed, (), ()
        try:
            await self._stream.unregister(TRADES.tr_id(mock=self._settings.is_mock), streamed)
        except HaetaeError as fault:
            _log.warning("feed.unregister_failed", fault=str(fault))

    def _gap(self) -> None:
        """Messages may be missing: ask for every streamed symbol at the end of this minute."""
        self._doubtful = set(self._streamed)

    def _take(self, records: Records) -> None:
        book, seen = self._book, self._clock.now()
        for values in records:
            trade = TradeRecord.decode(values)
            at = instant_at(trade.day, trade.clock)
            if book is not None:
                book.trade(trade.symbol, at, trade.price, trade.cumulative_volume)
            self._quotes[trade.symbol] = Quote(
                symbol=trade.symbol,
                at=at,
                seen=seen,
                last=trade.price,
                bid=trade.bid,
                ask=trade.ask,
                bid_size=trade.bid_size,
                ask_size=trade.ask_size,
            )

    async def _snapshots(self, symbols: Sequence[Symbol]) -> dict[Symbol, Snapshot]:
        if OPERATIONS["intstock-multprice"].tr_id(self._settings.mode):
            groups = [symbols[i : i + MULTPRICE_SLOTS] for i in range(0, len(symbols), MULTPRICE_SLOTS)]
            parts = await asyncio.gather(*(self._multprice(group) for group in groups))
            found = {symbol: seen for part in parts for symbol, seen in part.items()}
        else:
            found = dict(zip(symbols, await asyncio.gather(*map(self._price, symbols)), strict=True))
        missing = sorted(set(symbols) - set(found))
        if missing:
            raise WireError(
                f"no price for {', '.join(missing[:5])}",
                expected=f"{len(symbols)} symbols",
                found=f"{len(found)}",
                next_step="take symbols that are not listed out of the universe",
            )
        return found

    async def _multprice(self, symbols: Sequence[Symbol]) -> dict[Symbol, Snapshot]:
        asked: dict[str, str] = {}
        for slot, symbol in enumerate(symbols, start=1):
            asked[f"FID_COND_MRKT_DIV_CODE_{slot}"] = "J"
            asked[f"FID_INPUT_ISCD_{slot}"] = symbol
        reply = await self._rest.call("intstock-multprice", asked, lane=Lane.ORDER, about=f"{len(symbols)} symbols")
        found = {}
        for row in reply.rows("output"):
            symbol = str(rows.SNAPSHOT.value(row, "inter_shrn_iscd", tr=reply.tr)).strip()
            if symbol in asked.values():
                found[symbol] = self._seen(row, symbol, reply.tr)
        return found

    def _seen(self, row: Mapping[str, str], symbol: Symbol, tr: str) -> Snapshot:
        names = ("inter2_prpr", "inter2_oprc", "inter2_hgpr", "inter2_lwpr", "acml_vol")
        price, opened, high, low, volume = (rows.SNAPSHOT.value(row, name, tr=tr, about=symbol) for name in names)
        base = rows.SNAPSHOT.value(row, "inter2_prdy_clpr", tr=tr, about=symbol)
        return Snapshot(price or base, opened, high, low, volume)

    async def _price(self, symbol: Symbol) -> Snapshot:
        asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol}
        reply = await self._rest.call("inquire-price", asked, lane=Lane.ORDER, about=symbol)
        row = reply.row("output")
        names = ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "acml_vol", "stck_sdpr")
        price, opened, high, low, volume, base = (
            rows.PRICE.value(row, name, tr=reply.tr, about=symbol) for name in names
        )
        return Snapshot(price or base, opened, high, low, volume)
