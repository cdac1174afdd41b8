"""Whether the best of many points is more than the luckiest of them.

The deflated Sharpe ratio asks with the true number of trials, those of earlier runs included; the probability of
backtest overfitting asks how often the best on one half of the sessions is below the median on the other. Not here:
the counting of trials (``registry``), the arithmetic of both (``sharpe``, ``overfitting``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.overfitting import BLOCKS, REJECT_ABOVE, overfitting
from haetae.backtest.sharpe import deflated_sharpe
from haetae.domain.errors import Text

BELIEVED_ABOVE = 0.95
"""A deflated Sharpe ratio below it is the usual 5 % error of the first kind, or worse."""

Overfit: TypeAlias = Callable[[NDArray[np.float64]], float]
"""Daily returns ``(n_sessions, n_trials)`` to the probability that choosing the best of them overfits."""


@dataclass(frozen=True, slots=True)
class Luck:
    """What is left of the best point after everything that was tried.

    Attributes
    ----------
    trials : int
        Configurations tried on overlapping days, by anybody who wrote them down.
    trial_sharpe_sd : float
        Spread of their daily Sharpe ratios.
    deflated : float
        Probability that the best's true Sharpe ratio is above what so many trials give by luck; NaN if undefined.
    overfitting : float
        Probability of backtest overfitting over the points of this sweep; NaN if it was not measured.
    """

    trials: int
    trial_sharpe_sd: float
    deflated: float
    overfitting: float

    @property
    def is_told_from_luck(self) -> bool:
        """Whether both say that the best is more than chance."""
        sound = not self.overfitting > REJECT_ABOVE
        return self.deflated >= BELIEVED_ABOVE and sound

    @property
    def verdict(self) -> Text:
        """The judgement in a sentence."""
        dsr = f"{self.deflated:.1%}" if math.isfinite(self.deflated) else "-"
        pbo = f", PBO {self.overfitting:.1%}" if math.isfinite(self.overfitting) else ""
        if self.is_told_from_luck:
            return Text(
                ko=f"시도 {self.trials}번을 감안해도 가장 나은 점은 운만이 아닙니다 (DSR {dsr}{pbo}).",
                en=f"After {self.trials} trials the best point is more than luck (DSR {dsr}{pbo}).",
            )
        return Text(
            ko=f"가장 나은 점을 운과 구별할 수 없습니다: 시도 {self.trials}번 (DSR {dsr}{pbo}).",
            en=f"The best point cannot be told from luck after {self.trials} trials (DSR {dsr}{pbo}).",
        )


def probability_of_overfitting(returns: NDArray[np.float64]) -> float:
    """Return the probability that choosing the best of some trials overfits; NaN where there is too little to ask.

    Parameters
    ----------
    returns : (n_sessions, n_trials) float64
        At least two trials, and two sessions for each of the blocks.
    """
    if returns.shape[1] < 2 or len(returns) < 2 * BLOCKS:
        return math.nan
    return overfitting(returns).probability


def judge(
    best: NDArray[np.float64],
    sharpes: NDArray[np.float64],
    returns: NDArray[np.float64],
    overfit: Overfit = probability_of_overfitting,
) -> Luck:
    """Return what is left of the best point.

    Parameters
    ----------
    best : (n_sessions,) float64
        Its daily returns.
    sharpes : (n_trials,) float64
        Daily Sharpe ratios of every trial of the family on overlapping days; NaN where a trial had no variance.
    returns : (n_sessions, n_points) float64
        Daily returns of this sweep's points.
    """
    known = np.sort(sharpes[np.isfinite(sharpes)])  # the last bit of a sum in order of completion differs by executor
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    deflated = deflated_sharpe(best, max(len(sharpes), 1), spread)
    return Luck(len(sharpes), spread, deflated, overfit(returns))
