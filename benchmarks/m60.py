"""M60: 50 symbols, 60 sessions of minute bars, SMA(20)/SMA(60) cross, 2 % of equity per entry.

Ours trades with every rule of the KRX (tick grid, daily limits, one bar of latency, one tick of
slippage, a tenth of the volume with partial fills, orders that end with the day, floored fee and
tax, reserved cash, fill log). The peer is vectorbt (bench dependency group) on its faster engine,
with fee, sale tax and whole shares but without the other rules: it fills at the close of the signal
bar, and its signal simulation sizes by free cash where ours sizes by equity. So the counts of orders
are close, the final equities are not meant to be: slippage alone is a tick of 100 won each way.
Both compute their own signals inside the timed call, ours also prepares limits and tables there.
They run in turns on one thread; the figure is CPU time, the median of the runs.

    PYTHONPATH=src python benchmarks/m60.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for _pool in (
    "OMP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
):
    os.environ.setdefault(_pool, "1")

import numpy as np
from numba import njit

from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.sim import FillModel, batch

SYMBOLS = 50
SESSIONS = 60
FAST, SLOW = 20, 60
CASH = 1_000_000_000
FRACTION_PPM = 20_000
FEE_PPB = 140_527
TAX_PPB = 2_000_000
REPEATS = 9
GATE = 15.0


def make_panel(seed: int = 60) -> Panel:
    """Return a seeded random walk on the tick grid: 60 regular sessions of 381 bars."""
    rng = np.random.default_rng(seed)
    days = trading_days(dt.date(2026, 1, 5), dt.date(2026, 6, 30))[:SESSIONS]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    start = np.concatenate([starts for starts, _ in edges])
    end = np.concatenate([ends for _, ends in edges])
    stamp = np.concatenate(
        [np.full(len(starts), yyyymmdd(day), np.int32) for day, (starts, _) in zip(days, edges, strict=True)]
    )
    shape = (len(start), SYMBOLS)
    level = np.exp(np.cumsum(rng.normal(0.0, 0.0008, shape), axis=0))
    raw = level * np.exp(rng.normal(10.6, 0.5, SYMBOLS))
    rounded = np.round(raw / 100).astype(np.int64) * 100
    close = np.maximum(rounded, 1_000)
    opened = np.vstack([close[:1], close[:-1]])
    spread = rng.integers(0, 2, shape) * 100
    high = np.maximum(opened, close) + spread
    low = np.maximum(np.minimum(opened, close) - spread, 100)
    volume = rng.integers(200, 20_000, shape)
    symbols = tuple(f"{index:05d}0" for index in range(SYMBOLS))
    return Panel(symbols, stamp, start, end, opened, high, low, close, volume, np.ones(shape, dtype=np.bool_))


@njit(cache=True, error_model="numpy")
def sma_cross(close: np.ndarray, fast: int, slow: int) -> np.ndarray:
    """Return +1 where the fast mean crosses above the slow one, -1 where below, exactly on integers."""
    n_bars, n_symbols = close.shape
    signal = np.zeros((n_bars, n_symbols), dtype=np.int8)
    short = np.zeros(n_symbols, dtype=np.int64)
    long = np.zeros(n_symbols, dtype=np.int64)
    before = np.zeros(n_symbols, dtype=np.int64)
    for bar in range(n_bars):
        if bar >= slow:
            for s in range(n_symbols):
                short[s] += close[bar, s] - close[bar - fast, s]
                long[s] += close[bar, s] - close[bar - slow, s]
                gap = short[s] * slow - long[s] * fast
                signal[bar, s] = (gap > 0) * (before[s] <= 0) - (gap < 0) * (before[s] >= 0)
                before[s] = gap
        else:
            for s in range(n_symbols):
                long[s] += close[bar, s]
                short[s] += close[bar, s] - (close[bar - fast, s] if bar >= fast else 0)
                before[s] = short[s] * slow - long[s] * fast
    return signal


def run_ours(panel: Panel) -> tuple[float, float, batch.BatchResult]:
    """Return CPU seconds of all and of preparing the rules, and the result."""
    began = process_time()
    market = batch.prepare(panel)
    prepared = process_time()
    signal = sma_cross(panel.close, FAST, SLOW)
    result = batch.run_signals(market, signal, FRACTION_PPM, CASH, FillModel())
    return process_time() - began, prepared - began, result


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


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    panel = make_panel()
    bars = panel.close.size
    run_ours(panel)
    ours: list[tuple[float, float]] = []
    peers: dict[str, list[float]] = {}
    peer_orders, peer_equity, version = 0, float("nan"), "absent"
    engines: list[str] = []
    if importlib.util.find_spec("vectorbt"):
        import pandas as pd
        import vectorbt as vbt

        version = vbt.__version__
        close = pd.DataFrame(panel.close.astype(np.float64), columns=list(panel.symbols))
        engines = ["numba"] + (["rust"] if importlib.util.find_spec("vectorbt_rust") else [])
        for engine in engines:
            run_peer(vbt, close, engine)
    for _ in range(REPEATS):
        total, prepared, result = run_ours(panel)
        ours.append((total, prepared))
        for engine in engines:
            seconds, peer_orders, peer_equity = run_peer(vbt, close, engine)
            peers.setdefault(engine, []).append(seconds)
    ours_s = median(total for total, _ in ours)
    engine_s = {engine: median(times) for engine, times in peers.items()}
    peer_s = min(engine_s.values(), default=None)
    figures: dict[str, Any] = {
        "workload": "M60",
        "bars": bars,
        "ours_s": ours_s,
        "ours_prepare_s": median(prepared for _, prepared in ours),
        "ours_bars_per_s": bars / ours_s,
        "ours_orders": result.n_orders,
        "ours_rejected": result.n_rejected,
        "ours_fills": len(result.fills),
        "ours_final_equity_won": int(result.equity[-1]),
        "ours_fees_won": result.fees,
        "ours_taxes_won": result.taxes,
        "peer": f"vectorbt {version}",
        "peer_s": peer_s,
        "peer_engines_s": engine_s,
        "peer_orders": peer_orders,
        "peer_final_equity_won": peer_equity,
        "ratio": peer_s / ours_s if peer_s is not None else None,
        "gate": GATE,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
