"""What every answer of a call is made of: the values of its rows, and how texts asked are read.

Not here: the calls (``quotations``, ``charts``, ``trading``), the envelope (``core``).
"""

from __future__ import annotations

import bisect
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


def invalid(name: str) -> Refusal:
    """Return the refusal of a parameter that is none of its values (the words are seen, that all have them is not)."""
    return Refusal("OPSQ2001", f"ERROR INVALID {name.upper()}")


def lowered(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what was asked under names in lower case, without blanks around it; tables write names in either case."""
    return {name.lower(): value.strip() for name, value in asked.items()}


def strange(given: Mapping[str, str], **known: str) -> Refusal | None:
    """Return the refusal of the first parameter that is not one of the words known for it; none if all are.

    ``known`` are names in lower case with their words, separated by blanks; ``-`` stands for a blank value.
    """
    wrong = (name for name, words in known.items() if (given[name].upper() or "-") not in words.split())
    return next(map(invalid, wrong), None)


def direction(change: float) -> str:
    """Return 전일대비부호 of what has no limits: 2 up, 3 flat, 5 down."""
    return "2" if change > 0 else "5" if change < 0 else "3"


def percent(part: float, whole: float) -> float:
    """Return a share in percent, 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0


def year_sessions(board: Board) -> int:
    """Return how many sessions of this year are over before the present one; at least 1, for a year's extremes."""
    first = dt.date(board.session.day.year, 1, 1)
    return max(1, board.session.row - bisect.bisect_left(board.world.days, first))
