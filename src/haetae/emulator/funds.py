"""Net asset values of exchange traded funds, near their prices.

Here: ``nav_path``: a value x 100 for each row of the tape, from the price and a premium that wanders and comes
back. Not here: what may be seen by now (``board``).
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.market import Int64Array
from haetae.emulator.dice import dice

_PREMIUM = 0.0012
"""Standard deviation of a fund's premium over its net asset value."""
_EVERY = 20
"""Rows of the tape between two turns of the premium."""


def nav_path(seed: int, day: dt.date, symbol: str, price: Int64Array) -> Int64Array:
    """Return the net asset value x 100 at each row of a fund's carried prices."""
    own = dice(seed, "nav", day, symbol)
    turns = own.standard_normal(len(price) // _EVERY + 2) * _PREMIUM
    turns[-2:] = _closing_premium(seed, day, symbol)
    premium = np.interp(np.arange(len(price)), np.arange(len(turns)) * _EVERY, turns)
    return np.rint(price * 100.0 / (1.0 + premium)).astype(np.int64)


def nav_at_close(seed: int, day: dt.date, symbol: str, close: int) -> int:
    """Return the net asset value x 100 at the end of a day, which is where its path ends."""
    return round(close * 100.0 / (1.0 + _closing_premium(seed, day, symbol)))


def _closing_premium(seed: int, day: dt.date, symbol: str) -> float:
    return float(dice(seed, "nav-close", day, symbol).standard_normal()) * _PREMIUM
