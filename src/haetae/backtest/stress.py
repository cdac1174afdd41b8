"""The same strategy with other costs and slower orders: what of a result survives them.

Here: the sweep and its table. Not here: running (the caller's ``rerun``, for only it knows the
strategy), scaling of costs (``charges``), waiting (``BacktestSettings.delay_bars``).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haetae.backtest.metrics import measure
from haetae.backtest.result import Result
from haetae.domain.units import Won

COSTS_PPM = (0, 1_000_000, 1_500_000, 2_000_000)
DELAYS = (0, 1, 5)
ONCE_PPM = 1_000_000

Rerun = Callable[[int, int], Result]
"""Cost multiple in parts per million and delay in bars, to the result of a whole run."""


@dataclass(frozen=True, slots=True)
class Stressed:
    """Figures of one rerun; ratios as in ``Metrics``."""

    cost_multiple_ppm: int
    delay_bars: int
    total_return: float
    cagr: float
    sharpe: float
    max_drawdown: float
    costs: Won


@dataclass(frozen=True, slots=True)
class Stress:
    """A sweep of costs without delay, and of delays at the costs as they are.

    ``break_even_ppm`` is the cost multiple at which nothing is left of the return, drawn straight
    between the two costs around it; infinite where even the highest leaves a gain, 0 where there
    is none even without costs.
    """

    costs: tuple[Stressed, ...]
    delays: tuple[Stressed, ...]
    break_even_ppm: float

    def at(self, cost_multiple_ppm: int, delay_bars: int) -> Stressed | None:
        """Return one rerun, None where it was not made."""
        return next(
            (
                one
                for one in (*self.costs, *self.delays)
                if (one.cost_multiple_ppm, one.delay_bars) == (cost_multiple_ppm, delay_bars)
            ),
            None,
        )


def stress(rerun: Rerun, *, costs_ppm: Sequence[int] = COSTS_PPM, delays: Sequence[int] = DELAYS) -> Stress:
    """Return what becomes of a run under other costs and delays; each pair is run once.

    Parameters
    ----------
    rerun : callable
        Must change nothing else: same bars, same strategy, same decisions' rows.
    """
    known: dict[tuple[int, int], Stressed] = {}

    def once(cost_ppm: int, delay: int) -> Stressed:
        if (cost_ppm, delay) not in known:
            known[cost_ppm, delay] = _figures(rerun(cost_ppm, delay), cost_ppm, delay)
        return known[cost_ppm, delay]

    swept = tuple(once(cost, 0) for cost in sorted(costs_ppm))
    return Stress(swept, tuple(once(ONCE_PPM, delay) for delay in sorted(delays)), _break_even(swept))


def _figures(result: Result, cost_ppm: int, delay: int) -> Stressed:
    found = measure(result)
    return Stressed(
        cost_multiple_ppm=cost_ppm,
        delay_bars=delay,
        total_return=found.total_return,
        cagr=found.cagr,
        sharpe=found.sharpe,
        max_drawdown=found.max_drawdown,
        costs=found.fees_won + found.taxes_won,
    )


def _break_even(swept: Sequence[Stressed]) -> float:
    if not swept:
        return math.nan
    if swept[0].total_return <= 0:
        return 0.0 if swept[0].cost_multiple_ppm == 0 else math.nan
    for below, above in itertools.pairwise(swept):
        if above.total_return <= 0:
            part = below.total_return / (below.total_return - above.total_return)
            return below.cost_multiple_ppm + part * (above.cost_multiple_ppm - below.cost_multiple_ppm)
    return math.inf
