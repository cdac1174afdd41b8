"""Several processes at one lake: writers lose nothing, readers see whole versions, the clean-up takes nothing away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake

from haetae.domain.errors import DataError
from haetae.store.actions import Change
from haetae.store.lake import Lake
from haetae.store.objects import Folder
from lake_rows import DAYS, KEYS, bars

WORKER = """
import json, os, sys, time
from pathlib import Path
from haetae.domain.errors import DataError
from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings
from lake_rows import DAYS, KEYS, bars

def write_names(root, who, count):
    lake = Lake(root, by=who)
    for number in range(count):
        lake.write("daily", bars(7, [f"{who}{number:04d}"]), keys=KEYS)

def write_prices(root, readers, seconds, keep):
    lake = Lake(root, StoreSettings(keep_versions=keep, sweep_every=1, checkpoint_every=3))
    while any(not Path(f"{root}.{who}").exists() for who in readers):
        time.sleep(0.01)
    until, price = time.monotonic() + seconds, 1
    while time.monotonic() < until:
        price += 1
        lake.write("daily", bars(price), keys=KEYS)
    Path(f"{root}.stop").touch()
    return price

def read_prices(root, who, kept):
    lake, seen = Lake(root), []
    while not Path(f"{root}.stop").exists():
        lake = lake if kept else Lake(root)
        rows = lake.read("daily")
        (price,) = set(rows.column("close").to_pylist())
        assert len(rows) == 4
        assert not seen or price >= seen[-1], "time went backwards"
        seen.append(price)
        lake.panel("daily")
        Path(f"{root}.{who}").touch()
    return [len(seen), seen[0], seen[-1]]

print(json.dumps(globals()[sys.argv[1]](*json.loads(sys.argv[2]))), flush=True)
os._exit(0)  # a reader's native threads may still be at work, and their library aborts when it is taken down under them
"""


def started(task: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, task, json.dumps(words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(worker: subprocess.Popen[str]) -> object:
    told, _ = worker.communicate(timeout=120)
    assert worker.returncode == 0
    return json.loads(told)


def test_two_processes_writing_one_table_lose_nothing(tmp_path: Path) -> None:
    lake, count = Lake(tmp_path / "lake"), 15
    workers = [started("write_names", str(lake.root), who, count) for who in "AB"]
    for worker in workers:
        answer(worker)
    assert lake.versions() == {"daily": 2 * count}
    assert set(lake.read("daily").column("symbol").to_pylist()) == {
        f"{who}{number:04d}" for who in "AB" for number in range(count)
    }
    assert sorted(each.by for each in lake.history("daily")) == ["A"] * count + ["B"] * count


def test_a_writer_of_another_program_cannot_be_overwritten(tmp_path: Path) -> None:
    """It takes no lock of ours; the entry it put is there first, and ours is refused."""
    lake = Lake(tmp_path / "lake")
    lake.write("daily", bars(1), keys=KEYS)
    stale = lake._log("daily").load()
    lake.write("daily", bars(2), keys=KEYS)
    assert lake._log("daily").commit(stale, Change("MERGE", removed=stale.files), stale.at_ms) is None
    assert set(lake.read("daily").column("close").to_pylist()) == {2}


def test_what_another_program_wrote_into_a_table_is_not_taken_for_ours(tmp_path: Path) -> None:
    """It has no content hash and passed no check of ours."""
    lake = Lake(tmp_path / "lake")
    lake.write("daily", bars(1), keys=KEYS)
    write_deltalake(str(lake.root / "daily"), lake.read("daily"), mode="append")
    for reader in (lake, Lake(lake.root)):
        with pytest.raises(DataError, match=r"written by another program: delta-rs"):
            reader.read("daily")
        with pytest.raises(DataError, match="another program"):
            reader.write("daily", bars(2), keys=KEYS)
        assert len(reader.read("daily", version=1)) == 4


def test_readers_beside_a_writer_and_its_clean_up_see_whole_versions_for_seconds(tmp_path: Path) -> None:
    """The writer keeps two versions and sweeps after each write, so a slow reader's files do vanish under it."""
    lake = Lake(tmp_path / "lake")
    lake.write("daily", bars(1), keys=KEYS)
    names = {"kept": True, "fresh": False}
    writer = started("write_prices", str(lake.root), list(names), 3, 2)
    readers = [started("read_prices", str(lake.root), who, kept) for who, kept in names.items()]
    last = answer(writer)
    for reader in readers:
        count, first, newest = answer(reader)
        assert count > 20
        assert newest > first
    assert lake.versions() == {"daily": last}
    assert lake.check() == ()
    assert DeltaTable(str(lake.root / "daily")).version() == last
    assert len(list(lake.root.rglob("20*/*.parquet"))) == 2 * len(DAYS)


class Late(Folder):
    """A folder whose first file is asked for only after a writer and a clean-up have passed by."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._root_of_others, self.late = root, True

    def source(self, name: str, size: int) -> str:
        if self.late:
            self.late = False
            other = Lake(self._root_of_others)
            other.write("daily", bars(2), keys=KEYS)
            other.vacuum("daily", keep=1)
        return super().source(name, size)


def test_a_reader_whose_version_was_dropped_under_it_reads_the_next_one(tmp_path: Path) -> None:
    Lake(tmp_path / "lake").write("daily", bars(1), keys=KEYS)
    late = Lake(Late(tmp_path / "lake"))
    assert set(late.read("daily").column("close").to_pylist()) == {2}
    Lake(tmp_path / "lake").write("daily", bars(1), keys=KEYS)
    pinned = Lake(Late(tmp_path / "lake"))
    with pytest.raises(DataError, match="damaged or missing"):
        pinned.read("daily", version=3)


def test_a_pinned_version_that_was_dropped_meanwhile_is_said_to_be_gone(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    old = lake.write("daily", bars(1), keys=KEYS)
    passing = lake.batches("daily", version=old)
    next(passing)
    lake.write("daily", bars(2), keys=KEYS)
    lake.vacuum("daily", keep=1)
    with pytest.raises(DataError, match="damaged or missing"):
        list(passing)
    with pytest.raises(DataError, match="no version 1"):
        lake.read("daily", version=old)
