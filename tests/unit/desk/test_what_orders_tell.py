"""What is told of an order: a refusal, a booked execution, a surprise, each with the figures that explain it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from haetae.desk import DeskSettings, open_desk, step
from haetae.desk.ordering import deny, send, situation
from haetae.desk.turn import Turn
from haetae.domain.account import Position
from haetae.domain.decisions import Deny, Reason
from haetae.domain.events import ManualOrder, Note, OperatorState, SetTimer
from haetae.domain.orders import (
    BrokerOrderId,
    Canceled,
    Fill,
    Filled,
    OrderIntent,
    OrderKind,
    OutcomeUnknown,
    Rejected,
    Side,
)
from haetae.domain.units import NS_PER_SECOND
from haetae.guards import Traffic
from haetae.krx import Rulebook
from haetae.ledger import open_book
from rigs.desk_day import DAY, loose
from rigs.lossy_broker import Send
from rigs.order_desk import CASH, PRICE, SYMBOLS, OrderDesk

A, B, C, D = SYMBOLS
FEE = 14  # of 100 000 won, floored


def filled(house: OrderDesk, name: str, quantity: int, price: int = PRICE, **changes: Any) -> Filled:
    """The next execution of an order, at any price."""
    order = house.desk.blotter.orders[name]
    assert order.order_id is not None
    fill = Fill(
        order.order_id, name, order.intent.symbol, order.intent.side, quantity, price, quantity * price,
        order.filled + quantity, house.at, order.amount,
    )  # fmt: skip
    return Filled(name, house.at, replace(fill, **changes))


def holding(house: OrderDesk, symbol: str, quantity: int, cost: int) -> None:
    """The books hold something that the broker holds too."""
    positions = {**house.desk.book.positions, symbol: Position(symbol, quantity, cost)}
    house.desk = replace(house.desk, book=replace(house.desk.book, positions=positions))
    house.broker.holdings[symbol] = quantity


def listed(house: OrderDesk, **tables: dict[str, str]) -> None:
    assert house.desk.session is not None
    house.desk = replace(house.desk, session=replace(house.desk.session, **tables))


def test_a_refused_order_is_told_with_what_was_asked_and_stays_known() -> None:
    house = OrderDesk()
    intent = OrderIntent("I1", "D1", A, Side.SELL, 7, OrderKind.LIMIT, PRICE, house.at, escape=True)
    turn = Turn(house.desk, house.at, house.rules)
    now = situation(turn, intent)
    deny(turn, intent, Deny((Reason("G12", "fewer"), Reason("G10", "far"), Reason("G05", "too late"))), now)
    (note,) = turn.commands
    assert isinstance(note, Note) and note.kind == "intent.denied"
    inputs: Any = note.data.pop("inputs")
    assert set(inputs) == {"G12", "G10", "G05"} and inputs["G12"]["last"] == PRICE
    assert note.data == {
        "intent_id": "I1", "decision_id": "D1", "symbol": A, "side": "sell", "quantity": 7, "escape": True,
        "codes": ["G05"],
        "reasons": ["G12 fewer", "G10 far", "G05 too late"],
    }  # fmt: skip
    order = turn.state.blotter.orders["I1"]
    assert (order.status.value, order.quantity, order.updated_at) == ("denied", 7, house.at)


def test_a_refusal_is_told_with_the_figures_its_guard_compared() -> None:
    house = OrderDesk()
    assert house.wish(A, Side.BUY, price=8_000)
    (note,) = house.told("intent.denied")
    inputs: Any = note.data["inputs"]
    assert note.data["codes"] == ["G10"] == list(inputs) and inputs["G10"]["last"] == PRICE


def test_an_order_that_is_asked_for_twice_is_refused_and_the_first_one_lives_on() -> None:
    house = OrderDesk()
    wish = ManualOrder(house.at, "R1", A, Side.BUY, 10, PRICE, "owner", "test")
    house.handle(wish)
    (name,) = house.desk.blotter.orders
    house.handle(wish)
    assert [n.data["intent_id"] for n in house.told("intent.denied")] == [name]
    assert (len(house.told("request.taken")), len(house.told("request.refused"))) == (1, 1)
    assert (house.status(name), len(house.submits)) == ("working", 1)


def test_a_reduced_order_is_told_with_what_was_asked_and_what_is_left() -> None:
    house = OrderDesk(settings=loose(max_order_ppm=10_000))
    name = house.wish(A, Side.BUY, 200)
    (note,) = house.told("intent.reduced")
    intent = house.desk.blotter.orders[name].intent
    keys = ("intent_id", "decision_id", "symbol", "asked", "quantity")
    assert [note.data[key] for key in keys] == [name, intent.decision_id, A, 200, 100]
    assert house.submits[0][1].order.quantity == house.desk.blotter.orders[name].quantity == 100
    inputs: Any = note.data["inputs"]
    assert [text.split()[0] for text in note.data["reasons"]] == list(inputs)
    assert inputs["G12"]["last"] == PRICE


def test_what_left_is_counted_by_name_and_side() -> None:
    house = OrderDesk()
    holding(house, B, 50, 50 * PRICE)
    house.wish(A, Side.BUY)
    house.at += 1
    house.wish(B, Side.SELL)
    first = house.at - 1
    newest = {(A, "buy"): first, (B, "sell"): house.at}
    assert house.desk.day.sent == Traffic((first, house.at), {A: 1, B: 1}, newest)
    assert house.desk.day.commands == 2


def test_an_escape_that_left_is_counted_beside_the_orders_and_not_among_them() -> None:
    house = OrderDesk()
    holding(house, B, 50, 50 * PRICE)
    turn = Turn(house.desk, house.at, house.rules)
    intent = OrderIntent("I1", "D1", B, Side.SELL, 7, OrderKind.LIMIT, PRICE, house.at, escape=True)
    assert send(turn, intent)
    sent = turn.state.day.sent
    assert (sent.escapes, sent.times, sent.of_symbol, sent.newest) == (1, (), {}, {(B, "sell"): house.at})
    assert not send(turn, intent)  # the same one is refused


def test_an_order_that_is_sent_before_any_reading_knows_no_numbers() -> None:
    house = OrderDesk()
    fresh = replace(house.desk, account=replace(house.desk.account, last=None))
    turn = Turn(fresh, house.at, house.rules)
    assert send(turn, OrderIntent("I1", "D1", A, Side.BUY, 7, OrderKind.LIMIT, PRICE, house.at))
    assert turn.state.blotter.orders["I1"].known == ()
    assert [seen.at for _, seen in turn.reviewed] == [house.at]


def test_an_order_knows_the_numbers_of_its_name_and_side_that_were_shown_before_it() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    house.broker.fill(house.broker.rows[0], 10)
    house.wait(61)
    for name, side in ((A, Side.BUY), (A, Side.SELL), (B, Side.BUY)):
        intent = house.wish(name, side, 5)
        shown = (house.broker.rows[0].order_id,) if (name, side) == (A, Side.BUY) else ()
        assert house.desk.blotter.orders[intent].known == shown
        assert house.submits[-1][1].known == shown
        house.broker.fill(house.broker.rows[-1], 5)
        house.notice(house.broker.rows[-1], 5)


def test_a_purchase_is_booked_and_told_with_its_number_its_costs_and_the_cash_left() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY, 20)
    house.handle(filled(house, name, 10))
    house.handle(filled(house, name, 3, PRICE - 10))
    notes = house.told("fill.booked")
    rest = Rulebook.on(DAY).charge(Side.BUY, 29_970, *house_market(house, A), before=100_000).fee
    common = {"intent_id": name, "symbol": A, "side": "buy", "order": ["2026-11-23", "06010", "1"], "tax": 0}
    cash = CASH - 100_000 - FEE
    assert [note.data for note in notes] == [
        {
            **common, "quantity": 10, "cumulative": 10, "price": PRICE, "amount": 100_000, "amount_before": 0,
            "fee": FEE, "cash": cash, "realized": 0,
        },
        {
            **common, "quantity": 3, "cumulative": 13, "price": PRICE - 10, "amount": 29_970,
            "amount_before": 100_000, "fee": rest, "cash": cash - 29_970 - rest, "realized": 0,
        },
    ]  # fmt: skip
    assert house.desk.book.cash == cash - 29_970 - rest


def house_market(house: OrderDesk, symbol: str) -> tuple[Any, Any]:
    kind, market = situation(Turn(house.desk, house.at, house.rules)).listed_as(symbol)
    return market, kind


@pytest.mark.parametrize(
    ("markets", "kinds", "tax"),
    [
        ({A: "KONEX"}, {}, 100),  # 0.1 % of 100 000 won
        ({A: "KOSPI"}, {A: "common"}, 200),
        ({}, {}, 200),  # what nobody told of is a common share of the KOSPI
        ({A: "KOSPI"}, {A: "etf"}, 0),
    ],
)
def test_a_sale_is_taxed_by_the_market_and_the_kind_of_its_own_name(
    markets: dict[str, str], kinds: dict[str, str], tax: int
) -> None:
    house = OrderDesk()
    holding(house, A, 20, 180_000)
    listed(house, markets={B: "KOSDAQ", **markets}, kinds={B: "etf", **kinds})
    name = house.wish(A, Side.SELL)
    house.handle(filled(house, name, 10))
    (note,) = house.told("fill.booked")
    assert (note.data["tax"], note.data["fee"], note.data["side"]) == (tax, FEE, "sell")
    assert note.data["realized"] == house.desk.book.realized == 100_000 - FEE - tax - 90_000


def test_an_execution_of_today_is_charged_what_the_account_agreed_with_its_broker() -> None:
    house = OrderDesk()
    house.rules = replace(house.rules, fees=replace(house.rules.fees, fee_ppb=1_000_000))
    house.handle(filled(house, house.wish(A, Side.BUY), 10))
    assert [note.data["fee"] for note in house.told("fill.booked")] == [100]


def test_an_execution_told_before_a_session_began_is_booked_as_one_of_a_common_share() -> None:
    house = OrderDesk()
    holding(house, A, 10, 90_000)
    name = house.wish(A, Side.SELL)
    left = house.desk.blotter.orders[name]
    book = replace(open_book(CASH), positions={A: Position(A, 10, 90_000)})
    fresh = open_desk(house.settings, book, unsettled=(left,))
    state, commands = step(fresh, filled(house, name, 10), house.rules)
    assert (state.book.taxes, state.book.fees, dict(state.book.positions)) == (200, FEE, {})
    assert [c.kind for c in commands if isinstance(c, Note)] == ["fill.booked"]


def test_a_name_is_new_that_day_with_its_first_purchase_only() -> None:
    house = OrderDesk()
    holding(house, C, 50, 50 * PRICE)
    for symbol in (A, B, C):
        house.handle(filled(house, house.wish(symbol, Side.BUY), 10))
    house.handle(filled(house, house.wish(C, Side.SELL), 10))
    assert house.desk.day.new_names == {A, B}


def test_the_exits_of_a_day_that_lost_money_are_remembered_by_order_and_by_name() -> None:
    house = OrderDesk()
    holding(house, A, 10, 120_000)
    holding(house, B, 10, 110_000)
    holding(house, C, 10, 90_000)
    holding(house, D, 10, 6_000)
    listed(house, kinds={D: "etf"})  # no tax, and of so little no fee: neither won nor lost
    losers = [house.wish(A, Side.SELL), house.wish(B, Side.SELL)]
    winner, even = house.wish(C, Side.SELL), house.wish(D, Side.SELL)
    for name, price in ((losers[0], PRICE), (losers[1], PRICE), (winner, PRICE), (even, 600)):
        house.handle(filled(house, name, 10, price))
    assert house.told("fill.booked")[-1].data["realized"] == 0
    assert house.desk.day.losing_intents == set(losers)
    assert house.desk.day.lost_symbols == {A, B}


def test_an_execution_asks_for_one_reading_ten_seconds_later() -> None:
    house = OrderDesk(settings=loose(DeskSettings(reconcile_after_fill_s=10)))
    name = house.wish(A, Side.BUY)
    house.timers.clear()
    house.desk = replace(house.desk, account=replace(house.desk.account, due_at=0))
    house.handle(filled(house, name, 4))
    house.handle(filled(house, name, 3))
    assert house.timers == [house.at + 10 * NS_PER_SECOND]
    assert (house.desk.account.asked_at, house.desk.account.due_at) == (house.at, house.timers[0])
    house.at = house.timers[0]  # it is due now, and what happens now may come too late for it
    house.handle(filled(house, name, 1))
    assert house.timers[1:] == [house.at + 10 * NS_PER_SECOND]


def test_a_sooner_reading_is_asked_for_beside_a_later_one() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    planned = house.desk.account.due_at
    assert planned == house.at + 60 * NS_PER_SECOND
    made = step(house.desk, OutcomeUnknown("nobody", house.at, "lost"), house.rules)[1]
    assert [c.at - house.at for c in made if isinstance(c, SetTimer)] == [NS_PER_SECOND // 2]
    assert house.status(name) == "working"


def test_a_broker_that_refuses_is_told_with_its_code_and_its_words() -> None:
    house = OrderDesk()
    house.how = Send.PACE_TWICE
    name = house.wish(A, Side.BUY)
    (note,) = house.told("order.rejected")
    assert note.data == {"intent_id": name, "symbol": A, "code": "EGW00201", "message": "PACE_TWICE"}
    assert not house.told("order.change_refused") and not house.desk.refused
    house.handle(Rejected("nobody", house.at, "X", "x"))
    assert len(house.told("order.rejected")) == 1  # of nobody's order there is nothing to tell


def test_a_refused_cancel_is_told_apart_from_a_refused_order_and_remembered_with_its_time() -> None:
    house = OrderDesk()
    first, second = house.wish(A, Side.BUY), house.wish(B, Side.BUY)
    house.lose_cancels = True
    house.operate(OperatorState.REDUCE_ONLY)
    house.handle(Rejected(first, house.at, "NOT_OPEN", "gone", change=True))
    house.at += 5
    house.handle(Rejected(second, house.at, "NOT_OPEN", "gone", change=True))
    notes = house.told("order.change_refused")
    assert notes[1].data == {"intent_id": second, "symbol": B, "code": "NOT_OPEN", "message": "gone"}
    assert house.desk.refused == {first: house.at - 5, second: house.at}
    assert not house.told("order.rejected")


def test_a_lost_order_is_told_with_the_reason_and_looked_for_at_once() -> None:
    house = OrderDesk()
    house.desk = replace(house.desk, account=replace(house.desk.account, retries=7))
    house.timers.clear()
    house.how = Send.LOST_REQUEST
    name = house.wish(A, Side.BUY)
    (note,) = house.told("order.became_unknown")
    assert note.data == {"intent_id": name, "why": "LOST_REQUEST"}
    assert house.desk.account.retries == 0
    assert house.timers == [house.at + NS_PER_SECOND // 2]
    house.handle(OutcomeUnknown("nobody", house.at, "lost"))
    assert len(house.told("order.became_unknown")) == 1


def test_a_surprise_is_told_with_the_event_and_what_is_odd_about_it() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    house.handle(Canceled(name, house.at, 4))
    (note,) = house.told("order.surprised")
    assert note.data == {"intent_id": name, "event": "Canceled", "remark": "fills_missing"}
    assert house.desk.account.frozen == frozenset()


def test_every_contradiction_freezes_its_name_beside_those_that_are_frozen() -> None:
    house = OrderDesk()
    house.desk = replace(house.desk, account=replace(house.desk.account, frozen=frozenset({D})))
    for symbol in (A, B):
        house.handle(filled(house, house.wish(symbol, Side.BUY), 1, symbol=C))
    assert house.desk.account.frozen == {A, B, D}
    assert house.desk.account.shut == frozenset()


def test_an_order_that_returned_is_told_with_what_was_executed_and_shuts_its_name_beside_others() -> None:
    house = OrderDesk()
    house.desk = replace(house.desk, account=replace(house.desk.account, frozen=frozenset({D}), shut=frozenset({C})))
    name = house.wish(A, Side.BUY)
    house.handle(Canceled(name, house.at, 0))
    late = filled(house, name, 4)
    assert not house.desk.blotter.open_orders()
    house.handle(late)
    (note,) = house.told("order.returned")
    assert note.data == {"intent_id": name, "symbol": A, "filled": 4}
    assert (house.desk.account.frozen, house.desk.account.shut) == ({A, D}, {A, C})


def test_more_executed_than_ordered_is_told_with_both_figures() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    house.handle(filled(house, name, 12))
    (note,) = house.told("execution.exceeded")
    assert note.data == {"intent_id": name, "filled": 12, "quantity": 10}


def test_more_sold_than_held_is_told_with_what_was_held() -> None:
    house = OrderDesk()
    holding(house, A, 10, 90_000)
    name = house.wish(A, Side.SELL)
    holding(house, A, 6, 90_000)
    house.handle(filled(house, name, 10))
    (note,) = house.told("execution.exceeded")
    assert note.data == {"intent_id": name, "filled": 10, "quantity": 6}
    assert not house.told("fill.booked")


def test_an_order_that_moved_takes_back_what_the_reading_said_of_its_own_name_only() -> None:
    house = OrderDesk()
    house.desk = replace(house.desk, account=replace(house.desk.account, sellable={A: 5, B: 6}))
    house.wish(A, Side.BUY)
    assert house.desk.account.sellable == {B: 6}
    house.wish(C, Side.BUY)
    assert house.desk.account.sellable == {B: 6}


def test_an_execution_of_a_day_before_is_charged_by_the_rules_of_that_day() -> None:
    house = OrderDesk()
    holding(house, A, 10, 90_000)
    listed(house, markets={A: "KOSPI"})
    name = house.wish(A, Side.SELL)
    order = house.desk.blotter.orders[name]
    before = BrokerOrderId(dt.date(2025, 11, 24), "06010", "1")
    day = Rulebook.on(before.day)
    house.desk = replace(
        house.desk,
        blotter=replace(house.desk.blotter, orders={name: replace(order, order_id=before)}),
    )
    house.handle(filled(house, name, 10))
    (note,) = house.told("fill.booked")
    assert (note.data["tax"], note.data["order"][0]) == (150, "2025-11-24")  # 0.15 % in 2025
    assert [owed.day for owed in house.desk.book.unsettled] == [day.settle_on()]
