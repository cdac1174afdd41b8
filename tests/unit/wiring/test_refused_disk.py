"""A disk that refuses, a kill at the k-th system call: the writer stops, what was acknowledged is there (S01, S02)."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haetae.domain.errors import HaetaeError, JournalError
from haetae.domain.events import Note
from haetae.journal import JournalDb
from haetae.ports import pass_by
from haetae.wiring.crashes.acting import BEGIN, trade
from haetae.wiring.crashes.desk_cases import DeskStage
from haetae.wiring.crashes.ground import ACCOUNT, lay_out, market
from haetae.wiring.crashes.judging import judge
from haetae.wiring.crashes.scenarios import scenarios
from haetae.wiring.crashes.writing import writings
from rigs.tracing import inject, needs_strace

ENTRIES = 5
REFUSED = 3
"""Exit status of a writer that saw its journal refuse."""
FULL, FAILING = errno.errorcode[errno.ENOSPC], errno.errorcode[errno.EIO]


def note(number: int) -> Note:
    return Note(number, "test.note", {"number": number, "pad": "x" * 3_000})


def write_on(path: Path, acked: Path) -> None:
    """Append durable entries, acknowledge each; at a refusal try once more and end."""
    handle = os.open(acked, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        with JournalDb(path) as journal:
            try:
                for number in range(ENTRIES):
                    journal.append("run", [(number, note(number))], durable=True)
                    os.write(handle, b".")
            except JournalError:
                with contextlib.suppress(JournalError):
                    journal.append("run", [(99, note(99))], durable=True)
                    os.write(handle, b"!")  # an acknowledgement after a refusal is worth nothing
                raise
    except HaetaeError:
        os._exit(REFUSED)


def after(path: Path) -> list[int]:
    """The entries a reopened and verified journal holds."""
    if not path.exists():
        return []
    with JournalDb(path) as journal:
        journal.verify()
        return [at for _, at, _, _ in journal.entries()]


SWEEPS = [
    ("pwrite64:signal=KILL", range(1, 40, 5)),
    ("fdatasync:signal=KILL", range(1, 9, 2)),
    (f"pwrite64:error={FULL}", range(2, 40, 6)),
    (f"fdatasync:error={FAILING}", range(1, 9, 2)),
    (f"pwrite64:error={FAILING}", range(3, 40, 9)),
]


@needs_strace
@pytest.mark.parametrize(("what", "places"), SWEEPS, ids=[what for what, _ in SWEEPS])
def test_a_refused_or_killed_write_loses_nothing_acknowledged(what: str, places: range, tmp_path: Path) -> None:
    struck = 0
    for place in places:
        folder = tmp_path / str(place)
        folder.mkdir()
        path, acked = folder / "journal.db", folder / "acked"
        status, hit = inject(lambda p=path, a=acked: write_on(p, a), f"{what}:when={place}", folder / "trace")
        struck += hit
        said = acked.read_bytes() if acked.exists() else b""
        assert b"!" not in said, f"{what} at {place}: acknowledged after a refusal"
        assert status in (0, REFUSED, -9), f"{what} at {place}: ended with {status}"
        numbers = after(path)
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= len(said), f"{what} at {place}: {len(said)} acknowledged, {len(numbers)} there"
        if hit and "error" in what and len(said) < ENTRIES:
            assert status == REFUSED
    assert struck >= len(places) // 2


@needs_strace
@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_a_journal_whose_settings_met_an_error_is_refused_or_keeps_them(place: int, tmp_path: Path) -> None:
    path, acked = tmp_path / "journal.db", tmp_path / "acked"
    what = f"fdatasync:error={FAILING}:when={place}"
    status, _ = inject(lambda: write_on(path, acked), what, tmp_path / "trace")
    assert status in (0, REFUSED)
    if status == 0:  # SQLite answers "wal" also where it could not write so into the file's head
        assert path.read_bytes()[18:20] == b"\x02\x02", "the journal is not written ahead"


@needs_strace
@pytest.mark.parametrize("what", [f"fdatasync:error={FAILING}:when=9", f"pwrite64:error={FULL}:when=25"])
def test_a_desk_whose_journal_is_refused_ends_and_sends_no_order_that_is_not_written(what: str, tmp_path: Path) -> None:
    scenario = scenarios()[0]
    folder = tmp_path / "desk"
    folder.mkdir()
    lay_out(folder)
    with market(BEGIN) as running:

        def work() -> None:
            os.dup2(os.open(folder / "log", os.O_WRONLY | os.O_CREAT), 2)
            trade(running, folder, scenario.weights, scenario.wishes, pass_by)

        status, hit = inject(work, what, tmp_path / "trace")
        assert hit
        assert status == 70, "a desk without its journal must end by its error"
        placed = running.ask("GET", f"/orders?account={ACCOUNT}")
        ledger = running.ask("GET", f"/ledger?account={ACCOUNT}")
        with JournalDb(folder / "journal.db") as journal:
            journal.verify()
            intents = sum(type(record).__name__ == "Submit" for _, _, _, record in journal.entries())
        assert len(placed) <= intents
        trade(running, folder, scenario.weights, scenario.wishes, pass_by)
        placed = running.ask("GET", f"/orders?account={ACCOUNT}")
        found = running.ask("GET", f"/ledger?account={ACCOUNT}")
        ledger = {name: found.get(name, default) for name, default in (("cash", 0), ("holdings", {}), ("fills", []))}
        assert judge(folder, ledger, placed, ledger).broken == ()


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_journal_on_a_full_disk_stops_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "384k") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(64 * 1024))
        acked = 0
        journal = JournalDb(disk / "journal.db")
        try:
            for acked in range(10_000):
                journal.append("run", [(acked, note(acked))], durable=True)
            pytest.fail("the disk was never full")
        except JournalError:
            pass
        with pytest.raises(JournalError):
            journal.append("run", [(1, note(1))], durable=True)
        with contextlib.suppress(JournalError):
            journal.close()
        ballast.unlink()
        numbers = after(disk / "journal.db")
        assert numbers[:acked] == list(range(acked))
        assert acked > 3


def test_durable_writes_on_a_full_disk_are_refused_and_leave_the_old(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "256k") as disk:
        stages = {stage.name: stage for stage in writings()}
        for name in ("lake-write", "record-write", "registry-put"):
            stage, root = stages[name], disk / name
            root.mkdir()
            stage.steps[0](root, pass_by)
            before = stage.state(root)
            free = os.statvfs(disk)
            (disk / "fill").write_bytes(bytes(max(0, (free.f_bavail - 1) * free.f_bsize)))
            with pytest.raises(HaetaeError):
                stage.steps[1 if name != "registry-put" else 2](root, pass_by)
            assert stage.state(root) == before
            (disk / "fill").unlink()
            for step in stage.steps[1:]:
                step(root, pass_by)


def test_the_plain_scenario_is_the_first() -> None:
    assert DeskStage(scenarios()[0]).name == "quiet-buy"
