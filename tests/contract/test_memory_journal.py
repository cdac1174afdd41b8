"""The journal in memory: the shared suite, and what only a simulated disk can do."""

from __future__ import annotations

from typing import Any

import pytest

from contract.journal_suite import ENTRIES, JournalSuite, Place, note, story
from haetae.domain.errors import JournalError
from haetae.journal import ChainedJournal, Holder, JournalSettings, MemoryDisk, MemoryJournal
from haetae.journal.tables import PROJECTIONS
from haetae.ports import Passing, pass_by


class Memory(Place):
    """A simulated disk."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()

    def open(
        self,
        settings: JournalSettings | None = None,
        *,
        read_only: bool = False,
        holder: Holder | None = None,
        passing: Passing = pass_by,
    ) -> MemoryJournal:
        return MemoryJournal(settings, disk=self.disk, read_only=read_only, passing=passing)

    def _place(self, seq: int) -> int:
        return next(place for place, entry in enumerate(self.disk.entries) if entry.seq == seq)

    def edit(self, seq: int, column: str, value: Any) -> None:
        name = {"hash": "digest"}.get(column, column)
        place = self._place(seq)
        self.disk.entries[place] = self.disk.entries[place]._replace(**{name: value})
        self.disk.entries.sort(key=lambda entry: entry.seq)

    def drop(self, first: int, last: int) -> None:
        self.disk.entries = [entry for entry in self.disk.entries if not first <= entry.seq <= last]

    def edit_row(self, table: str, column: str, value: Any) -> None:
        rows, place = self.disk.tables[table], PROJECTIONS[table].names.index(column)
        for key, row in rows.items():
            rows[key] = (*row[:place], value, *row[place + 1 :])

    def drop_rows(self, table: str) -> None:
        self.disk.tables[table].clear()

    def set_head(self, value: str | None) -> None:
        self.disk.head = value

    def take_over(self, journal: ChainedJournal) -> None:
        self.disk.epoch += 1


class TestMemoryJournal(JournalSuite):
    """The suite in memory."""

    @pytest.fixture
    def place(self) -> Memory:
        return Memory()


def test_a_crash_drops_what_was_not_acknowledged() -> None:
    journal = MemoryJournal()
    journal.append("event", [note(1)], durable=True)
    journal.append("event", [note(2), note(3)], durable=False)
    assert (journal.head[0], journal.acknowledged) == (3, 1)
    after = journal.crash()
    assert after.head[0] == after.verify() == 1
    assert after.lease.epoch == 2
    with pytest.raises(JournalError):
        journal.append("event", [note(4)], durable=True)
    assert after.acknowledged == 1


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_crash_may_leave_a_part_of_the_tail_and_it_is_whole(kept: int) -> None:
    journal = MemoryJournal()
    story(journal)
    journal.append("event", [note(1), note(2), note(3)], durable=False)
    after = journal.crash(kept=kept)
    assert after.verify() == ENTRIES + kept
    after.append("event", [note(9)], durable=True)
    assert after.verify() == ENTRIES + kept + 1


def test_a_kept_tail_shows_in_the_projections() -> None:
    journal = MemoryJournal()
    whole = MemoryJournal()
    story(whole)
    for _, at, kind, record in list(whole.entries()):
        journal.append(kind, [(at, record)], durable=False)
    assert journal.crash(kept=ENTRIES).digests() == whole.digests()


def test_a_crash_with_nothing_waiting_keeps_nothing_more() -> None:
    journal = MemoryJournal()
    journal.append("event", [note(1)], durable=True)
    assert journal.crash(kept=5).verify() == 1


def test_the_disk_can_be_told_to_refuse_a_later_write() -> None:
    journal = MemoryJournal()
    journal.append("event", [note(1)], durable=True)
    journal.fail_in(2)
    journal.append("event", [note(2)], durable=True)
    with pytest.raises(JournalError):
        journal.append("event", [note(3)], durable=True)
    assert journal.acknowledged == 2


def test_points_are_passed_around_each_write() -> None:
    passed: list[str] = []
    journal = MemoryJournal(passing=passed.append)
    journal.append("event", [note(1)], durable=False)
    assert passed == []
    journal.flush()
    journal.flush()
    assert passed == ["journal.before_commit", "journal.committed"]


@pytest.mark.parametrize("fail_at", [1, 3])
def test_the_write_that_was_told_to_fails_and_nothing_is_acknowledged_after(fail_at: int) -> None:
    journal = MemoryJournal(fail_at=fail_at)
    for number in range(1, fail_at):
        journal.append("event", [note(number)], durable=True)
    with pytest.raises(JournalError, match="cannot be trusted") as refused:
        journal.append("event", [note(fail_at)], durable=True)
    assert refused.value.found == "the write failed: no space left on the disk"
    with pytest.raises(JournalError) as again:
        journal.append("event", [note(9)], durable=False)
    assert "a write failed before" in again.value.found
    assert journal.acknowledged == fail_at - 1
    after = journal.crash(kept=5, fail_at=2)
    assert after.verify() == fail_at - 1
    after.append("event", [note(1)], durable=True)
    with pytest.raises(JournalError):
        after.append("event", [note(2)], durable=True)


def test_a_holder_that_is_told_to_lose_its_lease_does() -> None:
    journal = MemoryJournal()
    journal.lease.lose()
    assert not journal.lease.holds()
    with pytest.raises(JournalError, match="took over"):
        journal.append("event", [note(1)], durable=True)
    journal.close()
    assert journal.disk.held
