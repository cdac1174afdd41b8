"""Effects on registrations and on the data frames of the streams.

Here: T17 to T20, and M06 and M07 in frames. Not here: sessions that end or fall silent (``transport``).
A frame effect returns the texts to be put out now, none of them, one or more.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial

from haetae.emulator.faults import garble
from haetae.emulator.faults.armed import Armed
from haetae.emulator.faults.occasions import Occasion
from haetae.emulator.faults.stage import Stage
from haetae.emulator.hub import Answered, acknowledge
from haetae.kis.wire import control
from haetae.kis.wire.control import Subscription
from haetae.kis.wire.frames import CipherKey, Frame, build_frame, decrypt, encrypt, records

_HEAD = 3
"""Digits of the count field."""
Frames = list[str]


def bad_ack(armed: Armed, _stage: Stage, asked: Subscription) -> Answered:
    """T17: a registration is answered with nothing, an error, or ALREADY IN USE."""
    what = armed.fault.what
    match what["how"]:
        case "missing":
            return Answered("", register=what["registered"])
        case "in_use":
            return Answered(acknowledge("(null)", "", control.APPKEY_IN_USE, rt_cd="9"), register=False)
    return Answered(acknowledge(asked.tr_id, asked.tr_key, what["code"]), register=False)


def out_of_order(armed: Armed, stage: Stage, occasion: Occasion, text: str) -> Frames:
    """T18: a frame changes places with the next one, comes twice, or comes late."""
    line = occasion.line
    assert line is not None
    match armed.fault.what["how"]:
        case "duplicated":
            return [text, text]
        case "delayed":
            seconds = armed.fault.what["seconds"]
            stage.later(seconds, armed.fault.timebase, partial(stage.exchange.hub.put, line, text))
            return []
    stage.held.setdefault(line, []).append(text)
    return []


def miscounted(armed: Armed, _stage: Stage, occasion: Occasion, text: str) -> Frames:
    """T19: fewer records a frame, or a count that is not the number of records."""
    frame = occasion.frame
    assert frame is not None
    most, off = armed.fault.what["records"], armed.fault.what["count"]
    texts = [text]
    if most and not frame.encrypted:
        rows = records(frame)
        texts = [build_frame(frame.tr_id, rows[first : first + most]) for first in range(0, len(rows), most)]
    return [_with_count(one, off) for one in texts] if off else texts


def _with_count(text: str, off: int) -> str:
    kind, tr_id, count, payload = text.split("|", 3)
    return f"{kind}|{tr_id}|{max(0, int(count) + off):0{_HEAD}d}|{payload}"


def bad_cipher(armed: Armed, _stage: Stage, occasion: Occasion, text: str) -> Frames:
    """T20: a notice that its session's key does not open."""
    frame, line = occasion.frame, occasion.line
    assert frame is not None
    assert line is not None
    if not frame.encrypted:
        return [text]
    plain = decrypt(frame.payload, line.cipher)
    match armed.fault.what["how"]:
        case "plain":
            payload = plain
        case "bad_padding":
            sealed = base64.b64decode(frame.payload)
            payload = base64.b64encode(sealed[:-16] or sealed[:8]).decode()
        case _:
            payload = encrypt(plain, CipherKey(line.cipher.key[::-1], line.cipher.iv))
    return [f"1|{frame.tr_id}|{frame.count:0{_HEAD}d}|{payload}"]


def odd_books(armed: Armed, stage: Stage, occasion: Occasion, text: str) -> Frames:
    """M06: a book without a side, or crossed, in trades and books."""
    how = armed.fault.what["how"]
    return _garbled(armed, occasion, text, lambda tr_id, row: garble.book_row(how, tr_id, row))


def odd_prices(armed: Armed, stage: Stage, occasion: Occasion, text: str) -> Frames:
    """M07: a price of zero, below zero, a multiple, or another symbol's."""
    what = armed.fault.what
    return _garbled(armed, occasion, text, lambda tr_id, row: garble.price_row(what, tr_id, row, stage.exchange.board))


def _garbled(armed: Armed, occasion: Occasion, text: str, change: Callable[[str, list[str]], list[str]]) -> Frames:
    frame: Frame | None = occasion.frame
    assert frame is not None
    wanted = armed.fault.where.symbol
    rows = [change(frame.tr_id, row) if not wanted or row[0] in wanted else row for row in records(frame)]
    return [build_frame(frame.tr_id, rows)]
