"""The same past with another future, with no future, and under other names.

Here: grounds made of a ground, for proofs about what was known when. Everything up to and including a row stays byte
for byte. Not here: markets of chance (`markets`), the proofs (`lookahead`, `ordering`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.strategies import Ground
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel

_WILD = 0.25
"""Half the width of the change of each price: far beyond any real day, so that what depends on it moves."""
_QUIET = 0.2
"""Share of the later bars in which nothing trades."""


def perturbed_after(ground: Ground, row: int, dice: np.random.Generator, tilt: float) -> Ground:
    """Return the ground with every bar after ``row`` replaced by another: prices, volumes, trades, listings.

    Parameters
    ----------
    tilt : float
        Mean change of the later prices as a logarithm. One up and one down move whatever depends on a later price in
        one direction, even for a single symbol.
    """
    shape = (len(ground.panel) - row - 1, len(ground.panel.symbols))
    panel = _other_future(ground.panel, row, dice, tilt)
    eligible = ground.eligible.copy()
    eligible[row + 1 :] = panel.traded[row + 1 :] & (dice.random(shape) < 0.7)
    listed = ground.shares_outstanding
    if listed is not None and listed.ndim == 2:
        listed = listed.copy()
        listed[row + 1 :] = listed[row + 1 :] * dice.integers(1, 9, shape) // 4 + 1
    daily = ground.daily
    if len(daily):
        daily = _other_future(daily, _last_closed(ground, row), dice, tilt)
    return dataclasses.replace(ground, panel=panel, eligible=eligible, daily=daily, shares_outstanding=listed)


def truncated_after(ground: Ground, row: int) -> Ground | None:
    """Return the ground without any bar after ``row``; None where too little is left to run on."""
    if row - ground.first < 1:
        return None
    listed = ground.shares_outstanding
    return dataclasses.replace(
        ground,
        panel=copied(ground.panel.rows(0, row + 1)),
        eligible=ground.eligible[: row + 1].copy(),
        daily=copied(ground.daily.rows(0, _last_closed(ground, row) + 1)) if len(ground.daily) else ground.daily,
        shares_outstanding=listed[: row + 1].copy() if listed is not None and listed.ndim == 2 else listed,
    )


def renamed(ground: Ground, order: Int64Array) -> Ground:
    """Return the ground with its names dealt out anew: column ``j`` holds what was column ``order[j]``."""

    def dealt(panel: Panel) -> Panel:
        return with_blocks(panel, {name: getattr(panel, name)[:, order] for name in BLOCKS})

    names = ground.panel.symbols
    listing = ground.listing
    instruments, bases = listing.instruments, listing.base_prices
    if instruments is not None:
        instruments = {
            names[j]: dataclasses.replace(instruments[names[old]], symbol=names[j]) for j, old in enumerate(order)
        }
    if isinstance(bases, Mapping):
        bases = {names[j]: bases[names[old]] for j, old in enumerate(order) if names[old] in bases}
    elif bases is not None:
        bases = np.ascontiguousarray(bases[:, order])
    listed = ground.shares_outstanding
    return dataclasses.replace(
        ground,
        panel=dealt(ground.panel),
        eligible=np.ascontiguousarray(ground.eligible[:, order]),
        daily=dealt(ground.daily) if len(ground.daily) else ground.daily,
        listing=dataclasses.replace(
            listing,
            instruments=instruments,
            markets=None if listing.markets is None else [listing.markets[old] for old in order],
            kinds=None if listing.kinds is None else [listing.kinds[old] for old in order],
            base_prices=bases,
        ),
        shares_outstanding=None if listed is None else np.ascontiguousarray(listed[..., order]),
    )


BLOCKS = ("open", "high", "low", "close", "volume", "traded")


def with_blocks(panel: Panel, blocks: Mapping[str, NDArray[np.int64] | BoolArray]) -> Panel:
    """Return the panel with other bars at the same times, in arrays of their own."""
    whole = [np.ascontiguousarray(blocks[name] if name in blocks else getattr(panel, name)) for name in BLOCKS]
    return Panel(panel.symbols, panel.days, panel.start, panel.end, *whole)  # type: ignore[arg-type]


def copied(panel: Panel) -> Panel:
    """Return the panel in arrays of its own: a slice would still lead to the bars that were cut away."""
    blocks = [getattr(panel, name).copy() for name in BLOCKS]
    return Panel(panel.symbols, panel.days.copy(), panel.start.copy(), panel.end.copy(), *blocks)


def carried(close: Int64Array, traded: BoolArray) -> Int64Array:
    """Return closes where a bar without trade repeats the one before it, 0 before the first trade."""
    row = np.arange(len(close))[:, None]
    newest = np.maximum.accumulate(np.where(traded, row, -1), axis=0)
    return np.where(newest >= 0, np.take_along_axis(close, np.maximum(newest, 0), axis=0), 0)


def silenced(blocks: Mapping[str, Int64Array], traded: BoolArray) -> dict[str, NDArray[np.int64] | BoolArray]:
    """Return bars in which those without trade repeat the last close and have no volume."""
    close = carried(blocks["close"], traded)
    still: dict[str, NDArray[np.int64] | BoolArray] = {
        name: np.where(traded, blocks[name], close) for name in ("open", "high", "low")
    }
    return still | {"close": close, "volume": np.where(traded, blocks["volume"], 0), "traded": traded}


def _last_closed(ground: Ground, row: int) -> int:
    """Return the newest row of ``ground.daily`` that is known at a row of the panel, -1 if none is."""
    days = ground.panel.days
    over = row + 1 == len(days) or days[row + 1] != days[row]
    return int(np.searchsorted(ground.daily.days, int(days[row]) + int(over))) - 1


def _other_future(panel: Panel, row: int, dice: np.random.Generator, tilt: float) -> Panel:
    past, count = row + 1, len(panel.symbols)
    shape = (len(panel) - past, count)
    if not shape[0]:
        return panel
    traded = dice.random(shape) >= _QUIET
    unlisted = panel.close[row] == 0 if past else np.ones(count, np.bool_)
    listing = dice.integers(0, shape[0] + 1, count)
    traded &= ~(unlisted & (np.arange(shape[0])[:, None] < listing))
    start = np.where(panel.close[past:] > 0, panel.close[past:], dice.integers(1_000, 100_000, count))

    def moved() -> NDArray[np.float64]:
        return start * np.exp(tilt + dice.uniform(-_WILD, _WILD, shape))

    opened, closed = moved(), moved()
    prices = {
        "open": opened,
        "high": np.maximum(opened, closed) * np.exp(dice.uniform(0, _WILD / 5, shape)),
        "low": np.minimum(opened, closed) * np.exp(-dice.uniform(0, _WILD / 5, shape)),
        "close": closed,
    }
    later = {name: np.maximum(np.rint(block), 1).astype(np.int64) for name, block in prices.items()}
    volume = (panel.volume[past:] + 1_000) * (10.0 if tilt > 0 else 0.1) * dice.uniform(0.5, 2.0, shape)
    later["volume"] = np.maximum(volume, 1).astype(np.int64)
    blocks = {name: np.vstack([getattr(panel, name)[:past], later[name]]) for name in later}
    still = silenced(
        {name: block[max(past - 1, 0) :] for name, block in blocks.items()},
        np.vstack([panel.close[row : row + 1] > 0, traded]) if past else traded,
    )
    cut = 1 if past else 0
    return with_blocks(panel, {name: np.vstack([getattr(panel, name)[:past], still[name][cut:]]) for name in BLOCKS})
