"""A copy of the journal after each day, beside it and verified: what a restore begins from."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path

from haetae.domain.errors import JournalError
from haetae.journal import JournalDb

FOLDER = "backups"
KEPT = 20
"""Sessions whose copies are kept: a month in which somebody notices."""


def copy_journal(journal: Path, day: dt.date) -> Path:
    """Copy the journal while it may be read, verify the copy, forget the oldest; returns where it lies."""
    folder = journal.parent / FOLDER
    folder.mkdir(exist_ok=True)
    target, fresh = folder / f"journal-{day}.db", folder / f".journal-{day}.db"
    fresh.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(fresh)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # a copy is one file
        with JournalDb(fresh, read_only=True) as copied:
            copied.verify()
    except sqlite3.Error as fault:
        raise JournalError(f"the journal was not copied to {target}", found=str(fault)) from fault
    fresh.replace(target)
    for old in sorted(folder.glob("journal-*.db"))[:-KEPT]:
        old.unlink()
    return target
