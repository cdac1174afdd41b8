"""The journal keeps what it acknowledged and notices what was changed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain import codec
from haetae.domain.errors import JournalError
from haetae.domain.events import Note, Submit
from haetae.domain.market import Slice
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    ClearedOrder,
    Fill,
    Filled,
    OrderIntent,
    OrderKind,
    Side,
)
from haetae.journal import TABLES, JournalDb, JournalSettings, export_jsonl

SRC = Path(__file__).resolve().parents[3] / "src"
DAY = dt.date(2026, 11, 23)


def note(number: int, size: int = 1) -> tuple[int, Note]:
    return number, Note(number, "test.noted", {"n": number, "text": "가" * size})


def intent(name: str = "I1") -> OrderIntent:
    return OrderIntent(name, "D1", "005930", Side.BUY, 10, OrderKind.LIMIT, 50_000, 1)


def story(journal: JournalDb) -> None:
    """An order's whole life, with one execution told twice."""
    number = BrokerOrderId(DAY, "00950", "1")
    fill = Fill(number, "I1", "005930", Side.BUY, 4, 50_000, 200_000, 4, 3)
    rest = Fill(number, "I1", "005930", Side.BUY, 6, 49_900, 299_400, 10, 5)
    made = {
        "decision_id": "D1", "symbol": "005930", "side": "buy", "status": "MODEL_APPROVE",
        "decider": "offline_rules_v1", "action": "approve", "confidence": 0.7, "proposed": 10, "quantity": 10,
        "limit_price": 50_000,
    }  # fmt: skip
    journal.append("command", [(1, Note(1, "decision.made", made))], durable=False)
    journal.append("command", [(1, Submit(ClearedOrder(intent(), 10, 1, ("G01",))))], durable=True)
    journal.append("event", [(2, Accepted("I1", 2, number))], durable=False)
    for at, item in ((3, fill), (4, fill), (5, rest)):
        journal.append("event", [(at, Filled("I1", at, item))], durable=True)


def test_entries_come_back_in_order_with_their_records(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        first = journal.append("event", [note(1), note(2)], durable=False)
        last = journal.append("command", [note(3, 2_000)], durable=True)
        assert (first, last) == (2, 3)
        assert [(seq, kind, r.data["n"]) for seq, _, kind, r in journal.entries()] == [
            (1, "event", 1),
            (2, "event", 2),
            (3, "command", 3),
        ]
        assert [seq for seq, *_ in journal.entries(kind="event", after=1)] == [2]
        assert journal.verify() == 3


def test_it_goes_on_where_it_ended_and_the_chain_holds_over_openings(tmp_path: Path) -> None:
    for number in range(3):
        with JournalDb(tmp_path / "j.db") as journal:
            journal.append("event", [note(number)], durable=False)
    with JournalDb(tmp_path / "j.db") as journal:
        assert journal.verify() == 3


def test_a_slice_comes_back_to_the_bit(tmp_path: Path) -> None:
    column = np.arange(50, dtype=np.int64)
    piece = Slice(
        0, 60, tuple(f"{n:06d}" for n in range(50)), *(column.copy() for _ in range(5)), np.ones(50, np.bool_)
    )
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("event", [(60, piece)], durable=True)
        (found,) = [record for *_, record in journal.entries()]
        assert codec.encode(found) == codec.encode(piece)
        size = journal.query("SELECT length(payload) FROM entries")[0][0]
        assert size < len(codec.encode(piece)) / 2


@pytest.mark.parametrize("column", ["at", "kind", "payload", "hash", "seq", "packed"])
@pytest.mark.parametrize("size", [1, 2_000])
def test_a_changed_cell_is_noticed(tmp_path: Path, column: str, size: int) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        journal.append("event", [note(n, size) for n in range(5)], durable=True)
    change = {
        "at": "at + 1",
        "kind": "kind || 'x'",
        "payload": "CAST(replace(CAST(payload AS TEXT), '2', '3') AS BLOB)" if size == 1 else "zeroblob(9)",
        "hash": "replace(hash, substr(hash, 1, 1), 'z')",
        "seq": "99",
        "packed": "1 - packed",
    }[column]
    raw = sqlite3.connect(path)
    raw.execute(f"UPDATE entries SET {column} = {change} WHERE seq = 3")
    raw.commit()
    raw.close()
    with JournalDb(path) as journal, pytest.raises(JournalError):
        journal.verify()


@pytest.mark.parametrize("statement", ["DELETE FROM entries WHERE seq = 3", "DELETE FROM entries WHERE seq >= 4"])
def test_a_missing_entry_is_noticed_in_the_middle_and_at_the_end(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "j.db"
    with JournalDb(path) as journal:
        journal.append("event", [note(n) for n in range(5)], durable=True)
    raw = sqlite3.connect(path)
    raw.execute(statement)
    raw.commit()
    raw.close()
    path.with_name("j.db.mark").unlink()
    with JournalDb(path) as journal, pytest.raises(JournalError):
        journal.verify()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, list]:
    path = tmp_path_factory.mktemp("flip") / "j.db"
    with JournalDb(path) as journal:
        journal.append("event", [note(n, 50 * n) for n in range(30)], durable=True)
        expected = list(journal.raw())
    return path, path.read_bytes(), expected


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_no_flipped_bit_of_the_file_changes_an_entry_unnoticed(
    written: tuple[Path, bytes, list], place: float, bit: int
) -> None:
    path, content, expected = written
    flipped = bytearray(content)
    flipped[int(place * len(flipped))] ^= 1 << bit
    path.write_bytes(flipped)
    try:
        with JournalDb(path, read_only=True) as journal:
            journal.verify()
            assert list(journal.raw()) == expected
    except JournalError:
        pass


def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    script = (
        "import sys; from pathlib import Path\n"
        "from haetae.journal import JournalDb; from haetae.domain.events import Note\n"
        f"journal = JournalDb(Path({str(path)!r}))\n"
        "n = 0\n"
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
        acknowledged = 0
        for line in child.stdout:
            acknowledged = int(line)
            if acknowledged >= 30 + 9 * round_:
                break
        os.kill(child.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split())])
        child.wait()
        with JournalDb(path) as journal:
            count = journal.verify()
            assert count >= acknowledged
            journal.append("event", [note(0)], durable=True)
        path.unlink()
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def test_durable_means_another_process_can_read_it_at_once(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("event", [note(1)], durable=False)
        with JournalDb(tmp_path / "j.db", read_only=True) as reader:
            assert reader.verify() == 0
        journal.append("event", [note(2)], durable=True)
        with JournalDb(tmp_path / "j.db", read_only=True) as reader:
            assert reader.verify() == 2


def test_entries_that_nobody_asked_to_be_durable_are_committed_in_batches(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db", JournalSettings(batch=4)) as journal:
        for number in range(7):
            journal.append("event", [note(number)], durable=False)
        with JournalDb(tmp_path / "j.db", read_only=True) as reader:
            assert reader.verify() == 4


def test_synchronous_full_and_wal_are_in_force(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        assert journal.query("PRAGMA journal_mode") == [("wal",)]
        assert journal.query("PRAGMA synchronous")[0][0] >= 2


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("event", [note(1)], durable=True)
        with pytest.raises(JournalError, match="another process"):
            JournalDb(tmp_path / "j.db")
        with JournalDb(tmp_path / "j.db", read_only=True) as reader:
            assert reader.verify() == 1
            with pytest.raises(JournalError):
                reader.append("event", [note(2)], durable=True)
    JournalDb(tmp_path / "j.db").close()


def test_reading_a_journal_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal file"):
        JournalDb(tmp_path / "none.db", read_only=True)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(JournalError):
        JournalDb(path)


def test_projections_show_an_order_once_and_each_execution_once(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        (order,) = journal.rows("orders")
        assert (order["status"], order["filled"], order["amount"]) == ("filled", 10, 499_400)
        assert [fill["cumulative"] for fill in journal.rows("fills")] == [4, 10]
        (decision,) = journal.rows("decisions")
        assert decision["status"] == "MODEL_APPROVE"


def test_rebuilt_projections_are_equal_to_the_ones_written_along(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        before = {table: journal.rows(table) for table in TABLES}
        journal.rebuild()
        assert {table: journal.rows(table) for table in TABLES} == before
        assert journal.verify() == 6


def test_export_writes_one_line_of_json_per_entry(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        story(journal)
        assert export_jsonl(journal, tmp_path / "out.jsonl") == 6
        lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
        assert '"seq": 2' in lines[1]
        assert '"$":"Submit"' in lines[1]
