"""A copy of the journal after each day, beside it and verified: what a restore begins from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from haetae.wiring import journals

FOLDER = "backups"
KEPT = 20
"""Sessions whose copies are kept: a month in which somebody notices."""


def copy_journal(journal: Path, day: dt.date, env: Mapping[str, str] | None = None) -> Path:
    """Copy the journal while it may be read, verify the copy, forget the oldest; returns where it lies."""
    folder = journal.parent / FOLDER
    folder.mkdir(exist_ok=True)
    target, fresh = folder / f"journal-{day}.db", folder / f".journal-{day}.db"
    fresh.unlink(missing_ok=True)
    journals.back_up(journal, fresh, env)
    fresh.replace(target)
    for old in sorted(folder.glob("journal-*.db"))[:-KEPT]:
        old.unlink()
    return target
