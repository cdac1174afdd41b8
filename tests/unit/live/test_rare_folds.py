"""What a new day or a new process takes over of notes and entries that few journals hold."""

from __future__ import annotations

import pytest

from haetae.desk import open_desk
from haetae.domain.errors import JournalError
from haetae.domain.events import CostCorrection, ManualAdoption, Note
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_SECOND
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live.handover import latest_handover
from haetae.live.recovery import COMMAND, EVENT, RUN, recover
from haetae.ports import pass_by
from rigs.lossy_broker import Send
from rigs.order_desk import CASH, PRICE, SYMBOLS, OrderDesk

A, B = SYMBOLS[:2]


def test_an_order_that_a_reading_found_refused_is_not_handed_on() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    house.broker.reject(house.broker.rows[0])
    house.read()
    handed = latest_handover(house.journal)
    assert handed is not None
    assert handed.unsettled == ()


def test_an_order_given_to_a_person_is_handed_on_as_one() -> None:
    house = OrderDesk()
    house.at = house.rules.session.auction_from - 600 * NS_PER_SECOND
    house.read()
    house.minute()
    house.broker.hide, house.how = True, Send.LOST_ANSWER
    name = house.wish(A, Side.BUY, 20)
    house.at = house.rules.session.close_at + 150 * NS_PER_SECOND
    house.read()
    handed = latest_handover(house.journal)
    assert handed is not None
    assert [(order.intent.intent_id, order.status.value) for order in handed.unsettled] == [(name, "stuck")]


def test_a_holding_that_a_person_adopted_is_in_the_books_of_the_next_start() -> None:
    house = OrderDesk()
    house.broker.user_trades(A, Side.BUY, 5, PRICE, house.at)
    row = house.broker.rows[0]
    house.broker.fill(row, row.left)
    house.wait(61)
    (position,) = [d for d in house.desk.account.differences if d.what == "position"]
    paid = house.desk.book.cash - house.broker.cash
    house.handle(ManualAdoption(house.at, "a1", A, position.theirs - position.ours, paid, "owner", "test", "signed"))
    handed = latest_handover(house.journal)
    assert handed is not None
    assert handed.book == house.desk.book
    assert handed.book.quantity(A) == 5


def test_fees_that_a_person_corrected_are_in_the_books_of_the_next_start() -> None:
    house = OrderDesk()
    house.broker.cash -= 7
    house.read()
    house.handle(CostCorrection(house.at, "c1", -7, "owner", "the statement"))
    handed = latest_handover(house.journal)
    assert handed is not None
    assert handed.book == house.desk.book
    assert handed.book.cash == CASH - 7


def test_an_order_that_a_reading_found_is_handed_on_under_its_number() -> None:
    house = OrderDesk()
    house.how = Send.LOST_ANSWER
    name = house.wish(A, Side.BUY)
    house.wait(5)
    assert house.told("order.adopted")
    handed = latest_handover(house.journal)
    assert handed is not None
    (order,) = handed.unsettled
    assert (order.intent.intent_id, order.order_id) == (name, house.broker.rows[0].order_id)


def test_an_order_that_ended_with_its_day_is_not_handed_on_twice() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    house.next_day(closed=False)
    house.wait(5)
    assert [note.data["how"] for note in house.told("order.found_ended")] == ["Expired"]
    handed = latest_handover(house.journal)
    assert handed is not None
    assert handed.unsettled == ()


def test_what_says_nothing_new_changes_nothing_of_what_is_handed_on() -> None:
    """A note of a restart, a command written twice, a word on an order that no journal has."""
    house = OrderDesk()
    house.wish(A, Side.BUY)
    before = latest_handover(house.journal)
    _, submit = house.submits[0]
    absent = Note(house.at, "order.found_absent", {"intent_id": "nobody", "symbol": A})
    house.journal.append(RUN, [(house.at, Note(house.at, "run.resumed", {}))], durable=True)
    house.journal.append(COMMAND, [(house.at, submit), (house.at, absent)], durable=True)
    assert latest_handover(house.journal) == before


def test_an_older_day_is_folded_to_its_own_end() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    day, folded = house.day, house.turns
    house.next_day()
    house.wish(B, Side.BUY)
    found = recover(house.journal, open_desk(house.settings, open_book(CASH)), Rulebook.on(day), pass_by)
    assert found is not None
    assert {order.intent.symbol for order in found.desk.blotter.orders.values()} == {A}
    assert found.folded >= folded > 0


def test_a_journal_that_lacks_commands_before_a_later_event_is_not_folded() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    entries = house.journal._entries
    kinds = [next(part for part in entry if isinstance(part, str)) for entry in entries]
    last = len(kinds) - 1 - kinds[::-1].index(EVENT)
    place = next(n for n in range(last) if kinds[n] == EVENT and kinds[n + 1] == COMMAND)
    del entries[place + 1]
    with pytest.raises(JournalError) as found:
        recover(house.journal, open_desk(house.settings, open_book(CASH)), house.rules, pass_by)
    assert "entry" in found.value.found
