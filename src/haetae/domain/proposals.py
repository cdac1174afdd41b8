"""What a proposal may say: one rule for simulation, which stops, and for the live desk, which refuses and notes.

Weights are shares of equity: finite, not negative, together at most one, of symbols that may be traded.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Real

from haetae.domain.decisions import Proposal
from haetae.domain.units import Symbol

SLACK = 1e-6
"""What rounding of a sum of weights may add to one."""


@dataclass(frozen=True, slots=True)
class ProposalFault:
    """The first thing wrong with a proposal; ``symbol`` is empty where it is the sum."""

    symbol: Symbol
    value: object
    expected: str

    def __str__(self) -> str:
        """Return one sentence."""
        if not self.symbol:
            return f"weights sum to {self.value:.6f}, more than 1"
        if self.value is None:
            return f"{self.symbol} is not in today's universe"
        return f"weight {self.value} of {self.symbol} is not in [0, 1]"


def proposal_fault(proposal: Proposal, universe: Collection[Symbol]) -> ProposalFault | None:
    """Return the first fault of a proposal by symbol, ``None`` if there is none."""
    total = 0.0
    for symbol, weight in sorted(proposal.targets.items()):
        if symbol not in universe:
            return ProposalFault(symbol, None, "a symbol of the view")
        if isinstance(weight, bool) or not isinstance(weight, Real):
            return ProposalFault(symbol, weight, "a number from 0 to 1")
        if not math.isfinite(weight) or weight < 0.0:
            return ProposalFault(symbol, weight, "a number from 0 to 1")
        total += weight
    return ProposalFault("", total, "a sum of at most 1") if total > 1.0 + SLACK else None
