"""Parts of a score: ranks among the candidates of the day, from 0 (worst) to 1 (best), middle 0.5.

A part of several figures (value, quality) is the mean of the ranks of those that are known, ranked again, so that
every part spreads alike whatever it is made of. Equal figures share a rank. A part of which nothing is known is
reweighted or neutral as the settings say, and always flagged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from haetae.universe.figures import BookFigures
from haetae.universe.settings import MissingParts

Float64Array = NDArray[np.float64]


def ranks(values: Float64Array) -> Float64Array:
    """Return ranks in (0, 1) of the known values, ``(place - 0.5) / known``; NaN stays, infinities are the ends."""
    known = ~np.isnan(values)
    found = np.full(len(values), np.nan)
    count = int(known.sum())
    if count:
        _, group, sizes = np.unique(values[known], return_inverse=True, return_counts=True)
        last = np.cumsum(sizes)
        found[known] = (last - (sizes - 1) / 2.0 - 0.5)[group] / count
    return found


def mean_of(figures: Sequence[Float64Array]) -> Float64Array:
    """Return the mean of the known figures of each symbol, NaN where none is known."""
    grid = np.vstack(figures)
    known = ~np.isnan(grid)
    count = known.sum(axis=0)
    whole = np.where(known, grid, 0.0).sum(axis=0)
    return np.where(count > 0, whole / np.maximum(count, 1), np.nan)


def parts_of(
    turnover: Float64Array, momentum: Float64Array, volatility: Float64Array, books: BookFigures
) -> dict[str, Float64Array]:
    """Return the rank of each part for each candidate, ``(n,)``, NaN where it is missing; order of ``PARTS``."""
    value = mean_of([ranks(books.earnings_yield), ranks(books.book_to_price)])
    quality = mean_of([ranks(books.return_on_equity), ranks(-books.debt), ranks(books.operating_margin)])
    return {
        "value": ranks(value),
        "quality": ranks(quality),
        "momentum": ranks(momentum),
        "low_volatility": ranks(-volatility),
        "liquidity": ranks(turnover),
    }


def total_of(parts: Mapping[str, Float64Array], weights: Mapping[str, float], missing: MissingParts) -> Float64Array:
    """Return the weighted mean of the parts for each candidate, ``(n,)`` in 0 to 1; 0.5 where no part is known."""
    grid = np.vstack([parts[name] for name in weights])
    weight = np.array(list(weights.values()))[:, None]
    if missing is MissingParts.NEUTRAL:
        grid = np.where(np.isnan(grid), 0.5, grid)
    known = ~np.isnan(grid)
    whole = (weight * known).sum(axis=0)
    earned = np.where(known, weight * np.where(known, grid, 0.0), 0.0).sum(axis=0)
    return np.where(whole > 0, earned / np.where(whole > 0, whole, 1.0), 0.5)
