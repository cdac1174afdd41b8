"""One fold makes the rows of every database: orders, executions, decisions, reviews, lessons."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contract.journal_suite import cleared, decided, fill, note
from haetae.domain import codec
from haetae.domain.decisions import Action, Decision, Leg
from haetae.domain.events import Cancel, Note
from haetae.domain.learning import Lesson
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    Denied,
    Expired,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Side,
    Submitted,
)
from haetae.journal.projections import _KEPT, Fold, shows
from haetae.journal.tables import FILLS, ORDERS, PROJECTIONS, digest_of, named

NUMBER = BrokerOrderId(dt.date(2026, 11, 23), "00950", "1")


def folded(*records: Any) -> Fold:
    fold = Fold()
    for seq, record in enumerate(records, 1):
        fold.apply(seq, seq * 10, codec.plain(record))
    return fold


def order(fold: Fold, name: str = "I1") -> dict[str, Any]:
    (found,) = (named(ORDERS, row) for row in fold.rows("orders") if row[0] == name)
    return found


def test_an_order_begins_with_its_command() -> None:
    assert order(folded(cleared("I1"))) == {
        "intent_id": "I1", "decision_id": "D-I1", "symbol": "005930", "side": "buy", "quantity": 10,
        "limit_price": 50_000, "escape": 0, "status": "sending", "order_number": "", "filled": 0, "amount": 0,
        "submitted_at": 10, "updated_at": 10, "seq": 1,
    }  # fmt: skip


def test_the_same_command_twice_is_one_order() -> None:
    fold = folded(cleared("I1"), Accepted("I1", 5, NUMBER), cleared("I1"))
    assert order(fold)["status"] == "working"
    assert len(list(fold.rows("orders"))) == 1


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (Submitted("I1", 5), "sending"),
        (Accepted("I1", 5, NUMBER), "working"),
        (Replaced("I1", 5, NUMBER, 49_000), "working"),
        (Rejected("I1", 5, "c", "m"), "rejected"),
        (Canceled("I1", 5, 0), "canceled"),
        (Expired("I1", 5, 0), "expired"),
        (OutcomeUnknown("I1", 5, "why"), "unknown"),
        (Denied("I1", 5, ("G01",)), "denied"),
        (Cancel("I1", 5, "why"), "cancel_pending"),
    ],
)
def test_each_event_moves_its_order(event: Any, status: str) -> None:
    found = order(folded(cleared("I1"), cleared("I2"), event))
    assert (found["status"], found["updated_at"], found["seq"]) == (status, 30, 1)
    assert found["limit_price"] == (49_000 if isinstance(event, Replaced) else 50_000)
    assert order(folded(cleared("I1"), cleared("I2"), event), "I2")["status"] == "sending"


def test_what_is_told_of_an_unknown_order_makes_none() -> None:
    fold = folded(Canceled("I1", 5, 0), fill("I1", "1", 4, 4, 50_000, 6), Accepted("I1", 7, NUMBER))
    assert not list(fold.rows("orders"))
    assert len(list(fold.rows("fills"))) == 1


def test_a_refused_change_leaves_the_order_working_and_revives_none_that_ended() -> None:
    refused = Rejected("I1", 9, "c", "m", change=True)
    waiting = folded(cleared("I1"), Accepted("I1", 5, NUMBER), Cancel("I1", 6, "why"))
    assert order(waiting)["status"] == "cancel_pending"
    waiting.apply(9, 90, codec.plain(refused))
    assert (order(waiting)["status"], order(waiting)["updated_at"]) == ("working", 90)
    ended = folded(cleared("I1"), Canceled("I1", 5, 0), refused)
    assert (order(ended)["status"], order(ended)["updated_at"]) == ("canceled", 20)


@pytest.mark.parametrize("last", [Rejected("I1", 5, "c", "m"), Canceled("I1", 5, 0), Expired("I1", 5, 0)])
def test_an_order_that_ended_keeps_how(last: Any) -> None:
    ended = order(folded(cleared("I1"), last))
    after = order(folded(cleared("I1"), last, OutcomeUnknown("I1", 9, "late"), Cancel("I1", 9, "late")))
    assert after == ended
    late = order(folded(cleared("I1"), last, Accepted("I1", 9, NUMBER)))
    assert (late["status"], late["order_number"], late["updated_at"]) == (ended["status"], "1", 20)


def test_a_late_fill_of_an_order_that_ended_is_counted_without_bringing_it_back() -> None:
    found = order(folded(cleared("I1"), Canceled("I1", 5, 0), fill("I1", "1", 4, 4, 50_000, 7)))
    assert (found["status"], found["filled"], found["amount"], found["updated_at"]) == ("canceled", 4, 200_000, 7)


def test_executions_are_booked_once_each_and_add_up() -> None:
    first, rest = fill("I1", "1", 4, 4, 50_000, 6), fill("I1", "1", 10, 6, 49_900, 8)
    fold = folded(cleared("I1"), first, first, rest, rest, first)
    assert [named(FILLS, row)["cumulative"] for row in fold.rows("fills")] == [4, 10]
    found = order(fold)
    assert (found["filled"], found["amount"], found["status"], found["order_number"]) == (10, 499_400, "filled", "1")
    partial = order(folded(cleared("I1"), first))
    assert (partial["filled"], partial["status"], partial["updated_at"]) == (4, "working", 6)


def test_a_fill_told_out_of_order_never_lowers_what_was_filled() -> None:
    found = order(folded(cleared("I1"), fill("I1", "1", 9, 5, 50_000, 6), fill("I1", "1", 4, 4, 50_000, 7)))
    assert (found["filled"], found["amount"]) == (9, 450_000)


def test_a_decision_is_a_row_and_a_denial_names_its_guards() -> None:
    leg = Leg("L1", "P1", "005930", Side.SELL, 10, 50_000, 0.0, 0.5)
    made = Decision("D7", leg, 70, "rules", Action.REDUCE, 0.5, 1, "MODEL_REDUCE", 5)
    denied = Note(9, "intent.denied", {"decision_id": "D7", "codes": ("G05", "G12")})
    (found,) = (named(PROJECTIONS["decisions"], row) for row in folded(made, denied).rows("decisions"))
    assert found == {
        "decision_id": "D7", "symbol": "005930", "side": "sell", "status": "MODEL_REDUCE", "decider": "rules",
        "action": "reduce", "confidence": 1.0, "proposed": 10, "quantity": 5, "limit_price": 50_000,
        "denied_by": "G05,G12", "at": 70, "seq": 1,
    }  # fmt: skip
    assert type(found["confidence"]) is float
    assert not list(folded(denied).rows("decisions"))


def test_a_decision_told_again_is_the_newer_one() -> None:
    (found,) = (
        named(PROJECTIONS["decisions"], row)
        for row in folded(note(1)[1], decided("D1"), decided("D1")).rows("decisions")
    )
    assert (found["at"], found["seq"], found["denied_by"]) == (30, 3, "")


def test_only_what_changed_is_taken_and_only_once() -> None:
    fold = folded(cleared("I2"), cleared("I1"), decided("D1"))
    taken = fold.take()
    assert {name: [row[0] for row in rows] for name, rows in taken.items()} == {
        "orders": ["I1", "I2"],
        "decisions": ["D1"],
    }
    assert fold.take() == {}
    fold.apply(9, 90, codec.plain(Canceled("I2", 90, 0)))
    assert [row[0] for row in fold.take()["orders"]] == ["I2"]


def test_rows_that_are_not_in_memory_are_looked_up_once() -> None:
    (kept,) = folded(cleared("I1")).rows("orders")
    asked: list[Any] = []

    def load(table: Any, key: Any) -> Any:
        asked.append((table.name, key))
        return kept if key == ("I1",) else None

    fold = Fold(load)
    for seq in (5, 6):
        fold.apply(seq, seq, codec.plain(Accepted("I1", seq, NUMBER)))
    assert asked == [("orders", ("I1",))]
    assert order(fold)["seq"] == 1
    assert order(fold)["status"] == "working"
    asked.clear()
    again = Fold(load)
    for seq in (5, 6):
        again.apply(seq, seq, codec.plain(cleared("I1")))  # the command of an order that is there changes no row
    assert asked == [("orders", ("I1",))]
    assert again.take() == {}


def test_decisions_and_lessons_are_rows_as_they_were_made() -> None:
    (row,) = folded(decided("D1")).rows("decisions")
    assert named(PROJECTIONS["decisions"], row)["denied_by"] == ""
    made = Lesson("L1", "gap > 2 %", "skip", ("D1", "D2"), 7, -12.5, "candidate", 40)
    (row,) = folded(made).rows("lessons")
    assert row == ("L1", "gap > 2 %", "skip", '["D1", "D2"]', 7, -12.5, "candidate", 40, 1)


def test_memory_is_given_back_when_a_table_grows() -> None:
    fold = Fold()
    for number in range(_KEPT):
        fold.apply(number + 1, 1, codec.plain(cleared(f"I{number}")))
    fold.take()
    fold.trim()
    assert len(list(fold.rows("orders"))) == _KEPT
    fold.apply(_KEPT + 1, 1, codec.plain(cleared("I")))
    fold.apply(_KEPT + 2, 1, codec.plain(decided("D1")))
    fold.take()
    fold.trim()
    assert not list(fold.rows("orders"))
    assert len(list(fold.rows("decisions"))) == 1


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (cleared("I1"), True),
        (fill("I1", "1", 4, 4, 50_000, 6), True),
        (decided("D1"), True),
        (Note(1, "intent.denied", {"decision_id": "D1", "codes": ["G01"]}), True),
        (Note(1, "fill.booked", {"text": "decision.made"}), False),
        (Replaced("I1", 5, NUMBER, 49_000), True),
        (Cancel("I1", 5, "why"), True),
        ({"a": 1}, False),
        ([], False),
    ],
)
def test_most_entries_need_no_decoding_to_know_that_no_table_shows_them(record: Any, shown: bool) -> None:
    assert shows(codec.encode(record)) is shown


def test_equal_rows_have_equal_hashes_in_any_order() -> None:
    rows = [("가", 1, 0.5), ("b", 2, 1.0)]
    assert digest_of(rows) == digest_of(reversed(rows))
    assert digest_of(rows) != digest_of(rows[:1])
    assert digest_of([("b", 2, 1)]) != digest_of([("b", 2, 1.0)])
