"""Scaling: time per bar over ten years beside one year; a sweep on two cores beside one; what a Ray cluster adds.

* linear: minutes of 20 symbols over 250 and 2,500 sessions with every rule of their days (taxes, ticks, sessions
  change in between), rules prepared, signals computed and traded inside the timed call. CPU seconds on one thread,
  medians of interleaved rounds, per bar and symbol. Gate: ten years cost at most 1.1 times one year.
* cores: 200 points on M60 (see ``minutes/recipe.py``), in this process and on two worker processes that are started
  and have opened the bars before; wall seconds, the better of the rounds, since neighbours take what they get.
  Beside it the CPU seconds of everybody: what they exceed those of one core by is the price of the executor.
  Gate: 1.8 times.
* ray: the same points on two nodes of a Ray cluster on this machine (loopback, one processor each), reported: seconds
  to start and to open, wall seconds of the points beside the two processes, seconds a point.

    PYTHONPATH=src python benchmarks/scaling.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
_POOLS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
os.environ.update({pool: os.environ.get(pool, "1") for pool in _POOLS})
os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")  # no reports; loopback only

import numpy as np
from minutes.recipe import CASH, make_panel
from sweep import SESSIONS as M60_SESSIONS
from sweep import stretch_of

from haetae.backtest import BacktestSettings, Ground, Listing, run_strategy
from haetae.backtest.sweep.executors import Executor, Here
from haetae.backtest.sweep.points import Job, key_of
from haetae.backtest.sweep.processes import Cores
from haetae.backtest.sweep.work import Work, work_of
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.policies.library import SmaCross
from haetae.wiring.sweeps_shipping import ship

YEARS, SESSIONS, SYMBOLS = 10, 250, 20
LINEAR_ROUNDS, ROUNDS = 5, 3
GATE_LINEAR, GATE_CORES = 1.1, 1.8
LARGE_CASH, SMALL = 100_000_000_000, 0.0001
"""Small entries of a large account: the strategy loses its costs, and still has money for orders after ten years."""
WORKERS = 2
TICK_PER_SECOND = os.sysconf("SC_CLK_TCK")


def long_panel(sessions: int, seed: int = 10) -> Panel:
    """Return minutes of a seeded walk on the tick grid that ends with 2025."""
    dice = np.random.default_rng(seed)
    days = trading_days(dt.date(2015, 1, 2), dt.date(2025, 12, 30))[-sessions:]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    stamp = np.concatenate(
        [np.full(len(starts), yyyymmdd(day), np.int32) for day, (starts, _) in zip(days, edges, strict=True)]
    )
    shape = (len(stamp), SYMBOLS)
    path = np.cumsum(dice.normal(0.0, 0.0004, shape), axis=0)
    path -= 0.9 * np.linspace(0, 1, len(stamp))[:, None] * path[-1]  # it ends near where it began: prices stay in range
    close = np.maximum(np.round(np.exp(path) * dice.uniform(200, 400, SYMBOLS)).astype(np.int64) * 100, 1_000)
    opened = np.vstack([close[:1], close[:-1]])
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    volume = dice.integers(200, 20_000, shape)
    symbols = tuple(f"{index:05d}0" for index in range(SYMBOLS))
    starts, ends = (np.concatenate([pair[side] for pair in edges]) for side in (0, 1))
    return Panel(symbols, stamp, starts, ends, opened, high, low, close, volume, np.ones(shape, np.bool_))


def linear() -> dict[str, Any]:
    """Return CPU nanoseconds a bar and symbol over one year and over ten."""
    settings = BacktestSettings(cash=LARGE_CASH)
    whole = long_panel(YEARS * SESSIONS)
    rows = len(whole) - int(np.searchsorted(whole.days, np.unique(whole.days)[-SESSIONS]))
    grounds = {
        years: Ground(panel, 0, Listing(), np.ones(panel.close.shape, np.bool_))
        for years, panel in ((1, whole.rows(len(whole) - rows, len(whole))), (YEARS, whole))
    }
    taken: dict[int, list[float]] = {1: [], YEARS: []}
    orders = {}
    for _ in range(LINEAR_ROUNDS + 1):
        for years, ground in grounds.items():
            began = process_time()
            found = run_strategy(SmaCross(fraction=SMALL), ground, settings=settings)
            taken[years].append((process_time() - began) / ground.panel.close.size)
            orders[years] = found.orders
    one, ten = (1e9 * median(taken[years][1:]) for years in (1, YEARS))
    return {
        "bars_1_year": grounds[1].panel.close.size,
        "bars_10_years": grounds[YEARS].panel.close.size,
        "orders_1_year": orders[1],
        "orders_10_years": orders[YEARS],
        "ns_per_bar_1_year": one,
        "ns_per_bar_10_years": ten,
        "ratio": ten / one,
        "gate": GATE_LINEAR,
        "gate_held": ten / one <= GATE_LINEAR,
    }


def points(rows: int) -> list[Job]:
    """Return 200 pairs of means as jobs over so many rows."""
    pairs = [{"fast": fast, "slow": slow} for fast, slow in product(range(5, 55, 5), range(60, 260, 10))]
    return [Job(place, key_of(each), each, 0, rows) for place, each in enumerate(pairs)]


def cpu_of(pid: int) -> float:
    """Return the CPU seconds a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_PER_SECOND


def timed(executor: Executor, work: Work, jobs: list[Job]) -> tuple[float, float, dict[str, bytes]]:
    """Return wall and CPU seconds of running jobs, workers included, and the bits of every point."""
    pids = executor.pids if isinstance(executor, Cores) else ()
    cpu, wall = process_time() + sum(map(cpu_of, pids)), perf_counter()
    found = {each.job.key: each.returns.tobytes() for each in executor.map(work, jobs)}
    wall = perf_counter() - wall
    return wall, process_time() + sum(map(cpu_of, pids)) - cpu, found


@contextmanager
def two_nodes() -> Iterator[str]:
    """Give the address of a Ray cluster of two nodes with a processor each."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 200 * 2**20, "node_ip_address": "127.0.0.1"}
    cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
    try:
        cluster.add_node(**node)
        yield cluster.address
    finally:
        cluster.shutdown()


def spread() -> dict[str, Any]:
    """Return wall and CPU seconds of the points here, on two processes, and on two Ray nodes."""
    stretch = stretch_of(make_panel(M60_SESSIONS))
    work = work_of(stretch.ground, ship("sma_cross"), BacktestSettings(cash=CASH))
    jobs = points(len(stretch.ground.panel))
    first = jobs[: 2 * WORKERS]
    with (
        tempfile.TemporaryDirectory() as scratch,
        Here() as here,
        Cores(WORKERS, Path(scratch) / "bars", print) as cores,
    ):
        began = perf_counter()
        list(cores.map(work, first))
        opened_s = perf_counter() - began
        list(here.map(work, first))
        alone, together = [], []
        for _ in range(ROUNDS):
            alone.append(timed(here, work, jobs))
            together.append(timed(cores, work, jobs))
        assert alone[0][2] == together[0][2], "executors must agree to the bit"
        one, two = (min(wall for wall, _, _ in side) for side in (alone, together))
        one_cpu, two_cpu = (median(cpu for _, cpu, _ in side) for side in (alone, together))
    figures: dict[str, Any] = {
        "points": len(jobs),
        "here_wall_s": one,
        "here_cpu_s": one_cpu,
        "two_processes_wall_s": two,
        "two_processes_cpu_s": two_cpu,
        "two_processes_open_s": opened_s,
        "cpu_overhead": two_cpu / one_cpu - 1.0,
        "load_average": os.getloadavg()[0],
        "ratio": one / two,
        "gate": GATE_CORES,
        "gate_held": one / two >= GATE_CORES,
    }
    return {"cores": figures, "ray": _on_ray(work, jobs, alone[0][2], two)}


def _on_ray(work: Work, jobs: list[Job], wanted: dict[str, bytes], two_processes_s: float) -> dict[str, Any] | None:
    if not importlib.util.find_spec("ray"):
        return None
    from haetae.backtest.sweep.cluster import Cluster

    began = perf_counter()
    with _own_folder(), two_nodes() as address, Cluster(address, WORKERS, print) as cluster:
        started_s = perf_counter() - began
        began = perf_counter()
        list(cluster.map(work, jobs[: 2 * WORKERS]))
        opened_s = perf_counter() - began
        rounds = [timed(cluster, work, jobs) for _ in range(ROUNDS)]
    assert rounds[0][2] == wanted, "executors must agree to the bit"
    wall = min(seconds for seconds, _, _ in rounds)
    return {
        "nodes": 2,
        "cluster_start_s": started_s,
        "open_s": opened_s,
        "wall_s": wall,
        "overhead": wall / two_processes_s - 1.0,
        "overhead_ms_per_point": 1e3 * (wall - two_processes_s) / len(jobs),
    }


@contextmanager
def _own_folder() -> Iterator[None]:
    """Keep what Ray leaves on the disk in a folder that goes away; sockets want its path short."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        os.environ["RAY_TMPDIR"] = folder
        yield


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure all three and return the figures; write them to ``out_json`` if given."""
    figures: dict[str, Any] = {"workload": "scaling", "linear": linear(), **spread()}
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
