"""How far weights may go: the limits of a request as numbers, and by how much weights break them.

What cannot be traded cannot be asked to shrink. A limit that is exceeded by untradable names alone
is therefore lifted to exactly what they hold: nothing more is bought under it and whatever can be
sold under it is, but one halted name does not forbid everything else.
"""

from __future__ import annotations

import numpy as np

from haetae.portfolio.request import DUST, FloatArray, Request

TOLERANCE = 1e-7
"""Of a limit, in shares of equity: a ten-millionth, far below a share of any account."""


def upper(request: Request) -> FloatArray:
    """Return the largest weight each name may have, ``(n,)``.

    Its cap; not more than is held if it is not wanted; what is held if it cannot be traded.
    """
    tops = np.where(request.wanted, request.caps, np.minimum(request.caps, request.held))
    return np.where(request.tradable, tops, request.held)


def frozen(request: Request) -> FloatArray:
    """Return what is held of names that cannot be traded, ``(n,)``, 0 elsewhere."""
    return np.where(request.tradable, 0.0, request.held)


def sector_tops(request: Request) -> FloatArray:
    """Return the largest weight of each sector, ``(n_sectors,)``."""
    stuck = frozen(request)
    there = [float(stuck[request.in_sector(number)].sum()) for number in range(len(request.sector_caps))]
    return np.maximum(request.sector_caps, np.array(there, dtype=np.float64))


def whole_top(request: Request) -> float:
    """Return the largest sum of all weights."""
    return max(1.0 - request.limits.cash_floor, float(frozen(request).sum()))


def breaches(request: Request, weights: FloatArray) -> dict[str, float]:
    """Return by how much weights break each limit; empty if they obey all of them.

    Changes below ``DUST`` are never made, so ``invested_floor`` may be missed by one such change a name.
    """
    limits = request.limits
    floor = limits.invested_floor - DUST * len(weights)
    over = {
        "long_only": float(-np.min(weights, initial=0.0)),
        "max_weight": float(np.max(weights - upper(request), initial=0.0)),
        "cash_floor": float(weights.sum()) - whole_top(request),
        "invested_floor": floor - float(weights.sum()),
        "turnover_cap": float(np.abs(weights - request.held).sum()) - limits.turnover_cap,
    }
    for number, top in enumerate(sector_tops(request)):
        inside = request.in_sector(number)
        over[f"sector_cap:{request.sector_names[number]}"] = float(weights[inside].sum() - top)
    return {name: excess for name, excess in over.items() if excess > TOLERANCE}
