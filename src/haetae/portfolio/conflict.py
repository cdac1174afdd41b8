"""Which limits cannot be met together, and how far each would have to give way.

Every limit is a family of linear inequalities over buys and sales. A family is dropped for good if
the rest still cannot be met; what is left at the end is irreducible: without any one of them the
others can be met (deletion filter, Chinneck and Dravnieks 1991). Each answer is a small linear
program (HiGHS, in ``scipy``); this runs only when an allocation has already failed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.portfolio.bounds import TOLERANCE, sector_tops, whole_top
from haetae.portfolio.request import Conflict, FloatArray, Request


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """Rows ``matrix @ (buys, sales) <= bound``; a limit that gives way by some weight adds it to every bound."""

    name: str
    limit: float
    matrix: FloatArray
    bound: FloatArray
    direction: float = 1.0
    """+1 where a larger limit is looser, -1 where a smaller one is, 0 where it has no degrees."""


def _families(request: Request) -> list[_Family]:
    n, held, limits = len(request.symbols), request.held, request.limits
    one, none = np.eye(n), np.zeros((n, n))
    after = np.hstack([one, -one])
    families: list[_Family] = []
    over = request.tradable & (held > request.caps)
    for k in np.flatnonzero(over):
        families.append(
            _Family(f"max_weight:{request.symbols[k]}", float(request.caps[k]), after[[k]], request.caps[[k]] - held[k])
        )
    rest = request.tradable & request.wanted & ~over
    if rest.any():
        families.append(
            _Family("max_weight", float(np.max(request.caps[rest])), after[rest], (request.caps - held)[rest])
        )
    for number, top in enumerate(sector_tops(request)):
        inside = request.in_sector(number).astype(np.float64)
        row = np.concatenate([inside, -inside])[None, :]
        name = f"sector_cap:{request.sector_names[number]}"
        families.append(_Family(name, float(top), row, np.array([top - inside @ held])))
    stuck = ~request.tradable
    if stuck.any():
        rows = np.vstack([np.hstack([one, none])[stuck], np.hstack([none, one])[stuck]])
        families.append(_Family("untradable", float(stuck.sum()), rows, np.zeros(len(rows)), 0.0))
    whole = np.concatenate([np.ones(n), -np.ones(n)])[None, :]
    total = float(held.sum())
    top = whole_top(request)
    families += [
        _Family("cash_floor", 1.0 - top, whole, np.array([top - total]), -1.0),
        _Family("invested_floor", limits.invested_floor, -whole, np.array([total - limits.invested_floor]), -1.0),
        _Family("turnover_cap", limits.turnover_cap, np.ones((1, 2 * n)), np.array([limits.turnover_cap])),
    ]
    return families


def _least_slack(request: Request, families: list[_Family], loosened: _Family | None) -> float:
    """Return by how much a family must give way so that all can be met; infinite if that is not enough.

    Without a family to loosen: 0 if all can be met, else infinite.
    """
    from scipy.optimize import linprog

    n = len(request.symbols)
    rows = [np.hstack([f.matrix, np.full((len(f.matrix), 1), -1.0 if f is loosened else 0.0)]) for f in families]
    # Nobody is sold short, and what is not wanted is not bought: those are no limits that could give way.
    buys = [(0.0, 2.0 if wanted else 0.0) for wanted in request.wanted]
    sales = [(0.0, float(weight)) for weight in request.held]
    slack = (0.0, 2.0 if loosened is not None else 0.0)
    answer = linprog(
        np.concatenate([np.zeros(2 * n), [1.0]]),
        A_ub=np.vstack(rows) if rows else None,
        b_ub=np.concatenate([f.bound for f in families]) + TOLERANCE if families else None,
        bounds=[*buys, *sales, slack],
        method="highs",
    )
    return float(answer.x[-1]) if answer.status == 0 else float("inf")


def diagnose(request: Request) -> tuple[Conflict, ...]:
    """Return an irreducible set of limits that cannot be met together; empty if all can be.

    Names over their caps and sectors are dropped first where they do not matter, so that what is left
    speaks of as few of them as possible.
    """
    if can_be_met(request):
        return ()
    every = _families(request)
    kept = list(every)
    for family in list(kept):
        without = [other for other in kept if other is not family]
        if not np.isfinite(_least_slack(request, without, None)):
            kept = without
    found = []
    for family in kept:
        slack = _least_slack(request, every, family) if family.direction else float("inf")
        needed = family.limit + family.direction * slack if np.isfinite(slack) else float("nan")
        found.append(Conflict(family.name, family.limit, needed))
    return tuple(found)


def can_be_met(request: Request) -> bool:
    """Return whether some weights obey every limit of a request."""
    return bool(np.isfinite(_least_slack(request, _families(request), None)))
