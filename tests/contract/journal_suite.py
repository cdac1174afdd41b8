"""What every journal must do, whatever database keeps it; a class per database inherits these tests.

``Place`` is where one journal lies: it opens it, and it plays whoever changes the database behind the journal's back.
"""
# long: one suite that every database inherits whole.

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pytest

from haetae.domain import codec
from haetae.domain.errors import JournalError
from haetae.domain.events import Cancel, Note, Submit
from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.market import Slice
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Fill,
    Filled,
    OrderIntent,
    OrderKind,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Side,
)
from haetae.journal import TABLES, ChainedJournal, Holder, JournalSettings, MemoryJournal, export_jsonl
from haetae.ports import Passing, pass_by

DAY = dt.date(2026, 11, 23)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Place(ABC):
    """Where one journal lies."""

    @abstractmethod
    def open(
        self,
        settings: JournalSettings | None = None,
        *,
        read_only: bool = False,
        holder: Holder | None = None,
        passing: Passing = pass_by,
    ) -> ChainedJournal:
        """Open the journal as a process does."""

    @abstractmethod
    def edit(self, seq: int, column: str, value: Any) -> None:
        """Change a cell of an entry; ``text`` is its payload."""

    @abstractmethod
    def drop(self, first: int, last: int) -> None:
        """Remove entries."""

    @abstractmethod
    def edit_row(self, table: str, column: str, value: Any) -> None:
        """Change a cell in every row of a projection."""

    @abstractmethod
    def drop_rows(self, table: str) -> None:
        """Empty a projection."""

    @abstractmethod
    def set_head(self, value: str | None) -> None:
        """Change or remove the head beside the entries."""

    @abstractmethod
    def take_over(self, journal: ChainedJournal) -> None:
        """Give the lease to somebody else behind the holder's back."""


def note(number: int, size: int = 1) -> tuple[int, Note]:
    return number, Note(number, "test.noted", {"n": number, "text": "가" * size})


def cleared(name: str, quantity: int = 10) -> Submit:
    intent = OrderIntent(name, f"D-{name}", "005930", Side.BUY, quantity, OrderKind.LIMIT, 50_000, 1)
    return Submit(ClearedOrder(intent, quantity, 1, ("G01",)))


def decided(name: str) -> Note:
    made = {
        "decision_id": name, "symbol": "005930", "side": "buy", "status": "MODEL_APPROVE",
        "decider": "offline_rules_v1", "action": "approve", "confidence": 0.7, "proposed": 10, "quantity": 10,
        "limit_price": 50_000,
    }  # fmt: skip
    return Note(1, "decision.made", made)


def fill(name: str, number: str, cumulative: int, quantity: int, price: int, at: int) -> Filled:
    order = BrokerOrderId(DAY, "00950", number)
    booked = Fill(order, name, "005930", Side.BUY, quantity, price, quantity * price, cumulative, at)
    return Filled(name, at, booked)


def story(journal: ChainedJournal) -> None:
    """Lives of orders that end in every way, one execution told twice, a denial, a review, a lesson."""
    number = BrokerOrderId(DAY, "00950", "1")
    denied = Note(2, "intent.denied", {"decision_id": "D2", "codes": ["G05", "G12"]})
    for item in (decided("D1"), decided("D2"), denied, cleared("I1"), cleared("I2"), cleared("I3"), cleared("I4")):
        journal.append("command", [(1, item)], durable=False)
    events = (
        Accepted("I1", 2, number),
        fill("I1", "1", 4, 4, 50_000, 3),
        fill("I1", "1", 4, 4, 50_000, 4),
        fill("I1", "1", 10, 6, 49_900, 5),
        OutcomeUnknown("I2", 6, "a reset"),
        Accepted("I2", 7, BrokerOrderId(DAY, "00950", "2")),
        Replaced("I2", 8, BrokerOrderId(DAY, "00950", "3"), 50_100),
        Rejected("I3", 9, "APBK0506", "호가단위"),
        Accepted("I3", 10, BrokerOrderId(DAY, "00950", "4")),
    )
    for at, event in enumerate(events, 2):
        journal.append("event", [(at, event)], durable=True)
    journal.append("command", [(11, Cancel("I2", 11, "old"))], durable=True)
    journal.append("event", [(12, Canceled("I2", 12, 0))], durable=True)
    review = TradeReview(
        "D1", "005930", Side.BUY, "MODEL_APPROVE", True, 10, 50_000, 49_940, -1.5, 12.5, 30, "good_approve", 13
    )
    journal.append("review", [(13, review)], durable=False)
    lesson = Lesson("L1", "spread_wide", "reduce", ("D1",), 3, 4.5, "candidate", 14)
    journal.append("lesson", [(14, lesson)], durable=True)


ENTRIES = 20
"""How many the story has."""


class JournalSuite:
    """Inherit and give a fixture ``place``."""

    # -- order and reading -----------------------------------------------------------------------

    def test_entries_come_back_in_order_with_their_records(self, place: Place) -> None:
        with place.open() as journal:
            first = journal.append("event", [note(1), note(2)], durable=False)
            last = journal.append("command", [note(3, 2_000)], durable=True)
            assert (first, last) == (2, 3)
            found = [(seq, at, kind, r.data["n"]) for seq, at, kind, r in journal.entries()]
            assert found == [(1, 1, "event", 1), (2, 2, "event", 2), (3, 3, "command", 3)]
            assert [seq for seq, *_ in journal.entries(kind="event", after=1)] == [2]
            assert [seq for seq, *_ in journal.entries(after=2)] == [3]
            assert journal.verify() == 3

    def test_a_writer_reads_what_it_has_not_committed_yet(self, place: Place) -> None:
        with place.open() as journal:
            empty = journal.digests()
            journal.append("event", [note(1)], durable=False)
            assert journal.verify() == 1
            journal.append("event", [note(1)], durable=False)
            assert [seq for seq, *_ in journal.entries()] == [1, 2]
            journal.append("command", [(1, cleared("I1"))], durable=False)
            assert len(journal.rows("orders")) == 1
            assert journal.head[0] == 3
            journal.append("command", [(1, cleared("I2"))], durable=False)
            assert journal.digests() != empty

    def test_hashes_are_those_of_memory_whatever_keeps_the_entries(self, place: Place) -> None:
        with place.open() as journal, MemoryJournal() as memory:
            story(journal)
            story(memory)
            assert journal.head == memory.head
            assert list(journal.raw()) == list(memory.raw())
            assert journal.digests() == memory.digests()

    def test_it_goes_on_where_it_ended_and_the_chain_holds_over_openings(self, place: Place) -> None:
        for number in range(3):
            with place.open() as journal:
                assert journal.head[0] == number
                journal.append("event", [note(number)], durable=False)
        with place.open(read_only=True) as journal:
            assert journal.verify() == 3

    def test_a_slice_comes_back_to_the_bit(self, place: Place) -> None:
        column = np.arange(50, dtype=np.int64)
        names = tuple(f"{n:06d}" for n in range(50))
        piece = Slice(0, 60, names, *(column.copy() for _ in range(5)), np.ones(50, np.bool_))
        with place.open() as journal:
            journal.append("event", [(60, piece)], durable=True)
            (found,) = [record for *_, record in journal.entries()]
            assert codec.encode(found) == codec.encode(piece)

    def test_many_entries_are_read_page_by_page(self, place: Place) -> None:
        with place.open(JournalSettings(batch=10_000)) as journal:
            for start in range(0, 12_000, 4_000):
                journal.append("event", [note(start + n) for n in range(4_000)], durable=True)
            assert [seq for seq, *_ in journal.raw()] == list(range(1, 12_001))
            assert sum(1 for _ in journal.raw(kind="event", after=6_000)) == 6_000

    def test_a_record_that_cannot_be_written_leaves_nothing_of_its_call(self, place: Place) -> None:
        with place.open() as journal:
            with pytest.raises(TypeError):
                journal.append("event", [note(1), (2, object())], durable=True)
            assert journal.append("event", [note(1)], durable=True) == 1
            assert journal.verify() == 1

    # -- durability ------------------------------------------------------------------------------

    def test_durable_means_another_process_can_read_it_at_once(self, place: Place) -> None:
        with place.open() as journal:
            journal.append("event", [note(1)], durable=False)
            with place.open(read_only=True) as reader:
                assert reader.verify() == 0
            journal.append("event", [note(2)], durable=True)
            with place.open(read_only=True) as reader:
                assert reader.verify() == 2

    def test_entries_that_nobody_asked_to_be_durable_are_committed_in_batches(self, place: Place) -> None:
        with place.open(JournalSettings(batch=4)) as journal:
            for number in range(7):
                journal.append("event", [note(number)], durable=False)
            with place.open(read_only=True) as reader:
                assert reader.verify() == 4
            journal.flush()
            with place.open(read_only=True) as reader:
                assert reader.verify() == 7

    def test_a_batch_is_whole_or_absent_when_the_process_dies_before_its_commit(self, place: Place) -> None:
        class Died(BaseException):
            pass

        def die(point: str) -> None:
            if point == "journal.before_commit" and armed:
                raise Died

        armed: list[bool] = []
        journal = place.open(passing=die)
        journal.append("event", [note(1), note(2)], durable=True)
        armed.append(True)
        with pytest.raises(Died):
            journal.append("event", [note(3), note(4)], durable=True)
        with place.open(read_only=True) as reader:
            assert reader.verify() == 2

    def test_a_closed_journal_takes_nothing(self, place: Place) -> None:
        journal = place.open()
        journal.append("event", [note(1)], durable=False)
        journal.close()
        journal.close()
        with pytest.raises(JournalError):
            journal.append("event", [note(2)], durable=True)
        journal.flush()
        with place.open(read_only=True) as reader:
            assert reader.verify() == 1
            reader.flush()

    # -- tampering -------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("column", "value"), [("at", 99), ("kind", "other"), ("text", '{"n":1}'), ("hash", "f" * 64), ("seq", 99)]
    )
    def test_a_changed_cell_is_noticed(self, place: Place, column: str, value: Any) -> None:
        with place.open() as journal:
            journal.append("event", [note(n, 400 * (n % 2)) for n in range(5)], durable=True)
        place.edit(3, column, value)
        assert_untrusted(place)

    @pytest.mark.parametrize(("first", "last"), [(1, 1), (3, 3), (5, 5), (4, 5), (1, 5)])
    def test_a_missing_entry_is_noticed_wherever_it_was(self, place: Place, first: int, last: int) -> None:
        with place.open() as journal:
            journal.append("event", [note(n) for n in range(5)], durable=True)
        place.drop(first, last)
        assert_untrusted(place)

    def test_entries_that_changed_places_are_noticed(self, place: Place) -> None:
        with place.open() as journal:
            journal.append("event", [note(n) for n in range(5)], durable=True)
        for seq, other in ((2, 90), (3, 2), (90, 3)):
            place.edit(seq, "seq", other)
        assert_untrusted(place)

    def test_a_head_that_was_changed_or_removed_is_noticed(self, place: Place) -> None:
        with place.open() as journal:
            journal.append("event", [note(1)], durable=True)
        place.set_head("1:" + "0" * 64)
        assert_untrusted(place)
        place.set_head(None)
        assert_untrusted(place)

    @pytest.mark.parametrize(
        ("table", "column", "value"),
        [
            ("orders", "amount", 1),
            ("fills", "quantity", 1),
            ("decisions", "confidence", 0.71),
            ("reviews", "label", "bad_approve"),
            ("lessons", "state", "active"),
        ],
    )
    def test_a_changed_row_of_a_projection_is_noticed_and_mended(
        self, place: Place, table: str, column: str, value: Any
    ) -> None:
        with place.open() as journal:
            story(journal)
            before = journal.digests()
        place.edit_row(table, column, value)
        assert_untrusted(place)
        place.drop_rows(table)
        assert_untrusted(place)
        with place.open() as journal:
            journal.rebuild()
            assert journal.digests() == before
            assert journal.verify() == ENTRIES

    # -- projections -----------------------------------------------------------------------------

    def test_projections_show_how_each_order_ended_and_each_execution_once(self, place: Place) -> None:
        with place.open() as journal:
            story(journal)
            shown = {
                row["intent_id"]: (row["status"], row["filled"], row["amount"], row["order_number"], row["limit_price"])
                for row in journal.rows("orders")
            }
            assert shown == {
                "I1": ("filled", 10, 499_400, "1", 50_000),
                "I2": ("canceled", 0, 0, "3", 50_100),
                "I3": ("rejected", 0, 0, "4", 50_000),
                "I4": ("sending", 0, 0, "", 50_000),
            }
            assert [row["cumulative"] for row in journal.rows("fills")] == [4, 10]
            assert [(row["decision_id"], row["denied_by"]) for row in journal.rows("decisions")] == [
                ("D1", ""),
                ("D2", "G05,G12"),
            ]
            assert [row["label"] for row in journal.rows("reviews")] == ["good_approve"]
            assert [row["trigger_rule"] for row in journal.rows("lessons")] == ["spread_wide"]

    def test_projections_go_on_in_the_next_process(self, place: Place) -> None:
        with place.open() as journal:
            journal.append("command", [(1, cleared("I1"))], durable=True)
            journal.append("event", [(3, fill("I1", "1", 4, 4, 50_000, 3))], durable=True)
        with place.open() as journal:
            journal.append("event", [(4, fill("I1", "1", 4, 4, 50_000, 4))], durable=True)
            journal.append("event", [(5, fill("I1", "1", 10, 6, 49_900, 5))], durable=True)
            (order,) = journal.rows("orders")
            assert (order["status"], order["filled"], order["amount"]) == ("filled", 10, 499_400)
            assert len(journal.rows("fills")) == 2
            assert journal.verify() == 4

    def test_rebuilt_projections_are_equal_to_the_ones_written_along(self, place: Place) -> None:
        with place.open() as journal:
            story(journal)
            before = {table: journal.rows(table) for table in TABLES}
            digests = journal.digests()
            journal.rebuild()
            assert {table: journal.rows(table) for table in TABLES} == before
            assert journal.digests() == digests
            journal.append("event", [(20, fill("I4", "9", 10, 10, 50_000, 20))], durable=True)
            assert {row["status"] for row in journal.rows("orders")} == {"filled", "canceled", "rejected"}
            assert journal.verify() == ENTRIES + 1

    def test_a_journal_without_orders_is_rebuilt_too(self, place: Place) -> None:
        with place.open() as journal:
            journal.append("event", [note(1)], durable=True)
            journal.rebuild()
            assert journal.verify() == 1

    def test_tables_are_not_rebuilt_from_a_broken_chain(self, place: Place) -> None:
        with place.open() as journal:
            story(journal)
        place.edit(3, "at", 99)
        with pytest.raises(JournalError), place.open() as journal:
            journal.rebuild()

    def test_a_table_nobody_has_is_a_key_error(self, place: Place) -> None:
        with place.open() as journal, pytest.raises(KeyError):
            journal.rows("entries")

    def test_export_writes_one_line_of_json_per_entry(self, place: Place, tmp_path: Any) -> None:
        with place.open() as journal:
            story(journal)
            assert export_jsonl(journal, tmp_path / "out.jsonl") == ENTRIES
            lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
            assert '"seq": 4' in lines[3]
            assert '"$":"Submit"' in lines[3]
            assert export_jsonl(journal, tmp_path / "out.jsonl", kind="review") == 1

    # -- the lease -------------------------------------------------------------------------------

    def test_a_second_writer_is_refused_and_a_reader_is_not(self, place: Place) -> None:
        with place.open() as journal:
            journal.append("event", [note(1)], durable=True)
            with pytest.raises(JournalError, match="another process is writing"):
                place.open()
            with place.open(read_only=True) as reader:
                assert reader.verify() == 1
                with pytest.raises(JournalError):
                    reader.append("event", [note(2)], durable=True)
                with pytest.raises(JournalError):
                    _ = reader.lease
            assert journal.lease.holds()
        place.open().close()

    def test_every_holder_has_a_higher_number(self, place: Place) -> None:
        epochs = []
        for _ in range(3):
            with place.open() as journal:
                epochs.append(journal.lease.epoch)
                assert journal.lease.holds()
        assert epochs == [1, 2, 3]
        assert not journal.lease.holds()

    def test_a_holder_that_was_replaced_learns_it_and_writes_nothing(self, place: Place) -> None:
        journal = place.open()
        journal.append("event", [note(1)], durable=True)
        place.take_over(journal)
        with pytest.raises(JournalError, match="took over"):
            journal.append("event", [note(2)], durable=True)
        assert not journal.lease.holds()
        with pytest.raises(JournalError):
            journal.append("event", [note(3)], durable=False)
        with pytest.raises(JournalError):
            journal.rebuild()
        journal.close()
        with place.open(read_only=True) as reader:
            assert [record.data["n"] for *_, record in reader.entries()] == [1]

    def test_asking_is_enough_to_learn_it(self, place: Place) -> None:
        with place.open() as journal:
            place.take_over(journal)
            assert not journal.lease.holds()
            assert not journal.lease.holds()
            with pytest.raises(JournalError, match="took over"):
                journal.append("event", [note(2)], durable=True)


def assert_untrusted(place: Place) -> None:
    """Both a reader and the next writer refuse, at opening or when they verify."""
    for read_only in (True, False):
        with pytest.raises(JournalError), place.open(read_only=read_only) as journal:
            journal.verify()
