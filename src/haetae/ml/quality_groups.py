"""Rank IC apart for years, sectors and thirds by size, each raw and neutral to low volatility.

Within a group only its own names are ranked, so a figure says how well a score orders the group.
Groups with too few names on a day have no figure that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.ml.quality import RankQuality, daily_ic, rank_quality, summary

FloatArray = NDArray[np.float32]

THIRDS = ("small", "middle", "large")


def by_year(
    scores: FloatArray,
    outcomes: FloatArray,
    days: NDArray[np.int32],
    horizon: int,
    low_volatility: FloatArray | None = None,
) -> dict[str, RankQuality]:
    """Return the summary of each calendar year that has a figure; ``days`` are yyyymmdd."""
    raw = daily_ic(scores, outcomes)
    neutral = None if low_volatility is None else daily_ic(scores, outcomes, low_volatility)
    years = np.asarray(days) // 10_000
    found = {}
    for year in np.unique(years[np.isfinite(raw)]).tolist():
        part = years == year
        found[str(year)] = summary(raw[part], horizon, None if neutral is None else neutral[part])
    return found


def by_group(
    scores: FloatArray,
    outcomes: FloatArray,
    groups: Mapping[str, BoolArray],
    horizon: int,
    low_volatility: FloatArray | None = None,
) -> dict[str, RankQuality]:
    """Return the summary within each group of names.

    Parameters
    ----------
    groups : mapping of name to (n_days, n_symbols) or (n_symbols,) bool
    """
    found = {}
    for name, members in groups.items():
        inside = np.where(members, scores, np.float32(np.nan))
        quality = rank_quality(inside, outcomes, horizon, low_volatility)
        if quality.days:
            found[name] = quality
    return found


def sector_groups(sectors: Sequence[str]) -> dict[str, BoolArray]:
    """Return who is in each sector, ``(n_symbols,)`` each; an empty name is no sector."""
    names = np.asarray(sectors)
    return {name: names == name for name in sorted(set(sectors)) if name}


def size_thirds(size: FloatArray, who: BoolArray) -> dict[str, BoolArray]:
    """Return who is in the smallest, middle and largest third of each day, ``(n_days, n_symbols)`` each.

    Parameters
    ----------
    size : (n_days, n_symbols)
        Market value, or median turnover where the lake has no share counts; known after the close.
    who : (n_days, n_symbols) bool
        Names among which the thirds are taken.
    """
    thirds = {name: np.zeros(size.shape, np.bool_) for name in THIRDS}
    for t in range(len(size)):
        names = np.flatnonzero(who[t] & np.isfinite(size[t]))
        order = names[np.argsort(size[t][names], kind="stable")]
        for name, part in zip(THIRDS, np.array_split(order, len(THIRDS)), strict=True):
            thirds[name][t, part] = True
    return thirds
