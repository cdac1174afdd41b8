"""The rank policy: the models' scores of the day through the portfolio's construction."""

from __future__ import annotations

import numpy as np

from haetae.domain.decisions import Proposal, View
from haetae.portfolio import Constraints, construct

_RISK_FEATURE = "volatility_20m"
"""Minute volatility sizes the names against one another; without it all count the same."""


class RankPolicy:
    """Hold the best scored names, inverse to their volatility, within the constraints.

    Deterministic. On a day without scores (all zero) it proposes nothing: what is held stays.
    """

    def __init__(self, limits: Constraints | None = None, model_id: str = "scores") -> None:
        self._limits = limits or Constraints()
        self._policy_id = f"rank:{model_id}"

    @property
    def policy_id(self) -> str:
        """``rank:`` with the name of the model whose scores it reads."""
        return self._policy_id

    def propose(self, view: View) -> Proposal:
        """Return target weights of the symbols whose weight should change."""
        proposal_id = f"{self._policy_id}@{view.at}"
        if not np.any(view.scores):
            return Proposal(proposal_id, view.at, self._policy_id, {})
        equity = max(view.equity, 1)
        held = {s: float(q * p / equity) for s, q, p in zip(view.symbols, view.held, view.last, strict=True) if q}
        scores = {s: float(v) for s, v in zip(view.symbols, view.scores, strict=True)}
        risk: dict[str, float] = {}
        if _RISK_FEATURE in view.feature_names:
            column = view.features[:, view.feature_names.index(_RISK_FEATURE)]
            risk = {s: float(v) for s, v in zip(view.symbols, column, strict=True)}
        free = [s for s, ok, price in zip(view.symbols, view.tradable, view.last, strict=True) if ok and price > 0]
        wanted = construct(view.day, scores, risk, held, self._limits, tradable=free).weights
        targets = {s: round(w, 9) for s, w in wanted.items() if abs(w - held.get(s, 0.0)) > 1e-9}
        return Proposal(proposal_id, view.at, self._policy_id, targets, {s: scores[s] for s in targets})
