"""A person's word on an order of unknown fate: it decides what a reading leaves open, and never against one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haetae.desk import open_desk
from haetae.domain import codec
from haetae.domain.events import ManualAdoption, OperatorState, OrderClaim
from haetae.domain.orders import BrokerOrderId, Side
from haetae.execution import DifferenceKind
from haetae.ledger import open_book
from haetae.live import latest_handover, replay
from rigs.lossy_broker import Row
from rigs.order_desk import CASH, PRICE, SYMBOLS, OrderDesk, Send

A, B = SYMBOLS[:2]


def claim(house: OrderDesk, name: str, row: Row | BrokerOrderId | None, why: str = "seen on the screen") -> OrderClaim:
    number = row.order_id if isinstance(row, Row) else row
    return OrderClaim(house.at, "R-claim", name, number, "owner", why, "signed")


def lost(house: OrderDesk, side: Side = Side.BUY, how: Send = Send.LOST_ANSWER) -> str:
    house.how = how
    name = house.wish(A, side, 10)
    house.how = Send.TAKEN
    return name


def by_hand(house: OrderDesk, shares: int = 10, price: int = PRICE, symbol: str = A) -> Row:
    row = house.broker.user_trades(symbol, Side.BUY, shares, price, house.at)
    assert row is not None
    return row


def stuck() -> tuple[OrderDesk, str, Row, Row]:
    """A desk with a lost order, its row at the broker, and a person's row of the same shape."""
    house = OrderDesk()
    name = lost(house)
    theirs = by_hand(house)
    house.wait(1)
    assert house.status(name) == "stuck"
    return house, name, house.broker.rows[0], theirs


def refusals(house: OrderDesk) -> list[str]:
    return [str(note.data["why"]) for note in house.told("request.refused")]


def agreed(house: OrderDesk) -> bool:
    """Whether books and broker are one, after a person has adopted what they traded themselves."""
    broker = house.broker
    shares = broker.holdings.get(A, 0) - house.desk.book.quantity(A)
    if shares:
        house.handle(
            ManualAdoption(house.at, "R-adopt", A, shares, house.desk.book.cash - broker.cash, "owner", "", "s")
        )
    held = {symbol: count for symbol, count in broker.holdings.items() if count}
    book = house.desk.book
    return (
        {symbol: item.quantity for symbol, item in book.positions.items()} == held
        and book.cash == broker.cash
        and book.cash + sum(item.cost for item in book.positions.values()) == book.deposits + book.realized
    )


@pytest.mark.parametrize("ours_filled", [True, False])
def test_rows_that_ended_apart_are_told_apart_by_a_persons_word(ours_filled: bool) -> None:
    house, name, ours, theirs = stuck()
    house.broker.fill(ours if ours_filled else theirs, 10)
    house.broker.cancel(theirs if ours_filled else ours)
    house.wait(301)
    assert house.status(name) == "stuck"  # no reading ever settles it
    house.handle(claim(house, name, ours))
    assert house.status(name) == ("filled" if ours_filled else "canceled")
    assert house.desk.book.quantity(A) == (10 if ours_filled else 0)
    (taken,) = house.told("request.taken")[1:]
    assert {key: taken.data[key] for key in ("request_id", "intent_id", "who", "why", "signature", "order")} == {
        "request_id": "R-claim",
        "intent_id": name,
        "who": "owner",
        "why": "seen on the screen",
        "signature": "signed",
        "order": [house.day.isoformat(), "06010", "1"],
    }
    house.wait(1)
    assert not any(each.kind is DifferenceKind.STUCK for each in house.desk.account.differences)
    assert agreed(house)
    house.handle(claim(house, name, theirs))
    assert refusals(house)[-1] == f"the order is {house.status(name)}"


def test_a_claimed_order_that_lives_is_the_desks_again_and_the_other_one_stays_outside() -> None:
    house, name, ours, theirs = stuck()
    house.handle(claim(house, name, ours))
    assert house.status(name) == "working"
    assert A in house.desk.account.frozen  # to the end of the day, as every name that was a person's matter
    house.broker.fill(ours, 4)
    house.broker.fill(theirs, 10)
    house.wait(61)
    assert (house.status(name), house.desk.book.quantity(A)) == ("partial", 4)
    house.operate(OperatorState.HALT)
    assert (ours.canceled, theirs.canceled) == (6, 0)
    house.wait(61)
    assert agreed(house)


def test_a_claim_under_a_halt_takes_back_what_lives() -> None:
    house, name, ours, _ = stuck()
    house.operate(OperatorState.HALT)
    house.handle(claim(house, name, ours))
    assert ours.canceled == 10


def test_any_number_of_a_changed_order_names_it_and_a_branch_need_not_be_known() -> None:
    house, name, ours, theirs = stuck()
    house.broker.fill(ours, 3)
    later = house.broker.change_price(ours, PRICE - 50, house.at)
    house.broker.fill(later, 7)
    house.broker.cancel(theirs)
    house.read()
    house.handle(claim(house, name, BrokerOrderId(house.day, "", str(later.number))))
    order = house.desk.blotter.orders[name]
    assert (order.filled, order.amount, order.order_id) == (10, 3 * PRICE + 7 * (PRICE - 50), later.order_id)
    house.wait(61)
    assert agreed(house)


def test_a_name_is_free_again_when_the_next_day_begins() -> None:
    house, name, ours, theirs = stuck()
    house.broker.fill(ours, 10)
    house.broker.cancel(theirs)
    house.wait(61)
    house.handle(claim(house, name, ours))
    house.wait(61)
    assert house.desk.account.shut == {A}
    house.next_day()
    house.wait(61)
    assert house.desk.account.frozen == frozenset()
    assert house.status(house.wish(A, Side.BUY, 10)) == "working"


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("ours_filled", [True, False])
def test_an_order_of_the_day_before_is_claimed_among_that_days_rows(closed: bool, ours_filled: bool) -> None:
    house, name, ours, theirs = stuck()
    yesterday = house.day
    house.broker.fill(ours if ours_filled else theirs, 10)
    house.broker.cancel(theirs if ours_filled else ours)
    house.wait(61)
    house.journal.flush()
    house.next_day(closed=closed)
    house.wait(61)
    assert house.status(name) == "stuck"
    assert yesterday in house.desk.account.last.days
    house.handle(claim(house, name, BrokerOrderId(house.day, "", "1")))  # today's numbers are other orders
    assert "0 orders of this number" in refusals(house)[-1]
    house.handle(claim(house, name, ours))
    assert house.status(name) == ("filled" if ours_filled else "canceled")
    house.wait(121)
    assert agreed(house)
    house.wait(121)
    assert house.desk.account.frozen == frozenset()
    assert house.desk.account.reconciled


def test_an_order_that_nobody_ever_had_ends_by_a_persons_word() -> None:
    house = OrderDesk()
    name = lost(house, how=Send.LOST_REQUEST)
    first, second = by_hand(house), by_hand(house)
    house.wait(1)
    assert house.status(name) == "stuck"
    house.broker.fill(first, 10)
    house.wait(61)
    house.handle(claim(house, name, None))
    assert house.status(name) == "absent"
    assert house.desk.book.quantity(A) == 0
    house.broker.fill(second, 10)  # alike now: a reading would take either of them for the lost order
    house.wait(61)
    assert house.status(name) == "absent"
    assert agreed(house)


def test_an_order_that_the_days_end_gave_up_is_called_absent_where_no_row_fits() -> None:
    house = OrderDesk()
    name = lost(house, how=Send.LOST_REQUEST)
    by_hand(house, 3, symbol=B)
    house.broker.fill(house.broker.rows[0], 3)  # cash is in question, so no reading proves an absence
    house.wait(301)
    house.handle(claim(house, name, None))
    assert refusals(house) == ["a reading may still find the order"]
    house.at = house.rules.session.close_at + 200 * 10**9
    house.read()
    assert house.status(name) == "stuck"
    house.handle(claim(house, name, None))
    assert house.status(name) == "absent"
    handed = latest_handover(house.journal)
    assert handed is not None and handed.unsettled == ()


def test_an_order_placed_long_after_the_loss_is_not_ours_because_the_close_gave_ours_up() -> None:
    house = OrderDesk()
    name = lost(house, how=Send.LOST_REQUEST)
    by_hand(house, 3, symbol=B)
    house.broker.fill(house.broker.rows[0], 3)
    house.wait(3_600)
    later = by_hand(house)
    house.broker.fill(later, 10)
    house.next_day()
    house.wait(61)
    assert house.status(name) == "stuck"
    house.handle(claim(house, name, later))
    assert refusals(house) == ["name, side, quantity, price or time of the broker's order are not those of ours"]


def test_the_absence_of_an_order_is_not_believed_against_the_reading() -> None:
    house, name, _, _ = stuck()
    house.broker.down = True
    house.read()
    house.handle(claim(house, name, None))
    assert refusals(house) == ["the newest reading does not show every order of the day"]
    house.broker.down = False
    house.read()
    rows = house.desk.account.last.orders
    house.desk.account.__dict__["last"] = replace(house.desk.account.last, days=(house.day.replace(day=1),))
    house.handle(claim(house, name, None))
    assert refusals(house)[1:] == ["the newest reading does not show every order of the day"]
    house.read()
    known = house.desk.account.known
    house.desk.account.__dict__.update(
        last=replace(house.desk.account.last, orders=rows[:1]),
        known=replace(known, shown=frozenset({rows[0].order_id})),
    )
    house.handle(claim(house, name, None))
    assert refusals(house)[2:] == ["one order of the broker alone can be ours: the next reading takes it"]
    assert house.status(name) == "stuck"


def test_a_row_that_is_not_shown_or_is_another_orders_is_not_claimed() -> None:
    house = OrderDesk()
    other = house.wish(B, Side.BUY, 10)
    assert house.status(other) == "working"
    name = lost(house)
    by_hand(house)
    house.wait(1)
    foreign = house.broker.rows[0]
    hidden = by_hand(house)  # after the newest reading
    second = house.broker.change_price(foreign, PRICE - 50, house.at)
    for row, why in (
        (hidden, "the newest reading shows 0 orders of this number"),
        (foreign, "the broker's order is another order's"),
    ):
        house.handle(claim(house, name, row))
        assert refusals(house)[-1] == why
    house.read()
    house.handle(claim(house, name, second))
    assert refusals(house)[-1] == "the broker's order is another order's"  # by the number it was changed from
    house.handle(claim(house, name, BrokerOrderId(house.day, "00001", "2")))
    assert refusals(house)[-1] == "the newest reading shows 0 orders of this number"
    assert house.status(name) == "stuck"
    assert house.desk.book.positions == {}


def test_a_number_that_two_branches_gave_is_not_claimed_without_its_branch() -> None:
    house, name, ours, _ = stuck()
    last = house.desk.account.last
    twin = replace(last.orders[0], order_id=replace(last.orders[0].order_id, branch="00950"))
    house.desk.account.__dict__["last"] = replace(last, orders=(*last.orders, twin))
    house.handle(claim(house, name, replace(ours.order_id, branch="")))
    assert refusals(house) == ["the newest reading shows 2 orders of this number"]
    house.handle(claim(house, name, ours))
    assert house.status(name) == "working"


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": B},
        {"side": Side.SELL},
        {"quantity": 11},
        {"limit_price": PRICE + 50},
        {"at": 1},
        {"at": 2**62},
    ],
)
def test_a_row_of_another_shape_or_time_is_not_claimed(changes: dict) -> None:
    house, name, ours, _ = stuck()
    last = house.desk.account.last
    house.desk.account.__dict__["last"] = replace(last, orders=(replace(last.orders[0], **changes), *last.orders[1:]))
    house.handle(claim(house, name, ours))
    assert refusals(house) == ["name, side, quantity, price or time of the broker's order are not those of ours"]
    assert house.status(name) == "stuck"


def test_a_row_that_stood_there_before_the_send_is_not_claimed() -> None:
    house, name, ours, _ = stuck()
    order = house.desk.blotter.orders[name]
    knowing = replace(order, known=(ours.order_id,))
    house.desk.__dict__["blotter"] = replace(house.desk.blotter, orders={name: knowing}, working={name: knowing})
    house.handle(claim(house, name, ours))
    assert refusals(house) == ["the broker's order was there before ours was sent"]


def test_a_row_whose_beginning_is_not_shown_is_not_claimed() -> None:
    house, name, ours, _ = stuck()
    later = house.broker.change_price(ours, PRICE - 50, house.at)
    house.read()
    last = house.desk.account.last
    house.desk.account.__dict__["last"] = replace(last, orders=last.orders[1:])
    house.handle(claim(house, name, later))
    assert refusals(house) == ["the newest reading does not show what the broker's order began as"]


def test_a_row_whose_figures_cannot_be_is_not_claimed() -> None:
    house, name, ours, _ = stuck()
    last = house.desk.account.last
    odd = replace(last.orders[0], filled=10, open_quantity=0, amount=3)
    house.desk.account.__dict__["last"] = replace(last, orders=(odd, *last.orders[1:]))
    house.handle(claim(house, name, ours))
    assert refusals(house) == ["what the broker's order tells of its executions cannot be"]
    assert house.desk.book.positions == {}


def test_a_claim_needs_an_order_of_unknown_fate_and_a_reading() -> None:
    house, name, ours, _ = stuck()
    house.handle(claim(house, "NOBODY", ours))
    working = house.wish(B, Side.BUY, 10)
    house.handle(claim(house, working, house.broker.rows[-1]))
    order = house.desk.blotter.orders[name]
    numbered = replace(order, order_id=ours.order_id)
    usual = house.desk.blotter
    house.desk.__dict__["blotter"] = replace(usual, orders={**usual.orders, name: numbered})
    house.handle(claim(house, name, ours))
    house.desk.__dict__["blotter"] = usual
    house.desk.account.__dict__["last"] = None
    house.handle(claim(house, name, ours))
    assert refusals(house) == [
        "no such order",
        "the order is working",
        "the order is stuck",
        "the account has not been read yet",
    ]


def test_an_order_of_unknown_fate_is_claimed_where_the_reading_could_not_tell() -> None:
    """It need not have been given up: a person may be faster than the reading that would."""
    house, name, ours, _ = stuck()
    unknown = replace(house.desk.blotter.orders[name], status=type(house.desk.blotter.orders[name].status).UNKNOWN)
    house.desk.__dict__["blotter"] = replace(house.desk.blotter, orders={name: unknown}, working={name: unknown})
    house.handle(claim(house, name, ours))
    assert house.status(name) == "working"


def test_a_holding_is_not_adopted_while_an_order_of_its_name_may_have_traded_it() -> None:
    house, name, ours, theirs = stuck()
    house.broker.fill(ours, 10)
    house.broker.cancel(theirs)
    house.wait(61)
    adoption = ManualAdoption(house.at, "R-adopt", A, 10, CASH - house.broker.cash, "owner", "", "signed")
    house.handle(adoption)
    assert "would be booked twice" in refusals(house)[0]
    house.handle(claim(house, name, ours))
    house.wait(61)
    house.handle(adoption)
    assert house.desk.book.quantity(A) == 10


def test_what_a_claim_settled_survives_a_death_and_the_journal_folds_to_the_same() -> None:
    house, name, ours, theirs = stuck()
    house.broker.fill(ours, 10)
    house.broker.cancel(theirs)
    house.wait(61)
    house.handle(claim(house, name, ours))
    house.wait(61)
    folded = replay(house.journal, open_desk(house.settings, open_book(CASH)), house.rules)
    assert folded.identical, folded.mismatches[:1]
    assert folded.desk.blotter == house.desk.blotter
    house.journal.flush()
    handed = latest_handover(house.journal)
    assert handed is not None
    assert (handed.book, handed.unsettled) == (house.desk.book, ())
    house.restart()
    assert (house.status(name), house.desk.book.quantity(A)) == ("filled", 10)


@pytest.mark.parametrize("number", [BrokerOrderId(OrderDesk.day, "06010", "1"), None])
def test_a_claim_survives_the_journal(number: BrokerOrderId | None) -> None:
    event = OrderClaim(1, "R1", "I1", number, "owner", "it is mine", "signed")
    assert codec.decode(codec.encode(event)) == event


@pytest.mark.parametrize("changes", [{"who": ""}, {"signature": ""}, {"order_id": None, "why": ""}])
def test_a_claim_that_nobody_signed_or_explained_cannot_be_said(changes: dict) -> None:
    event = OrderClaim(1, "R1", "I1", BrokerOrderId(OrderDesk.day, "", "1"), "owner", "", "signed")
    with pytest.raises(ValueError, match="request R1"):
        replace(event, **changes)
