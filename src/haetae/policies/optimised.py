"""The optimised policy: scores, daily risk and the day's costs through the allocation of the portfolio."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from haetae.domain.decisions import Proposal, View
from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol
from haetae.krx import FeeSchedule, Rulebook
from haetae.portfolio import (
    Account,
    Allocation,
    AllocationSettings,
    Candidates,
    Method,
    Optimiser,
    Outcome,
    Request,
    allocate,
    best_names,
    costs,
    covariance,
    fall_back,
    order_proposal,
)
from haetae.portfolio.methods.score_cost import expected

_DEPTH_SESSIONS = 20
"""A month of daily turnover says how much the market of a name can take."""


class OptimisedPolicy:
    """Weights by one ``Method`` within the limits, as whole shares that cash can pay.

    Deterministic: the answer depends on the view alone. Without scores (unless ``candidates`` is
    ``all``) or without closed sessions in ``view.daily`` the fallback answers, which never buys;
    ``allocation(view)`` says why.

    Parameters
    ----------
    instruments : mapping of symbol to Instrument
        Sector, market, kind and lot; a name without one is a common share of the KOSPI without a sector.

    Raises
    ------
    ConfigError
        When the method needs the extra ``optimise`` and it is absent.
    """

    def __init__(
        self,
        settings: AllocationSettings | None = None,
        instruments: Mapping[Symbol, Instrument] | None = None,
        *,
        fees: FeeSchedule | None = None,
        model_id: str = "scores",
    ) -> None:
        self._settings = settings or AllocationSettings()
        self._instruments = dict(instruments or {})
        self._fees = fees or FeeSchedule()
        self._policy_id = f"{self._settings.method.value}:{model_id}"
        self._optimiser = Optimiser() if self._settings.method.needs_solver else None

    @property
    def policy_id(self) -> str:
        """The method with the name of the model whose scores it reads."""
        return self._policy_id

    def request(self, view: View) -> Request:
        """Return the question that a view puts; its covariance is NaN where there is no history."""
        rules, own = self._rules(view), self._settings
        n = len(view.symbols)
        equity = max(view.equity, 1)
        tradable = view.tradable & (view.last > 0)
        held = {s: float(q * p / equity) for s, q, p in zip(view.symbols, view.held, view.last, strict=True) if q}
        # A view says 0 where a model has no opinion.
        scores = np.where(view.scores != 0.0, view.scores.astype(np.float64), np.nan)
        known = covariance.of_panel(view.daily, own.covariance) if len(view.daily) else None
        matrix = known.scaled(own.horizon_sessions) if known else np.full((n, n), np.nan)
        opinion = expected(scores, np.sqrt(np.diag(matrix)), own.information_coefficient)
        buy, sell = costs.rates(rules, view.symbols, self._instruments, view.last, own.costs)
        deviation = np.sqrt(np.diag(known.matrix)) if known else np.full(n, np.nan)
        push = costs.impact(deviation, _depth(view.daily, n), equity, own.costs)
        return Request.of(
            view.day,
            held=held,
            wanted={view.symbols[k]: float(opinion[k]) for k in self._wanted(view, scores, tradable, held)},
            symbols=view.symbols,
            covariance=matrix,
            limits=own.limits,
            tradable=frozenset(s for s, free in zip(view.symbols, tradable, strict=True) if free),
            sectors={s: i.sector for s, i in self._instruments.items()},
            buy_cost=dict(zip(view.symbols, buy.tolist(), strict=True)),
            sell_cost=dict(zip(view.symbols, sell.tolist(), strict=True)),
            impact=dict(zip(view.symbols, push.tolist(), strict=True)),
            risk_aversion=own.risk_aversion,
        )

    def allocation(self, view: View) -> Allocation:
        """Return the weights and, where the fallback answers, the reason."""
        return self._allocate(view, self.request(view))

    def propose(self, view: View) -> Proposal:
        """Return target weights of the symbols to be traded, each of whole shares."""
        request = self.request(view)
        account = Account(
            shares=dict(zip(view.symbols, view.held.tolist(), strict=True)),
            last=dict(zip(view.symbols, view.last.tolist(), strict=True)),
            cash=view.cash,
            equity=view.equity,
            instruments=self._instruments,
        )
        answer = self._allocate(view, request)
        rules = self._rules(view)
        return order_proposal(answer, request, account, rules, at=view.at, policy_id=self._policy_id).proposal

    def _rules(self, view: View) -> Rulebook:
        return Rulebook.on(view.day).with_fees(self._fees)

    def _allocate(self, view: View, request: Request) -> Allocation:
        if not np.isfinite(request.covariance).all():
            found = f"{len(view.daily)} closed sessions"
            return fall_back(request, self._settings.method, Outcome.NO_HISTORY, found)
        return allocate(self._settings.method, request, self._optimiser)

    def _wanted(self, view: View, scores: np.ndarray, tradable: np.ndarray, held: Mapping[Symbol, float]) -> list[int]:
        if self._settings.candidates is Candidates.ALL:
            return [int(k) for k in np.flatnonzero(tradable)]
        scored = np.flatnonzero(np.isfinite(scores) & tradable)
        place = {view.symbols[int(k)]: int(k) for k in scored}
        ranked = sorted(place, key=lambda s: (-scores[place[s]], s))
        if self._settings.method is not Method.SCORE_COST:
            ranked = best_names(ranked, held, self._settings.names, self._settings.keep_rank)
        return [place[s] for s in ranked]


def _depth(daily: Panel, n: int) -> np.ndarray:
    """Return the median won traded a session of the last month, ``(n,)``, NaN without sessions."""
    if not len(daily):
        return np.full(n, np.nan)
    recent = slice(-_DEPTH_SESSIONS, None)
    return np.median(daily.close[recent].astype(np.float64) * daily.volume[recent], axis=0)
