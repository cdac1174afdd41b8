"""Moves of chance for a ground's bars, in which nothing can be foreseen: the past says nothing of the mean of the next.

Here: what the real bars moved by (`Moves`), and three ways to draw as many anew. Means are taken out after the largest
moves are cut, and rows are drawn with replacement: a plain shuffle would give every market the same end, and what was
still missing from it could be guessed. Not here: prices made of moves (`markets`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel

_GAP, _INSIDE = 0.12, 0.15
"""Largest moves overnight and inside a bar, as ratios: together within the limits of a day."""
_COMMON = 0.3
"""Share of a random walk's variance that all names have in common, about that of Korean daily returns."""
_PLAIN_SIGMA, _PLAIN_VOLUME = 0.015, 100_000
"""For a name without a bar of its own."""

FloatArray = NDArray[np.float64]


class Null(Enum):
    """How a market without anything to find is drawn."""

    WALK = "random_walk"
    DAYS = "days_redrawn"
    NAMES = "names_redrawn"


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Simple returns of bars, ``(n_bars, n_symbols)``; of a bar without trade all are 0.

    ``gap`` is from the close before to the open, ``inside`` from the open to the close, ``above`` and ``below`` are how
    far the high and the low lie outside both, as ratios of at least 0.
    """

    gap: FloatArray
    inside: FloatArray
    above: FloatArray
    below: FloatArray
    volume: Int64Array
    traded: BoolArray


def moves_of(panel: Panel) -> Moves:
    """Return what the bars of a panel moved by."""
    traded = panel.traded & (panel.close > 0)
    before = np.vstack([panel.close[:1], panel.close[:-1]])
    opened = np.maximum(panel.open, 1)

    def kept(ratio: FloatArray, known: BoolArray, most: float) -> FloatArray:
        return np.where(known, np.clip(ratio, -most, most), 0.0)

    gap = kept(panel.open / np.maximum(before, 1) - 1.0, traded & (before > 0), _GAP)
    inside = kept(panel.close / opened - 1.0, traded, _INSIDE)
    top, bottom = np.maximum(panel.open, panel.close), np.minimum(panel.open, panel.close)
    above = kept(panel.high / np.maximum(top, 1) - 1.0, traded, _INSIDE)
    below = kept(1.0 - panel.low / np.maximum(bottom, 1), traded, _INSIDE)
    return Moves(gap, inside, np.maximum(above, 0), np.maximum(below, 0), panel.volume, traded)


def drawn(panel: Panel, null: Null, rows: int, dice: np.random.Generator) -> Moves:
    """Return moves for the first ``rows`` bars of a panel, drawn from those of all its bars.

    The first bar of a session is drawn from first bars and any other from others, for the gaps differ.
    """
    known = moves_of(panel)
    opens = _opens(panel)
    parts = [_centred(known, np.flatnonzero(kind)) for kind in (opens, ~opens)]
    shape = (rows, len(panel.symbols))
    blocks = {name: np.zeros(shape, getattr(known, name).dtype) for name in Moves.__slots__}
    for kind, part in zip((opens[:rows], ~opens[:rows]), parts, strict=True):
        at = np.flatnonzero(kind)
        if not len(at):
            continue
        fresh = _walk(part, len(at), dice) if null is Null.WALK else _redrawn(part, len(at), null, dice)
        for name in blocks:
            blocks[name][at] = getattr(fresh, name)
    return Moves(**blocks)


def _opens(panel: Panel) -> BoolArray:
    return np.append(True, panel.days[1:] != panel.days[:-1])[: len(panel)]


def _centred(known: Moves, rows: Int64Array) -> Moves:
    part = Moves(**{name: getattr(known, name)[rows] for name in Moves.__slots__})
    count = np.maximum(part.traded.sum(axis=0), 1)
    gap, inside = (np.where(part.traded, move - move.sum(axis=0) / count, 0.0) for move in (part.gap, part.inside))
    return Moves(gap, inside, part.above, part.below, part.volume, part.traded)


def _walk(part: Moves, rows: int, dice: np.random.Generator) -> Moves:
    width = part.gap.shape[1]
    count = part.traded.sum(axis=0)

    def sigma(move: FloatArray) -> FloatArray:
        spread = np.sqrt((move**2).sum(axis=0) / np.maximum(count, 1))
        return np.where(count > 1, spread, _PLAIN_SIGMA)

    def normal() -> FloatArray:
        own, common = dice.standard_normal((rows, width)), dice.standard_normal((rows, 1))
        return np.sqrt(1 - _COMMON) * own + np.sqrt(_COMMON) * common

    gap = np.clip(sigma(part.gap) * normal(), -_GAP, _GAP)
    spread = sigma(part.inside)
    inside = np.clip(spread * normal(), -_INSIDE, _INSIDE)
    above, below = (np.abs(0.5 * spread * dice.standard_normal((rows, width))) for _ in range(2))
    typical = np.where(count > 0, part.volume.sum(axis=0) / np.maximum(count, 1), _PLAIN_VOLUME)
    volume = np.maximum(typical * np.exp(0.4 * dice.standard_normal((rows, width))), 1).astype(np.int64)
    return Moves(gap, inside, above, below, volume, np.ones((rows, width), np.bool_))


def _redrawn(part: Moves, rows: int, null: Null, dice: np.random.Generator) -> Moves:
    length, width = part.gap.shape
    if null is Null.DAYS:
        from_rows = np.repeat(dice.integers(0, length, (rows, 1)), width, axis=1)
    else:
        from_rows = dice.integers(0, length, (rows, width))
    return Moves(**{name: np.take_along_axis(getattr(part, name), from_rows, axis=0) for name in Moves.__slots__})
