"""Requests for the tests of the allocation: named ones, and any at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from hypothesis import strategies as st

from haetae.portfolio import Fallback, Limits, Request

DAY = dt.date(2026, 11, 20)


def codes(n: int) -> tuple[str, ...]:
    return tuple(f"{k:05d}0" for k in range(1, n + 1))


def returns(n: int, sessions: int = 400, seed: int = 0) -> np.ndarray:
    """Daily returns with a market, three industries and own noise of different size."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.008, (sessions, 1))
    industries = rng.normal(0, 0.006, (sessions, 3))[:, np.arange(n) % 3]
    return market + industries + rng.normal(0, 0.012, (sessions, n)) * rng.uniform(0.5, 2.0, n)


def covariance(n: int, seed: int = 0) -> np.ndarray:
    return np.cov(returns(n, seed=seed), rowvar=False).reshape(n, n) * 10.0


def request(n: int = 12, **changes: Any) -> Request:
    """A plain request: everything wanted and tradable, nothing held, costs of the market."""
    names = codes(n)
    given: dict[str, Any] = {
        "held": {},
        "wanted": {s: 0.01 * np.sin(k) for k, s in enumerate(names)},
        "symbols": names,
        "covariance": covariance(n),
        "limits": Limits(max_weight=0.3, cash_floor=0.02, turnover_cap=2.0, band=0.0),
        "sectors": {s: "abc"[k % 3] for k, s in enumerate(names)},
        "sector_caps": {"a": 1.0, "b": 1.0, "c": 1.0},
        "buy_cost": dict.fromkeys(names, 0.0005),
        "sell_cost": dict.fromkeys(names, 0.0025),
    }
    return Request.of(DAY, **(given | changes))


limits_st = st.builds(
    Limits,
    max_weight=st.floats(0.01, 1.0),
    sector_cap=st.floats(0.05, 1.0),
    cash_floor=st.floats(0.0, 0.3),
    invested_floor=st.sampled_from([0.0, 0.0, 0.0, 0.2, 0.6]),
    turnover_cap=st.floats(0.0, 2.0),
    band=st.floats(0.0, 0.05),
    fallback=st.sampled_from(Fallback),
)


@st.composite
def requests_st(draw: st.DrawFn) -> Request:
    """Any request whose numbers can be read: holdings over limits, halted names, missing opinions."""
    n = draw(st.integers(1, 14))
    names = codes(n)
    some = st.lists(st.sampled_from(names), unique=True)
    owned = draw(some)
    parts = [draw(st.floats(0.001, 1.0)) for _ in owned]
    invested = draw(st.floats(0.0, 1.0))
    wanted = {s: draw(st.floats(-0.05, 0.05) | st.just(float("nan"))) for s in draw(some | st.just(list(names)))}
    halted = set(draw(some)) if draw(st.booleans()) else set()
    cost = draw(st.sampled_from([0.0, 0.0005, 0.01]))
    names_cost = dict.fromkeys(names, cost)
    return Request.of(
        DAY,
        held={s: invested * p / sum(parts) for s, p in zip(owned, parts, strict=True)},
        wanted=wanted,
        symbols=names,
        covariance=covariance(n, seed=draw(st.integers(0, 5))),
        limits=draw(limits_st),
        tradable=frozenset(names) - halted,
        sectors={s: draw(st.sampled_from(["", "a", "b", "c"])) for s in names},
        buy_cost=names_cost,
        sell_cost={s: c * 3 for s, c in names_cost.items()},
        impact=dict.fromkeys(names, draw(st.sampled_from([0.0, 0.0, 0.05]))),
        risk_aversion=draw(st.floats(0.5, 100.0)),
    )
