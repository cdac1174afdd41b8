"""Ours in a process of its own: peak memory, and what the first result costs, printed as JSON.

    python benchmarks/minutes/alone.py SESSIONS

``first_*`` is from the start of the process to the first result, without making the bars.
"""

# ruff: noqa: E402 - the clock starts before anything else is loaded

from time import perf_counter, process_time

_WALL, _CPU = perf_counter(), process_time()

import json
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from minutes.recipe import make_panel
from minutes.sides import run_ours


def peak_mb() -> float:
    """Return the most memory this process held; Linux counts the parent's in ``ru_maxrss``, so ask the kernel there."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(sessions: int) -> None:
    loaded = (perf_counter() - _WALL, process_time())
    panel = make_panel(sessions)
    began = (perf_counter(), process_time())
    ours = run_ours(panel)
    figures = {
        "first_wall_s": loaded[0] + perf_counter() - began[0],
        "first_cpu_s": loaded[1] + process_time() - began[1],
        "peak_rss_mb": peak_mb(),
        "orders": ours.result.n_orders,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]))
