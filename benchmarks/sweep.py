"""Sweep: 100 pairs of means over M60 (50 symbols, 60 sessions of minutes; see ``minutes/recipe.py``), on one core.

Ours is the product's own sweep: a grid search, every rule of the KRX, each point's figures and daily returns kept in a
folder on the disk as it finishes, every point written into the book of trials. The peer is vectorbt in both of its
documented forms (a loop of portfolios with shared cash; parameters as columns, ten pairs at a time), each on both of
its engines; the four are compared on ten pairs, and the fastest of them runs all hundred. It fills at the close of the
signal bar, with fee and sale tax and whole shares, without the other rules. Each side computes its signals and total
returns inside the timed call. The figure is CPU seconds on one thread, the median of the rounds.

    PYTHONPATH=src python benchmarks/sweep.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
_POOLS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
os.environ.update({pool: os.environ.get(pool, "1") for pool in _POOLS})

import numpy as np
from minutes.recipe import CASH, FEE_PPB, FRACTION_PPM, TAX_PPB, make_panel

from haetae.backtest import BacktestSettings, Ground, Listing
from haetae.backtest.sweep.executors import Here
from haetae.backtest.sweep.spelling import read_space
from haetae.domain.panel import Panel
from haetae.policies.library import SmaCross
from haetae.registry.trials import TrialBook
from haetae.wiring.grounds import Stretch
from haetae.wiring.sweeps import Explored, Plan, SearchKind, explore, plan_of, sweep_work

FASTS, SLOWS = range(5, 55, 5), range(60, 260, 20)
PAIRS = list(product(FASTS, SLOWS))
AT_ONCE = 10
ROUNDS = 3
SESSIONS = 60
GATE = 15.0

Pair = tuple[int, int]


def stretch_of(panel: Panel) -> Stretch:
    """Return a panel as a stretch in which everything may be bought."""
    ground = Ground(panel, 0, Listing(), np.ones(panel.close.shape, np.bool_))
    return Stretch(ground, "m60", survivorship="", index=None, adjusted=False)


def grid_plan(fasts: Sequence[int] = FASTS, slows: Sequence[int] = SLOWS) -> Plan:
    """Return the plan of a grid of means."""
    axes = [f"{name}={','.join(map(str, values))}" for name, values in (("fast", fasts), ("slow", slows))]
    settings = BacktestSettings(cash=CASH)
    return plan_of("sma_cross", read_space(SmaCross, axes, {}), SearchKind.GRID, settings=settings)


def run_ours(panel: Panel) -> tuple[float, Explored]:
    """Return CPU seconds of a whole sweep into a new folder, and its points."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = process_time()
        plan, stretch = grid_plan(), stretch_of(panel)
        work = sweep_work(plan, stretch)
        book = TrialBook(folder / "trials.jsonl")
        found = explore(plan, stretch, folder / "sweep", work=work, executor=Here(), book=book)
        return process_time() - began, found


def loop(vbt: Any, close: Any, pairs: Sequence[Pair], engine: str) -> list[float]:
    """Return total returns of a portfolio after another."""
    found = []
    for fast_window, slow_window in pairs:
        fast, slow = vbt.MA.run(close, fast_window, engine=engine), vbt.MA.run(close, slow_window, engine=engine)
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        entries.columns = exits.columns = close.columns
        fees = np.where(exits.to_numpy(), (FEE_PPB + TAX_PPB) / 1e9, FEE_PPB / 1e9)
        portfolio = vbt.Portfolio.from_signals(
            close, entries, exits, size=FRACTION_PPM / 1e6, size_type="percent", size_granularity=1.0, fees=fees,
            init_cash=CASH, cash_sharing=True, group_by=True, freq="1min", engine=engine,
        )  # fmt: skip
        found.append(float(portfolio.total_return()))
    return found


def columns(vbt: Any, close: Any, pairs: Sequence[Pair], engine: str) -> list[float]:
    """Return total returns of ten portfolios at a time: a column for every pair and symbol."""
    found: list[float] = []
    for at in range(0, len(pairs), AT_ONCE):
        some = pairs[at : at + AT_ONCE]
        fast = vbt.MA.run(close, [pair[0] for pair in some], short_name="fast", engine=engine)
        slow = vbt.MA.run(close, [pair[1] for pair in some], short_name="slow", engine=engine)
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        fees = np.where(exits.to_numpy(), (FEE_PPB + TAX_PPB) / 1e9, FEE_PPB / 1e9)
        portfolio = vbt.Portfolio.from_signals(
            close, entries, exits, size=FRACTION_PPM / 1e6, size_type="percent", size_granularity=1.0, fees=fees,
            init_cash=CASH, cash_sharing=True, group_by=np.repeat(np.arange(len(some)), close.shape[1]), freq="1min",
            engine=engine,
        )  # fmt: skip
        found += [float(value) for value in portfolio.total_return()]
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU seconds and what the work returned."""
    began = process_time()
    found = work()
    return process_time() - began, found


def fastest_peer(vbt: Any, close: Any) -> tuple[str, Callable[[], list[float]], dict[str, float]]:
    """Return the fastest of the peer's forms, warm, as work over all pairs; and seconds of each over ten."""
    engines = ["numba"] + (["rust"] if importlib.util.find_spec("vectorbt_rust") else [])
    forms = {f"{form.__name__}, {engine}": (form, engine) for form in (loop, columns) for engine in engines}
    few = PAIRS[:: len(PAIRS) // AT_ONCE]
    seconds = {}
    for name, (form, engine) in forms.items():
        form(vbt, close, few[:2], engine)
        seconds[name], _ = timed(lambda form=form, engine=engine: form(vbt, close, few, engine))  # type: ignore[misc]
    name = min(seconds, key=lambda each: seconds[each])
    form, engine = forms[name]
    return name, lambda: form(vbt, close, PAIRS, engine), seconds


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    panel = make_panel(SESSIONS)
    run_ours(panel)
    peer, form, peer_work, tried = "absent", "", None, {}
    if importlib.util.find_spec("vectorbt"):
        import pandas as pd
        import vectorbt as vbt

        close = pd.DataFrame(panel.close.astype(np.float64), columns=list(panel.symbols))
        peer = f"vectorbt {vbt.__version__}"
        form, peer_work, tried = fastest_peer(vbt, close)
    ours, peers = [], []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        seconds, found = run_ours(panel)
        ours.append(seconds)
        if peer_work is not None:
            seconds, theirs = timed(peer_work)
            peers.append(seconds)
    returns = [float(each.figures["total_return"] or 0.0) for each in found.outcomes]
    ours_s, peer_s = median(ours), median(peers) if peers else None
    evaluations = panel.close.size * len(PAIRS)
    figures: dict[str, Any] = {
        "workload": "sweep of 100 on M60",
        "points": len(found.outcomes),
        "bar_evaluations": evaluations,
        "ours_s": ours_s,
        "ours_rounds_s": {str(place): seconds for place, seconds in enumerate(ours)},
        "ours_bar_evaluations_per_s": evaluations / ours_s,
        "ours_orders": sum(int(each.figures["orders"] or 0) for each in found.outcomes),
        "ours_mean_return": float(np.mean(returns)),
        "peer": peer,
        "peer_form": form,
        "peer_forms_ten_points_s": tried,
        "peer_s": peer_s,
        "peer_mean_return": float(np.mean(theirs)) if theirs else None,
        "rank_correlation_of_returns": _rank_correlation(returns, theirs) if theirs else None,
        "ratio": peer_s / ours_s if peer_s is not None else None,
        "gate": GATE,
        "gate_held": peer_s is not None and peer_s / ours_s >= GATE,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


def _rank_correlation(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return Spearman's: both sides should prefer the same pairs though their rules differ."""
    ranks = [np.argsort(np.argsort(side)) for side in (ours, theirs)]
    return float(np.corrcoef(*ranks)[0, 1])


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
