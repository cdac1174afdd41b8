"""From a request to the numbers of the convex problem and back; keeps stated problems for reuse.

Names that cannot change (untradable, or neither held nor wanted) are taken out first and count as
constants. All terms are divided by the largest variance, because the solver's tolerances are absolute.
"""

from __future__ import annotations

import numpy as np

from haetae.portfolio.approach import settled
from haetae.portfolio.bounds import frozen, sector_tops, upper, whole_top
from haetae.portfolio.program import Numbers, Program, modelling
from haetae.portfolio.request import FloatArray, Request

_LEAST_ROOM = 1e-7
"""No box is thinner: an interior point needs an interior. Below ``DUST``, so it is never traded."""


class Optimiser:
    """Solves requests; problems are stated once per size and kept.

    The answer to a request depends on the request alone, never on those before. Not for two threads
    at once. Raises ``ConfigError`` where the extra ``optimise`` is absent, so build it at the start.
    """

    def __init__(self) -> None:
        modelling()
        self._programs: dict[tuple[int, int, bool], Program] = {}

    @property
    def stated(self) -> int:
        """How many problems have been stated so far."""
        return len(self._programs)

    def solve(self, request: Request, reward: FloatArray) -> tuple[FloatArray | None, str]:
        """Return weights within the limits, ``(n,)``, and the solver's word; None where it found none.

        Parameters
        ----------
        reward : (n,) float64
            What a unit of weight of each name is worth; the covariance must be positive definite
            (a ``numpy.linalg.LinAlgError`` otherwise).
        """
        tops = upper(request)
        active = request.tradable & ((request.held > 0.0) | (tops > 0.0))
        if not active.any():
            return request.held.copy(), "optimal"
        numbers = _numbers(request, reward, active, tops)
        size = numbers.size()
        if size not in self._programs:
            self._programs[size] = Program(size[0], size[1], impact=size[2])
        found, word = self._programs[size].solve(numbers)
        if found is None or not np.isfinite(found).all():
            return None, word
        weights = request.held.copy()
        weights[active] = found
        return settled(request, weights), word


def _numbers(request: Request, reward: FloatArray, active: np.ndarray, tops: FloatArray) -> Numbers:
    stuck = frozen(request)
    risk = request.risk_aversion * request.covariance
    scale = 1.0 / float(np.max(np.diag(risk)[active]))
    factor = np.linalg.cholesky(risk[np.ix_(active, active)] * scale).T
    rows = [np.ones(int(active.sum()))]
    group_tops = [whole_top(request) - float(stuck.sum())]
    for number, top in enumerate(sector_tops(request)):
        inside = request.in_sector(number)
        if top < 1.0 and (inside & active).any():
            rows.append(inside[active].astype(np.float64))
            group_tops.append(float(top - stuck[inside].sum()))
    return Numbers(
        factor=np.ascontiguousarray(factor),
        # What cannot be sold moves the risk of the rest.
        reward=(reward[active] - (risk @ stuck)[active]) * scale,
        buy=request.buy_cost[active] * scale,
        sell=request.sell_cost[active] * scale,
        impact=request.impact[active] * scale,
        held=request.held[active],
        upper=np.maximum(tops[active], _LEAST_ROOM),
        groups=np.array(rows),
        tops=np.maximum(np.array(group_tops), _LEAST_ROOM),
        floor=request.limits.invested_floor - float(stuck.sum()),
        turnover=max(request.limits.turnover_cap, _LEAST_ROOM),
    )
