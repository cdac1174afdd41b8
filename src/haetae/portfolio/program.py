"""The convex problem of an allocation, stated once and solved again with other numbers.

Minimise over weights ``w`` and buys ``b``:

    |F w|^2 / 2 - (reward + sell) w + (buy + sell) b + impact |trade|^1.5

within ``0 <= w <= upper``, ``b >= w - held``, ``b >= 0``, group sums, the invested floor and turnover.
Sales are ``held + b - w``. It is stated with ``cvxpy`` in parameters (DPP), so its translation into
the solver's form happens once per size; sizes are padded so that a universe that changes by a few
names finds the same problem again. ``F'F`` is ``risk_aversion`` times the covariance.

Each solve starts Clarabel afresh. Updating the solver in place would be a third faster, but it keeps
the scaling of the numbers it saw first, so that an answer would depend on the questions before it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from haetae.domain.errors import ConfigError, Text
from haetae.portfolio.request import FloatArray

_NAMES_STEP = 10
_GROUPS_STEP = 8


def modelling() -> Any:
    """Return the modelling library; raises ``ConfigError`` where the extra ``optimise`` is absent."""
    try:
        importlib.import_module("clarabel")
        return importlib.import_module("cvxpy")
    except ImportError as absent:
        raise ConfigError(
            Text(ko="포트폴리오 최적화 도구(cvxpy, clarabel)가 없습니다", en="the optimiser needs cvxpy and clarabel"),
            expected=Text(ko="추가 설치 'optimise'", en="the extra 'optimise'"),
            found=str(absent.name),
            next_step=Text(
                ko="haetae[optimise]를 설치하거나, 필요 없는 방법(risk_parity, hierarchical, "
                "inverse_volatility, equal_weight)을 고르십시오.",
                en="install haetae[optimise], or choose a method that does without (risk_parity, hierarchical, "
                "inverse_volatility, equal_weight)",
            ),
        ) from absent


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """One problem in numbers, for ``n`` names and ``m`` groups; all of one scale.

    Attributes
    ----------
    factor : (n, n) float64, upper triangular
    reward, buy, sell, impact, held, upper : (n,) float64
    groups, tops : (m, n) and (m,) float64
        Sums that must not exceed their tops; the first row is the whole.
    floor, turnover : float
        Least sum of all weights; most that is traded.
    """

    factor: FloatArray
    reward: FloatArray
    buy: FloatArray
    sell: FloatArray
    impact: FloatArray
    held: FloatArray
    upper: FloatArray
    groups: FloatArray
    tops: FloatArray
    floor: float
    turnover: float

    def size(self) -> tuple[int, int, bool]:
        """Return the padded number of names and of groups, and whether there is impact."""
        n, m = len(self.held), len(self.tops)
        names = -(-max(n, 1) // _NAMES_STEP) * _NAMES_STEP
        return names, -(-m // _GROUPS_STEP) * _GROUPS_STEP, bool(np.any(self.impact > 0.0))


class Program:
    """A stated problem of one size; ``solve`` fills in numbers. Only one solve at a time."""

    def __init__(self, names: int, groups: int, *, impact: bool) -> None:
        cp = modelling()
        self._cp, self._n, self._m = cp, names, groups
        w, buys = cp.Variable(names), cp.Variable(names)
        self._weights = w
        self._p = {
            "above": cp.Parameter(names * (names - 1) // 2),
            "groups": cp.Parameter((groups, names), nonneg=True),
            "tops": cp.Parameter(groups),
            "floor": cp.Parameter(),
            "turnover": cp.Parameter(),
        } | {
            name: cp.Parameter(names)
            for name in ("diagonal", "linear", "either", "impact", "held", "upper", "whole", "bought")
        }
        p = self._p
        spread = cp.vec_to_upper_tri(p["above"], strict=True) @ w + cp.multiply(p["diagonal"], w)
        goal = cp.sum_squares(spread) / 2 - p["linear"] @ w + p["either"] @ buys
        rules = [
            w >= 0,
            w <= p["upper"],
            buys >= 0,
            buys >= w - p["held"],
            p["groups"] @ w <= p["tops"],
            p["whole"] @ w >= p["floor"],
            p["bought"] @ buys - p["whole"] @ w <= p["turnover"],
        ]
        if impact:
            # t >= |trade|^1.5 as a power cone: half the time of the same curve in second-order cones.
            curve = cp.Variable(names)
            rules.append(cp.PowCone3D(curve, np.ones(names), 2 * buys - w + p["held"], np.full(names, 2.0 / 3.0)))
            goal = goal + p["impact"] @ curve
        self._problem = cp.Problem(cp.Minimize(goal), rules)

    def solve(self, numbers: Numbers) -> tuple[FloatArray | None, str]:
        """Return the weights ``(n,)`` and the solver's word for how it ended; None where there are none.

        The padding is names that nobody holds, counts or rewards, so they stay at nothing.
        """
        n, m, p = len(numbers.held), len(numbers.tops), self._p
        factor = np.eye(self._n)
        factor[:n, :n] = numbers.factor
        p["above"].value = factor[np.triu_indices(self._n, 1)]
        p["diagonal"].value = np.diag(factor).copy()
        groups = np.zeros((self._m, self._n))
        groups[:m, :n] = numbers.groups
        p["groups"].value = groups
        p["tops"].value = np.concatenate([numbers.tops, np.ones(self._m - m)])
        p["floor"].value, p["turnover"].value = numbers.floor, numbers.turnover - float(numbers.held.sum())
        columns = {
            "linear": (numbers.reward + numbers.sell, 0.0),
            "either": (numbers.buy + numbers.sell, 1.0),
            # Nobody's curve may be free, or the solver looks for it at infinity.
            "impact": (np.maximum(numbers.impact, 1e-6 * np.max(numbers.impact)), 1.0),
            "held": (numbers.held, 0.0),
            "upper": (numbers.upper, 1.0),
            "whole": (np.ones(n), 0.0),
            "bought": (np.full(n, 2.0), 0.0),
        }
        for name, (column, padding) in columns.items():
            p[name].value = np.concatenate([column, np.full(self._n - n, padding)])
        try:
            self._problem.solve(self._cp.CLARABEL, warm_start=False, max_threads=1)
        except self._cp.error.SolverError as failed:
            return None, str(failed)
        found = self._weights.value
        return (None if found is None else np.asarray(found[:n], dtype=np.float64)), str(self._problem.status)
