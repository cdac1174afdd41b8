"""What a simulated run leaves behind, as arrays and as JSON figures.

Here: ``Result`` and its daily form. Not here: statistics of it (``metrics``), pictures (``report``).
Row arrays have one value per bar of the panel and are known at the bar's end; money is in won.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.domain.units import Shares, Symbol, Won

FILLS = np.dtype([(name, np.int64) for name in ("row", "symbol", "quantity", "price", "fee", "tax", "volume")])
"""One fill of a run: ``row`` of the result, ``symbol`` as a column of ``Result.symbols``, ``quantity``
in signed shares (buys positive), ``price``, ``fee`` and ``tax`` in won, ``volume`` the whole bar's shares."""

INDEX = "index"
"""Stands among the assumptions of what is an index and no account."""
_STALE_SESSIONS = 5
"""A held name without a trade in this many last sessions may not be saleable at its mark."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One account's path through a panel.

    Attributes
    ----------
    days : (n_bars,) int32
        Trading day of each bar as yyyymmdd.
    equity, cash : (n_bars,) int64, won
        At the close of each bar.
    fees, taxes, bought, sold : (n_bars,) int64, won
        Cumulative since the start.
    shares : (n_symbols,) int64
        Held after the last bar.
    stale_value : won
        Part of the last equity in names that no longer trade (delisted or halted); it may be worth less.
    orders : int
        Orders sent. ``ordered`` and ``filled`` are their shares.
    assumptions : mapping
        What the simulation assumed (fill model, costs, settings), as text for the report.
    bound : bool
        The run knows the future: it bounds what could be earned and is no benchmark to beat.
    fills : (n_fills,) ``FILLS``
        Every fill in the order it happened; empty where the driver kept none.
    marks : (n_symbols,) int64, won
        What the shares held at the end are valued at; empty where the driver kept none.
    """

    name: str
    symbols: tuple[Symbol, ...]
    days: NDArray[np.int32]
    initial_cash: Won
    equity: Int64Array
    cash: Int64Array
    fees: Int64Array
    taxes: Int64Array
    bought: Int64Array
    sold: Int64Array
    shares: Int64Array
    stale_value: Won
    orders: int
    ordered: Shares
    filled: Shares
    assumptions: Mapping[str, str] = field(default_factory=dict)
    bound: bool = False
    fills: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, FILLS))
    marks: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        """Make the arrays read-only and check that they belong together."""
        for column in (self.equity, self.cash, self.fees, self.taxes, self.bought, self.sold):
            if column.shape != self.days.shape:
                raise ValueError(f"result column has shape {column.shape}, expected {self.days.shape}")
            column.flags.writeable = False
        if self.fills.dtype != FILLS:
            raise ValueError(f"fills have fields {self.fills.dtype.names}, expected {FILLS.names}")

    def session_rows(self) -> Int64Array:
        """Return the last row of each session, ascending."""
        if not len(self.days):
            return np.zeros(0, np.int64)
        return np.append(np.flatnonzero(np.diff(self.days)), len(self.days) - 1).astype(np.int64)

    def daily_days(self) -> NDArray[np.int32]:
        """Return the sessions as yyyymmdd."""
        return self.days[self.session_rows()]

    def daily_equity(self) -> Int64Array:
        """Return equity at each session's last bar, in won."""
        return self.equity[self.session_rows()]

    def daily_returns(self) -> NDArray[np.float64]:
        """Return simple returns per session; the first one counts from the initial cash."""
        path = np.concatenate([[self.initial_cash], self.daily_equity()]).astype(np.float64)
        return path[1:] / path[:-1] - 1.0


def index_result(name: str, days: NDArray[np.int32], close: NDArray[np.float64], initial_cash: Won) -> Result:
    """Return a price index as a result without trades, so that it stands beside the strategies.

    An index pays no costs and cannot be bought as such; the report says so.

    Parameters
    ----------
    days : (n_sessions,) int32
    close : (n_sessions,) float64, index points; the first value is worth the initial cash
    """
    equity = np.floor(initial_cash * (np.asarray(close, np.float64) / close[0])).astype(np.int64)
    none = np.zeros(len(days), np.int64)
    return Result(
        name=name,
        symbols=(),
        days=np.asarray(days, np.int32),
        initial_cash=initial_cash,
        equity=equity,
        cash=none.copy(),
        fees=none.copy(),
        taxes=none.copy(),
        bought=none.copy(),
        sold=none.copy(),
        shares=np.zeros(0, np.int64),
        stale_value=0,
        orders=0,
        ordered=0,
        filled=0,
        assumptions={INDEX: "no costs, not investable as such"},
    )


def stale_value(close: Int64Array, traded: NDArray[np.bool_], days: NDArray[np.int32], shares: Int64Array) -> Won:
    """Return the marked value of held names without a trade in the last five sessions of the panel."""
    sessions = np.unique(days)
    recent = days >= sessions[max(0, len(sessions) - _STALE_SESSIONS)]
    asleep = ~traded[recent].any(axis=0)
    return int((shares * close[-1])[asleep].sum())
