"""The purse and the record of calls: one SQLite file for every process that spends.

A call is booked before it is made: in the same transaction that checks the day's cap its dearest outcome
is reserved. An answer settles it at what the usage says. A call that never ended stays at its
reservation. Nothing is ever credited: a settled row cannot change, no row can be removed, and the day
never goes back, however the clock does. Integers only, in milliwon; the file is readable by its owner alone.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import DataError, Text
from haetae.domain.units import NS_PER_MINUTE, Instant, day_of
from haetae.llm.prices import MILLIWON

_VERSION = 1
_CREATE = """
CREATE TABLE IF NOT EXISTS calls (
  call_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL, day TEXT NOT NULL, purpose TEXT NOT NULL, subject TEXT NOT NULL, attempt INTEGER NOT NULL,
  host TEXT NOT NULL, model TEXT NOT NULL, behaviour TEXT NOT NULL, prompt_sha256 TEXT NOT NULL, prompt BLOB NOT NULL,
  dropped TEXT NOT NULL, price_version TEXT NOT NULL, krw_per_usd INTEGER NOT NULL,
  reserved INTEGER NOT NULL CHECK (typeof(reserved) = 'integer' AND reserved >= 0),
  settled INTEGER CHECK (settled IS NULL OR (typeof(settled) = 'integer' AND settled >= 0)),
  status TEXT NOT NULL DEFAULT 'OPEN', detail TEXT NOT NULL DEFAULT '', flag TEXT NOT NULL DEFAULT '',
  returned_model TEXT NOT NULL DEFAULT '', tokens_in INTEGER, tokens_out INTEGER, tokens_cached INTEGER,
  latency_ms INTEGER, reply_sha256 TEXT NOT NULL DEFAULT '', reply BLOB
);
CREATE INDEX IF NOT EXISTS calls_by_day ON calls (day);
CREATE TRIGGER IF NOT EXISTS calls_stay BEFORE DELETE ON calls
  BEGIN SELECT RAISE(ABORT, 'a call cannot be removed'); END;
CREATE TRIGGER IF NOT EXISTS calls_settle_once BEFORE UPDATE ON calls
  WHEN OLD.settled IS NOT NULL OR NEW.reserved <> OLD.reserved OR NEW.day <> OLD.day OR NEW.call_id <> OLD.call_id
  BEGIN SELECT RAISE(ABORT, 'a booked call cannot change'); END;
CREATE TABLE IF NOT EXISTS names (
  asked TEXT NOT NULL, host TEXT NOT NULL, returned TEXT NOT NULL, accepted INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (asked, host, returned)
);
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is known of a call before it is made."""

    purpose: str
    subject: str
    attempt: int
    host: str
    model: str
    behaviour: str
    prompt: str
    prompt_sha256: str
    dropped: tuple[str, ...]
    price_version: str
    krw_per_usd: int
    reserve: int
    """Milliwon, the dearest this call can be."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to; ``settled`` None keeps the reservation."""

    status: str
    detail: str = ""
    flag: str = ""
    settled: int | None = None
    returned_model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    latency_ms: int = 0
    reply: bytes = b""
    reply_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """Spending of one day in milliwon, reservations included."""

    day: str
    spent: int
    calls: int
    open_calls: int


class Ledger:
    """The file; every method is one short transaction."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raises ``DataError`` if it cannot be used."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise _unusable(path, f"version {version}, known {_VERSION}")
            self._db.executescript(_CREATE + f"PRAGMA user_version={_VERSION};")
        except (sqlite3.Error, OSError) as fault:
            raise _unusable(path, str(fault)) from fault

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as fault:
            raise _unusable(self.path, str(fault)) from fault

    def _day(self, db: sqlite3.Connection, at: Instant) -> str:
        """Return the day to book on: that of the clock, or the newest booked one if the clock went back."""
        newest = db.execute("SELECT max(day) FROM calls").fetchone()[0] or ""
        return max(day_of(at).isoformat(), str(newest))

    def reserve(self, ask: Ask, at: Instant, *, daily_krw: int, calls_per_minute: int) -> tuple[int, str]:
        """Book a call before it is made; return its id, or 0 and the cap that stands against it."""
        with self._transaction() as db:
            day = self._day(db, at)
            spent = self._spent(db, day)
            if spent + ask.reserve > daily_krw * MILLIWON:
                return 0, (
                    f"BUDGET: {_won(spent)} of {daily_krw:,} won are spent today, this needs up to {_won(ask.reserve)}"
                )
            recent = db.execute("SELECT count(*) FROM calls WHERE at > ?", (at - NS_PER_MINUTE,)).fetchone()[0]
            if recent >= calls_per_minute:
                return 0, f"RATE: {recent} calls within a minute, {calls_per_minute} are allowed"
            row = db.execute(
                "INSERT INTO calls (at, day, purpose, subject, attempt, host, model, behaviour, prompt_sha256, prompt,"
                " dropped, price_version, krw_per_usd, reserved) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    at,
                    day,
                    ask.purpose,
                    ask.subject,
                    ask.attempt,
                    ask.host,
                    ask.model,
                    ask.behaviour,
                    ask.prompt_sha256,
                    zlib.compress(ask.prompt.encode(), 6),
                    " ".join(ask.dropped),
                    ask.price_version,
                    ask.krw_per_usd,
                    ask.reserve,
                ),
            )
            return int(row.lastrowid or 0), ""

    def settle(self, call_id: int, outcome: Outcome) -> None:
        """Book what a call came to, once."""
        with self._transaction() as db:
            db.execute(
                "UPDATE calls SET settled = coalesce(?, reserved), status = ?, detail = ?, flag = ?,"
                " returned_model = ?, tokens_in = ?, tokens_out = ?, tokens_cached = ?, latency_ms = ?,"
                " reply_sha256 = ?, reply = ? WHERE call_id = ? AND settled IS NULL",
                (
                    outcome.settled,
                    outcome.status,
                    outcome.detail[:300],
                    outcome.flag,
                    outcome.returned_model[:128],
                    outcome.tokens_in,
                    outcome.tokens_out,
                    outcome.tokens_cached,
                    outcome.latency_ms,
                    outcome.reply_sha256,
                    zlib.compress(outcome.reply, 6) if outcome.reply else None,
                    call_id,
                ),
            )

    def _spent(self, db: sqlite3.Connection, day: str) -> int:
        found = db.execute("SELECT coalesce(sum(coalesce(settled, reserved)), 0) FROM calls WHERE day = ?", (day,))
        return int(found.fetchone()[0])

    def today(self, at: Instant) -> Day:
        """Return the spending of the day in force."""
        with self._transaction() as db:
            day = self._day(db, at)
            calls, unsettled = db.execute(
                "SELECT count(*), count(*) FILTER (WHERE settled IS NULL) FROM calls WHERE day = ?", (day,)
            ).fetchone()
            return Day(day, self._spent(db, day), int(calls), int(unsettled))

    def note_name(self, asked: str, host: str, returned: str, at: Instant, *, accepted: bool) -> None:
        """Remember under which name a service answers for a model, and whether that was accepted."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO names VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET accepted = excluded.accepted, at ="
                " excluded.at",
                (asked, host, returned, int(accepted), at),
            )

    def names(self, asked: str, host: str) -> dict[str, bool]:
        """Return the names a service has answered under for a model: accepted or not."""
        with self._transaction() as db:
            rows = db.execute("SELECT returned, accepted FROM names WHERE asked = ? AND host = ?", (asked, host))
            return {str(name): bool(accepted) for name, accepted in rows}

    def forget_strange_names(self, asked: str, host: str) -> None:
        """Let a model be asked again after its service answers under its own name."""
        with self._transaction() as db:
            db.execute("DELETE FROM names WHERE asked = ? AND host = ? AND accepted = 0", (asked, host))

    def last(self, count: int = 1) -> list[dict[str, Any]]:
        """Return the newest calls, newest first, without prompts and replies."""
        columns = (
            "call_id, at, day, purpose, subject, attempt, host, model, behaviour, prompt_sha256, dropped,"
            " price_version, reserved, settled, status, detail, flag, returned_model, tokens_in, tokens_out,"
            " latency_ms, reply_sha256"
        )
        with self._transaction() as db:
            found = db.execute(f"SELECT {columns} FROM calls ORDER BY call_id DESC LIMIT ?", (count,))  # noqa: S608
            names = [part.strip() for part in columns.split(",")]
            return [dict(zip(names, row, strict=True)) for row in found]

    def texts(self, call_id: int) -> tuple[str, bytes]:
        """Return prompt and raw reply of a call."""
        with self._transaction() as db:
            prompt, reply = db.execute("SELECT prompt, reply FROM calls WHERE call_id = ?", (call_id,)).fetchone()
            return zlib.decompress(prompt).decode(), zlib.decompress(reply) if reply else b""


def _won(milliwon: int) -> str:
    return f"{-(-milliwon // MILLIWON):,}"


def _unusable(path: Path, found: str) -> DataError:
    return DataError(
        Text(ko=f"지출 장부 {path} 를 쓸 수 없습니다", en=f"the spend ledger {path} cannot be used"),
        expected="a writable SQLite file",
        found=found[:200],
        next_step=Text(
            ko="경로와 권한을 확인하거나 HAETAE_LLM_LEDGER 로 다른 파일을 지정하세요",
            en="check path and permission, or name another file with HAETAE_LLM_LEDGER",
        ),
    )
