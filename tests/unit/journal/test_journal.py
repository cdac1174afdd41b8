"""The journal file: what SQLite must promise, what a disk can do to it, and what a changed byte changes."""
# long: everything a disk or a hand can do to one file, with the rigs they share.

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.journal_suite import ENTRIES, note, story
from haetae.domain.errors import JournalError
from haetae.journal import TABLES, JournalDb, JournalSettings, MemoryJournal
from haetae.journal.marks import mark_path
from haetae.journal.packing import PLAIN, UNREADABLE, ZLIB, ZSTD, packer, unpacker
from rigs.small_files import files_no_larger_than

SRC = Path(__file__).resolve().parents[3] / "src"
FIRST_VERSION = Path(__file__).resolve().parents[2] / "golden" / "journal" / "v1.db"


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_only", [False, True])
def test_every_setting_durability_rests_on_is_in_force(tmp_path: Path, read_only: bool) -> None:
    JournalDb(tmp_path / "j.db").close()
    with JournalDb(tmp_path / "j.db", read_only=read_only) as journal:
        found = {name: journal.query(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "trusted_schema")}
        assert found == {"journal_mode": "wal", "trusted_schema": 0}
        assert journal.query("PRAGMA busy_timeout")[0][0] == 5_000
        assert journal.query("PRAGMA foreign_keys") == [(1,)]
        assert journal.query("PRAGMA query_only") == [(int(read_only),)]
        if not read_only:
            assert journal.query("PRAGMA synchronous")[0][0] >= 2
            assert journal.query("PRAGMA wal_autocheckpoint") == [(1_000,)]
            assert journal.query("PRAGMA fullfsync") == [(1,)]


def test_a_setting_that_does_not_take_effect_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(JournalError) as refused:
        JournalDb(tmp_path / "j.db", JournalSettings(busy_timeout_ms=-5))
    assert "settings do not keep acknowledged entries" in refused.value.found
    assert "busy_timeout" in refused.value.found
    JournalDb(tmp_path / "j.db").close()


def test_a_journal_that_somebody_took_out_of_wal_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    JournalDb(path).close()
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    raw.close()
    with pytest.raises(JournalError) as refused:
        JournalDb(path, read_only=True)
    assert "journal_mode=delete" in refused.value.found


def test_only_the_thread_that_opened_a_journal_writes_it(tmp_path: Path) -> None:
    found: list[BaseException] = []

    def elsewhere() -> None:
        try:
            journal.append("event", [note(1)], durable=True)
        except JournalError as fault:
            found.append(fault)

    with JournalDb(tmp_path / "j.db") as journal:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert "thread" in str(found[0].__cause__)
    with JournalDb(tmp_path / "j.db", read_only=True) as reader:
        assert reader.verify() == 0


def test_readers_may_be_shared_by_threads_that_take_turns(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("event", [note(1)], durable=True)
    counts: list[int] = []
    with JournalDb(tmp_path / "j.db", read_only=True) as reader:
        thread = threading.Thread(target=lambda: counts.append(reader.verify()))
        thread.start()
        thread.join()
    assert counts == [1]


# -- versions ------------------------------------------------------------------------------------


def test_a_journal_of_the_first_version_is_migrated_by_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    shutil.copy(FIRST_VERSION, path)
    raw = sqlite3.connect(path)
    before = raw.execute("SELECT * FROM entries ORDER BY seq").fetchall()
    raw.close()
    with pytest.raises(JournalError, match="another version") as refused:
        JournalDb(path, read_only=True)
    assert refused.value.next_step == f"haetae journal migrate {path}"
    with JournalDb(path) as journal:
        assert journal.verify() == 12
        assert journal.head == (12, "1f2d5f66b585794790433a296c7d39e53200f7b72b252773d260d780780651f0")
        assert journal.query("SELECT * FROM entries ORDER BY seq") == before
        (order,) = journal.rows("orders")
        assert (order["status"], order["filled"], order["amount"]) == ("filled", 10, 499_400)
        assert journal.lease.epoch == 1
        journal.append("event", [note(1)], durable=True)
        assert journal.verify() == 13


def test_a_first_version_whose_chain_is_broken_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    shutil.copy(FIRST_VERSION, path)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE entries SET at = at + 1 WHERE seq = 4")
    raw.commit()
    raw.close()
    with pytest.raises(JournalError) as refused:
        JournalDb(path)
    assert "entry 4" in refused.value.found
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == ("1",)
    assert raw.execute("SELECT count(*) FROM orders").fetchone() == (1,)
    raw.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_journal_of_a_newer_program_is_refused_and_not_touched(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "j.db"
    JournalDb(path).close()
    raw = sqlite3.connect(path)
    raw.execute("UPDATE meta SET value = '3' WHERE name = 'schema_version'")
    raw.commit()
    raw.close()
    with pytest.raises(JournalError, match="another version") as refused:
        JournalDb(path, read_only=read_only)
    assert refused.value.found == "schema 3"
    assert "newer program" in str(refused.value.next_step)


@pytest.mark.parametrize("content", [b"not a database" * 100, b""])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(content)
    with pytest.raises(JournalError):
        JournalDb(path, read_only=True)


def test_another_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    raw = sqlite3.connect(path)
    raw.executescript("CREATE TABLE meta (name TEXT, value TEXT); INSERT INTO meta VALUES ('schema_version', 'soon')")
    raw.close()
    with pytest.raises(JournalError) as refused:
        JournalDb(path)
    assert "holds no journal" in refused.value.found


def test_reading_a_journal_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal file"):
        JournalDb(tmp_path / "none.db", read_only=True)
    assert not list(tmp_path.iterdir())


# -- disks ---------------------------------------------------------------------------------------


def assert_ended(journal: JournalDb, reason: str, kept: int) -> None:
    """Check that a journal whose write failed acknowledges nothing more, and that nothing of the write is there."""
    with pytest.raises(JournalError, match="cannot be trusted") as failed:
        journal.append("event", [note(7, 5_000_000)], durable=True)
    assert f"the write failed: {reason}" in failed.value.found
    with pytest.raises(JournalError) as again:
        journal.append("event", [note(8)], durable=False)
    assert "a write failed before" in again.value.found
    with pytest.raises(JournalError):
        journal.rebuild()
    journal.flush()
    assert [record.data["n"] for *_, record in journal.entries()] == list(range(kept))
    journal.close()


def test_a_full_disk_ends_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = JournalDb(path, JournalSettings(pack_above=10**9))
    for number in range(3):
        journal.append("event", [note(number)], durable=True)
    journal.query("PRAGMA max_page_count=40")
    assert_ended(journal, "database or disk is full", 3)
    with JournalDb(path) as after:
        assert after.verify() == 3
        after.append("event", [note(3)], durable=True)


def test_a_disk_that_fails_ends_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = JournalDb(path, JournalSettings(pack_above=10**9))
    for number in range(3):
        journal.append("event", [note(number)], durable=True)
    with files_no_larger_than(path.with_name("j.db-wal").stat().st_size + 8_192):
        assert_ended(journal, "disk I/O error", 3)
    with JournalDb(path) as after:
        assert after.verify() == 3


def test_a_disk_that_fails_while_projections_are_rebuilt_leaves_them(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        story(journal)
        whole = journal.digests()
        journal.query("UPDATE decisions SET quantity = 1")
        before = journal.digests()
        with files_no_larger_than(path.with_name("j.db-wal").stat().st_size), pytest.raises(JournalError):
            journal.rebuild()
        assert journal.digests() == before != whole
        assert journal.rebuild() == ENTRIES
        assert journal.digests() == whole


def test_an_execution_cannot_be_booked_twice_whoever_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        story(journal)
    raw = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        raw.execute("INSERT INTO fills SELECT * FROM fills LIMIT 1")
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
        raw.execute("UPDATE fills SET amount = 'much'")
    raw.close()


def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    script = (
        "import sys; from pathlib import Path\n"
        "from haetae.journal import JournalDb; from haetae.domain.events import Note\n"
        f"journal = JournalDb(Path({str(path)!r}))\n"
        "n = journal.head[0]\n"
        "while True:\n"
        "    n += 1\n"
        "    journal.append('event', [(n, Note(n, 'a.b', {'n': n}))], durable=n % 3 == 0)\n"
        "    if n % 3 == 0: print(n, flush=True)\n"
    )
    for round_ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SRC)},
        )
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(10 + 3 * round_)][-1]
        os.kill(child.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split())])
        child.wait()
        with JournalDb(path) as journal:
            assert journal.lease.epoch == 2 * round_ + 2
            assert journal.verify() >= acknowledged
            journal.append("event", [note(0)], durable=True)


# -- the mark ------------------------------------------------------------------------------------


def copied(path: Path, folder: Path) -> Path:
    """Copy a journal as it lies on the disk while its writer lives."""
    folder.mkdir()
    for part in path.parent.glob(path.name + "*"):
        shutil.copy(part, folder)
    return folder / path.name


def test_a_write_ahead_file_that_was_cut_is_noticed(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        for number in range(5):
            journal.append("event", [note(number)], durable=True)
        whole = copied(journal.path, tmp_path / "whole")
        cut = copied(journal.path, tmp_path / "cut")
        gone = copied(journal.path, tmp_path / "gone")
    (whole.parent / "j.db-shm").unlink()
    with JournalDb(whole) as again:
        assert again.verify() == 5
    wal = cut.with_name("j.db-wal")
    os.truncate(wal, wal.stat().st_size - 100)
    gone.with_name("j.db-wal").unlink()
    for path in (cut, gone):
        for read_only in (True, False):
            with pytest.raises(JournalError) as missing, JournalDb(path, read_only=read_only):
                pass
            assert "5 entries were acknowledged" in missing.value.found


def test_an_older_copy_in_the_place_of_the_journal_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        journal.append("event", [note(1)], durable=True)
    shutil.copy(path, tmp_path / "old.db")
    with JournalDb(path) as journal:
        journal.append("event", [note(2)], durable=True)
    shutil.copy(tmp_path / "old.db", path)
    with pytest.raises(JournalError) as missing:
        JournalDb(path)
    assert "2 entries were acknowledged" in missing.value.found


def test_a_journal_with_other_entries_at_the_mark_is_noticed(tmp_path: Path) -> None:
    for name, number in (("a.db", 1), ("b.db", 2)):
        with JournalDb(tmp_path / name) as journal:
            journal.append("event", [note(number)], durable=True)
    shutil.copy(mark_path(tmp_path / "a.db"), mark_path(tmp_path / "b.db"))
    with pytest.raises(JournalError):
        JournalDb(tmp_path / "b.db")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"00000000000000000009 abc 00000000\n", b"\xff\xfe 1 2"])
def test_a_mark_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        journal.append("event", [note(1)], durable=True)
    mark_path(path).write_bytes(content)
    with JournalDb(path) as journal:
        assert journal.verify() == 1


def test_a_new_journal_begins_a_new_mark(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        journal.append("event", [note(1)], durable=True)
    path.unlink()
    with JournalDb(path) as journal:
        journal.append("event", [note(2)], durable=True)
    with JournalDb(path, read_only=True) as journal:
        assert journal.verify() == 1


# -- changed bytes -------------------------------------------------------------------------------


def everything(journal: JournalDb) -> dict[str, Any]:
    """Return all that can be read of a journal."""
    kinds = ("command", "event", "lesson", "review")
    return {
        "head": journal.head,
        "raw": list(journal.raw()),
        "kinds": {kind: list(journal.raw(kind=kind)) for kind in kinds},
        "tables": {table: journal.rows(table) for table in TABLES},
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, Any]:
    path = tmp_path_factory.mktemp("flip") / "j.db"
    with JournalDb(path) as journal:
        story(journal)
        journal.append("event", [note(n, 40 * n) for n in range(24)], durable=True)
    mark_path(path).unlink()
    with JournalDb(path, read_only=True) as journal:
        return path, path.read_bytes(), everything(journal)


def unnoticed(path: Path, content: bytes, expected: Any) -> bool:
    """Say whether a journal with this content verifies though something else is read of it."""
    path.write_bytes(content)
    try:
        with JournalDb(path, read_only=True) as journal:
            journal.verify()
            return bool(everything(journal) != expected)
    except JournalError:
        return False


def test_no_changed_byte_of_the_file_changes_what_is_read_unnoticed(written: tuple[Path, bytes, Any]) -> None:
    path, content, expected = written
    assert not unnoticed(path, content, expected)
    noticed = 0
    for place in range(0, len(content), 149):
        flipped = bytearray(content)
        flipped[place] ^= 0x5A
        assert not unnoticed(path, bytes(flipped), expected), place
        noticed += 1
    assert noticed > 400


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_no_flipped_bit_of_the_file_changes_what_is_read_unnoticed(
    written: tuple[Path, bytes, Any], place: float, bit: int
) -> None:
    path, content, expected = written
    flipped = bytearray(content)
    flipped[int(place * len(flipped))] ^= 1 << bit
    assert not unnoticed(path, bytes(flipped), expected)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO meta VALUES ('more', '1')",
        "UPDATE meta SET value = '02' WHERE name = 'schema_version'",
        "CREATE TABLE more (x INTEGER) STRICT",
        "DROP INDEX entries_by_kind",
        "UPDATE lease SET epoch = epoch + 1",
        "UPDATE lease SET expiry_ms = 9",
        "UPDATE lease SET seal = 'x'",
        "UPDATE entries SET packed = 1 - packed WHERE seq = 3",
    ],
)
def test_a_hand_in_the_file_is_noticed(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        story(journal)
    raw = sqlite3.connect(path)
    raw.execute(statement)
    raw.commit()
    raw.close()
    with pytest.raises(JournalError), JournalDb(path, read_only=True) as journal:
        journal.verify()


def test_texts_are_stored_compressed_where_that_pays(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal, MemoryJournal() as memory:
        for one in (journal, memory):
            one.append("event", [note(1, 1), note(2, 2_000)], durable=True)
        sizes = journal.query("SELECT packed, length(payload) FROM entries ORDER BY seq")
        assert [packed for packed, _ in sizes] == [PLAIN, ZSTD]
        assert sizes[1][1] < 200
        assert journal.head == memory.head


def test_a_packed_text_comes_back_and_damaged_bytes_do_not() -> None:
    text, plain = "분봉 " * 900, unpacker()
    packed, payload = packer(1_024)(text)
    assert (packed, plain(packed, payload)) == (ZSTD, text)
    assert packer(8_000)(text) == (PLAIN, text.encode())
    assert plain(ZLIB, zlib.compress(text.encode(), 1)) == text
    for kind, damaged in (
        (ZSTD, payload[:-1]), (ZSTD, payload + b"x"), (ZSTD, b"\0" + payload[1:]), (ZSTD, payload[:5]), (ZSTD, b""),
        (ZSTD, bytes.fromhex("28b52ffde0ffffffffffffff7f")), (ZLIB, payload), (PLAIN, b"\xff"), (3, text.encode()),
        (ZSTD, text), (PLAIN, 7),
    ):  # fmt: skip
        with pytest.raises(UNREADABLE):
            plain(kind, damaged)  # type: ignore[arg-type]
