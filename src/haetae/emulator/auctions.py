"""Expected price and volume while a call auction collects orders.

Here: paths from the last price to the one the auction ends at, noisy and growing more certain toward its end;
of all names in the opening and the closing auction, of one in a VI. Nothing is expected where nobody trades in
the end. Not here: which auctions there are (``course``), what is told of them (``board``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Won
from haetae.emulator.dice import dice
from haetae.emulator.grid import Grid

TICK_S = 10
"""Seconds between two changes of an expected price."""
_SIGMA = 0.012
"""Noise of an expected price in the middle of an auction."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an auction would print if it ended now, in won and shares, and since when it runs."""

    price: Won
    volume: Shares
    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True, eq=False)
class AuctionPath:
    """Expected price and volume ``(n_ticks, n_symbols)``; row ``k`` holds from ``at[k]`` on."""

    at: Int64Array
    price: Int64Array
    volume: Int64Array

    def row(self, now: Instant) -> int:
        """Return the row that holds at an instant; -1 before the first."""
        return int(np.searchsorted(self.at, now, side="right")) - 1


def draw_path(
    words: tuple[object, ...],
    seed: int,
    span: tuple[Instant, Instant],
    ends: tuple[Int64Array, Int64Array, Int64Array],
    edges: tuple[Int64Array, Int64Array],
    grid: Grid,
) -> AuctionPath:
    """Return the path of an auction.

    Parameters
    ----------
    words : what names the dice
    span : when it begins and ends
    ends : last price before it, price and volume it ends with, ``(n_symbols,)`` each
    edges : lowest and highest valid prices
    """
    before, price, volume = ends
    at = np.arange(span[0] + TICK_S * NS_PER_SECOND, span[1], TICK_S * NS_PER_SECOND, dtype=np.int64)
    done = ((at - span[0]) / (span[1] - span[0]))[:, None]
    own = dice(seed, *words)
    noise = own.standard_normal((2, len(at), len(price)))
    sure = done**1.5
    latent = _between(before, price, sure) * np.exp(_SIGMA * np.sqrt(sure * (1.0 - sure)) * noise[0])
    gathered = volume * (0.15 + 0.85 * done**2) * np.exp(0.12 * (1.0 - done) * noise[1])
    told = np.clip(grid.nearest(latent), edges[0], edges[1])
    trades = volume > 0
    shares = np.maximum(np.minimum(gathered, volume * 3).astype(np.int64), 1)
    return AuctionPath(at, np.where(trades, told, 0), np.where(trades, shares, 0))


def _between(before: Int64Array, price: Int64Array, done: NDArray[np.float64]) -> NDArray[np.float64]:
    first, last = np.log(np.maximum(before, 1)), np.log(np.maximum(price, 1))
    return np.asarray(np.exp(first * (1.0 - done) + last * done))
