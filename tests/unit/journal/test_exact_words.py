"""What a journal writes, refuses and passes is exact: lines, digests, points, names in refusals, rights of files."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import zstandard

from contract.journal_suite import Clock, cleared, note, story
from haetae.domain.errors import JournalError
from haetae.domain.events import Note, OperatorCommand, OperatorState
from haetae.journal import (
    Holder,
    JournalDb,
    JournalSettings,
    MemoryJournal,
    backup,
    export_jsonl,
    restored_unreconciled,
)
from haetae.journal.file_lease import FileLease
from haetae.journal.layout import create, upsert
from haetae.journal.lease import LeaseRow
from haetae.journal.marks import mark_path, read_mark
from haetae.journal.packing import ZSTD, packer, unpacker
from haetae.journal.tables import LESSONS, PROJECTIONS, digest_of, named

SRC = Path(__file__).resolve().parents[3] / "src"
WRITE = [
    "journal.transaction_begun",
    "journal.entry_inserted",
    "journal.entry_projected",
    "journal.before_commit",
    "journal.committed",
]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# -- points --------------------------------------------------------------------------------------


def test_a_file_passes_each_point_of_its_life_once_and_in_order(tmp_path: Path) -> None:
    passed: list[str] = []
    journal = JournalDb(tmp_path / "j.db", passing=passed.append)
    assert passed == ["journal.tables_made", "journal.opened"]
    del passed[:]
    story(journal)
    journal.flush()
    assert [point for point in passed if point in WRITE] == passed
    writes = len(passed) // len(WRITE)
    assert passed == WRITE * writes
    del passed[:]
    journal.close()
    assert passed == ["journal.before_close"]
    del passed[:]
    JournalDb(tmp_path / "j.db", passing=passed.append).close()
    assert passed == ["journal.opened", "journal.before_close"]


def test_the_process_after_a_crash_in_memory_passes_the_same_points() -> None:
    passed: list[str] = []
    journal = MemoryJournal(passing=passed.append)
    after = journal.crash()
    after.append("event", [note(1)], durable=True)
    assert passed == ["journal.before_commit", "journal.committed"]


def test_a_process_that_crashed_in_memory_takes_nothing_more_and_its_settings_go_on() -> None:
    journal = MemoryJournal(JournalSettings(batch=2))
    journal.append("event", [note(1)], durable=False)
    after = journal.crash()
    with pytest.raises(JournalError) as refused:
        journal.append("event", [note(2)], durable=False)
    assert "closed" in refused.value.found
    after.append("event", [note(3)], durable=False)
    assert after.acknowledged == 0
    after.append("event", [note(4)], durable=False)
    assert after.acknowledged == 2


def test_who_comes_after_a_holder_that_lost_its_lease_has_the_next_number_but_one() -> None:
    journal = MemoryJournal()
    journal.lease.lose()
    with pytest.raises(JournalError, match="took over") as refused:
        journal.append("event", [note(1)], durable=True)
    assert refused.value.found == "memory: a newer lease"
    assert refused.value.expected.en == "lease number 1"  # type: ignore[union-attr]
    after = journal.crash()
    assert (journal.lease.epoch, after.lease.epoch) == (1, 3)
    after.append("event", [note(1)], durable=True)
    assert not journal.lease.holds()


# -- refusals ------------------------------------------------------------------------------------


def test_a_refusal_names_the_file_it_speaks_of(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(JournalError) as none:
        JournalDb(path, read_only=True)
    assert none.value.found == str(path)
    path.write_bytes(b"rubbish" * 1_000)
    with pytest.raises(JournalError, match=r"none\.db") as unread:
        backup.copy_file(path, tmp_path / "copy.db")
    assert "it was not copied" in unread.value.found
    with pytest.raises(JournalError, match=r"none\.db") as closed:
        JournalDb(path)
    assert "it does not open: file is not a database" in closed.value.found
    for name in ("copy.db", "copy.db-wal", "copy.db-shm", "copy.db.mark"):
        (tmp_path / name).touch()
        with pytest.raises(JournalError, match="never written over") as taken:
            backup.refuse_taken(tmp_path / "copy.db")
        assert taken.value.found == str(tmp_path / name)
        (tmp_path / name).unlink()
    backup.refuse_taken(tmp_path / "copy.db")


def test_a_second_writer_is_told_which_lock_it_met_and_a_replaced_one_its_number(tmp_path: Path) -> None:
    path, clock = tmp_path / "j.db", Clock()
    with JournalDb(path, holder=Holder("a", 1, "b", clock)) as first:
        with pytest.raises(JournalError) as locked:
            JournalDb(path)
        assert locked.value.found == f"{path}.lock"
        with pytest.raises(JournalError) as termed:
            JournalDb(path, holder=Holder("a", 2, "b", clock))
        assert termed.value.found == str(path)
        clock.now += 3_600
        with JournalDb(path, holder=Holder("a", 2, "b", clock)):
            with pytest.raises(JournalError, match="took over") as replaced:
                first.append("event", [note(1)], durable=True)
            assert replaced.value.found == f"{path}: a newer lease"


def test_a_write_into_a_journal_opened_for_reading_says_so(tmp_path: Path) -> None:
    JournalDb(tmp_path / "j.db").close()
    with JournalDb(tmp_path / "j.db", read_only=True) as reader, pytest.raises(JournalError) as refused:
        _ = reader.lease
    assert refused.value.found == "it was opened for reading"
    memory = MemoryJournal()
    with pytest.raises(JournalError) as read:
        _ = MemoryJournal(disk=memory.disk, read_only=True).lease
    assert read.value.found == "it was opened for reading"
    with pytest.raises(JournalError) as held:
        MemoryJournal(disk=memory.disk)
    assert held.value.found == "memory"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("CREATE TABLE more (one)", "the tables are not those of a journal"),
        ("INSERT INTO meta VALUES ('more', '1')", "meta holds ['head', 'more'] beside a version"),
        ("UPDATE lease SET host = 'x'", "the lease row was changed by somebody else"),
        ("UPDATE entries SET packed = 7 WHERE seq = 2", "entry 2 does not unpack"),
    ],
)
def test_a_file_that_was_changed_by_hand_says_where(tmp_path: Path, sql: str, found: str) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        story(journal)
    raw = sqlite3.connect(path)
    raw.execute(sql)
    raw.commit()
    raw.close()
    with (
        JournalDb(path, read_only=True) as reader,
        pytest.raises(JournalError, match=r"be trusted: .*j\.db") as refused,
    ):
        reader.verify()
    assert refused.value.found == found


def test_a_write_that_was_refused_keeps_nobody_else_from_writing(tmp_path: Path) -> None:
    path, clock = tmp_path / "j.db", Clock()
    first = JournalDb(path, JournalSettings(busy_timeout_ms=1), holder=Holder("a", 1, "b", clock))
    clock.now += 3_600
    with JournalDb(path, JournalSettings(busy_timeout_ms=1), holder=Holder("a", 2, "b", clock)) as second:
        with pytest.raises(JournalError, match="took over"):
            first.append("event", [note(1)], durable=True)
        assert second.append("event", [note(2)], durable=True) == 1
        assert second.query("SELECT at FROM entries WHERE seq = ?", (1,)) == [(2,)]
    first.close()


# -- content -------------------------------------------------------------------------------------


def test_an_exported_line_holds_the_entry_whole_and_nothing_more(tmp_path: Path) -> None:
    with MemoryJournal() as journal:
        story(journal)
        export_jsonl(journal, tmp_path / "out.jsonl")
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
        assert lines == [
            {"seq": seq, "at": at, "kind": kind, "hash": digest, "record": json.loads(text)}
            for seq, at, kind, text, digest in journal.raw()
        ]


def test_rows_are_told_in_the_order_of_their_entries(tmp_path: Path) -> None:
    for journal in (MemoryJournal(), JournalDb(tmp_path / "j.db")):
        for name in ("I2", "I3", "I1"):
            journal.append("command", [(1, cleared(name))], durable=True)
        assert [row["intent_id"] for row in journal.rows("orders")] == ["I2", "I3", "I1"]
        journal.close()


def test_an_export_is_the_same_bytes_whatever_the_system_takes_for_text(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("event", [(1, Note(1, "a.b", {"told": "가"}))], durable=True)
        export_jsonl(journal, tmp_path / "here.jsonl")
    script = (
        "import sys; from pathlib import Path\n"
        "from haetae.journal import JournalDb, export_jsonl\n"
        "export_jsonl(JournalDb(Path(sys.argv[1]), read_only=True), Path(sys.argv[2]))\n"
    )
    other = {"PYTHONPATH": str(SRC), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", script, tmp_path / "j.db", tmp_path / "there.jsonl"]
    subprocess.run(command, env={**os.environ, **other}, check=True)
    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "here.jsonl").read_bytes()
    assert "가".encode() in (tmp_path / "here.jsonl").read_bytes()


def test_a_digest_is_of_lines_of_plain_json_in_any_order() -> None:
    lines = '["가",1,0.5]\n["나",2,1.5]\n'
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert digest_of([("나", 2, 1.5), ("가", 1, 0.5)]) == digest_of([("가", 1, 0.5), ("나", 2, 1.5)]) == expected


def test_a_row_of_another_length_is_no_row_of_a_table() -> None:
    row = tuple(range(len(LESSONS.columns)))
    assert list(named(LESSONS, row).items()) == list(zip(LESSONS.names, row, strict=True))
    for wrong in (row[:-1], (*row, 1)):
        with pytest.raises(ValueError, match="argument"):
            named(LESSONS, wrong)


def test_an_execution_is_written_once_and_every_other_row_in_the_place_of_its_old_one() -> None:
    db = sqlite3.connect(":memory:")
    create(db)
    zeros = {str: "", int: 0, float: 0.0}
    for name, table in PROJECTIONS.items():
        row = [zeros[column.kind] for column in table.columns]
        db.execute(upsert(table), row)
        changed = [*row[:-1], 9]
        if name == "fills":
            with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
                db.execute(upsert(table), changed)
        else:
            db.execute(upsert(table), changed)
        assert db.execute(f"SELECT seq FROM {name}").fetchall() == [(0 if name == "fills" else 9,)]
    db.close()


def test_damaged_bytes_that_promise_a_quarter_of_a_gigabyte_are_not_believed() -> None:
    packed, payload = packer(0)("x" * 100)
    assert (packed, unpacker()(packed, payload)) == (ZSTD, "x" * 100)
    for length, fault in ((1 << 28, zstandard.ZstdError), ((1 << 28) + 1, ValueError)):
        promising = b"\x28\xb5\x2f\xfd\xa0" + length.to_bytes(4, "little") + b"\x01\x00\x00"
        with pytest.raises(fault) as refused:
            unpacker()(ZSTD, promising)
    assert str(refused.value) == "a text of that length is no entry"
    with pytest.raises(ValueError, match="no packing 9"):
        unpacker()(9, payload)


# -- files ---------------------------------------------------------------------------------------


def test_a_copy_that_is_put_back_stays_as_it_was(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with MemoryJournal() as source:
        story(source)
        backup.copy_out(source, kept / "copy.db")
    before = contents(kept)
    target = MemoryJournal()
    assert backup.copy_in(kept / "copy.db", target, 50) == target.acknowledged - 1, "the note is on the disk too"
    after = contents(kept)
    assert before["copy.db"] == after["copy.db"]
    assert "copy.db.lock" not in after
    assert "copy.db.mark" not in after


def test_a_copy_is_put_back_in_one_write_and_only_into_an_empty_journal(tmp_path: Path) -> None:
    """A process that dies meanwhile leaves an empty journal, not half of one that nothing marks as restored."""
    with MemoryJournal() as source:
        source.append("event", [note(number) for number in range(4_500)], durable=True)
        backup.copy_out(source, tmp_path / "copy.db")
    passed: list[str] = []
    target = MemoryJournal(passing=passed.append)
    assert backup.copy_in(tmp_path / "copy.db", target, 50) == 4_500
    assert passed.count("journal.committed") == 1
    assert target.acknowledged == 4_501
    ((_, at, _, told),) = list(target.entries(kind="run"))
    assert (at, told.at, told.data["head"]) == (50, 50, source.head[1])
    with pytest.raises(JournalError, match="never written over") as taken:
        backup.copy_in(tmp_path / "copy.db", target, 60)
    assert taken.value.found == "memory"


@pytest.mark.parametrize(
    ("kind", "record", "unreconciled"),
    [
        ("run", Note(60, "day.opened", {}), False),
        ("event", Note(60, backup.RESTORED, {}), False),
        ("run", Note(60, backup.RESTORED, {}), True),
    ],
)
def test_only_the_note_of_a_restore_makes_a_journal_unreconciled(kind: str, record: Note, unreconciled: bool) -> None:
    with MemoryJournal() as journal:
        story(journal)
        journal.append(kind, [(60, record)], durable=True)
        assert restored_unreconciled(journal) is unreconciled


@pytest.mark.parametrize(("kind", "unreconciled"), [("event", False), ("run", True), ("command", True)])
def test_only_what_the_desk_was_told_releases_a_restored_journal(kind: str, unreconciled: bool) -> None:
    release = OperatorCommand(61, OperatorState.ACTIVE, "person", "compared")
    with MemoryJournal() as journal:
        story(journal)
        journal.append("run", [(60, Note(60, backup.RESTORED, {}))], durable=True)
        journal.append(kind, [(61, release)], durable=True)
        assert restored_unreconciled(journal) is unreconciled


def test_a_file_that_is_verified_stays_as_it_was(tmp_path: Path) -> None:
    with MemoryJournal() as source:
        story(source)
        backup.copy_out(source, tmp_path / "copy.db")
    before = contents(tmp_path)
    assert backup.verified(tmp_path / "copy.db") == source.acknowledged
    after = contents(tmp_path)
    assert (after["copy.db"], set(after) & {"copy.db.lock", "copy.db.mark"}) == (before["copy.db"], set())


def test_a_copy_leaves_only_the_file_it_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("copy.db.part", "other.db.part"):
        (out / name).write_text("of a copy that was cut off")
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        backup.copy_file(journal.path, out / "copy.db")
        assert set(contents(out)) == {"copy.db", "other.db.part"}
        backup.copy_out(journal, out / "other.db")
        assert set(contents(out)) == {"copy.db", "other.db"}


def test_nothing_is_left_of_a_copy_whose_source_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalError) as refused:
        backup.copy_file(tmp_path / "none.db", tmp_path / "copy.db")
    assert "it was not copied" in refused.value.found
    assert not list(tmp_path.iterdir())


def test_a_mark_is_a_plain_line_that_names_the_head(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        story(journal)
        assert read_mark(path) == journal.head
        assert mark_path(path).read_text("ascii").startswith(f"{journal.head[0]:020d} {journal.head[1]} ")
        assert stat.S_IMODE(mark_path(path).stat().st_mode) & 0o133 == 0, "others may not write it, nobody runs it"


def test_a_mark_whose_check_fits_but_whose_number_is_none_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    for number, found in (("-5", None), ("x", None), ("5", (5, "abc"))):
        text = f"{number} abc"
        mark_path(path).write_text(f"{text} {zlib.crc32(text.encode()):08x}\n")
        assert read_mark(path) == found


def test_a_lease_that_was_not_taken_yet_has_no_number_and_holds_nothing(tmp_path: Path) -> None:
    lease = FileLease(tmp_path / "j.db", Holder())
    assert (lease.epoch, lease.holds()) == (0, False)
    lease.release()
    assert not lease.holds()


def test_the_lease_row_names_the_newest_holder_and_seals_every_cell(tmp_path: Path) -> None:
    clock = Clock()
    for number in (1, 2):
        with JournalDb(tmp_path / "j.db", holder=Holder("h", number, "b", clock)) as journal:
            clock.now += 1
            journal.append("event", [note(number)], durable=True)
            (row,) = journal.query("SELECT one, epoch, host, pid, boot, expiry_ms, seal FROM lease")
            told = LeaseRow(number, "h", number, "b", int((clock.now + 10) * 1_000))
            assert row == (1, *(getattr(told, name) for name in told.__slots__), told.seal)
