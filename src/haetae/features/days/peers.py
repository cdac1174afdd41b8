"""Where a name stands among those of its sector: ranks of return, volatility and turnover.

A rank is the share of the sector's other names that lie below, ties counted half: 0 is the lowest, 1 the highest.
Names that did not trade for 20 days take no part. NaN without a sector and in a sector of fewer than ``FEWEST``.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("sector_ret_20", "close sector market", 20, "0..1, rank of ret_20 in the sector"),
    spec("sector_volatility_60", "close sector market", 60, "0..1, rank of volatility_60 in the sector"),
    spec("sector_turnover_20", "close volume sector market", 20, "0..1, rank of turnover_20 in the sector"),
)

FEWEST: Final = 3
"""A rank among two says only which is which."""


def order_by_sector(sectors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of the symbols that have a sector, sector by sector, and where each sector begins and ends."""
    places = np.argsort(sectors, kind="stable")
    places = places[np.searchsorted(sectors[places], 0) :]
    cuts = np.flatnonzero(np.diff(sectors[places])) + 1
    bounds = [0, *cuts.tolist(), len(places)] if len(places) else [0]
    return places, np.array(bounds, dtype=np.int64)


@njit(cache=True)
def _sort(places: NDArray[np.int64], count: int, values: NDArray[np.float32]) -> None:
    # Shell's sort: a sector has dozens of names, and numba's own argsort takes longer to compile than all the rest.
    gap = count // 2
    while gap > 0:
        for k in range(gap, count):
            place = places[k]
            j = k
            while j >= gap and values[places[j - gap]] > values[place]:
                places[j] = places[j - gap]
                j -= gap
            places[j] = place
        gap //= 2


@njit(cache=True)
def rank_row(
    values: NDArray[np.float32],
    active: NDArray[np.bool_],
    places: NDArray[np.int64],
    bounds: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Write the rank of each symbol's value in its sector, ``(n_symbols,)``; NaN stays where there is none."""
    members = np.empty(len(places), dtype=np.int64)
    for b in range(len(bounds) - 1):
        count = 0
        for k in range(bounds[b], bounds[b + 1]):
            if active[places[k]] and not math.isnan(values[places[k]]):
                members[count] = places[k]
                count += 1
        if count < FEWEST:
            continue
        _sort(members, count, values)
        first = 0
        for k in range(1, count + 1):
            if k == count or values[members[k]] != values[members[first]]:
                rank = (first + 0.5 * (k - 1 - first)) / (count - 1)
                for j in range(first, k):
                    out[members[j]] = rank
                first = k
