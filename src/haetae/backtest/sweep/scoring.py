"""What a sweep makes large, and the figures each of its points is kept with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import Enum

from haetae.backtest.metrics import measure
from haetae.backtest.result import Result
from haetae.backtest.sharpe import SESSIONS_PER_YEAR
from haetae.backtest.sweep.points import Outcome, Status
from haetae.backtest.sweep.search import Score


class Objective(Enum):
    """A figure of ``figures_of`` that is made large."""

    SHARPE = "sharpe"
    RETURN = "total_return"
    CALMAR = "calmar"


def figures_of(result: Result) -> Mapping[str, float | int | None]:
    """Return the figures of a run as JSON values, undefined ones as None.

    ``daily_sharpe`` is not annualised.
    """
    found = measure(result)
    daily = found.sharpe / math.sqrt(SESSIONS_PER_YEAR) if math.isfinite(found.sharpe) else None
    return found.as_json() | {
        "daily_sharpe": daily,
        "final_equity_won": int(result.equity[-1]),
    }


def score_of(outcome: Outcome, objective: Objective) -> Score:
    """Return a point's score, None where it has none."""
    if outcome.status is not Status.DONE:
        return None
    return outcome.figures[objective.value]


def ranked(outcomes: Iterable[Outcome], objective: Objective) -> list[Outcome]:
    """Return the points that have a score, best first; of equal ones the first tried comes first."""
    scored = [(score_of(each, objective), each) for each in outcomes]
    found = [(score, each) for score, each in scored if score is not None]
    return [each for _score, each in sorted(found, key=lambda pair: (-pair[0], pair[1].job.ordinal))]
