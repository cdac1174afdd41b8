"""Prints of the trade stream in bulk: a whole frame becomes columns of integers in one pass over its bytes.

Here: `read_prints`, the compiled pass. Not here: one record with names (`records.TradeRecord.decode`, which is the
oracle: what this pass refuses is decoded there once more, so that the error names record and field). Both refuse
the same records; a twin test holds them equal. The pass is compiled when this module is imported, never within a
session; symbols travel through it as numbers and are named afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from haetae.domain.errors import WireError
from haetae.domain.units import Symbol
from haetae.kis.wire.frames import TRADES, Frame, records
from haetae.kis.wire.records import TradeRecord

COLUMNS = (
    "day",
    "clock",
    "price",
    "volume",
    "cumulative_volume",
    "cumulative_turnover",
    "open",
    "high",
    "low",
    "ask",
    "bid",
    "ask_size",
    "bid_size",
    "base",
    "halted",
    "vi_reference",
)
"""Columns of `Prints.values`: KST day 20261123, KST clock 93000, won, shares; ``base`` is price less change."""
_PLACES = np.array([33, 1, 2, 12, 13, 14, 7, 8, 9, 10, 11, 36, 37, 4, 35, 45], dtype=np.int64)
"""Where each column stands in a record, counted from 0."""
_LEAST, _MOST = TRADES.least_width, 2 * TRADES.least_width
_CARET, _ZERO, _NINE, _A, _Z, _MINUS, _YES = (ord(character) for character in "^09AZ-Y")
_LONGEST_NUMBER = 18
"""Digits that always fit 64 bits."""
_PAST_USED = 46
_TEXT, _NUMBER, _BLANK_IS_ZERO, _SIGNED, _FLAG = range(5)
_FORM = np.zeros(_PAST_USED, dtype=np.int64)
_COLUMN = np.full(_PAST_USED, -1, dtype=np.int64)
for _column, _place in enumerate(_PLACES):
    _COLUMN[_place] = _column
    _FORM[_place] = _NUMBER
_FORM[[10, 11, 36, 37, 45]] = _BLANK_IS_ZERO
_FORM[4] = _SIGNED
_FORM[35] = _FLAG
_DAYS_OF_MONTH = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_NAMES: dict[int, Symbol] = {}


@dataclass(frozen=True, slots=True)
class Prints:
    """The records of one frame: ``symbols`` and ``values``, shape ``(n, 16)`` int64, columns as in `COLUMNS`."""

    symbols: Sequence[Symbol]
    values: NDArray[np.int64]


_BYTES = types.Array(types.uint8, 1, "C", readonly=True)


@njit(types.int64(_BYTES, types.int64), cache=True)
def _width(text: NDArray[np.uint8], count: int) -> int:
    """Return the values of each record, 0 where the frame does not add up; a trailing separator is tolerated."""
    values = 1
    for byte in text:
        if byte == _CARET:
            values += 1
    if values % count and text.size and text[text.size - 1] == _CARET:
        values -= 1
    return values // count if values % count == 0 else 0


@njit(types.boolean(types.int64, types.int64), cache=True)
def _is_moment(day: int, clock: int) -> bool:
    """Whether a day and a clock exist."""
    year, month, date = day // 10_000, day // 100 % 100, day % 100
    if year < 1 or year > 9_999 or month < 1 or month > 12 or date < 1:
        return False
    last = _DAYS_OF_MONTH[month - 1]
    if month == 2 and (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        last += 1
    return date <= last and clock <= 235_959 and clock // 100 % 100 < 60 and clock % 100 < 60


@njit(types.boolean(_BYTES, types.int64[::1], types.int64[:, ::1]), cache=True)
def _read(text: NDArray[np.uint8], symbols: NDArray[np.int64], values: NDArray[np.int64]) -> bool:
    """Fill the columns of as many records as there is room for; returns whether the frame adds up and all parse."""
    count = symbols.size
    width = _width(text, count)
    if not _LEAST <= width < _MOST:
        return False
    at, end = 0, text.size
    for row in range(count):
        for place in range(width):
            start = at
            form = _FORM[place] if place < _PAST_USED else _TEXT
            if place == 0:
                name = 0
                while at < end and text[at] != _CARET:
                    byte = text[at]
                    if not (_ZERO <= byte <= _NINE or _A <= byte <= _Z) or at - start >= 7:
                        return False
                    name = name * 256 + byte
                    at += 1
                if at - start < 6:
                    return False
                symbols[row] = name
            elif form == _TEXT:
                while at < end and text[at] != _CARET:
                    at += 1
            elif form == _FLAG:
                while at < end and text[at] != _CARET:
                    at += 1
                values[row, _COLUMN[place]] = 1 if at - start == 1 and text[start] == _YES else 0
            else:
                is_negative = form == _SIGNED and at < end and text[at] == _MINUS
                if is_negative:
                    at += 1
                first, number = at, 0
                while at < end and text[at] != _CARET:
                    digit = text[at] - _ZERO
                    if digit < 0 or digit > 9 or at - first >= _LONGEST_NUMBER:
                        return False
                    number = number * 10 + digit
                    at += 1
                if at == first and (is_negative or form != _BLANK_IS_ZERO):
                    return False
                values[row, _COLUMN[place]] = -number if is_negative else number
            at += 1
        price, volume, total = values[row, 2], values[row, 3], values[row, 4]
        values[row, 13] = price - values[row, 13]
        if price < 1 or total < volume or not _is_moment(values[row, 0], values[row, 1]):
            return False
    return True


def read_prints(frame: Frame) -> Prints:
    """Return all records of a trade frame; raises ``WireError`` where the frame does not add up or one is odd."""
    count = frame.count
    symbols = np.empty(count, dtype=np.int64)
    values = np.empty((count, len(COLUMNS)), dtype=np.int64)
    if not frame.encrypted:
        # No byte of a longer character looks like a separator: later fields may hold text of any script.
        text = np.frombuffer(frame.payload.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        if _read(text, symbols, values):
            return Prints([_NAMES.get(name) or _name(name) for name in symbols.tolist()], values)
    for record in records(frame):
        TradeRecord.decode(record)
    raise WireError(
        f"{frame.tr_id}: a frame was refused in bulk and accepted one by one",
        expected="the same of both",
        found=frame.payload[:60],
        next_step="keep the message; this is a defect",
    )


def _name(number: int) -> Symbol:
    return _NAMES.setdefault(number, number.to_bytes(7, "big").lstrip(b"\0").decode("ascii"))
