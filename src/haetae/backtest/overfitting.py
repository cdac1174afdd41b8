"""Probability of backtest overfitting: does the best of many trials stay good where it was not chosen?

Combinatorially symmetric cross-validation: sessions are cut into an even number of blocks; for every
way to take half of them, the trial that is best there is ranked among all in the other half. Source:
Bailey, Borwein, Lopez de Prado and Zhu (2015), "The probability of backtest overfitting", Journal of
Computational Finance. Sharpe ratios are daily, and 0 for a trial that does not vary in a half.

A half's mean and variance are sums over its blocks, so all halves at once are two matrix products.
Not here: the number of trials behind one Sharpe ratio (``trials``).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text

Floats = NDArray[np.float64]

BLOCKS = 16
"""12,870 halves; the number the authors work with."""
REJECT_ABOVE = 0.05
"""The authors would reject a choice whose probability of overfitting is above this."""
_AT_ONCE = 2_000_000
"""Cells held at a time; 16 MB a block of figures."""


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What choosing the best trial on half of the sessions was worth on the other half.

    Attributes
    ----------
    probability : float
        Share of halves after which the chosen trial was no better than the median of all elsewhere.
    loss : float
        Share of halves after which it had a negative Sharpe ratio elsewhere.
    slope : float
        Of the chosen trial's ratio elsewhere over its ratio where it was chosen (least squares); below
        0 the better a choice looked, the worse it did. NaN where the choices do not differ.
    logits : (n_halves,) float64
        ln(w / (1 - w)) of its relative rank w elsewhere; at or below 0 counts as overfit.
    chosen, elsewhere : (n_halves,) float64
        Its daily Sharpe ratios where it was chosen and elsewhere.
    blocks, trials, sessions : int
        Sessions that do not fill the blocks are left out at the beginning.
    """

    probability: float
    loss: float
    slope: float
    logits: Floats
    chosen: Floats
    elsewhere: Floats
    blocks: int
    trials: int
    sessions: int


def overfitting(returns: Floats, *, blocks: int = BLOCKS) -> Overfitting:
    """Return the probability of overfitting of choosing the best of some trials.

    Parameters
    ----------
    returns : (n_sessions, n_trials) float64
        Daily returns of every trial over the same sessions, at least two trials.
    blocks : int
        Even, at least 4; each must hold at least two sessions.

    Raises
    ------
    DataError
        For fewer trials or sessions than that, or a return that is not finite.
    """
    returns = np.asarray(returns, np.float64)
    _check(returns, blocks)
    length, trials = len(returns) // blocks, returns.shape[1]
    used = returns[len(returns) - length * blocks :]
    centre = used.mean(axis=0)
    # Squares of what is left after the mean: sums of raw squares would lose the variance in rounding.
    pieces = (used - centre).reshape(blocks, length, trials)
    sums, squares = pieces.sum(axis=1), (pieces**2).sum(axis=1)
    halves = np.array(list(itertools.combinations(range(blocks), blocks // 2)))
    taken = np.zeros((len(halves), blocks))
    np.put_along_axis(taken, halves, 1.0, axis=1)
    step = max(1, _AT_ONCE // trials)
    parts = [_judge(taken[k : k + step], sums, squares, centre, length) for k in range(0, len(taken), step)]
    chosen, elsewhere, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
    relative = rank / (trials + 1.0)
    logits = np.log(relative / (1.0 - relative))
    spread = float(chosen.var())
    return Overfitting(
        probability=float((logits <= 0).mean()),
        loss=float((elsewhere < 0).mean()),
        slope=float(((chosen - chosen.mean()) * (elsewhere - elsewhere.mean())).mean()) / spread
        if spread > 1e-24
        else math.nan,
        logits=logits,
        chosen=chosen,
        elsewhere=elsewhere,
        blocks=blocks,
        trials=trials,
        sessions=length * blocks,
    )


def _judge(taken: Floats, sums: Floats, squares: Floats, centre: Floats, length: int) -> tuple[Floats, Floats, Floats]:
    """Return the chosen trial's ratio where it was chosen, elsewhere, and its rank elsewhere."""
    count = length * sums.shape[0] // 2
    inside = _ratios(taken @ sums, taken @ squares, centre, count)
    outside = _ratios((1.0 - taken) @ sums, (1.0 - taken) @ squares, centre, count)
    best = inside.argmax(axis=1)[:, None]
    own = np.take_along_axis(outside, best, axis=1)
    # Ties share their places; the trial itself is one of the equal ones.
    rank = (outside < own).sum(axis=1) + ((outside == own).sum(axis=1) + 1) / 2.0
    return np.take_along_axis(inside, best, axis=1)[:, 0], own[:, 0], rank


def _ratios(total: Floats, square: Floats, centre: Floats, count: int) -> Floats:
    mean = total / count
    variance = (square - total * mean) / (count - 1)
    flat = variance <= 1e-24
    return np.where(flat, 0.0, (mean + centre) / np.sqrt(np.where(flat, 1.0, variance)))


def _check(returns: Floats, blocks: int) -> None:
    if returns.ndim != 2 or returns.shape[1] < 2:
        raise _unfit("returns of at least two trials, (n_sessions, n_trials)", f"shape {returns.shape}")
    if blocks < 4 or blocks % 2 or len(returns) < 2 * blocks:
        raise _unfit("an even number of blocks from 4, two sessions in each", f"{blocks} for {len(returns)} sessions")
    if not np.isfinite(returns).all():
        row, column = np.argwhere(~np.isfinite(returns))[0]
        raise _unfit("finite returns", f"{returns[row, column]} in session {row} of trial {column}")


def _unfit(expected: str, found: str) -> DataError:
    return DataError(
        Text(ko="과최적화 확률을 계산할 수 없습니다", en="the probability of overfitting cannot be computed"),
        expected=expected,
        found=found,
        next_step="give the daily returns of every trial over the same sessions",
    )
