"""Both sides of M60 and M250, each from bars to final equity; CPU seconds of the call.

Ours trades with every rule of the KRX (tick grid, daily limits, one bar of latency, one tick of slippage, a tenth of
the volume with partial fills, orders that end with the day, floored fee and tax, reserved cash, fill log). The peer is
vectorbt with fee, sale tax and whole shares but without the other rules: it fills at the close of the signal bar and
sizes by free cash where ours sizes by equity. So the counts of orders are close, the final equities are not meant to
be: slippage alone is a tick of 100 won each way.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np

from haetae.domain.panel import Panel
from haetae.sim import FillModel, batch
from minutes.recipe import CASH, FAST, FEE_PPB, FRACTION_PPM, SLOW, TAX_PPB, signal_of


@dataclass(frozen=True)
class Ours:
    """CPU seconds of each part, and what came of it."""

    prepare_s: float
    signal_s: float
    walk_s: float
    result: batch.BatchResult

    @property
    def total_s(self) -> float:
        """All three parts."""
        return self.prepare_s + self.signal_s + self.walk_s


def run_ours(panel: Panel) -> Ours:
    """Prepare the market, make the signal, walk."""
    began = process_time()
    market = batch.prepare(panel)
    prepared = process_time()
    signal = signal_of(panel)
    signalled = process_time()
    result = batch.run_signals(market, signal, FRACTION_PPM, CASH, FillModel())
    return Ours(prepared - began, signalled - prepared, process_time() - signalled, result)


def run_peer(vbt: Any, close: Any, engine: str) -> tuple[float, int, float]:
    """Return CPU seconds, the number of orders and the final equity of vectorbt."""
    began = process_time()
    fast, slow = vbt.MA.run(close, FAST, engine=engine), vbt.MA.run(close, SLOW, engine=engine)
    entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
    entries.columns = exits.columns = close.columns
    fees = np.where(exits.to_numpy(), (FEE_PPB + TAX_PPB) / 1e9, FEE_PPB / 1e9)
    portfolio = vbt.Portfolio.from_signals(
        close, entries, exits, size=FRACTION_PPM / 1e6, size_type="percent", size_granularity=1.0, fees=fees,
        init_cash=CASH, cash_sharing=True, group_by=True, freq="1min", engine=engine,
    )  # fmt: skip
    equity = float(portfolio.value().iloc[-1])
    return process_time() - began, int(portfolio.orders.count()), equity
