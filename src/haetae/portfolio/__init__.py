"""From scores and risk to target weights and whole-share orders, under constraints and costs.

Two ways stand side by side. ``construct`` chooses the best scored names and sizes them by volatility;
it needs nothing but scores. ``allocate`` answers a ``Request`` (risk, costs, sectors, what is held) by
a ``Method``: equal weight, inverse volatility, risk parity, hierarchical risk parity, minimum variance,
score less cost. ``order_proposal`` rounds its answer to lots. Both always answer; what stood in the
way is in ``Targets.reason`` and ``Allocation.outcome``.

Not here: scores (``ml``), the live desk's legs (``execution``), fills (``sim``).
"""

from haetae.portfolio.allocating import allocate, fall_back
from haetae.portfolio.construction import best_names, construct
from haetae.portfolio.lots import Account, OrderProposal, order_proposal
from haetae.portfolio.optimiser import Optimiser
from haetae.portfolio.request import Allocation, Conflict, Outcome, Request
from haetae.portfolio.settings import (
    AllocationSettings,
    Candidates,
    Constraints,
    CostSettings,
    CovarianceSettings,
    Estimator,
    Fallback,
    Limits,
    Method,
)

__all__ = [
    "Account",
    "Allocation",
    "AllocationSettings",
    "Candidates",
    "Conflict",
    "Constraints",
    "CostSettings",
    "CovarianceSettings",
    "Estimator",
    "Fallback",
    "Limits",
    "Method",
    "Optimiser",
    "OrderProposal",
    "Outcome",
    "Request",
    "allocate",
    "best_names",
    "construct",
    "fall_back",
    "order_proposal",
]
