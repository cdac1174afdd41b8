"""How many configurations were tried before one was chosen, and what that leaves of its Sharpe ratio.

The true number of trials is all of them, not those worth showing; it comes from an append-only list
that every backtest of a search writes to. Trials that resemble one another are fewer than they look,
so beside the strict reading stands a milder one in which trials are grouped by correlation (Lopez de
Prado and Lewis 2019, "Detection of false investment strategies using unsupervised learning methods").
Verdicts use the strict one: long-only portfolios of one market all correlate, and would otherwise
count as a single trial.

Not here: the formulas (``sharpe``), overfitting of the choice itself (``overfitting``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.sharpe import (
    SESSIONS_PER_YEAR,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from haetae.domain.errors import DataError, Text

SAME_IDEA = 0.5
"""Trials whose daily returns correlate above this, on average, are read as one idea."""
MOST_GROUPED = 5_000
"""Beyond so many trials the tree of their correlations would take gigabytes; they are not grouped."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Every configuration that was tried, the chosen one included.

    Attributes
    ----------
    count : int
        At least 1.
    sharpes : (n_known,) float64
        Daily Sharpe ratios of the trials as far as they are known; NaN (a run without variance)
        counts as a trial and says nothing of the spread.
    returns : (n_sessions, count) float64, optional
        Daily returns of all trials over the same sessions.
    told_spread : float, optional
        Standard deviation of the daily ratios, where it was written down instead of the ratios.
    """

    count: int
    sharpes: NDArray[np.float64]
    returns: NDArray[np.float64] | None = None
    told_spread: float | None = None

    def __post_init__(self) -> None:
        """Refuse counts below one and figures of more trials than were counted."""
        if self.count < 1 or len(self.sharpes) > self.count:
            raise _miscounted(f"at least {max(1, len(self.sharpes))} trials", f"count {self.count}")
        if self.returns is not None and (self.returns.ndim != 2 or self.returns.shape[1] != self.count):
            raise _miscounted(f"returns of {self.count} trials", f"shape {self.returns.shape}")
        if self.returns is not None and not np.isfinite(self.returns).all():
            row, column = np.argwhere(~np.isfinite(self.returns))[0]
            found = f"{self.returns[row, column]} in session {row} of trial {column}"
            raise _miscounted("finite returns", found)

    @classmethod
    def from_sharpes(cls, sharpes: Sequence[float] | NDArray[np.float64]) -> Trials:
        """Return the trials of which the daily Sharpe ratios were written down."""
        known = np.asarray(sharpes, np.float64)
        return cls(len(known), known)

    @classmethod
    def from_returns(cls, returns: NDArray[np.float64]) -> Trials:
        """Return the trials of which the daily returns were kept, ``(n_sessions, n_trials)``."""
        block = np.asarray(returns, np.float64)
        return cls(block.shape[1], np.array([moments(column).ratio for column in block.T]), block)

    @classmethod
    def counted(cls, count: int, spread: float | None = None) -> Trials:
        """Return trials of which only the number is known, and perhaps the spread of their daily ratios."""
        return cls(count, np.zeros(0), told_spread=spread)

    @property
    def spread_known(self) -> bool:
        """Whether the trials themselves say how far their ratios lie apart."""
        return self.told_spread is not None or int(np.isfinite(self.sharpes).sum()) > 1

    def spread(self, sessions: int) -> float:
        """Return the standard deviation of the daily ratios among the trials.

        Where it is not known it is what pure chance gives over so many sessions,
        1 / sqrt(sessions - 1): an unknown spread must not read as no spread at all.
        """
        if self.told_spread is not None:
            return self.told_spread
        if not self.spread_known:
            return 1.0 / math.sqrt(max(sessions - 1, 1))
        return float(np.sort(self.sharpes[np.isfinite(self.sharpes)]).std(ddof=1))  # in whatever order they ended

    def ideas(self) -> Trials | None:
        """Return one trial for each group of similar ones; None where that cannot be said.

        That is where their returns are not known, or the trials are more than ``MOST_GROUPED``.

        Groups are cut from an average-linkage tree over the distance sqrt((1 - correlation) / 2),
        where the correlation is ``SAME_IDEA``; a group trades as its members weighted by inverse
        variance. Runs without variance are one idea of their own.
        """
        if self.returns is None or self.count > MOST_GROUPED:
            return None
        from scipy.cluster.hierarchy import fcluster, linkage

        spread = self.returns.std(axis=0)
        moving = self.returns[:, spread > 1e-15]
        columns = [np.zeros(len(self.returns))] * int((spread <= 1e-15).any())
        if moving.shape[1] < 2:
            return Trials.from_returns(np.column_stack([*columns, *moving.T]))
        correlation = np.atleast_2d(np.corrcoef(moving, rowvar=False))
        upper = np.triu_indices(moving.shape[1], 1)
        distance = np.sqrt(np.clip((1.0 - correlation[upper]) / 2.0, 0.0, 1.0))
        groups = fcluster(linkage(distance, "average"), math.sqrt((1.0 - SAME_IDEA) / 2.0), "distance")
        for group in np.unique(groups):
            members = moving[:, groups == group]
            weights = 1.0 / members.var(axis=0)
            columns.append(members @ (weights / weights.sum()))
        return Trials.from_returns(np.column_stack(columns))


@dataclass(frozen=True, slots=True)
class Deflated:
    """A Sharpe ratio after the search that found it; hurdles are annual ratios.

    ``probability`` is that of the true ratio beating ``hurdle``, what the best of ``trials`` without
    skill is expected to show; ``positive`` that of beating 0. ``sessions_needed`` is the record at
    which 95 % would be reached (infinite: never), ``spread_known`` whether the trials' own ratios
    gave the spread. The ``ideas`` figures are the milder reading with similar trials taken together,
    None where the trials cannot be grouped.
    """

    trials: int
    spread_known: bool
    hurdle: float
    probability: float
    positive: float
    sessions_needed: float
    ideas: int | None
    ideas_probability: float | None


def deflate(returns: NDArray[np.float64], trials: Trials) -> Deflated:
    """Return what the trials leave of the Sharpe ratio of the chosen daily returns."""
    spread = trials.spread(len(returns))
    hurdle = expected_best(trials.count, spread)
    ideas = trials.ideas()
    return Deflated(
        trials=trials.count,
        spread_known=trials.spread_known,
        hurdle=hurdle * math.sqrt(SESSIONS_PER_YEAR),
        probability=probabilistic_sharpe(returns, hurdle),
        positive=probabilistic_sharpe(returns),
        sessions_needed=minimum_track_record(returns, hurdle),
        ideas=ideas.count if ideas else None,
        ideas_probability=deflated_sharpe(returns, ideas.count, ideas.spread(len(returns))) if ideas else None,
    )


def _miscounted(expected: str, found: str) -> DataError:
    return DataError(
        Text(ko="시도 목록이 맞지 않습니다", en="the list of trials does not fit"),
        expected=expected,
        found=found,
        next_step="give every trial of the search, over the same sessions, the chosen one among them",
    )
