"""What every answer of a call is made of: the values of its rows, and how texts asked are read.

Not here: the calls (``quotations``, ``charts``, ``trading``), the envelope (``core``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haetae.domain.market import Instrument
from haetae.domain.units import day_from
from haetae.emulator.board import Board, Sight
from haetae.emulator.gate import Refusal

Row = Mapping[str, Any]
UNKNOWN_SYMBOL = Refusal("APBK0656")


@dataclass(frozen=True, slots=True)
class Answer:
    """Values of a reply's outputs, rows of lists also as their texts; ``next_key`` is blank on the last page."""

    outputs: Mapping[str, Row | Sequence[Row | str]]
    next_key: str = ""
    code: str = ""


def read_day(text: str) -> dt.date | None:
    """Return a day asked for; the year 0000, which some clients send for *ever*, is the first day there is."""
    digits = text.strip()
    try:
        return dt.date.min if digits.startswith("0000") else day_from(digits)
    except ValueError:
        return None


def read_clock(text: str) -> int:
    """Return the wall-clock time asked for as digits; blank or zero means the end of the day."""
    digits = text.strip()
    return int(digits) if digits.isdigit() and int(digits) else 235_959


def moved(sight: Sight) -> dict[str, Any]:
    """Return the change against the base price, as every quote carries it."""
    return {"prdy_vrss": sight.change, "prdy_vrss_sign": sight.sign, "prdy_ctrt": sight.change_rate}


def listed(board: Board, asked: Mapping[str, str]) -> Instrument | None:
    """Return the name asked for, none for an unknown code."""
    return board.instrument(asked["FID_INPUT_ISCD"].strip())
