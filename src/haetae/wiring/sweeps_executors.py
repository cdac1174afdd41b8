"""Executors by name: ``here``, ``cores``, ``ray`` (a cluster of this machine's own), ``ray:HOST:PORT``."""

from __future__ import annotations

import os
from pathlib import Path

from haetae.backtest.sweep.executors import Executor, Here, Tell
from haetae.domain.errors import ConfigError, Text

NAMES = ("here", "cores", "ray")
_OF_WORKERS = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1"
    ),
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What processes of a sweep inherit: one thread each for libraries a strategy loads later, and no report of Ray's to
its makers."""


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def executor_of(named: str, workers: int | None, scratch: Path, tell: Tell) -> Executor:
    """Return an executor; ``ConfigError`` for an unknown name.

    Parameters
    ----------
    workers : int, optional
        Processes or actors; every processor gets one if not given.
    scratch : Path
        A folder that ``cores`` may make for the bars it shares.
    """
    for name, value in _OF_WORKERS.items():
        os.environ.setdefault(name, value)
    kind, _, address = named.partition(":")
    if kind == "here" and not address:
        return Here()
    if kind == "cores" and not address:
        from haetae.backtest.sweep.processes import Cores

        return Cores(workers or processors(), scratch, tell)
    if kind == "ray":
        from haetae.backtest.sweep.cluster import Cluster

        return Cluster(named if address.startswith("//") else address, workers, tell)
    raise ConfigError(
        Text(ko="모르는 실행기입니다", en="unknown executor"),
        expected="here, cores, ray, ray:HOST:PORT",
        found=named,
        next_step="--executor cores",
    )
