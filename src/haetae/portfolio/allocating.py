"""The face of the optimiser's side of the room: a request and a method in, an allocation out, always.

No input makes ``allocate`` raise: what is wrong with a request becomes the outcome, and the fallback
answers. The fallback is never the larger risk: it sells or holds, it never buys.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haetae.portfolio import conflict
from haetae.portfolio.approach import approach, forced
from haetae.portfolio.bounds import breaches
from haetae.portfolio.methods import (
    equal_weight,
    hierarchical,
    inverse_volatility,
    minimum_variance,
    risk_parity,
    score_cost,
)
from haetae.portfolio.optimiser import Optimiser
from haetae.portfolio.request import Allocation, Conflict, FloatArray, Outcome, Request
from haetae.portfolio.settings import Fallback, Method

SHAPES = {
    Method.EQUAL_WEIGHT: equal_weight.shape,
    Method.INVERSE_VOLATILITY: inverse_volatility.shape,
    Method.RISK_PARITY: risk_parity.shape,
    Method.HIERARCHICAL: hierarchical.shape,
}
REWARDS = {
    Method.MINIMUM_VARIANCE: minimum_variance.reward,
    Method.SCORE_COST: score_cost.reward,
}


def _fault(request: Request) -> str:
    """Return what makes the numbers of a request useless, with the first name it is true of; else empty."""
    columns = {
        "held": ~(np.isfinite(request.held) & (request.held >= 0.0)),
        "cap": ~(np.isfinite(request.caps) & (request.caps >= 0.0)),
        "buy_cost": ~(np.isfinite(request.buy_cost) & (request.buy_cost >= 0.0)),
        "sell_cost": ~(np.isfinite(request.sell_cost) & (request.sell_cost >= 0.0)),
        "impact": ~(np.isfinite(request.impact) & (request.impact >= 0.0)),
        "expected": np.isinf(request.expected),
        "covariance": ~np.isfinite(request.covariance).all(axis=1) | ~(np.diag(request.covariance) > 0.0),
    }
    for name, wrong in columns.items():
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            return f"{name} of {request.symbols[k]}"
    if not (np.isfinite(request.sector_caps) & (request.sector_caps >= 0.0)).all():
        return "sector_caps"
    return "" if np.isfinite(request.risk_aversion) and request.risk_aversion > 0.0 else "risk_aversion"


def fall_back(request: Request, method: Method, outcome: Outcome, detail: str = "",
              conflicts: tuple[Conflict, ...] = ()) -> Allocation:  # fmt: skip
    """Return the answer that needs no method: hold, or sell toward the limits.

    ``SHRINK`` becomes ``HOLD`` where the numbers are useless or where selling would raise the variance
    (a name that hedged the others).
    """
    held = request.held
    weights, means = held, Fallback.HOLD
    if request.limits.fallback is Fallback.SHRINK and not _fault(request):
        shrunk = forced(request)
        if shrunk @ request.covariance @ shrunk <= held @ request.covariance @ held:
            weights, means = shrunk, Fallback.SHRINK
    answer = _answer(request, method, weights)
    return replace(answer, outcome=outcome, detail=detail, conflicts=conflicts, fallback=means)


def _answer(request: Request, method: Method, weights: FloatArray) -> Allocation:
    held = request.held
    moves = weights - held
    size = np.abs(moves)
    with np.errstate(invalid="ignore"):  # useless numbers give useless figures, marked by the outcome
        cost = np.where(moves > 0.0, request.buy_cost, request.sell_cost) * size + request.impact * size**1.5
        return Allocation(
            day=request.day,
            method=method,
            symbols=request.symbols,
            held=held,
            weights=weights,
            outcome=Outcome.SOLVED,
            expected=float(np.nansum(np.where(weights > 0.0, weights * request.expected, 0.0))),
            cost=float(cost.sum()),
            variance=float(weights @ request.covariance @ weights),
            variance_held=float(held @ request.covariance @ held),
            turnover=float(size.sum()),
        )


def _shaped(request: Request, method: Method) -> FloatArray:
    chosen = request.wanted & (request.tradable | (request.held > 0.0))
    shape = np.zeros(len(request.symbols))
    if chosen.any():
        shape[chosen] = SHAPES[method](np.ascontiguousarray(request.covariance[np.ix_(chosen, chosen)]))
    return approach(request, shape)


def allocate(method: Method, request: Request, optimiser: Optimiser | None = None) -> Allocation:
    """Return target weights by a method, or the fallback with the reason; never raises on a request.

    Parameters
    ----------
    optimiser : Optimiser, optional
        Keeps the stated problems of ``MINIMUM_VARIANCE`` and ``SCORE_COST``; give the same one for every
        decision. None states the problem anew, which takes some hundredths of a second, and raises
        ``ConfigError`` where the extra ``optimise`` is absent.
    """
    solver = optimiser
    if method.needs_solver and solver is None:
        solver = Optimiser()
    if wrong := _fault(request):
        return fall_back(request, method, Outcome.BAD_INPUT, wrong)
    if method is Method.SCORE_COST:
        request = replace(request, wanted=request.wanted & np.isfinite(request.expected))
    if not request.wanted.any():
        return fall_back(request, method, Outcome.NOTHING_WANTED)
    word = ""
    try:
        if solver is not None and method.needs_solver:
            weights, word = solver.solve(request, REWARDS[method](request))
        else:
            weights = _shaped(request, method)
    except np.linalg.LinAlgError:
        return fall_back(request, method, Outcome.BAD_INPUT, "covariance is not positive definite")
    if weights is not None and not breaches(request, weights):
        return _answer(request, method, weights)
    if conflicts := conflict.diagnose(request):
        return fall_back(request, method, Outcome.INFEASIBLE, conflicts=conflicts)
    return fall_back(request, method, Outcome.SOLVER_FAILED, word)
