"""Entries and exits of many symbols on one account, in one compiled walk.

Here: ``run_signals`` for signal research and sweeps. Not here: the loop (`kernels`), policies with
target weights (``backtest``). Money is int64 won.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.domain.units import Won
from haetae.sim.batch import kernels
from haetae.sim.batch.engine import as_fills, lengthened, open_accounts, terms_of
from haetae.sim.batch.kernels import LOG_WIDTH, Int8Array, frozen
from haetae.sim.batch.market import BatchMarket
from haetae.sim.settings import FillModel


@dataclass(frozen=True, slots=True, eq=False)
class BatchResult:
    """What a walk left.

    Attributes
    ----------
    equity : (n_bars,) int64, won
        Cash plus shares at the close of each bar, after its fills.
    fills : structured array of ``engine.FILL``
    cash, fees, taxes : won
    shares : (n_symbols,) int64
    n_orders, n_rejected : int
        Orders the broker took, and those it refused.
    """

    equity: Int64Array
    fills: NDArray[np.void]
    cash: Won
    shares: Int64Array
    fees: Won
    taxes: Won
    n_orders: int
    n_rejected: int


def run_signals(
    market: BatchMarket, signal: Int8Array, fraction_ppm: int, cash: Won, model: FillModel | None = None
) -> BatchResult:
    """Return the result of trading signals with market orders on one account.

    A signal of bar ``t`` is known at its close and becomes an order that meets bar ``t + 1`` first.
    +1 buys for ``fraction_ppm`` of equity where nothing is held or being bought; -1 sells all and
    withdraws a waiting buy; other values do nothing. Orders end with the session.

    Parameters
    ----------
    signal : (n_bars, n_symbols) int8
    fraction_ppm : parts per million of equity per entry
    cash : won at the start
    """
    shape = market.panel.close.shape
    if signal.shape != shape:
        raise ValueError(f"signal has shape {signal.shape}, expected {shape}")
    accounts = open_accounts(1, shape[1], cash)
    equity = np.empty((shape[0], 1), dtype=np.int64)
    terms = terms_of(market, model if model is not None else FillModel())
    wishes = frozen(signal, np.int8)
    log = np.empty((1_024 + shape[1], LOG_WIDTH), dtype=np.int64)
    bar = count = orders = refused = 0
    while bar < shape[0]:
        bar, count, taken, turned_away = kernels.walk(
            market.frame, accounts, terms, bar, shape[0], wishes, fraction_ppm, equity, log, count
        )
        orders, refused = orders + taken, refused + turned_away
        if bar < shape[0]:
            log = lengthened(log, count, shape[1])
    return BatchResult(
        equity=equity[:, 0],
        fills=as_fills(log[:count]),
        cash=int(accounts.money[0, kernels.CASH]),
        shares=accounts.shares[0],
        fees=int(accounts.money[0, kernels.FEES]),
        taxes=int(accounts.money[0, kernels.TAXES]),
        n_orders=int(orders),
        n_rejected=int(refused),
    )
