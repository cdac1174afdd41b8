"""The research path: the same questions put to ``skfolio``, and its estimators in out-of-sample splits.

Here: ``second_opinion`` solves a ``Request`` by the other library, ``estimator`` gives its methods (with
CVaR, which only it has) as scikit-learn estimators, ``walk_forward`` and ``purged_paths`` judge them on
returns they have not seen. Not for live decisions: it needs the extra ``research`` and takes several
times as long. Returns are simple daily returns, rows ascending in time, no NaN.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.portfolio.bounds import frozen, sector_tops, upper, whole_top
from haetae.portfolio.methods.hierarchical import Linkage
from haetae.portfolio.request import FloatArray, Request
from haetae.portfolio.settings import Limits, Method


class Study(Enum):
    """What can be studied: the methods of the room that need no scores, and the least expected shortfall."""

    EQUAL_WEIGHT = "equal_weight"
    INVERSE_VOLATILITY = "inverse_volatility"
    RISK_PARITY = "risk_parity"
    HIERARCHICAL = "hierarchical"
    MINIMUM_VARIANCE = "minimum_variance"
    MINIMUM_CVAR = "minimum_cvar"


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One run through time: returns of each row that was not seen in training, and the weights used.

    ``rows`` are places in the returns that were given, ``(n,)``; ``weights`` is ``(n_splits, n_names)``.
    """

    rows: np.ndarray
    returns: FloatArray
    weights: FloatArray


def _part(name: str) -> Any:
    try:
        return importlib.import_module(f"skfolio.{name}")
    except ImportError as absent:
        raise ConfigError(
            Text(ko="연구 도구 skfolio가 없습니다", en="the research path needs skfolio"),
            expected=Text(ko="추가 설치 'research'", en="the extra 'research'"),
            found=str(absent.name),
            next_step=Text(ko="haetae[research]를 설치하십시오.", en="install haetae[research]"),
        ) from absent


def _checked(returns: FloatArray) -> FloatArray:
    if returns.ndim != 2 or not np.isfinite(returns).all():
        wrong = np.argwhere(~np.isfinite(returns)) if returns.ndim == 2 else np.zeros((0, 2), np.int64)
        raise DataError(
            Text(ko="연구용 수익률에 빈 값이 있습니다", en="returns for a study have gaps"),
            expected="finite (n_sessions, n_names)",
            found=f"row and column {wrong[0].tolist()}" if len(wrong) else f"shape {returns.shape}",
            next_step=Text(
                ko="covariance의 규칙으로 채우거나 그 종목을 빼십시오.",
                en="leave the name out, or fill by a named rule",
            ),
        )
    return returns


def returns_of_moments(mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return ``(n + 1, n)`` returns whose sample mean and covariance are exactly those given.

    The other library estimates from returns; so it is told the moments of a request without an
    estimator of ours in between (Helmert's contrasts have mean zero and are orthogonal).
    """
    from scipy.linalg import helmert

    n = len(mean)
    contrasts = helmert(n + 1).T
    return np.asarray(contrasts @ np.linalg.cholesky(covariance).T * np.sqrt(n) + mean, dtype=np.float64)


def _linkage(linkage: Linkage) -> Any:
    clustering = _part("cluster").HierarchicalClustering(linkage_method=_part("cluster").LinkageMethod(linkage))
    return _part("seriation").HierarchicalSeriation(hierarchical_clustering_estimator=clustering)


def estimator(study: Study, limits: Limits | None = None, *, linkage: Linkage = "ward", **moments: Any) -> Any:
    """Return the other library's estimator: ``fit(returns)``, ``predict(returns)``, ``weights_``.

    Fully invested in shares of what is not ``cash_floor``: weights sum to one, caps count accordingly.

    Parameters
    ----------
    moments : Any
        ``prior_estimator`` of the other library; its default takes sample moments.
    """
    optimization = _part("optimization")
    rules = limits or Limits(max_weight=1.0, cash_floor=0.0)
    cap = min(1.0, rules.max_weight / max(1.0 - rules.cash_floor, 1e-9))
    match study:
        case Study.EQUAL_WEIGHT:
            return optimization.EqualWeighted()
        case Study.INVERSE_VOLATILITY:
            return optimization.InverseVolatility(**moments)
        case Study.RISK_PARITY:
            return optimization.RiskBudgeting(max_weights=cap, **moments)
        case Study.HIERARCHICAL:
            return optimization.HierarchicalRiskParity(
                max_weights=cap, seriation_estimator=_linkage(linkage), **moments
            )
        case Study.MINIMUM_VARIANCE:
            return optimization.MeanRisk(max_weights=cap, **moments)
        case Study.MINIMUM_CVAR:
            return optimization.MeanRisk(max_weights=cap, risk_measure=_part("measures").RiskMeasure.CVAR, **moments)


def second_opinion(method: Method, request: Request) -> FloatArray:
    """Return the other library's weights for a request, ``(n,)``; no fallback, its errors pass.

    The two convex methods obey the same limits and pay the same costs, save impact, which the other
    library does not know. ``MINIMUM_VARIANCE`` invests up to the cash floor or fails. The shapes are
    those of the wanted names without limits, times what may be invested.
    """
    if method.needs_solver:
        return _convex(method, request)
    chosen = request.wanted
    block = request.covariance[np.ix_(chosen, chosen)]
    model = estimator(Study(method.value))
    weights = np.zeros(len(request.symbols))
    weights[chosen] = model.fit(returns_of_moments(np.zeros(len(block)), block)).weights_ * whole_top(request)
    return weights


def _convex(method: Method, request: Request) -> FloatArray:
    cp = importlib.import_module("cvxpy")  # skfolio is written on it
    optimization = _part("optimization")
    held, limits = request.held, request.limits
    opinion = np.where(np.isfinite(request.expected), request.expected, 0.0)
    scored = method is Method.SCORE_COST

    def rules(w: Any) -> list[Any]:
        groups = [
            cp.sum(w[request.in_sector(k)]) <= top
            for k, top in enumerate(sector_tops(request))
            if request.in_sector(k).any()
        ]
        return [*groups, cp.norm1(w - held) <= limits.turnover_cap]

    def trading(w: Any) -> Any:
        # The library's objective has no factor one half on the variance: ours is halved by the aversion below.
        paid = request.buy_cost @ cp.pos(w - held) + request.sell_cost @ cp.neg(w - held)
        return -paid if scored else paid * 2.0 / request.risk_aversion

    top = whole_top(request)
    goals = optimization.ObjectiveFunction
    model = optimization.MeanRisk(
        objective_function=goals.MAXIMIZE_UTILITY if scored else goals.MINIMIZE_RISK,
        risk_aversion=request.risk_aversion / 2.0,
        min_weights=frozen(request),
        max_weights=upper(request),
        budget=None if scored else top,
        min_budget=limits.invested_floor if scored else None,
        max_budget=top if scored else None,
        add_constraints=rules,
        add_objective=trading,
        solver="CLARABEL",
    )
    return np.asarray(model.fit(returns_of_moments(opinion, request.covariance)).weights_, dtype=np.float64)


def walk_forward(
    model: Any, returns: FloatArray, *, train_sessions: int, test_sessions: int, purged_sessions: int = 0
) -> Path:
    """Return the one path of an estimator that is fitted on the past again and again.

    Parameters
    ----------
    train_sessions, test_sessions : int
        Rows fitted on and rows then traded; ``purged_sessions`` between them are left out.
    """
    selection = _part("model_selection")
    cv = selection.WalkForward(train_size=train_sessions, test_size=test_sessions, purged_size=purged_sessions)
    checked = _checked(returns)
    seen = selection.cross_val_predict(model, checked, cv=cv)
    rows = np.concatenate([test for _, test in cv.split(checked)])
    return Path(rows, np.asarray(seen.returns), np.array([part.weights for part in seen.portfolios]))


def purged_paths(
    model: Any, returns: FloatArray, *, folds: int = 10, test_folds: int = 2, purged_sessions: int = 0,
    embargo_sessions: int = 0,
) -> tuple[Path, ...]:  # fmt: skip
    """Return every path of combinatorial purged cross-validation (López de Prado 2018, chapter 12).

    Each path covers all rows once, each row by a fit that did not see it nor, by purge and embargo, its
    neighbours.
    """
    selection = _part("model_selection")
    cv = selection.CombinatorialPurgedCV(
        n_folds=folds, n_test_folds=test_folds, purged_size=purged_sessions, embargo_size=embargo_sessions
    )
    checked = _checked(returns)
    population = selection.cross_val_predict(model, checked, cv=cv)
    rows = np.arange(len(checked))
    return tuple(
        Path(rows, np.asarray(path.returns), np.array([part.weights for part in path.portfolios]))
        for path in population
    )
