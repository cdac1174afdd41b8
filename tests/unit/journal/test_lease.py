"""The lease of a journal file: who may write, who may replace whom, and how a sleeper learns it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contract.journal_suite import Clock, note
from haetae.domain.errors import JournalError
from haetae.journal import Holder, JournalDb
from haetae.journal.lease import RENEW_S, TERM_S, LeaseRow
from haetae.journal.lock import WriterLock

SRC = Path(__file__).resolve().parents[3] / "src"


def held_by(clock: Clock, pid: int = 1, host: str = "a", boot: str = "b") -> Holder:
    return Holder(host, pid, boot, clock)


def row(path: Path) -> LeaseRow:
    raw = sqlite3.connect(path)
    found = raw.execute("SELECT epoch, host, pid, boot, expiry_ms FROM lease").fetchone()
    raw.close()
    return LeaseRow(*found)


def test_a_lease_names_its_holder_and_its_end(tmp_path: Path) -> None:
    clock = Clock()
    with JournalDb(tmp_path / "j.db", holder=held_by(clock, 7)) as journal:
        assert row(journal.path) == LeaseRow(1, "a", 7, "b", int((clock.now + TERM_S) * 1_000))
        assert journal.verify() == 0


def test_every_write_renews(tmp_path: Path) -> None:
    clock = Clock()
    with JournalDb(tmp_path / "j.db", holder=held_by(clock)) as journal:
        clock.now += 1
        journal.append("event", [note(1)], durable=True)
        assert row(journal.path).expiry_ms == int((clock.now + TERM_S) * 1_000)
        assert journal.verify() == 1


def test_asking_renews_when_a_third_of_the_term_is_over_and_not_before(tmp_path: Path) -> None:
    clock = Clock()
    with JournalDb(tmp_path / "j.db", holder=held_by(clock)) as journal:
        first = row(journal.path).expiry_ms
        clock.now += RENEW_S
        assert journal.lease.holds()
        assert row(journal.path).expiry_ms == first
        clock.now += 0.001
        assert journal.lease.holds()
        assert row(journal.path).expiry_ms == int((clock.now + TERM_S) * 1_000) > first


def test_a_holder_that_slept_over_its_term_is_replaced_and_learns_it(tmp_path: Path) -> None:
    path, clock = tmp_path / "j.db", Clock()
    sleeper = JournalDb(path, holder=held_by(clock, 1))
    sleeper.append("event", [note(1)], durable=True)
    clock.now += TERM_S
    with pytest.raises(JournalError, match="another process is writing"):
        JournalDb(path, holder=held_by(clock, 2))
    clock.now += 0.001
    with pytest.raises(JournalError, match="another process is writing"):
        JournalDb(path)
    newer = JournalDb(path, holder=held_by(clock, 2))
    assert newer.lease.epoch == sleeper.lease.epoch + 1
    newer.append("event", [note(2)], durable=True)
    with pytest.raises(JournalError, match="took over") as refused:
        sleeper.append("event", [note(3)], durable=True)
    assert refused.value.expected.en == "lease number 1"  # type: ignore[union-attr]
    assert not sleeper.lease.holds()
    sleeper.close()
    with pytest.raises(JournalError, match="another process is writing"):
        JournalDb(path)
    assert newer.lease.holds()
    newer.append("event", [note(4)], durable=True)
    assert newer.verify() == 3
    newer.close()
    with JournalDb(path) as after:
        assert after.lease.epoch == 3


def test_a_sleeper_that_asks_first_learns_it_too(tmp_path: Path) -> None:
    path, clock = tmp_path / "j.db", Clock()
    sleeper = JournalDb(path, holder=held_by(clock, 1))
    clock.now += 60
    with JournalDb(path, holder=held_by(clock, 2)):
        assert not sleeper.lease.holds()
        clock.now -= 60
        assert not sleeper.lease.holds()
    sleeper.close()


def test_a_holder_that_slept_and_was_not_replaced_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    with JournalDb(tmp_path / "j.db", holder=held_by(clock)) as journal:
        clock.now += 3_600
        assert journal.lease.holds()
        assert journal.append("event", [note(1)], durable=True) == 1


@pytest.mark.parametrize("change", [{"host": "other"}, {"boot": "other"}])
def test_a_clock_of_another_host_or_boot_judges_no_term(tmp_path: Path, change: dict[str, str]) -> None:
    path, clock = tmp_path / "j.db", Clock()
    with JournalDb(path, holder=held_by(clock)) as journal:
        clock.now += 3_600
        with pytest.raises(JournalError, match="another process is writing"):
            JournalDb(path, holder=replace(held_by(clock), **change))
        assert journal.lease.holds()


def test_a_lease_without_a_clock_is_never_over(tmp_path: Path) -> None:
    path, clock = tmp_path / "j.db", Clock()
    with JournalDb(path) as journal:
        assert row(path).expiry_ms == 0
        with pytest.raises(JournalError, match="another process is writing"):
            JournalDb(path, holder=held_by(clock))
        assert journal.lease.holds()


def test_a_lock_without_a_journal_is_respected(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "j.db.lock")
    with pytest.raises(JournalError, match="another process is writing"):
        JournalDb(tmp_path / "j.db", holder=held_by(Clock()))
    lock.release()


def test_a_lock_whose_file_was_replaced_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = WriterLock(path)
    second = WriterLock(path, instead=True)
    with pytest.raises(JournalError):
        WriterLock(path)
    first.release()
    with pytest.raises(JournalError):
        WriterLock(path)
    second.release()
    WriterLock(path).release()


@pytest.mark.parametrize("removed", [True, False])
def test_a_lock_that_lost_its_name_while_it_was_taken_is_refused(
    tmp_path: Path, removed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import haetae.journal.lock as module

    path, seize = tmp_path / "lock", module._seize

    def late(file: object) -> None:
        seize(file)  # type: ignore[arg-type]
        path.unlink()
        if not removed:
            path.touch()

    monkeypatch.setattr(module, "_seize", late)
    with pytest.raises(JournalError):
        WriterLock(path)


def test_a_lease_row_that_cannot_be_read_is_a_lease_that_is_lost(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        journal.query("DROP TABLE lease")
        assert not journal.lease.holds()
        with pytest.raises(JournalError):
            journal.append("event", [note(1)], durable=True)


def test_a_renewal_that_the_database_refuses_is_a_lease_that_is_lost(tmp_path: Path) -> None:
    clock = Clock()
    with JournalDb(tmp_path / "j.db", holder=held_by(clock)) as journal:
        journal.query("CREATE TEMP TRIGGER no BEFORE UPDATE ON lease BEGIN SELECT RAISE(FAIL, 'no'); END")
        assert journal.lease.holds()
        clock.now += RENEW_S + 1
        assert not journal.lease.holds()
        journal.query("DROP TRIGGER no")
        with pytest.raises(JournalError, match="took over"):
            journal.append("event", [note(1)], durable=True)


def test_a_stopped_process_is_replaced_and_writes_nothing_when_it_goes_on(tmp_path: Path) -> None:
    """The real thing: SIGSTOP, a second process takes over, SIGCONT."""
    path = tmp_path / "j.db"
    script = (
        "import sys, time; from pathlib import Path\n"
        "from haetae.journal import JournalDb, Holder; from haetae.domain.events import Note\n"
        "from haetae.domain.errors import JournalError\n"
        f"journal = JournalDb(Path({str(path)!r}), holder=Holder('a', 1, 'b', time.monotonic))\n"
        "journal.append('event', [(1, Note(1, 'a.b', {}))], durable=True)\n"
        "print('up', flush=True); sys.stdin.readline()\n"
        "print(journal.lease.holds(), flush=True)\n"
        "try: journal.append('event', [(2, Note(2, 'a.b', {}))], durable=True)\n"
        "except JournalError: print('refused', flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    os.kill(child.pid, signal.SIGSTOP)
    later = Clock()
    later.now = row(path).expiry_ms / 1_000 + 50
    with JournalDb(path, holder=Holder("a", 2, "b", later)) as newer:
        newer.append("event", [note(3)], durable=True)
        os.kill(child.pid, signal.SIGCONT)
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.read().split() == ["False", "refused"]
        child.wait()
        assert newer.verify() == 2
        assert newer.lease.holds()
