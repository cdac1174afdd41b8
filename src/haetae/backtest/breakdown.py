"""Where a result came from: by month, by year and by name.

Contributions of names are exact: they add up to the change of the account to the won, because every
won that moves is a purchase, a sale, a fee, a tax or a mark. Returns of periods compound to the whole.
Not here: figures of the whole run (``metrics``), closed trips one by one (``trips``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from haetae.backtest.drawdowns import drawdown, equity_path
from haetae.backtest.result import Result
from haetae.backtest.sharpe import sharpe_with_error
from haetae.backtest.trips import round_trips
from haetae.domain.market import Int64Array
from haetae.domain.units import Symbol, Won


@dataclass(frozen=True, slots=True)
class Period:
    """A month (yyyymm) or a year (yyyy) of a run.

    ``benchmark`` is NaN where the benchmark lacks a session of the period. ``turnover`` is one-sided,
    over mean equity, not annualised. ``max_drawdown`` counts from the equity the period began with.
    """

    period: int
    sessions: int
    total_return: float
    benchmark: float
    sharpe: float
    max_drawdown: float
    turnover: float
    fees: Won
    taxes: Won


@dataclass(frozen=True, slots=True)
class NameShare:
    """What one name did to the account.

    ``contribution`` is sales and the mark of what is still held, less purchases, fees and taxes;
    ``share`` the same over the starting cash. ``hit_rate`` is of closed trips, NaN without any.
    """

    symbol: Symbol
    contribution: Won
    share: float
    fills: int
    bought: Won
    sold: Won
    fees: Won
    taxes: Won
    held: int
    trips: int
    hit_rate: float


def by_period(result: Result, benchmark: Result | None, *, yearly: bool) -> tuple[Period, ...]:
    """Return months or years of a run beside a benchmark, in order."""
    keys = result.daily_days() // (10_000 if yearly else 100)
    edges = np.append(np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1)), len(keys))
    path = equity_path(result)
    returns = result.daily_returns()
    rows = result.session_rows()
    columns = [np.concatenate([[0], c[rows]]) for c in (result.fees, result.taxes, result.bought + result.sold)]
    theirs = _aligned(result, benchmark)
    found = []
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        fees, taxes, traded = (int(column[last] - column[first]) for column in columns)
        mean_equity = float(path[first + 1 : last + 1].mean())
        found.append(
            Period(
                period=int(keys[first]),
                sessions=last - first,
                total_return=float(path[last] / path[first] - 1.0),
                benchmark=float(np.prod(1.0 + theirs[first:last]) - 1.0),
                sharpe=sharpe_with_error(returns[first:last])[0],
                max_drawdown=float(drawdown(path[first : last + 1]).min()),
                turnover=traded / 2 / mean_equity if mean_equity > 0 else math.nan,
                fees=fees,
                taxes=taxes,
            )
        )
    return tuple(found)


def _aligned(result: Result, benchmark: Result | None) -> np.ndarray:
    """Return the benchmark's returns on the run's sessions, NaN where it has none."""
    aligned = np.full(len(result.daily_days()), np.nan)
    if benchmark is not None:
        _, mine, theirs = np.intersect1d(result.daily_days(), benchmark.daily_days(), return_indices=True)
        aligned[mine] = benchmark.daily_returns()[theirs]
    return aligned


def by_name(result: Result) -> tuple[NameShare, ...]:
    """Return every name that traded, the largest contribution first; none where no fills were kept."""
    fills, count = result.fills, len(result.symbols)
    if not len(fills) or len(result.marks) != count:
        return ()
    column = fills["symbol"]
    amounts = fills["quantity"] * fills["price"]

    def total(values: Int64Array) -> Int64Array:
        totals = np.zeros(count, np.int64)
        np.add.at(totals, column, values)
        return totals

    bought, sold = total(np.maximum(amounts, 0)), total(np.maximum(-amounts, 0))
    fees, taxes = total(fills["fee"]), total(fills["tax"])
    contribution = sold - bought - fees - taxes + result.shares * result.marks
    times = np.bincount(column, minlength=count)
    trips = round_trips(result)
    closed = np.bincount(trips["symbol"], minlength=count)
    won = np.bincount(trips["symbol"][trips["profit"] > 0], minlength=count)
    order = sorted(np.flatnonzero(times).tolist(), key=lambda s: (-contribution[s], result.symbols[s]))
    return tuple(
        NameShare(
            symbol=result.symbols[s],
            contribution=int(contribution[s]),
            share=int(contribution[s]) / result.initial_cash,
            fills=int(times[s]),
            bought=int(bought[s]),
            sold=int(sold[s]),
            fees=int(fees[s]),
            taxes=int(taxes[s]),
            held=int(result.shares[s]),
            trips=int(closed[s]),
            hit_rate=int(won[s]) / int(closed[s]) if closed[s] else math.nan,
        )
        for s in order
    )
