"""What tenths of the names earned: a table of all ten, and best minus worst after cost and turnover.

Outcomes are returns over ``horizon`` sessions, in the same grid as the scores; names without either
are left out of their day. Costs are those of ``costs.CostTable``, dated, or one figure. All returns
are in basis points per holding period.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.ml.quality import MIN_NAMES, lags_for, newey_west_t
from haetae.ml.samples import rank_into

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DecileSpread:
    """Best tenth minus worst tenth per holding period, in basis points.

    ``turnover`` is the mean share of the two tenths replaced at each rebalance; ``net_bp`` is
    gross minus turnover times the round-trip cost on both sides, ``net_t`` its mean over its error
    (periods do not overlap). The short side cannot be sold on a cash account, so ``long_bp`` (best
    tenth minus the mean of all) stands beside it, net alike.
    """

    gross_bp: float
    net_bp: float
    long_bp: float
    long_net_bp: float
    turnover: float
    periods: int
    net_t: float = math.nan
    long_net_t: float = math.nan
    long_turnover: float = math.nan

    def as_json(self) -> dict[str, float | None]:
        """Return the figures with NaN as null."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True, eq=False)
class SpreadPeriods:
    """The holding periods behind a spread, each ``(n_periods,)``; returns as shares, not basis points."""

    rows: NDArray[np.int64]
    gross: Float64Array
    net: Float64Array
    long: Float64Array
    long_net: Float64Array
    replaced: Float64Array
    long_replaced: Float64Array


def spread_periods(
    scores: FloatArray,
    outcomes: FloatArray,
    horizon: int,
    *,
    round_trip_bp: float | Float64Array,
    share: float = 0.1,
) -> SpreadPeriods:
    """Return each holding period of the best and the worst ``share``, rebalanced each ``horizon``.

    Parameters
    ----------
    scores, outcomes : (n_days, n_symbols) float32
        Outcomes are returns over ``horizon`` sessions; every ``horizon``-th scored day is used.
    round_trip_bp : float or (n_days,) float64
        Cost of replacing a holding: both fees, the sale tax and both slippages, in basis points.
    """
    known = np.isfinite(scores) & np.isfinite(outcomes)
    rows = np.flatnonzero(known.sum(axis=1) >= MIN_NAMES)[::horizon]
    costs = np.broadcast_to(np.asarray(round_trip_bp, np.float64), (len(scores),))[rows] / 1e4
    gross, long, replaced, long_replaced = (np.zeros(len(rows)) for _ in range(4))
    tops = bottoms = np.zeros(0, np.int64)
    for k, t in enumerate(rows):
        both = np.flatnonzero(known[t])
        order = both[np.argsort(scores[t][both], kind="stable")]
        size = max(1, int(len(order) * share))
        best, worst = order[-size:], order[:size]
        mean_best = float(outcomes[t][best].mean())
        gross[k] = mean_best - float(outcomes[t][worst].mean())
        long[k] = mean_best - float(outcomes[t][both].mean())
        long_replaced[k] = 1.0 - len(np.intersect1d(tops, best, assume_unique=True)) / size
        replaced[k] = (long_replaced[k] + 1.0 - len(np.intersect1d(bottoms, worst, assume_unique=True)) / size) / 2.0
        tops, bottoms = best, worst
    return SpreadPeriods(
        rows, gross, gross - 2.0 * replaced * costs, long, long - long_replaced * costs, replaced, long_replaced
    )


def decile_spread(
    scores: FloatArray,
    outcomes: FloatArray,
    horizon: int,
    *,
    round_trip_bp: float | Float64Array,
    share: float = 0.1,
) -> DecileSpread:
    """Return what the best and the worst ``share`` of the names earn; parameters as in ``spread_periods``."""
    found = spread_periods(scores, outcomes, horizon, round_trip_bp=round_trip_bp, share=share)
    if not len(found.rows):
        return DecileSpread(math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    return DecileSpread(
        gross_bp=1e4 * float(found.gross.mean()),
        net_bp=1e4 * float(found.net.mean()),
        long_bp=1e4 * float(found.long.mean()),
        long_net_bp=1e4 * float(found.long_net.mean()),
        turnover=float(found.replaced.mean()),
        periods=len(found.rows),
        net_t=newey_west_t(found.net, 0),
        long_net_t=newey_west_t(found.long_net, 0),
        long_turnover=float(found.long_replaced.mean()),
    )


@dataclass(frozen=True, slots=True)
class DecileTable:
    """Mean outcome of each tenth, worst score first, in basis points per holding period.

    ``excess_bp`` is against the mean of all names of the day. ``t`` is that of best minus worst (Newey-West);
    ``monotone`` the rank correlation of a tenth's number with its mean, 1 where every better tenth earned more.
    """

    mean_bp: tuple[float, ...]
    excess_bp: tuple[float, ...]
    spread_bp: float
    t: float
    monotone: float
    days: int

    def as_json(self) -> dict[str, object]:
        """Return the figures with NaN as null."""

        def plain(value: object) -> object:
            if isinstance(value, tuple):
                return [plain(each) for each in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        return {name: plain(value) for name, value in asdict(self).items()}


@njit(cache=True)
def _tenths(scores: FloatArray, outcomes: FloatArray, means: Float64Array, whole: Float64Array, least: int) -> None:
    groups = means.shape[1]
    for t in range(len(scores)):
        known = np.flatnonzero(np.isfinite(scores[t]) & np.isfinite(outcomes[t]))
        count = len(known)
        if count < max(least, groups):
            continue
        place = np.empty(count, np.float32)
        rank_into(scores[t][known], place)
        total, sizes = np.zeros(groups), np.zeros(groups)
        for k in range(count):
            # Ties share their mean place, hence a tenth: which column stands first decides nothing.
            middle = (place[k] + 0.5) * (count - 1.0) + 0.5
            g = min(int(middle * groups / count), groups - 1)
            total[g] += outcomes[t, known[k]]
            sizes[g] += 1.0
        for g in range(groups):
            if sizes[g] > 0.0:
                means[t, g] = total[g] / sizes[g]
        whole[t] = total.sum() / count


def decile_table(scores: FloatArray, outcomes: FloatArray, horizon: int, *, groups: int = 10) -> DecileTable:
    """Return what each of ``groups`` equal parts of the names earned, over all days (periods overlap).

    Names with equal scores stand in one part; days on which the first or the last part is empty are left out.
    """
    means = np.full((len(scores), groups), np.nan)
    whole = np.full(len(scores), np.nan)
    _tenths(
        np.ascontiguousarray(scores, dtype=np.float32),
        np.ascontiguousarray(outcomes, dtype=np.float32),
        means,
        whole,
        MIN_NAMES,
    )
    known = np.isfinite(whole) & np.isfinite(means[:, 0]) & np.isfinite(means[:, -1])
    if not known.any():
        empty = (math.nan,) * groups
        return DecileTable(empty, empty, math.nan, math.nan, math.nan, 0)
    filled = np.isfinite(means[known]).sum(axis=0)
    mean = np.divide(np.nansum(means[known], axis=0), filled, out=np.full(groups, np.nan), where=filled > 0)
    spread = means[known, -1] - means[known, 0]
    places = np.argsort(np.argsort(mean, kind="stable"), kind="stable")
    return DecileTable(
        mean_bp=tuple((1e4 * mean).tolist()),
        excess_bp=tuple((1e4 * (mean - whole[known].mean())).tolist()),
        spread_bp=1e4 * float(spread.mean()),
        t=newey_west_t(spread, lags_for(horizon, int(known.sum()))),
        monotone=float(np.corrcoef(places, np.arange(groups))[0, 1]) if filled.all() else math.nan,
        days=int(known.sum()),
    )
