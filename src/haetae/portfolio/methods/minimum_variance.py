"""Minimum variance: the calmest fully invested portfolio within the limits, costs weighed against calm.

"Fully invested" is written as a reward for weight that outbids every risk and cost (an exact
penalty): where limits leave no room for all the money, as much is invested as they allow, and the
problem stays solvable.
"""

from __future__ import annotations

import numpy as np

from haetae.portfolio.request import FloatArray, Request

_OUTBIDS = 4.0
"""A unit of turnover can serve a purchase or half of an exchange of two names; twice that is enough."""


def reward(request: Request) -> FloatArray:
    """Return what a unit of weight of each name is worth, ``(n,)``: the same for every wanted name, else 0."""
    risk = request.risk_aversion * float(np.max(np.diag(request.covariance), initial=0.0))
    cost = float(np.max(request.buy_cost + request.sell_cost + 3.0 * request.impact, initial=0.0))
    return np.where(request.wanted, _OUTBIDS * (risk + cost), 0.0)
