"""The journal in one SQLite file passes the shared suite."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from contract.journal_suite import JournalSuite, Place
from haetae.journal import ChainedJournal, Holder, JournalDb, JournalSettings
from haetae.ports import Passing, pass_by


class File(Place):
    """A file; whoever changes it also removes its mark, as a careful forger would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(
        self,
        settings: JournalSettings | None = None,
        *,
        read_only: bool = False,
        holder: Holder | None = None,
        passing: Passing = pass_by,
    ) -> JournalDb:
        return JournalDb(self.path, settings, read_only=read_only, holder=holder, passing=passing)

    def _change(self, sql: str, *values: Any) -> None:
        raw = sqlite3.connect(self.path)
        assert raw.execute(sql, values).rowcount > 0
        raw.commit()
        raw.close()
        self.path.with_name(self.path.name + ".mark").unlink(missing_ok=True)

    def edit(self, seq: int, column: str, value: Any) -> None:
        if column == "text":
            self._change("UPDATE entries SET packed = 0, payload = ? WHERE seq = ?", value.encode(), seq)
        else:
            self._change(f"UPDATE entries SET {column} = ? WHERE seq = ?", value, seq)

    def drop(self, first: int, last: int) -> None:
        self._change("DELETE FROM entries WHERE seq BETWEEN ? AND ?", first, last)

    def edit_row(self, table: str, column: str, value: Any) -> None:
        self._change(f"UPDATE {table} SET {column} = ?", value)

    def drop_rows(self, table: str) -> None:
        self._change(f"DELETE FROM {table}")

    def set_head(self, value: str | None) -> None:
        self._change("DELETE FROM meta WHERE name = 'head'")
        if value is not None:
            self._change("INSERT INTO meta VALUES ('head', ?)", value)

    def take_over(self, journal: ChainedJournal) -> None:
        self._change("UPDATE lease SET epoch = epoch + 1")


class TestSqliteJournal(JournalSuite):
    """The suite on a file."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> File:
        return File(tmp_path / "journal.db")
