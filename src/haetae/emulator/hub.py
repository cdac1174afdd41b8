"""WebSocket sessions without sockets: registrations, acknowledgements, frames to be sent.

Here: ``Hub``, which answers control messages, builds data frames of subscribed symbols only and
puts them into each session's outbox. Not here: the socket (``server``), the tape (``bridge``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from haetae.domain.units import Symbol, hhmmss_of
from haetae.emulator.accounts import Notice
from haetae.emulator.board import Board, Books
from haetae.emulator.gate import Gate
from haetae.emulator.session import Printed
from haetae.kis.wire import control
from haetae.kis.wire.control import Ack, Subscription, build_ack
from haetae.kis.wire.frames import BOOKS, NOTICES, TRADES, CipherKey, Revision, build_frame
from haetae.kis.wire.operations import Mode
from haetae.kis.wire.records import BookRecord, TradeRecord

FRAME_RECORDS = 20
"""Most records put into one frame; the service sends several of one moment together."""
_SERVED = {
    Mode.REAL: {TRADES.real, BOOKS.real, NOTICES.real},
    Mode.MOCK: {TRADES.mock, BOOKS.mock, NOTICES.mock},
}


@dataclass(slots=True, eq=False)
class Line:
    """One WebSocket session."""

    mode: Mode
    cipher: CipherKey
    app_key: str = ""
    trades: dict[Symbol, None] = field(default_factory=dict)
    books: dict[Symbol, None] = field(default_factory=dict)
    notices: dict[str, None] = field(default_factory=dict)
    outbox: list[str] = field(default_factory=list)
    data_sent: int = 0

    @property
    def registrations(self) -> int:
        """Registrations that count toward the limit."""
        return len(self.trades) + len(self.books) + len(self.notices)


class Hub:
    """All sessions of one emulator."""

    def __init__(self, gate: Gate, *, limit: int, seed: int, trade_fields: int, notice_fields: int) -> None:
        """Serve one schema revision; ``limit`` registrations a session."""
        self._gate = gate
        self._limit = limit
        self._seed = seed
        self._opened = 0
        self._trade_revision = Revision.SEPTEMBER_2026 if trade_fields >= 47 else Revision.JUNE_2026
        self._notice_revision = Revision.LEGACY if notice_fields <= 23 else Revision.SEPTEMBER_2026
        self.lines: list[Line] = []
        self.sent: dict[str, int] = {}
        """Data frames put out in the newest session of each app key."""

    def open(self, mode: Mode) -> Line:
        """Begin a session; its key for notices is handed out with the acknowledgement."""
        self._opened += 1
        digest = hashlib.sha256(f"{self._seed}:cipher:{self._opened}".encode()).hexdigest()
        line = Line(mode, CipherKey(digest[:32], digest[32:48]))
        self.lines.append(line)
        return line

    def close(self, line: Line) -> None:
        """End a session; its registrations are gone."""
        if line in self.lines:
            self.lines.remove(line)

    def take(self, line: Line, text: str, board: Board) -> None:
        """Answer a control message of a client; PINGPONG echoes need no answer."""
        if '"PINGPONG"' in text:
            return
        asked = control.read_subscription(text)
        if isinstance(asked, str):
            line.outbox.append(_ack("", "", asked))
            return
        line.outbox.append(self._register(line, asked, board))

    def _register(self, line: Line, asked: Subscription, board: Board) -> str:
        owner = self._gate.owner(asked.approval_key)
        if owner is None:
            return _ack(asked.tr_id, asked.tr_key, control.APPROVAL_UNKNOWN)
        if line.app_key not in {"", owner}:
            return _ack(asked.tr_id, asked.tr_key, "OPSP0010")
        if any(other is not line and other.app_key == owner for other in self.lines):
            return _ack("(null)", "", control.APPKEY_IN_USE, rt_cd="9")
        if asked.tr_id not in _SERVED[line.mode]:
            return _ack(asked.tr_id, asked.tr_key, "OPSP8991")
        is_notice = asked.tr_id in {NOTICES.real, NOTICES.mock}
        if not is_notice and board.world.column.get(asked.tr_key) is None:
            return _ack(asked.tr_id, asked.tr_key, "OPSP8992")
        held: dict[str, None] = line.trades if asked.tr_id == TRADES.real else line.books
        if is_notice:
            held = line.notices
        cipher = line.cipher if is_notice else None
        if not asked.register:
            code = control.UNSUBSCRIBED if asked.tr_key in held else control.NOT_SUBSCRIBED
            held.pop(asked.tr_key, None)
            return _ack(asked.tr_id, asked.tr_key, code)
        if asked.tr_key in held:
            return _ack(asked.tr_id, asked.tr_key, control.ALREADY_SUBSCRIBED, cipher)
        if line.registrations >= self._limit:
            return _ack(asked.tr_id, asked.tr_key, control.TOO_MANY)
        if not line.app_key:
            line.app_key = owner
            self.sent[owner] = 0
        held[asked.tr_key] = None
        return _ack(asked.tr_id, asked.tr_key, control.SUBSCRIBED, cipher)

    @property
    def watches(self) -> bool:
        """Whether anybody wants prices."""
        return any(line.trades or line.books for line in self.lines)

    def publish(self, session: Printed, row: int, board: Books) -> None:
        """Put the prints of one tape row into the outboxes of those who registered for them."""
        tape, columns = session.tape, board.world.column
        wanted = {symbol: columns[symbol] for line in self.lines for symbol in line.trades}
        volume = tape.volume[row].tolist()
        live = {symbol: column for symbol, column in wanted.items() if volume[column]}
        trades = self._trades(session, row, live) if live else {}
        books: dict[Symbol, list[str]] = {}
        for line in self.lines:
            records = [trades[symbol] for symbol in line.trades if symbol in trades]
            self._put(line, TRADES.tr_id(mock=line.mode is Mode.MOCK), records)
            if line.books:
                for symbol in line.books:
                    if symbol not in books:
                        books[symbol] = self._book(session, row, symbol, board)
                self._put(line, BOOKS.tr_id(mock=line.mode is Mode.MOCK), [books[symbol] for symbol in line.books])

    def _put(self, line: Line, tr_id: str, records: list[list[str]]) -> None:
        for first in range(0, len(records), FRAME_RECORDS):
            line.outbox.append(build_frame(tr_id, records[first : first + FRAME_RECORDS]))
            self._count(line)

    def _count(self, line: Line) -> None:
        line.data_sent += 1
        self.sent[line.app_key] = self.sent.get(line.app_key, 0) + 1

    def _trades(self, session: Printed, row: int, live: dict[Symbol, int]) -> dict[Symbol, list[str]]:
        tape = session.tape
        columns = (tape.price, tape.volume, tape.cumulative, tape.turnover, tape.opened, tape.high, tape.low)
        price, volume, total, turnover, opened, high, low = (part[row].tolist() for part in columns)
        asks, bids, sizes = (part.tolist() for part in session.best(row))
        base = session.base.tolist()
        end = int(tape.end[row])
        auction = end >= session.rules.session.close_at
        clock = hhmmss_of(end if auction else end - 1)
        return {
            symbol: TradeRecord(
                symbol,
                session.day,
                clock,
                price[k],
                volume[k],
                total[k],
                turnover[k],
                opened[k],
                high[k],
                low[k],
                asks[k],
                bids[k],
                sizes[k],
                sizes[k],
                base[k],
                vi_reference=base[k],
            ).encode(self._trade_revision)
            for symbol, k in live.items()
        }

    def _book(self, session: Printed, row: int, symbol: Symbol, board: Books) -> list[str]:
        depth = board.depth(symbol, row + 1)
        total = int(session.tape.cumulative[row, board.world.column[symbol]])
        clock = hhmmss_of(int(session.tape.end[row]) - 1)
        record = BookRecord(symbol, clock, depth.asks, depth.bids, depth.ask_sizes, depth.bid_sizes, total)
        return record.encode(self._trade_revision)

    def notify(self, notices: Iterable[Notice]) -> None:
        """Send notices, encrypted, to the sessions of the app key that placed the order."""
        for notice in notices:
            for line in self.lines:
                if line.notices and line.app_key == notice.app_key:
                    values = notice.record.encode(self._notice_revision)
                    tr_id = NOTICES.tr_id(mock=line.mode is Mode.MOCK)
                    line.outbox.append(build_frame(tr_id, [values], line.cipher))
                    self._count(line)


def _ack(tr_id: str, tr_key: str, code: str, cipher: CipherKey | None = None, *, rt_cd: str = "") -> str:
    good = code in {control.SUBSCRIBED, control.UNSUBSCRIBED}
    text = control.ACK_TEXTS.get(code, "")
    return build_ack(Ack(tr_id, tr_key, rt_cd or ("0" if good else "1"), code, text, cipher))
