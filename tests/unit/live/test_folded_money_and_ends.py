"""A day that nobody came back to is folded to the won and to the end of each order, from entries written by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest

from haetae.desk import open_desk
from haetae.domain.account import Book, Position, Settlement
from haetae.domain.errors import JournalError
from haetae.domain.events import Note, Submit
from haetae.domain.orders import (
    BrokerOrderId,
    ClearedOrder,
    Expired,
    Fill,
    Filled,
    OrderIntent,
    OrderKind,
    OrderStatus,
    Side,
)
from haetae.krx import Rulebook, next_trading_day
from haetae.ledger import open_book
from haetae.live.handover import Handover, handover_of, latest_book, latest_handover
from haetae.live.recovery import COMMAND, EVENT, RUN, closing_note, in_flight, opened_at, opening_note, recover
from rigs.desk_day import DAY
from rigs.order_desk import CASH, PRICE, SYMBOLS, Crash, Died, ListJournal, OrderDesk, start_of

A, B = SYMBOLS[:2]
RULES = Rulebook.on(DAY)
AT = RULES.session.orders_from
SHARES = 100
HELD = Book(0, SHARES * PRICE, {A: Position(A, SHARES, SHARES * PRICE)})
NUMBER = BrokerOrderId(DAY, "06010", "7")


def begun(book: Book = HELD, markets: Mapping[str, str] | None = None, kinds: Mapping[str, str] | None = None):
    """A journal of a day that was opened with a book and told of its session."""
    journal = ListJournal()
    journal.append(RUN, [(AT, opening_note(DAY, Handover(book), AT))], durable=True)
    session = replace(start_of(DAY), markets=markets or {}, kinds=kinds or {})
    journal.append(EVENT, [(AT, session)], durable=True)
    return journal


def sent(journal: ListJournal, side: Side = Side.SELL, known: tuple[BrokerOrderId, ...] = ()) -> None:
    intent = OrderIntent("I1", "D1", A, side, SHARES, OrderKind.LIMIT, PRICE, AT)
    journal.append(COMMAND, [(AT, Submit(ClearedOrder(intent, SHARES, AT, ()), known))], durable=True)


def part(quantity: int, cumulative: int, side: Side = Side.SELL, price: int = PRICE) -> Fill:
    before = (cumulative - quantity) * price
    return Fill(NUMBER, "I1", A, side, quantity, price, quantity * price, cumulative, AT + cumulative, before)


def told(journal: ListJournal, *fills: Fill) -> None:
    journal.append(EVENT, [(fill.at, Filled("I1", fill.at, fill)) for fill in fills], durable=True)


def noted(journal: ListJournal, kind: str, at: int = AT + 500, **data: object) -> None:
    journal.append(COMMAND, [(at, Note(at, kind, data))], durable=True)


def booked(journal: ListJournal, fill: Fill) -> None:
    """The note of an execution that only a reading told of."""
    number = [fill.order_id.day.isoformat(), fill.order_id.branch, fill.order_id.number]
    noted(
        journal, "fill.booked", fill.at, intent_id=fill.intent_id, symbol=fill.symbol, side=fill.side.value,
        quantity=fill.quantity, price=fill.price, amount=fill.amount, cumulative=fill.cumulative,
        amount_before=fill.amount_before, order=number,
    )  # fmt: skip


# ---------------------------------------------------------------- the money


@pytest.mark.parametrize(
    ("markets", "kinds", "tax"),
    [
        ({A: "KOSPI"}, {}, 2_000),
        ({A: "KONEX"}, {}, 1_000),
        ({A: "KOSPI"}, {A: "etf"}, 0),
        ({B: "KONEX"}, {B: "etf"}, 2_000),
    ],
)
def test_a_sale_is_taxed_by_the_market_and_kind_the_session_told(markets: dict, kinds: dict, tax: int) -> None:
    journal = begun(markets=markets, kinds=kinds)
    sent(journal)
    told(journal, part(SHARES, SHARES))
    book = latest_book(journal)
    assert book is not None
    assert (book.taxes, book.sold, book.quantity(A)) == (tax, SHARES * PRICE, 0)


def test_a_sale_that_no_session_was_told_before_is_taxed_as_a_common_share() -> None:
    journal = ListJournal()
    journal.append(RUN, [(AT, opening_note(DAY, Handover(HELD), AT))], durable=True)
    sent(journal)
    told(journal, part(SHARES, SHARES))
    book = latest_book(journal)
    assert book is not None
    assert book.taxes == 2_000


@pytest.mark.parametrize("tell", [lambda journal, each: told(journal, each), booked])
def test_an_order_executed_in_parts_costs_what_it_costs_in_one_piece(tell) -> None:
    """Fee and tax are floored once over the whole order, whoever told of its parts."""
    whole, parts = begun(), begun()
    for journal in (whole, parts):
        sent(journal)
    told(whole, part(SHARES, SHARES, price=PRICE - 1))
    for number in range(1, SHARES + 1):
        tell(parts, part(1, number, price=PRICE - 1))
    assert latest_handover(parts) == latest_handover(whole)


def test_what_is_due_by_the_morning_is_at_the_bank_and_the_rest_is_not() -> None:
    due, later = Settlement(DAY, 7), Settlement(DAY + dt.timedelta(1), 9)
    book = latest_book(begun(replace(HELD, unsettled=(due, later))))
    assert book is not None
    assert book.unsettled == (later,)


def test_what_is_sold_today_is_at_the_bank_two_sessions_later() -> None:
    journal = begun()
    sent(journal)
    told(journal, part(SHARES, SHARES))
    book = latest_book(journal)
    assert book is not None
    assert book.unsettled == (Settlement(RULES.settle_on(), book.cash),)


# ---------------------------------------------------------------- the orders


def test_an_order_that_was_being_sent_is_handed_on_as_unknown_with_the_numbers_it_cannot_have() -> None:
    journal = begun()
    sent(journal, known=(NUMBER,))
    handed = latest_handover(journal)
    assert handed is not None
    (order,) = handed.unsettled
    assert (order.status, order.known, order.updated_at) == (OrderStatus.UNKNOWN, (NUMBER,), AT)


@pytest.mark.parametrize("how", ["Canceled", "Expired"])
def test_an_order_that_ended_after_more_than_was_told_is_handed_on_until_the_rest_is_told(how: str) -> None:
    """Called settled before, its last executions would never be looked for."""
    journal = begun()
    sent(journal)
    told(journal, part(30, 30))
    noted(journal, "order.found_ended", intent_id="I1", how=how, filled=50)
    waiting = latest_handover(journal)
    assert waiting is not None
    assert [(order.intent.intent_id, order.filled) for order in waiting.unsettled] == [("I1", 30)]
    booked(journal, part(20, 50))
    ended = latest_handover(journal)
    assert ended is not None
    assert ended.unsettled == ()
    assert ended.book.quantity(A) == SHARES - 50


@pytest.mark.parametrize("how", ["Canceled", "Expired", "Rejected"])
def test_an_order_that_was_found_ended_is_handed_on_no_more(how: str) -> None:
    journal = begun()
    sent(journal)
    noted(journal, "order.adopted", intent_id="I1", order=[DAY.isoformat(), NUMBER.branch, NUMBER.number])
    working = latest_handover(journal)
    assert working is not None
    assert [(order.status, order.order_id) for order in working.unsettled] == [(OrderStatus.WORKING, NUMBER)]
    noted(journal, "order.found_ended", intent_id="I1", how=how, filled=0)
    ended = latest_handover(journal)
    assert ended is not None
    assert ended.unsettled == ()


def test_only_a_note_around_a_day_begins_one_whatever_the_desk_itself_noted() -> None:
    journal, other = begun(), next_trading_day(DAY)
    for note in (opening_note(other, Handover(open_book(5)), AT), closing_note(DAY, Handover(open_book(5)), AT)):
        journal.append(COMMAND, [(AT, note)], durable=True)
    assert latest_book(journal) == HELD
    assert opened_at(journal, other) is None
    found = opened_at(journal, DAY)
    assert found is not None
    assert (found[0], found[1].data["day"]) == (1, DAY.isoformat())


def test_a_journal_without_a_day_hands_nothing_on() -> None:
    journal = ListJournal()
    journal.append(RUN, [(AT, Note(AT, "journal.restored", {}))], durable=True)
    assert latest_handover(journal) is None
    assert latest_book(journal) is None


def test_a_taker_over_keeps_the_turnover_up_to_which_cash_agreed() -> None:
    journal = begun()
    noted(journal, "cash.agreed", turnover=1_234)
    handed = latest_handover(journal)
    assert handed is not None
    assert handed.agreed_turnover == 1_234
    desk = handed.to(open_desk(OrderDesk().settings, open_book(CASH)))
    assert (desk.book, desk.account.agreed_turnover) == (HELD, 1_234)
    assert handover_of(desk) == handed
    journal.append(RUN, [(AT, closing_note(DAY, handed, AT))], durable=True)
    assert latest_handover(journal) == handed


# ---------------------------------------------------------------- coming back


def test_coming_back_passes_its_points_in_order_and_only_where_a_day_was_opened() -> None:
    house = OrderDesk()
    passed: list[str] = []
    fresh = open_desk(house.settings, open_book(CASH))
    assert recover(ListJournal(), fresh, house.rules, passed.append) is None
    assert passed == []
    recover(house.journal, fresh, house.rules, passed.append)
    assert passed == ["recovery.day_found", "recovery.folded"]


def test_the_fold_of_a_death_before_the_commands_tells_when_and_what_was_not_written() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    house.at += 1_000
    house.crash_at = Crash.AFTER_EVENT
    with pytest.raises(Died):
        house.wish(B, Side.BUY)
    found = recover(house.journal, open_desk(house.settings, open_book(CASH)), house.rules)
    assert found is not None
    events = list(house.journal.entries(kind=EVENT))
    assert (found.folded, found.last_at) == (len(events), house.at)
    assert found.session_started
    assert B in {command.order.intent.symbol for command in found.unwritten if isinstance(command, Submit)}
    died = in_flight(found.desk, house.at + 5)
    assert {(event.at, event.why) for event in died} == {(house.at + 5, "the process was restarted")}
    assert [found.desk.blotter.orders[event.intent_id].intent.symbol for event in died] == [B]


def test_a_day_that_was_opened_and_told_nothing_folds_to_its_opening() -> None:
    journal = ListJournal()
    journal.append(RUN, [(AT, opening_note(DAY, Handover(HELD, (), 55), AT))], durable=True)
    found = recover(journal, open_desk(OrderDesk().settings, open_book(CASH)), RULES)
    assert found is not None
    assert (found.folded, found.session_started, found.unwritten, found.last_at) == (0, False, (), AT)
    assert (found.desk.book, found.desk.account.agreed_turnover) == (HELD, 55)


def test_a_refusal_to_fold_names_the_entry_and_what_is_wrong_with_it() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    fresh = open_desk(house.settings, open_book(CASH))
    recovered = recover(house.journal, fresh, house.rules)
    assert recovered is not None
    (submit,) = [record for *_, record in house.journal.entries(kind=COMMAND) if isinstance(record, Submit)]
    more = house.journal.append(COMMAND, [(house.at, submit)], durable=True)
    with pytest.raises(JournalError, match="does not fold") as extra:
        recover(house.journal, fresh, house.rules)
    assert extra.value.found == f"entry {more}: Submit is not what the desk would ask now"
    place = next(n for n, (_, kind, _) in enumerate(house.journal._entries) if kind == COMMAND)
    while house.journal._entries[place + 1][1] == COMMAND:
        place += 1
    del house.journal._entries[place]
    with pytest.raises(JournalError, match="does not fold") as lacking:
        recover(house.journal, fresh, house.rules)
    assert lacking.value.found == f"entry {place + 1}: 1 commands of the event before were not written"


def test_an_order_that_expired_with_its_day_tells_how_much_of_it_was_executed() -> None:
    journal = begun()
    sent(journal)
    told(journal, part(30, 30))
    journal.append(EVENT, [(AT + 99, Expired("I1", AT + 99, 30))], durable=True)
    handed = latest_handover(journal)
    assert handed is not None
    assert (handed.unsettled, handed.book.quantity(A)) == ((), SHARES - 30)
