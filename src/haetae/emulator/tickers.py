"""What streams tell beside prints: expected prices of auctions, the market's status, indices, fund values.

Here: ``Tickers``, told of each beat of the market, which puts records of what is registered for into the sessions.
Not here: trades and books of prints, sessions (``hub``), what is known at an instant (``board``).
Expected prices come at each tick of an auction and at each print while a name is interrupted; indices and fund values
with each row of the tape; status when something is announced.
"""

from __future__ import annotations

from haetae.domain.units import Instant, Symbol, hhmmss_of
from haetae.emulator.agenda import Beat, BeatKind
from haetae.emulator.board import Board
from haetae.emulator.hub import Hub
from haetae.emulator.schedule import Announcement
from haetae.kis.wire.frames import EXPECTED, INDEX, MARKET_STATUS, NAV
from haetae.kis.wire.market_records import ExpectedRecord, IndexRecord, NavRecord, StatusRecord

_BEFORE_OPEN, _WITHIN_THE_DAY = "B", "C"
"""시간구분코드 of an expected price; that the closing auction has the latter is unverified."""


class Tickers:
    """Tells the sessions of one emulator what is not a print."""

    def __init__(self, hub: Hub, board: Board) -> None:
        """Tell from now on."""
        self._hub = hub
        self._board = board
        self._told = board.now
        self._session = board.session
        self._levels: dict[str, list[int]] = {}

    def on_beat(self, beat: Beat) -> None:
        """Tell what a beat changes; the board stands at its instant."""
        if beat.kind is BeatKind.EXPECT:
            self._expected(self._hub.wanted(EXPECTED.real))
            self._hub.publish_books(self._board)
        elif beat.kind is BeatKind.PRINT and beat.hours is None:
            self._expected(self._hub.wanted(EXPECTED.real))
            self._hub.tell(INDEX.real, {code: self._index(code, beat) for code in self._hub.wanted(INDEX.real)})
            self._hub.tell(NAV.real, {symbol: self._nav(symbol) for symbol in self._hub.wanted(NAV.real)})
        self.tell_status()

    def tell_status(self) -> None:
        """Tell what the exchange announced since this was last asked."""
        since, self._told = self._told, max(self._told, self._board.now)
        wanted = self._hub.wanted(MARKET_STATUS.real)
        if not wanted or since == self._told:
            return
        for announcement in self._board.announced(since):
            self._hub.tell(
                MARKET_STATUS.real,
                {
                    symbol: self._status(symbol, announcement)
                    for symbol in wanted
                    if self._concerns(symbol, announcement)
                },
            )

    def _concerns(self, symbol: Symbol, announcement: Announcement) -> bool:
        if announcement.column >= 0:
            return self._board.world.column[symbol] == announcement.column
        return announcement.market is None or self._board.world.by_symbol[symbol].market is announcement.market

    def _status(self, symbol: Symbol, announcement: Announcement) -> str:
        board = self._board
        own = announcement.column >= 0
        halted = announcement.halted if own else board.halted(symbol)
        in_vi = announcement.in_vi if own else board.vi_of(symbol) is not None
        status = "58" if halted else "00"
        return "^".join(StatusRecord(symbol, halted, announcement.reason, announcement.code, status, in_vi).encode())

    def _expected(self, symbols: list[str]) -> None:
        told: dict[str, str] = {}
        for symbol in symbols:
            expected = self._board.expected(symbol)
            if expected is None or not expected.price:
                continue
            sight, session = self._board.sight(symbol), self._board.session
            early = self._board.now < session.rules.session.open_at
            record = ExpectedRecord(
                symbol,
                session.day,
                hhmmss_of(self._board.now),
                expected.price,
                expected.volume,
                sight.base,
                sight.volume,
                _BEFORE_OPEN if early else _WITHIN_THE_DAY,
            )
            told[symbol] = "^".join(record.encode())
        self._hub.tell(EXPECTED.real, told)

    def _index(self, code: str, beat: Beat) -> str:
        world, session = self._board.world, self._board.session
        if self._session is not session:
            self._session, self._levels = session, {}
        if code not in self._levels:
            self._levels[code] = world.index_levels(code, session.row).ravel().tolist()
        before = world.index_bar(code, session.row - 1)[3] if session.row else self._levels[code][0]
        seen = self._levels[code][: beat.row + 1]
        members = world.members[code]
        shown = self._board.table()
        last, base = shown.last[members], shown.base[members]
        record = IndexRecord(
            code,
            _clock(beat.at),
            seen[-1],
            seen[-1] - before,
            int(shown.volume[members].sum()),
            int(shown.turnover[members].sum()),
            seen[0],
            max(seen),
            min(seen),
            int((last > base).sum()),
            int((last == base).sum()),
            int((last < base).sum()),
        )
        return "^".join(record.encode())

    def _nav(self, symbol: Symbol) -> str:
        library = self._board.library
        now, opened, high, low = library.nav(symbol)
        return "^".join(NavRecord(symbol, now, now - library.nav_before(symbol), opened, high, low).encode())


def _clock(at: Instant) -> int:
    """Return the last second of a row as a print carries it."""
    return hhmmss_of(at - 1)
