"""Texts of real-time records, read strictly: a number is digits alone, or the record is refused.

Here: whole numbers, clocks and symbols of stream records; each raises ``ValueError`` with what it found. Not here:
forms of REST fields (`fields`), which are padded and signed in other ways.
"""

from __future__ import annotations

from haetae.domain.units import Symbol

LONGEST = 18
"""Digits; more fit no 64 bits."""


def whole(text: str) -> int:
    """Return a number of digits alone: no sign, space, point or underscore, no digit of another script."""
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST:
        raise ValueError(f"{text[:30]!r} is no whole number")
    return int(text)


def whole_or_0(text: str) -> int:
    """Return a number of digits, 0 for a blank."""
    return whole(text) if text else 0


def padded(text: str) -> int:
    """Return a number that may be padded with spaces, 0 for a blank."""
    return whole_or_0(text.strip())


def signed(text: str) -> int:
    """Return a number of digits that may have a minus in front."""
    return -whole(text[1:]) if text[:1] == "-" else whole(text)


def symbol_of(text: str) -> Symbol:
    """Return a short code: six characters, seven for an ETN."""
    if not (len(text) in (6, 7) and text.isascii() and text.isalnum() and text == text.upper()):
        raise ValueError(f"{text[:30]!r} is no symbol")
    return text


def clock_of(text: str) -> int:
    """Return a time of the day as digits, ``93000``."""
    value = whole(text)
    if not (value <= 235_959 and value // 100 % 100 < 60 and value % 100 < 60):
        raise ValueError(f"{text!r} is no time of the day")
    return value
