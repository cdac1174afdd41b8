"""What the pages show of a person's claim: the wish, what became of it, and the order it settled."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from haetae.domain.events import Note, OrderClaim
from haetae.domain.orders import BrokerOrderId, Side
from haetae.ledger import open_book
from haetae.wiring.operators import ask
from haetae.wiring.views import chronicle
from haetae.wiring.views.wishes import wishes_rows
from rigs.order_desk import OrderDesk

DAY = dt.date(2026, 11, 23)


def story() -> chronicle.DayStory:
    return chronicle.DayStory(DAY, open_book(1), open_book(1))


def test_a_claim_stands_among_the_wishes_with_what_became_of_it(tmp_path: Path) -> None:
    ask(tmp_path, OrderClaim(5, "o-1", "I1", BrokerOrderId(DAY, "", "7"), "me", "mine", "s"))
    ask(tmp_path, OrderClaim(6, "o-2", "I2", None, "me", "none there", "s"))
    ask(tmp_path, OrderClaim(7, "o-3", "I3", None, "me", "none there", "s"))
    day = story()
    chronicle._note(day, Note(8, "request.taken", {"request_id": "o-1", "intent_id": "I1"}))
    chronicle._note(day, Note(9, "request.refused", {"request_id": "o-2", "why": "no such order"}))
    rows = wishes_rows(day, tmp_path)
    assert [(row["what"], row["state"], row["detail"]) for row in rows] == [
        ("claim I1: order 7 of 2026-11-23", "taken", "I1"),
        ("claim I2: absent", "refused", "no such order"),
        ("claim I3: absent", "waiting", ""),
    ]


@pytest.mark.parametrize(
    ("how", "status"), [("Canceled", "canceled"), ("Expired", "expired"), ("Rejected", "rejected")]
)
def test_an_order_that_was_found_has_its_number_and_its_end(how: str, status: str) -> None:
    house = OrderDesk()
    name = house.wish("000100", Side.BUY)
    (submit,) = (each.order for _, each in house.submits)
    day = story()
    day.orders[name] = chronicle.SentOrder(submit, chronicle.OrderStatus.STUCK, 1, 1)
    number = [DAY.isoformat(), "06010", "7"]
    for other in (name, "NOBODY"):  # a day's pages know the orders of that day alone
        chronicle._note(day, Note(2, "order.adopted", {"intent_id": other, "order": number}))
    order = day.orders[name]
    assert (order.order_number, order.status.value) == ("7", "working")
    chronicle._note(day, Note(3, "order.found_ended", {"intent_id": name, "how": how, "filled": 3}))
    assert order.status.value == status
    assert [(what, detail) for _, what, detail in order.steps] == [("Accepted", "7"), (how, "3")]


def test_an_order_that_returned_stays_in_question_when_it_is_found() -> None:
    house = OrderDesk()
    name = house.wish("000100", Side.BUY)
    (submit,) = (each.order for _, each in house.submits)
    day = story()
    day.orders[name] = chronicle.SentOrder(submit, chronicle.OrderStatus.LATE_FILL, 1, 1)
    chronicle._note(day, Note(2, "order.adopted", {"intent_id": name, "order": [DAY.isoformat(), "", "7"]}))
    assert day.orders[name].status.value == "late_fill"
