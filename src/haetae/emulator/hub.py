"""WebSocket sessions without sockets: registrations, acknowledgements, frames to be sent.

Here: ``Hub``, which answers control messages, builds data frames of subscribed symbols only and
puts them into each session's outbox. Not here: the socket (``service``), the tape (``bridge``), the texts of
trades (``prints``). Two hooks let scripted faults answer a registration or change a frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from haetae.domain.units import Symbol, hhmmss_of
from haetae.emulator import overseas
from haetae.emulator.accounts import Notice
from haetae.emulator.board import Board, Books
from haetae.emulator.gate import Gate
from haetae.emulator.prints import TradeTexts, print_clock
from haetae.emulator.session import Printed
from haetae.emulator.sights import Depth
from haetae.kis.wire import control
from haetae.kis.wire.control import Ack, Subscription, build_ack
from haetae.kis.wire.frames import (
    BOOKS,
    EXPECTED,
    INDEX,
    MARKET_STATUS,
    NAV,
    NOTICES,
    TRADES,
    CipherKey,
    Revision,
    build_frame,
)
from haetae.kis.wire.operations import Mode
from haetae.kis.wire.records import BookRecord

_SERVED = {
    Mode.REAL: {stream.real for stream in (TRADES, BOOKS, NOTICES, EXPECTED, MARKET_STATUS, INDEX, NAV)}
    | {overseas.NOTICES[Mode.REAL]},
    Mode.MOCK: {TRADES.mock, BOOKS.mock, NOTICES.mock, overseas.NOTICES[Mode.MOCK]},
}
_BY_USER = {NOTICES.real, NOTICES.mock, *overseas.NOTICES.values()}
"""Streams whose key is an HTS ID in place of a code; these are encrypted."""


@dataclass(slots=True, eq=False)
class Line:
    """One WebSocket session; ``held`` are its registrations, keys by TR."""

    mode: Mode
    cipher: CipherKey
    app_key: str = ""
    held: dict[str, dict[str, None]] = field(default_factory=dict)
    outbox: list[str] = field(default_factory=list)
    data_sent: int = 0

    @property
    def registrations(self) -> int:
        """Registrations that count toward the limit."""
        return sum(map(len, self.held.values()))

    @property
    def notices(self) -> bool:
        """Whether execution notices are wanted, under whatever HTS ID."""
        return bool(self.held.get(NOTICES.tr_id(mock=self.mode is Mode.MOCK)))


@dataclass(frozen=True, slots=True)
class Answered:
    """What a registration is answered in place of the honest word (blank: nothing), and whether it counts."""

    text: str
    register: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """Schema generations of one server: of trades and books, and of notices."""

    trades: Revision
    notices: Revision

    @classmethod
    def of(cls, trade_fields: int, notice_fields: int) -> Schema:
        """Return the generations of the widths asked for."""
        return cls(
            Revision.SEPTEMBER_2026 if trade_fields >= 47 else Revision.JUNE_2026,
            Revision.LEGACY if notice_fields <= 23 else Revision.SEPTEMBER_2026,
        )


class Hub:
    """All sessions of one emulator."""

    def __init__(self, gate: Gate, *, seed: int, schemas: Mapping[Mode, Schema], frame_records: int) -> None:
        """Serve each domain in its own schema; ``seed`` makes the keys of the notices."""
        self._frame_records = frame_records
        self._gate = gate
        self._seed = seed
        self._opened = 0
        self._schemas = schemas
        self._texts = TradeTexts()
        self._watched: tuple[tuple[Symbol, ...], tuple[int, ...]] | None = None
        self.lines: list[Line] = []
        self.sent: dict[str, int] = {}
        """Data frames put out in the newest session of each app key."""
        self.on_registration: Callable[[Line, Subscription], Answered | None] | None = None
        """Asked before a registration is answered; none: the honest word."""
        self.on_frame: Callable[[Line, str], list[str]] | None = None
        """Given every data frame; returns what is put out in its place."""

    def open(self, mode: Mode) -> Line:
        """Begin a session; its key for notices is handed out with the acknowledgement."""
        self._opened += 1
        digest = hashlib.sha256(f"{self._seed}:cipher:{self._opened}".encode()).hexdigest()
        line = Line(mode, CipherKey(digest[:32], digest[32:48]))
        self.lines.append(line)
        return line

    def occupy(self, app_key: str, mode: Mode) -> Line | None:
        """Let somebody else hold the session of a key; none where it is taken already."""
        if any(line.app_key == app_key for line in self.lines):
            return None
        line = self.open(mode)
        line.app_key = app_key
        return line

    def close(self, line: Line | None) -> None:
        """End a session; its registrations are gone."""
        if line in self.lines:
            self.lines.remove(line)
        self._watched = None

    def take(self, line: Line, text: str, board: Board) -> None:
        """Answer a control message of a client; PINGPONG echoes need no answer."""
        if '"PINGPONG"' in text:
            return
        asked = control.read_subscription(text)
        if isinstance(asked, str):
            line.outbox.append(acknowledge("", "", asked))
            return
        answered = self.on_registration(line, asked) if self.on_registration else None
        honest = self._register(line, asked, board) if answered is None or answered.register else ""
        told = honest if answered is None else answered.text
        if told:
            line.outbox.append(told)

    def _register(self, line: Line, asked: Subscription, board: Board) -> str:
        owner = self._gate.owner(asked.approval_key, board.now)
        if owner is None:
            return acknowledge(asked.tr_id, asked.tr_key, control.APPROVAL_UNKNOWN)
        if line.app_key not in {"", owner}:
            return acknowledge(asked.tr_id, asked.tr_key, "OPSP0010")
        if any(other is not line and other.app_key == owner for other in self.lines):
            return acknowledge("(null)", "", control.APPKEY_IN_USE, rt_cd="9")
        if asked.tr_id not in _SERVED[line.mode]:
            return acknowledge(asked.tr_id, asked.tr_key, "OPSP8991")
        if not _is_key(asked, board):
            return acknowledge(asked.tr_id, asked.tr_key, "OPSP8992")
        return self._hold(line, asked, owner)

    def _hold(self, line: Line, asked: Subscription, owner: str) -> str:
        held = line.held.setdefault(asked.tr_id, {})
        self._watched = None
        if not asked.register:
            code = control.UNSUBSCRIBED if asked.tr_key in held else control.NOT_SUBSCRIBED
            held.pop(asked.tr_key, None)
            return acknowledge(asked.tr_id, asked.tr_key, code)
        if asked.tr_key in held:
            return acknowledge(asked.tr_id, asked.tr_key, control.ALREADY_SUBSCRIBED, line.cipher)
        if line.registrations >= self._gate.registrations(owner):
            return acknowledge(asked.tr_id, asked.tr_key, control.TOO_MANY)
        if not line.app_key:
            line.app_key = owner
            self.sent[owner] = 0
        held[asked.tr_key] = None
        return acknowledge(asked.tr_id, asked.tr_key, control.SUBSCRIBED, line.cipher)

    @property
    def watches(self) -> bool:
        """Whether anybody wants to see the market."""
        return any(keys for line in self.lines for tr_id, keys in line.held.items() if tr_id not in _BY_USER)

    def wanted(self, tr_id: str) -> list[str]:
        """Return the keys anybody registered for under a TR, each once."""
        return list(dict.fromkeys(key for line in self.lines for key in line.held.get(tr_id, ())))

    def tell(self, tr_id: str, texts: Mapping[str, str]) -> None:
        """Send records of a stream, by key, to those who registered for them."""
        for line in self.lines if texts else ():
            self._put(line, tr_id, [texts[key] for key in line.held.get(tr_id, ()) if key in texts])

    def publish_books(self, board: Board) -> None:
        """Send the order books as they stand now, also where nothing was printed."""
        clock = hhmmss_of(board.now)
        for line in self.lines:
            revision, texts = self._schemas[line.mode].trades, []
            for symbol in line.held.get(BOOKS.real, ()):
                texts.append(_book(board.depth(symbol), clock, board.sight(symbol).volume, symbol, revision))
            self._put(line, BOOKS.real, texts)

    def publish(self, session: Printed, row: int, board: Books) -> None:
        """Put the prints of one tape row into the outboxes of those who registered for them."""
        symbols, columns = self._traded(board)
        texts: dict[Revision, dict[Symbol, str]] = {}
        books: dict[tuple[Revision, Symbol], str] = {}
        for line in self.lines:
            revision = self._schemas[line.mode].trades
            if line.held.get(TRADES.real):
                if revision not in texts:
                    texts[revision] = self._texts.of_row(session, row, symbols, columns, revision)
                made = texts[revision]
                self._put(line, TRADES.real, [made[symbol] for symbol in line.held[TRADES.real] if symbol in made])
            if line.held.get(BOOKS.real):
                wanted = line.held[BOOKS.real]
                for symbol in wanted:
                    if (revision, symbol) not in books:
                        total = int(session.tape.cumulative[row, board.world.column[symbol]])
                        depth = board.depth(symbol, row + 1)
                        books[revision, symbol] = _book(depth, print_clock(session, row), total, symbol, revision)
                self._put(line, BOOKS.real, [books[revision, symbol] for symbol in wanted])

    def _traded(self, board: Books) -> tuple[tuple[Symbol, ...], tuple[int, ...]]:
        """Return the symbols whose trades anybody wants, and their columns."""
        if self._watched is None:
            column = board.world.column
            symbols = tuple(dict.fromkeys(symbol for line in self.lines for symbol in line.held.get(TRADES.real, ())))
            self._watched = (symbols, tuple(column[symbol] for symbol in symbols))
        return self._watched

    def _put(self, line: Line, tr_id: str, texts: list[str]) -> None:
        for first in range(0, len(texts), self._frame_records):
            chunk = texts[first : first + self._frame_records]
            self._send(line, f"0|{tr_id}|{len(chunk):03d}|{'^'.join(chunk)}")

    def _send(self, line: Line, text: str) -> None:
        for told in (text,) if self.on_frame is None else self.on_frame(line, text):
            self.put(line, told)

    def put(self, line: Line, text: str) -> None:
        """Put a data frame into a session's outbox, if it is open still."""
        if line not in self.lines:
            return
        line.outbox.append(text)
        line.data_sent += 1
        self.sent[line.app_key] = self.sent.get(line.app_key, 0) + 1

    def notify(self, notices: Iterable[Notice]) -> None:
        """Send notices, encrypted, to the sessions of the app key that placed the order."""
        for notice in notices:
            for line in self.lines:
                if line.notices and line.app_key == notice.app_key:
                    values = notice.record.encode(self._schemas[line.mode].notices)
                    tr_id = NOTICES.tr_id(mock=line.mode is Mode.MOCK)
                    self._send(line, build_frame(tr_id, [values], line.cipher))


def _is_key(asked: Subscription, board: Board) -> bool:
    """Whether a stream knows a key: a name, an index, a fund; any HTS ID for notices."""
    if asked.tr_id in _BY_USER:
        return True
    if asked.tr_id == INDEX.real:
        return asked.tr_key in board.world.indices
    known = board.instrument(asked.tr_key) is not None
    return known and (asked.tr_id != NAV.real or board.is_fund(asked.tr_key))


def _book(depth: Depth, clock: int, volume: int, symbol: Symbol, revision: Revision) -> str:
    record = BookRecord(symbol, clock, depth.asks, depth.bids, depth.ask_sizes, depth.bid_sizes, volume)
    return "^".join(record.encode(revision))


def acknowledge(tr_id: str, tr_key: str, code: str, cipher: CipherKey | None = None, *, rt_cd: str = "") -> str:
    """Return the acknowledgement of a registration."""
    good = code in {control.SUBSCRIBED, control.UNSUBSCRIBED}
    text = control.ACK_TEXTS.get(code, "")
    encrypted = cipher is not None and tr_id in _BY_USER
    return build_ack(Ack(tr_id, tr_key, rt_cd or ("0" if good else "1"), code, text, cipher, encrypted))
