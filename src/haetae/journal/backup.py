"""Copies of a journal: made while it is written, verified before they get their name, never in the place of another.

A restored journal is behind the broker: orders may have been sent and filled after the copy. It says so itself, by a
note ``journal.restored`` as its newest entry, and the desk that opens it stays frozen until broker and books were
compared (``restored_unreconciled`` answers that). Copies cross databases: a file may be copied from PostgreSQL and
restored into it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from haetae.domain import codec
from haetae.domain.errors import JournalError, Text
from haetae.domain.events import Note, OperatorCommand, OperatorState
from haetae.domain.units import Instant
from haetae.journal.chained import ChainedJournal, broken
from haetae.journal.database import JournalDb, sync_folder
from haetae.journal.marks import mark_path

RESTORED = "journal.restored"
"""Note of a journal that was put back from a copy."""
RUN, EVENT = "run", "event"
"""The kinds of entries about what happened around the desk, and of what it was told."""
_COMMAND = '"$":"OperatorCommand"'
_PAGES = 2_048
"""Pages copied at once: a writer waits no longer than that."""


def copy_file(source: Path, target: Path) -> int:
    """Copy a journal file to a name that is free while another process may write it; return its entries.

    Raises
    ------
    JournalError
        The name is taken, the source cannot be read, or the copy does not verify; then nothing is left.
    """
    refuse_taken(target)
    part = target.with_name(target.name + ".part")
    _remove(part)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as held,
            closing(sqlite3.connect(part)) as fresh,
        ):
            held.backup(fresh, pages=_PAGES)
        count = verified(part)
    except sqlite3.Error as fault:
        _remove(part)
        raise broken(str(source), f"it was not copied: {fault}") from fault
    except JournalError:
        _remove(part)
        raise
    _name(part, target)
    return count


def copy_out(source: ChainedJournal, target: Path) -> int:
    """Write any journal's entries into a new file; return their number."""
    refuse_taken(target)
    part = target.with_name(target.name + ".part")
    _remove(part)
    try:
        with JournalDb(part) as fresh:
            fresh.adopt(source.raw())
        count = verified(part)
    except JournalError:
        _remove(part)
        raise
    _name(part, target)
    return count


def copy_in(copy: Path, target: ChainedJournal, at: Instant) -> int:
    """Put a copy's entries and the note of a restore into an empty journal, in one transaction; return how many."""
    if target.head[0]:
        raise taken(target.name)
    with JournalDb(copy, read_only=True) as source:
        source.verify()
        count = target.adopt(source.raw(), at_once=True)
        head = source.head[1]
    target.append(RUN, [(at, Note(at, RESTORED, {"copy": copy.name, "entries": count, "head": head}))], durable=True)
    return count


def restored_unreconciled(journal: ChainedJournal) -> bool:
    """Say whether this journal was put back from a copy and no person released the desk since.

    The desk that opens such a journal is halted, compares broker and books, and a person who read the difference
    releases it: that command is an entry like any other.
    """
    put_back = 0
    for seq, _, _, record in journal.entries(kind=RUN):
        if isinstance(record, Note) and record.kind == RESTORED:
            put_back = seq
    if not put_back:
        return False
    commands = (codec.decode(text) for *_, text, _ in journal.raw(kind=EVENT, after=put_back) if _COMMAND in text)
    return not any(isinstance(said, OperatorCommand) and said.state is OperatorState.ACTIVE for said in commands)


def verified(path: Path) -> int:
    """Verify a journal file and return its entries."""
    with JournalDb(path, read_only=True) as copied:
        return copied.verify()


def refuse_taken(target: Path) -> None:
    """Raise ``JournalError`` where a journal or a part of one lies already."""
    for path in (target, *_beside(target), mark_path(target)):
        if path.exists():
            raise taken(str(path))


def taken(name: str) -> JournalError:
    """Return the refusal to write over a journal."""
    return JournalError(
        Text(ko="이미 있는 일지는 덮어쓰지 않습니다", en="a journal that is there is never written over"),
        expected=Text(ko="비어 있는 자리", en="a place that is free"),
        found=name,
        next_step=Text(ko="다른 이름을 쓰거나 먼저 옮겨 두세요", en="choose another name, or move it away first"),
    )


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _remove(part: Path) -> None:
    beside = (*_beside(part), mark_path(part), part.with_name(part.name + ".lock"))
    for path in (part, *beside):
        path.unlink(missing_ok=True)


def _name(part: Path, target: Path) -> None:
    """Give a whole copy its name, durably; a name that was taken meanwhile is not written over."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(part, target)
    except FileExistsError as fault:
        raise taken(str(target)) from fault
    finally:
        with suppress(OSError):
            _remove(part)
    sync_folder(target.parent)
