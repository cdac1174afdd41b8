"""The books after what no order of ours did: signed, exactly as the broker shows it, booked once, handed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haetae.domain import codec
from haetae.domain.account import Book, Position
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import CostCorrection, ManualAdoption
from haetae.domain.orders import Side
from haetae.ledger import adopt, correct_costs
from haetae.live import latest_handover
from rigs.desk_day import loose
from rigs.order_desk import CASH, PRICE, SYMBOLS, OrderDesk

A, B = SYMBOLS[:2]


def adoption(house: OrderDesk, shares: int, paid: int, symbol: str = A) -> ManualAdoption:
    return ManualAdoption(house.at, "R-adopt", symbol, shares, paid, "owner", "bought in the app", "signed")


def traded_by_hand(house: OrderDesk, side: Side = Side.BUY, shares: int = 7) -> None:
    row = house.broker.user_trades(A, side, shares, PRICE, house.at)
    assert row is not None
    house.broker.fill(row, shares)
    house.wait(61)


def identity_holds(book: Book) -> bool:
    return book.cash + sum(p.cost for p in book.positions.values()) == book.deposits + book.realized


def test_a_trade_by_hand_is_adopted_on_a_signed_word_and_only_as_the_broker_shows_it() -> None:
    house = OrderDesk()
    traded_by_hand(house)
    for wrong in (adoption(house, 6, 60_000), adoption(house, 7, 70_000, symbol=B), adoption(house, -7, -70_000)):
        house.handle(wrong)
        assert house.desk.book.quantity(A) == 0
    paid = CASH - house.broker.cash
    house.handle(adoption(house, 7, paid))
    assert house.desk.book.quantity(A) == 7
    assert house.desk.book.cash == house.broker.cash
    assert identity_holds(house.desk.book)
    (note,) = house.told("position.adopted")
    assert (note.data["signature"], note.data["shares"], note.data["paid"]) == ("signed", 7, paid)
    house.handle(adoption(house, 7, paid))  # asked for twice
    assert house.desk.book.quantity(A) == 7
    assert [n.data["why"] for n in house.told("request.refused")][-1] == (
        "the newest reading shows no difference in this name"
    )
    house.wait(121)
    assert [d.what for d in house.desk.account.differences] == ["order"]


def test_shares_that_went_by_hand_realize_what_they_brought() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY, 10)
    house.broker.fill(house.broker.rows[0], 10)
    house.wait(61)
    before = house.desk.book
    traded_by_hand(house, Side.SELL, 4)
    brought = house.broker.cash - before.cash
    house.handle(adoption(house, -4, -brought))
    book = house.desk.book
    assert (book.quantity(A), book.cash) == (6, house.broker.cash)
    assert book.realized == brought - before.positions[A].cost * 4 // 10
    assert identity_holds(book)


def test_a_difference_that_lags_is_not_adopted() -> None:
    house = OrderDesk()
    house.broker.holdings[A] = 5
    house.read()
    house.handle(adoption(house, 5, 50_000))
    assert house.desk.book.quantity(A) == 0
    assert house.told("request.refused")[0].data["why"] == "the difference is lagging"
    house.wait(90)
    assert house.told("reconcile.halted")
    house.handle(adoption(house, 5, 50_000))  # unexplained by now, and a person signs for it
    assert house.desk.book.quantity(A) == 5


def test_an_adoption_that_is_older_than_the_books_is_refused() -> None:
    house = OrderDesk()
    traded_by_hand(house)
    stale = house.desk.account.differences
    house.handle(adoption(house, 7, 70_000))
    house.desk.account.__dict__["differences"] = stale
    house.handle(adoption(house, 7, 70_000))
    assert house.desk.book.quantity(A) == 7
    assert "the books 7 shares" in house.told("request.refused")[-1].data["why"]


@pytest.mark.parametrize(
    "changes",
    [{"shares": 0}, {"shares": 5, "paid": -1}, {"shares": -5, "paid": 1}, {"who": ""}, {"signature": ""}],
)
def test_an_adoption_that_is_no_trade_or_unsigned_cannot_be_said(changes: dict) -> None:
    with pytest.raises(ValueError, match="request R-adopt"):
        replace(ManualAdoption(1, "R-adopt", A, 5, 5, "owner", "", "signed"), **changes)


def test_what_a_person_says_survives_the_journal() -> None:
    for event in (
        ManualAdoption(1, "R1", A, 5, 50_000, "owner", "by hand", "signed"),
        CostCorrection(1, "R2", -3, "owner", "the statement"),
    ):
        assert codec.decode(codec.encode(event)) == event


def fee_differs(house: OrderDesk, won: int) -> None:
    house.broker.cash += won
    house.read()


def test_fees_are_booked_as_the_broker_reckons_them_on_a_persons_word_and_once() -> None:
    house = OrderDesk()
    fee_differs(house, -7)
    wrong = CostCorrection(house.at, "R1", -8, "owner", "the statement")
    right = replace(wrong, amount=-7)
    house.handle(wrong)
    assert house.desk.book.cash == CASH
    house.handle(right)
    house.handle(right)
    book = house.desk.book
    assert (book.cash, book.fees, book.realized) == (CASH - 7, 7, -7)
    assert identity_holds(book)
    assert len(house.told("costs.corrected")) == 1
    house.read()
    assert house.desk.account.differences == ()


def test_nothing_corrects_fees_by_itself_unless_the_settings_say_so() -> None:
    house = OrderDesk()
    house.broker.cash -= 7
    house.next_day()
    assert house.desk.book.cash == CASH
    trusting = OrderDesk(settings=replace(loose(), correct_costs=True))
    trusting.broker.cash -= 7
    trusting.next_day()
    assert trusting.desk.book.cash == CASH - 7
    (note,) = trusting.told("costs.corrected")
    assert note.data["who"] == "policy"
    trusting.broker.cash -= 5
    trusting.wait(61)
    assert trusting.desk.book.cash == CASH - 7  # in the morning only


def test_a_correction_of_nothing_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="0 won"):
        CostCorrection(1, "R1", 0, "owner", "")


def test_what_was_adopted_and_corrected_is_handed_to_the_next_day_however_the_day_ended() -> None:
    house = OrderDesk()
    traded_by_hand(house)
    house.handle(adoption(house, 7, CASH - house.broker.cash))
    fee_differs(house, -9)
    house.wait(61)
    fee = next((d for d in house.desk.account.differences if d.what == "cash"), None)
    assert fee is not None
    house.journal.flush()
    handed = latest_handover(house.journal)
    assert handed is not None and handed.book == house.desk.book
    assert handed.agreed_turnover == house.desk.account.agreed_turnover


def test_more_shares_than_are_held_cannot_go() -> None:
    book = Book(0, 100, {A: Position(A, 2, 100)})
    with pytest.raises(MarketRuleError):
        adopt(book, A, -3, -90)
    assert adopt(book, A, -2, -90).positions == {}
    assert identity_holds(adopt(book, A, -2, -90))
    assert identity_holds(correct_costs(book, 5))
