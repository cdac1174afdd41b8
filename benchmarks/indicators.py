"""indicators: RSI, MACD, Bollinger, ATR, Stochastic, OBV and session VWAP of 50 x 95,250 minute bars, beside TA-Lib.

The bars are those of ``minutes/recipe.py`` (250 sessions, 4,762,500 rows). Ours goes from the panel, whole numbers of
all symbols together, to twelve arrays of it in one fused pass. The peer is TA-Lib in a loop over the symbols, with
the session's VWAP by cumulative sums of numpy, which TA-Lib lacks; its input, a contiguous float64 column a symbol, is
made beforehand and not counted. Neither asks for new memory: ours writes over its last result, the peer's results of a
symbol are thrown away at once, so that the next symbol's take their place. ``kept_ratio`` is the same where both begin
with nothing and end with all results in memory. All results are compared to 1e-9 of their size; where they differ the
benchmark fails. In turns on one thread; CPU seconds, medians.

    PYTHONPATH=src python benchmarks/indicators.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from minutes.recipe import make_panel

from haetae.domain.panel import Panel
from haetae.features.indicators import Indicators, indicators

SESSIONS, REPEATS = 250, 7
GATE = 1.5
NAMES = tuple(field.name for field in fields(Indicators))
SIZES = dict.fromkeys(NAMES, 1e5) | {"rsi": 100.0, "stochastic_k": 100.0, "stochastic_d": 100.0, "obv": 0.0}
"""What a result is measured by: prices are some 1e5 won, oscillators up to 100, OBV is exact."""

Column = np.ndarray


def columns_of(panel: Panel) -> list[tuple[Column, Column, Column, Column]]:
    """Return high, low, close and volume of each symbol as the peer wants them."""
    blocks = (panel.high, panel.low, panel.close, panel.volume)
    return list(zip(*(np.ascontiguousarray(block.T, dtype=np.float64) for block in blocks), strict=True))


def session_vwap(high: Column, low: Column, close: Column, volume: Column, firsts: Column) -> Column:
    """Return the volume-weighted price of each session so far, by cumulative sums."""
    money, shares = np.cumsum((high + low + close) / 3.0 * volume), np.cumsum(volume)
    counts = np.diff(np.append(firsts, len(close)))
    before = firsts[1:] - 1
    return (money - np.repeat(np.append(0.0, money[before]), counts)) / (
        shares - np.repeat(np.append(0.0, shares[before]), counts)
    )


def peer_of(talib: Any, columns: tuple[Column, ...], firsts: Column) -> tuple[Column, ...]:
    """Return the twelve results of one symbol in the order of ``NAMES``."""
    high, low, close, volume = columns
    return (
        talib.RSI(close, 14),
        *talib.MACD(close, 12, 26, 9),
        *talib.BBANDS(close, 20, 2, 2),
        talib.ATR(high, low, close, 14),
        *talib.STOCH(high, low, close, 14, 3, 0, 3, 0),
        talib.OBV(close, volume),
        session_vwap(high, low, close, volume, firsts),
    )


def compare(ours: Indicators, theirs: list[tuple[Column, ...]]) -> float:
    """Return the largest difference as a share of a result's size; raises where it is more than 1e-9."""
    worst = 0.0
    for place, name in enumerate(NAMES):
        told = getattr(ours, name)
        for symbol, results in enumerate(theirs):
            mine, other = told[:, symbol], results[place]
            if (np.isnan(mine) != np.isnan(other)).any():
                raise AssertionError(f"{name} of symbol {symbol} does not begin where the peer's does")
            apart = np.nanmax(np.abs(mine - other) / np.maximum(np.maximum(np.abs(other), SIZES[name]), 1.0))
            worst = max(worst, float(apart))
    if worst > 1e-9:
        raise AssertionError(f"results differ by {worst:.1e} of their size")
    return worst


def timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one run, whose results are let go afterwards."""
    began = process_time()
    kept = work()
    spent = process_time() - began
    del kept
    return spent


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    import talib

    panel = make_panel(SESSIONS)
    columns = columns_of(panel)
    firsts = np.array([first for _, first, _ in panel.sessions()])

    def kept() -> Indicators:
        return indicators(panel)

    def peer_kept() -> list[tuple[Column, ...]]:
        return [peer_of(talib, one, firsts) for one in columns]

    held = kept()
    apart = compare(held, peer_kept())

    def ours() -> None:
        indicators(panel, into=held)

    def peer() -> None:
        for one in columns:
            peer_of(talib, one, firsts)

    seconds: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        for work in (ours, peer, kept, peer_kept):
            seconds.setdefault(work.__name__, []).append(timed(work))
    ours_s, peer_s, kept_s, peer_kept_s = (median(times) for times in seconds.values())
    figures: dict[str, Any] = {
        "workload": "indicators: RSI, MACD, Bollinger, ATR, Stochastic, OBV, session VWAP",
        "rows": panel.close.size,
        "ours_s": ours_s,
        "ours_least_s": min(seconds["ours"]),
        "ours_rows_per_s": panel.close.size / ours_s,
        "peer": f"TA-Lib {talib.__version__}, a loop over the symbols, VWAP by numpy",
        "peer_s": peer_s,
        "peer_least_s": min(seconds["peer"]),
        "ratio": peer_s / ours_s,
        "ratio_of_least": min(seconds["peer"]) / min(seconds["ours"]),
        "kept_s": kept_s,
        "peer_kept_s": peer_kept_s,
        "kept_ratio": peer_kept_s / kept_s,
        "largest_difference": apart,
        "gate": GATE,
        "passed": peer_s / ours_s >= GATE,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
