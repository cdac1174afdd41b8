"""Many score grids as one: the mean of their day ranks, or weights where those are proven better.

Ranks of the day make seeds and libraries comparable whatever their scales. Weights are fitted on the first
half of the validation window and taken only if they beat the plain mean on its second half beyond doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.ml.quality import daily_ic, lags_for, newey_west_t
from haetae.ml.samples import ranks

FloatArray = NDArray[np.float32]

PROVEN_T: Final = 2.0
"""t of the daily difference in rank IC from which weights count as better than the mean."""


def day_ranks(scores: FloatArray) -> FloatArray:
    """Return the ranks of each day, -0.5..0.5, NaN where there is no score."""
    return np.array([ranks(day) for day in scores], dtype=np.float32).reshape(scores.shape)


def mean_of_ranks(grids: Sequence[FloatArray], weights: Sequence[float] | None = None) -> FloatArray:
    """Return the (weighted) mean day rank over ``(n_days, n_symbols)`` grids; NaN where no grid has a score."""
    total = np.zeros(grids[0].shape, dtype=np.float64)
    weight = np.zeros(grids[0].shape, dtype=np.float64)
    for grid, share in zip(grids, weights or [1.0] * len(grids), strict=True):
        ranked = day_ranks(grid)
        known = np.isfinite(ranked)
        total += share * np.where(known, ranked, 0.0)
        weight += share * known
    mean = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
    return mean.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Stacking:
    """Weights of the members, the t of their gain on the proving half, and whether they are taken."""

    weights: tuple[float, ...]
    gain_t: float
    proven: bool


def stacked(grids: Sequence[FloatArray], outcomes: FloatArray, rows: Int64Array, horizon: int) -> Stacking:
    """Return non-negative weights from the first half of the validation ``rows``, tried on the second half.

    Rows whose labels reach into the second half are left out of the first. ``weights`` are equal unless proven.
    """
    equal = (1.0 / len(grids),) * len(grids)
    half = len(rows) // 2
    learnt, proving = rows[: max(half - horizon - 1, 0)], rows[half:]
    members = np.stack([day_ranks(grid[learnt]).ravel() for grid in grids], axis=1) if len(learnt) else np.zeros((0, 1))
    target = day_ranks(outcomes[learnt]).ravel()
    known = np.isfinite(members).all(axis=1) & np.isfinite(target) if len(learnt) else np.zeros(0, np.bool_)
    if len(grids) < 2 or not known.any():
        return Stacking(equal, float("nan"), proven=False)
    from scipy.optimize import nnls  # only a fit needs it, and every process would wait

    raw, _ = nnls(members[known].astype(np.float64), target[known].astype(np.float64))
    if raw.sum() <= 0:
        return Stacking(equal, float("nan"), proven=False)
    weights = tuple((raw / raw.sum()).tolist())
    parts = [grid[proving] for grid in grids]
    gain = daily_ic(mean_of_ranks(parts, weights), outcomes[proving]) - daily_ic(
        mean_of_ranks(parts), outcomes[proving]
    )
    gain = gain[np.isfinite(gain)]
    gain_t = newey_west_t(gain, lags_for(horizon, len(gain)))
    proven = bool(gain_t > PROVEN_T)
    return Stacking(weights if proven else equal, gain_t, proven)
