"""Copies of a journal, what a restored one says of itself, and room on the disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from contract.journal_suite import ENTRIES, cleared, note, story
from haetae.domain.errors import JournalError
from haetae.domain.events import Note, OperatorCommand, OperatorState
from haetae.journal import Ballast, JournalDb, MemoryJournal, Room, backup, restored_unreconciled, space_of
from haetae.journal.space import ENOUGH_BYTES, Space
from rigs.small_files import files_no_larger_than


def test_a_copy_of_a_journal_that_is_being_written_is_whole_and_verified(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        assert backup.copy_file(journal.path, tmp_path / "copy.db") == ENTRIES
        journal.append("event", [note(1)], durable=True)
        head, digests = journal.head, journal.digests()
    with JournalDb(tmp_path / "copy.db", read_only=True) as copy:
        assert copy.verify() == ENTRIES
        assert copy.head != head
        assert copy.digests() == digests
    assert {path.name for path in tmp_path.iterdir() if "part" in path.name} == set()


@pytest.mark.parametrize("name", ["copy.db", "copy.db-wal", "copy.db-shm", "copy.db.mark"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("event", [note(1)], durable=True)
        (tmp_path / name).write_text("mine")
        for copy in (
            lambda: backup.copy_file(journal.path, tmp_path / "copy.db"),
            lambda: backup.copy_out(journal, tmp_path / "copy.db"),
        ):
            with pytest.raises(JournalError, match="never written over"):
                copy()
    assert (tmp_path / name).read_text() == "mine"


def test_a_name_that_is_taken_meanwhile_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(source: Path, target: Path) -> None:
        Path(target).write_text("theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with JournalDb(tmp_path / "j.db") as journal, pytest.raises(JournalError, match="never written over") as refused:
        backup.copy_file(journal.path, tmp_path / "copy.db")
    assert refused.value.found == str(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "theirs"
    assert not list(tmp_path.glob("*.part*"))


def test_a_copy_that_does_not_verify_gets_no_name(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
    raw = sqlite3.connect(tmp_path / "j.db")
    raw.execute("UPDATE orders SET amount = 1")
    raw.commit()
    raw.close()
    with pytest.raises(JournalError) as refused:
        backup.copy_file(tmp_path / "j.db", tmp_path / "copy.db")
    assert "table orders" in refused.value.found
    (tmp_path / "rubbish.db").write_bytes(b"rubbish" * 1_000)
    with pytest.raises(JournalError) as unread:
        backup.copy_file(tmp_path / "rubbish.db", tmp_path / "copy.db")
    assert "it was not copied" in unread.value.found
    with MemoryJournal() as broken:
        story(broken)
        broken.disk.entries[2] = broken.disk.entries[2]._replace(at=99)
        with pytest.raises(JournalError, match="cannot be trusted"):
            backup.copy_out(broken, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_crosses_databases_and_keeps_every_hash(tmp_path: Path) -> None:
    with MemoryJournal() as source, MemoryJournal() as target:
        story(source)
        assert backup.copy_out(source, tmp_path / "copy.db") == ENTRIES
        assert backup.copy_in(tmp_path / "copy.db", target, 50) == ENTRIES
        assert list(target.raw())[:ENTRIES] == list(source.raw())
        assert target.digests() == source.digests()
        assert target.verify() == ENTRIES + 1


def test_many_entries_are_adopted_in_several_writes_or_in_one() -> None:
    with MemoryJournal() as source:
        source.append("event", [note(n) for n in range(4_500)], durable=True)
        for at_once, writes in ((False, 3), (True, 1)):
            target = MemoryJournal()
            assert target.adopt(source.raw(), at_once=at_once) == 4_500
            assert target.acknowledged == (0 if at_once else 4_500)
            target.append("event", [note(1)], durable=True)
            assert target._writes == writes + (not at_once)
            assert target.verify() == 4_501


def test_only_what_continues_the_chain_is_adopted() -> None:
    with MemoryJournal() as source, MemoryJournal() as target:
        source.append("event", [note(1), note(2), note(3)], durable=True)
        first, second, third = source.raw()
        for wrong in ((second,), (first, third), (first._replace(at=9),), (first, first)):
            fresh = MemoryJournal()
            with pytest.raises(JournalError) as refused:
                fresh.adopt(wrong)
            assert "does not continue the chain" in refused.value.found
        target.adopt((first,))
        assert target.adopt((second, third)) == 2
        assert target.head == source.head


def released(state: OperatorState) -> tuple[int, OperatorCommand]:
    return 60, OperatorCommand(60, state, "person", "compared")


def test_a_restored_journal_is_unreconciled_until_a_person_releases_the_desk(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        journal.append("event", [released(OperatorState.ACTIVE)], durable=True)
        assert not restored_unreconciled(journal)
        backup.copy_file(journal.path, tmp_path / "copy.db")
    with JournalDb(tmp_path / "new.db") as target:
        assert backup.copy_in(tmp_path / "copy.db", target, 50) == ENTRIES + 1
        assert restored_unreconciled(target)
        ((_, at, _, told),) = list(target.entries(kind="run"))
        assert (at, told.kind, told.data["entries"], told.data["copy"]) == (50, "journal.restored", 21, "copy.db")
        target.append("run", [(51, Note(51, "day.opened", {"day": "2026-11-23"}))], durable=True)
        target.append("event", [(52, cleared("I9")), released(OperatorState.REDUCE_ONLY)], durable=True)
        assert restored_unreconciled(target)
        target.append("event", [released(OperatorState.ACTIVE)], durable=True)
        assert not restored_unreconciled(target)
        target.append("run", [(70, Note(70, backup.RESTORED, {}))], durable=True)
        assert restored_unreconciled(target)


def test_a_copy_is_put_back_only_where_nothing_is(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        backup.copy_file(journal.path, tmp_path / "copy.db")
        with pytest.raises(JournalError, match="never written over"):
            backup.copy_in(tmp_path / "copy.db", journal, 50)
        assert journal.verify() == ENTRIES


def test_a_copy_that_was_changed_is_not_put_back(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        backup.copy_file(journal.path, tmp_path / "copy.db")
    raw = sqlite3.connect(tmp_path / "copy.db")
    raw.execute("UPDATE entries SET at = 0 WHERE seq = 5")
    raw.commit()
    raw.close()
    target = MemoryJournal()
    with pytest.raises(JournalError):
        backup.copy_in(tmp_path / "copy.db", target, 50)
    assert target.acknowledged == 0


GB = 1024**3


@pytest.mark.parametrize(
    ("free", "total", "room", "entries"),
    [
        (ENOUGH_BYTES, 10_000 * GB, Room.ENOUGH, True),
        (ENOUGH_BYTES - 1, 10_000 * GB, Room.SHORT, False),
        (2 * GB, 10 * GB, Room.ENOUGH, True),
        (2 * GB - 1, 10 * GB, Room.LOW, True),
        (1 * GB, 10 * GB, Room.LOW, True),
        (1 * GB - 1, 10 * GB, Room.SHORT, False),
        (0, 0, Room.SHORT, False),
    ],
)
def test_people_are_told_early_and_entries_stop_before_exits(free: int, total: int, room: Room, entries: bool) -> None:
    found = Space(free, total).room
    assert found is room
    assert found.entries_allowed is entries


def test_a_ballast_takes_room_and_gives_it_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, 3_000_000)
    assert ballast.give() == 0
    assert ballast.put()
    assert ballast.put()
    assert ballast.path.stat().st_size == 3_000_000
    assert ballast.path.stat().st_blocks * 512 >= 3_000_000
    assert ballast.give() == 3_000_000
    assert not ballast.path.exists()
    assert space_of(tmp_path).total > 0


def test_a_ballast_is_not_made_where_room_is_low_already(tmp_path: Path) -> None:
    with files_no_larger_than(1_000_000):
        assert not Ballast(tmp_path, space_of(tmp_path).free).put()
    assert not (tmp_path / "ballast").exists()


def test_a_ballast_that_the_disk_refuses_says_so(tmp_path: Path) -> None:
    with files_no_larger_than(1_000_000), pytest.raises(JournalError, match="ballast"):
        Ballast(tmp_path, 3_000_000).put()
