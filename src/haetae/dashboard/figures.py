"""How figures are written: won, shares, per cent, basis points, times, with sign and tone.

``1,234,567원``, ``▲ 12,300원``, ``+1.23%``. Red (``up``) is a gain and blue (``down``) a loss; the sign and
the arrow say the same to eyes that cannot tell the colours apart. Times are KST.
A figure that does not exist is ``–``, never zero.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Literal

KST = dt.timezone(dt.timedelta(hours=9))
Tone = Literal["up", "down", "flat"]
NONE = "–"
RED, BLUE, GREY = "#d6303a", "#1f63c4", "#78716c"
COLOURS: dict[Tone, str] = {"up": RED, "down": BLUE, "flat": GREY}
_ARROWS: dict[Tone, str] = {"up": "▲", "down": "▼", "flat": "―"}
_EOK = 100_000_000


def tone(value: float | None) -> Tone:
    """Return ``up``, ``down``, or ``flat`` for zero and for what does not exist."""
    if value is None or math.isnan(value) or value == 0:
        return "flat"
    return "up" if value > 0 else "down"


def won(amount: int | None) -> str:
    """Return ``1,234,567원``."""
    return NONE if amount is None else f"{amount:,}원"


def won_change(amount: int | None) -> str:
    """Return ``▲ 1,234원``, ``▼ 1,234원`` or ``― 0원``."""
    return NONE if amount is None else f"{_ARROWS[tone(amount)]} {abs(amount):,}원"


def won_short(amount: int | None) -> str:
    """Return an amount to read at a glance: ``1.23억원`` from a hundred million won on."""
    if amount is None or abs(amount) < _EOK:
        return won(amount)
    return f"{amount / _EOK:,.2f}억원"


def shares(quantity: int | None) -> str:
    """Return ``1,234주``."""
    return NONE if quantity is None else f"{quantity:,}주"


def count(number: int | None) -> str:
    """Return ``1,234건``."""
    return NONE if number is None else f"{number:,}건"


def percent(ratio: float | None, digits: int = 2) -> str:
    """Return a ratio as per cent without sign for a share: ``12.34%``."""
    return NONE if ratio is None or math.isnan(ratio) else f"{100.0 * ratio:.{digits}f}%"


def percent_change(ratio: float | None, digits: int = 2) -> str:
    """Return a ratio as per cent with its sign: ``+1.23%``; what rounds to nothing has no sign."""
    if ratio is None or math.isnan(ratio):
        return NONE
    rounded = round(100.0 * ratio, digits)
    return f"{rounded:+.{digits}f}%" if rounded else f"{0:.{digits}f}%"


def basis_points(value: float | None) -> str:
    """Return ``+12.3bp``."""
    if value is None or math.isnan(value):
        return NONE
    rounded = round(value, 1)
    return f"{rounded:+.1f}bp" if rounded else "0.0bp"


def decimal(value: float | None, digits: int = 2) -> str:
    """Return a number with its minus only: ``0.65``."""
    return NONE if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def clock_time(at: dt.datetime | None) -> str:
    """Return ``14:05:09`` in KST."""
    return NONE if at is None else at.astimezone(KST).strftime("%H:%M:%S")


def day_and_time(at: dt.datetime | None) -> str:
    """Return ``2026-11-24 14:05:09`` in KST."""
    return NONE if at is None else at.astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")
