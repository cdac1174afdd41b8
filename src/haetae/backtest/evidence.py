"""What speaks for and against a run beyond its own path, gathered for a report.

Here: which examinations there are and the one call that makes those whose ingredients are given.
Not here: the examinations (``trials``, ``overfitting``, ``bootstrap``, ``stress``), words (``verdict``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haetae.backtest.bootstrap import Intervals, intervals
from haetae.backtest.overfitting import BLOCKS, Overfitting, overfitting
from haetae.backtest.result import Result
from haetae.backtest.stress import Stress
from haetae.backtest.trials import Deflated, Trials, deflate
from haetae.domain.market import Int64Array


@dataclass(frozen=True, slots=True)
class Evidence:
    """Examinations of a run; None is one that was not made, and a report says so."""

    deflated: Deflated | None = None
    overfitting: Overfitting | None = None
    intervals: Intervals | None = None
    stress: Stress | None = None


def best_benchmark(run: Result, benchmarks: Sequence[Result]) -> Result:
    """Return the benchmark that grew most over the run's sessions, among those that do not know the future.

    Raises ``ValueError`` where there is none: a return alone says nothing.
    """
    beatable = [one for one in benchmarks if not one.bound]
    if not beatable:
        raise ValueError("a report needs at least one benchmark beside the run")
    return max(beatable, key=lambda one: float(np.prod(1.0 + one.daily_returns()[_shared(run, one)[1]])))


def _shared(run: Result, benchmark: Result) -> tuple[Int64Array, Int64Array]:
    """Return where the sessions that both have stand in each."""
    _, mine, theirs = np.intersect1d(run.daily_days(), benchmark.daily_days(), return_indices=True)
    return mine, theirs


def gather(
    run: Result,
    benchmarks: Sequence[Result],
    *,
    trials: Trials | None = None,
    dice: np.random.Generator | None = None,
    stress: Stress | None = None,
) -> Evidence:
    """Return the examinations that can be made.

    Parameters
    ----------
    trials : Trials, optional
        Every configuration that was tried, from the list that every backtest of the search writes
        to. With their returns (two trials, two sessions for each of 16 blocks) the probability of
        overfitting is computed as well.
    dice : numpy Generator, optional
        Chance of the bootstrap; without it there are no intervals.
    stress : Stress, optional
        From ``stress``.
    """
    best = best_benchmark(run, benchmarks)
    mine, theirs = _shared(run, best)
    block = trials.returns if trials else None
    enough = block is not None and block.shape[1] > 1 and len(block) >= 2 * BLOCKS
    return Evidence(
        deflated=deflate(run.daily_returns(), trials) if trials else None,
        overfitting=overfitting(block) if block is not None and enough else None,
        intervals=intervals(run.daily_returns()[mine], best.daily_returns()[theirs], dice, name=best.name)
        if dice is not None
        else None,
        stress=stress,
    )
