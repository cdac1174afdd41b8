"""Statistics of a simulated run, each with its uncertainty where one can be given.

Ratios are per year of 252 sessions unless a name says otherwise; the risk-free rate is taken as 0.
Undefined figures (no variance, no trades) are NaN and become null in JSON. Here: figures of one path,
alone and beside a benchmark. Not here: errors and luck of Sharpe ratios (``sharpe``, ``trials``), falls
one by one (``drawdowns``), months and names (``breakdown``).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from haetae.backtest.drawdowns import calmar, drawdown, equity_path, longest_below
from haetae.backtest.result import Result
from haetae.backtest.sharpe import SESSIONS_PER_YEAR, sharpe_with_error

SHORTEST_YEARLY = 60
"""Below so many sessions a compound yearly return says nothing and is NaN."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one run; ratios unless a unit is named.

    ``sortino`` divides by the root of the mean square of losses over all sessions, ``calmar`` is CAGR
    over the deepest fall. ``max_drawdown`` is negative, ``drawdown_sessions`` the longest stay below a
    former peak. ``hit_rate`` is of the sessions in which equity changed. ``turnover`` is one-sided per
    year: (bought + sold) / 2 / mean equity / years. ``exposure`` is the mean share of equity that was
    not cash. ``cost_drag`` is fees and taxes over mean equity, per year.
    """

    sessions: int
    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    sharpe_se: float
    sortino: float
    calmar: float
    max_drawdown: float
    drawdown_sessions: int
    hit_rate: float
    best_day: float
    worst_day: float
    turnover: float
    exposure: float
    fees_won: int
    taxes_won: int
    cost_drag: float
    orders: int
    fill_rate: float

    def as_json(self) -> dict[str, float | int | None]:
        """Return the figures as JSON values, NaN as null."""
        plain = asdict(self)
        return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in plain.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside a benchmark over the sessions both have.

    ``t_excess`` is the mean daily excess return over its standard error; between -2 and 2 the
    difference cannot be told from luck.
    """

    excess_return: float
    excess_cagr: float
    tracking_error: float
    information_ratio: float
    t_excess: float
    beta: float


def _yearly(growth: float, sessions: int) -> float:
    if sessions < SHORTEST_YEARLY:
        return math.nan
    return max(growth, 0.0) ** (SESSIONS_PER_YEAR / sessions) - 1.0


def measure(result: Result) -> Metrics:
    """Return the figures of a run; raises ``ValueError`` on an empty one."""
    if not len(result.days):
        raise ValueError("cannot measure a run without bars")
    returns = result.daily_returns()
    path = equity_path(result)
    under = drawdown(path)
    years = len(returns) / SESSIONS_PER_YEAR
    growth = path[-1] / path[0]
    yearly = _yearly(float(growth), len(returns))
    sharpe, error = sharpe_with_error(returns)
    downside = math.sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    moved = returns[returns != 0.0]
    mean_equity = float(result.equity.mean())
    traded = int(result.bought[-1]) + int(result.sold[-1])
    costs = int(result.fees[-1]) + int(result.taxes[-1])
    held = 1.0 - result.cash / np.maximum(result.equity, 1)
    return Metrics(
        sessions=len(returns),
        total_return=float(growth - 1.0),
        cagr=yearly,
        volatility=float(returns.std(ddof=1)) * math.sqrt(SESSIONS_PER_YEAR) if len(returns) > 1 else math.nan,
        sharpe=sharpe,
        sharpe_se=error,
        sortino=float(returns.mean()) / downside * math.sqrt(SESSIONS_PER_YEAR) if downside > 0 else math.nan,
        calmar=calmar(yearly, float(under.min())),
        max_drawdown=float(under.min()),
        drawdown_sessions=longest_below(under),
        hit_rate=float((moved > 0).mean()) if len(moved) else math.nan,
        best_day=float(returns.max()),
        worst_day=float(returns.min()),
        turnover=traded / 2 / mean_equity / years if mean_equity > 0 else math.nan,
        exposure=float(held.mean()),
        fees_won=int(result.fees[-1]),
        taxes_won=int(result.taxes[-1]),
        cost_drag=costs / mean_equity / years if mean_equity > 0 else math.nan,
        orders=result.orders,
        fill_rate=result.filled / result.ordered if result.ordered else math.nan,
    )


def compare(result: Result, benchmark: Result) -> Comparison:
    """Return a run beside a benchmark; only sessions present in both count.

    Raises ``ValueError`` when fewer than two sessions are shared.
    """
    common, mine, theirs = np.intersect1d(result.daily_days(), benchmark.daily_days(), return_indices=True)
    if len(common) < 2:
        raise ValueError(f"{result.name} and {benchmark.name} share {len(common)} sessions, at least 2 are needed")
    a, b = result.daily_returns()[mine], benchmark.daily_returns()[theirs]
    excess = a - b
    total_a, total_b = float(np.prod(1.0 + a)), float(np.prod(1.0 + b))
    spread = float(excess.std(ddof=1))
    variance = float(b.var(ddof=1))
    annual = math.sqrt(SESSIONS_PER_YEAR)
    return Comparison(
        excess_return=total_a - total_b,
        excess_cagr=_yearly(total_a, len(common)) - _yearly(total_b, len(common)),
        tracking_error=spread * annual,
        information_ratio=float(excess.mean()) / spread * annual if spread > 0 else math.nan,
        t_excess=float(excess.mean()) / (spread / math.sqrt(len(excess))) if spread > 0 else math.nan,
        beta=float(np.cov(a, b, ddof=1)[0, 1]) / variance if variance > 0 else math.nan,
    )


def monthly_returns(result: Result) -> dict[int, dict[int, float]]:
    """Return ``{year: {month: return}}``, each month compounded from its sessions."""
    table: dict[int, dict[int, float]] = {}
    for day, value in zip(result.daily_days().tolist(), result.daily_returns().tolist(), strict=True):
        year, month = day // 10_000, day // 100 % 100
        row = table.setdefault(year, {})
        row[month] = (1.0 + row.get(month, 0.0)) * (1.0 + value) - 1.0
    return table
