"""How far the figures of a run could have fallen otherwise: intervals from resampled sessions.

The stationary bootstrap draws stretches of consecutive sessions of random length, so that what
hangs together in time stays together (Politis and Romano 1994, "The stationary bootstrap"). The mean
length follows Politis and White (2004), "Automatic block-length selection for the dependent
bootstrap", with the correction of Patton, Politis and White (2009). The generator is given.

An interval tells of the luck within these sessions. It knows nothing of a market that changes, nor of
the search that found the strategy (``trials``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.metrics import SHORTEST_YEARLY
from haetae.backtest.sharpe import SESSIONS_PER_YEAR
from haetae.domain.market import Int64Array

Floats = NDArray[np.float64]

REPLICATES = 2_000
"""The ends of a 95 % interval then rest on 50 paths each."""
_AT_ONCE = 250
"""Paths held at a time."""


class Interval(NamedTuple):
    """The figure itself and the ends of its percentile interval; NaN where it is not defined."""

    low: float
    point: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Percentile intervals of a run's figures, paths resampled together with the benchmark's.

    ``ahead`` is the share of paths on which the run ended above the benchmark.
    """

    level: float
    replicates: int
    block_length: float
    benchmark: str
    sharpe: Interval
    cagr: Interval
    max_drawdown: Interval
    excess_cagr: Interval
    ahead: float


def block_length(series: Floats) -> float:
    """Return the mean block length for the stationary bootstrap of a series, at least 1.

    1 for series too short to tell (fewer than 10 values) or without variance.
    """
    n = len(series)
    centred = series - series.mean() if n else series
    variance = float(centred @ centred) / n if n else 0.0
    if n < 10 or variance <= 1e-30:
        return 1.0
    window = max(5, int(math.log10(n)))
    longest = math.ceil(math.sqrt(n)) + window
    lags = min(longest, n - 2)
    covariance = np.array([float(centred[k:] @ centred[: n - k]) / n for k in range(lags + 1)])
    quiet = np.abs(covariance[1:] / variance) < 2.0 * math.sqrt(math.log10(n) / n)
    run, last = 0, 0
    for lag, calm in enumerate(quiet, start=1):
        run = run + 1 if calm else 0
        if run == window:
            last = lag - window
            break
    else:
        loud = np.flatnonzero(~quiet)
        last = int(loud[-1]) + 1 if len(loud) else 0
    m = min(2 * max(last, 1), lags)
    k = np.arange(1, m + 1)
    kernel = np.where(k / m <= 0.5, 1.0, 2.0 * (1.0 - k / m))
    slope = 2.0 * float((kernel * k * covariance[1 : m + 1]).sum())
    density = variance + 2.0 * float((kernel * covariance[1 : m + 1]).sum())
    if density == 0.0:
        return 1.0
    best = (slope**2 / density**2 * n) ** (1.0 / 3.0)
    return float(min(max(best, 1.0), math.ceil(min(3.0 * math.sqrt(n), n / 3.0))))


def resampled_rows(sessions: int, length: float, paths: int, dice: np.random.Generator) -> Int64Array:
    """Return rows of resampled paths, ``(paths, sessions)``: stretches of geometric length, going round the end."""
    fresh = dice.random((paths, sessions)) < 1.0 / length
    fresh[:, 0] = True
    starts = dice.integers(0, sessions, (paths, sessions))
    places = np.arange(sessions)
    began = np.maximum.accumulate(np.where(fresh, places, 0), axis=1)
    return (np.take_along_axis(starts, began, axis=1) + places - began) % sessions


def intervals(
    returns: Floats,
    benchmark: Floats,
    dice: np.random.Generator,
    *,
    name: str = "",
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Intervals:
    """Return intervals of Sharpe, CAGR, drawdown and the excess over a benchmark.

    Parameters
    ----------
    returns, benchmark : (n_sessions,) float64
        Simple daily returns of the same sessions.
    dice : numpy Generator
        Same generator, same intervals.
    name : str
        What the benchmark is called.
    """
    if len(returns) != len(benchmark) or not len(returns):
        raise ValueError(f"{len(returns)} sessions beside {len(benchmark)} of the benchmark")
    length = max(block_length(returns), block_length(returns - benchmark))
    drawn = []
    for first in range(0, replicates, _AT_ONCE):
        rows = resampled_rows(len(returns), length, min(_AT_ONCE, replicates - first), dice)
        drawn.append(_figures(returns[rows], benchmark[rows]))
    paths = np.concatenate(drawn)
    whole = _figures(returns[None], benchmark[None])[0]
    ends = 100.0 * np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    found = []
    for column, point in zip(paths.T, whole, strict=True):
        known = column[np.isfinite(column)]
        low, high = np.percentile(known, ends) if len(known) and math.isfinite(point) else (math.nan, math.nan)
        found.append(Interval(float(low), float(point), float(high)))
    sharpe, cagr, deepest, excess, _ = found
    return Intervals(level, replicates, length, name, sharpe, cagr, deepest, excess, float((paths[:, 4] > 0).mean()))


def _figures(returns: Floats, benchmark: Floats) -> Floats:
    """Return Sharpe, CAGR, drawdown, excess CAGR and excess growth of each path, ``(n_paths, 5)``."""
    n = returns.shape[1]
    spread = returns.std(axis=1, ddof=1) if n > 2 else np.zeros(len(returns))
    sharpe = np.where(spread > 1e-15, returns.mean(axis=1) / np.where(spread > 1e-15, spread, 1.0), np.nan)
    equity = np.cumprod(1.0 + returns, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    deepest = np.minimum((equity / peak - 1.0).min(axis=1), 0.0)
    growth, other = equity[:, -1], np.cumprod(1.0 + benchmark, axis=1)[:, -1]
    yearly, theirs = _yearly(growth, n), _yearly(other, n)
    return np.column_stack([sharpe * math.sqrt(SESSIONS_PER_YEAR), yearly, deepest, yearly - theirs, growth - other])


def _yearly(growth: NDArray[np.floating[Any]], sessions: int) -> NDArray[np.floating[Any]]:
    if sessions < SHORTEST_YEARLY:
        return np.full(growth.shape, np.nan)
    return np.maximum(growth, 0.0) ** (SESSIONS_PER_YEAR / sessions) - 1.0
