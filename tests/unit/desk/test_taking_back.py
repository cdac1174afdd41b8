"""When an order is taken back, why, and how often: nothing rests too long, and no cancel is asked for twice at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from haetae.desk import DeskSettings, DeskState, step
from haetae.desk.ordering import cancel, cancel_open, cancel_rested
from haetae.desk.turn import Turn
from haetae.domain.events import Cancel, CancelRequest, OperatorState
from haetae.domain.orders import Canceled, Fill, Filled, Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND
from haetae.execution import Blotter, enter
from rigs.desk_day import loose
from rigs.order_desk import PRICE, SYMBOLS, OrderDesk

A, B, C, D = SYMBOLS
SETTINGS = loose(DeskSettings(rest_minutes=5, cancel_again_s=60))


def order(house: OrderDesk, name: str, status: OrderStatus = OrderStatus.WORKING, **options: Any) -> Order:
    values = {"symbol": A, "side": Side.BUY, "age": 0, "asked": 0, "escape": False, **options}
    intent = OrderIntent(
        name, "D1", values["symbol"], values["side"], 10, OrderKind.LIMIT, PRICE, house.at - values["age"],
        escape=values["escape"],
    )  # fmt: skip
    return Order(intent, 10, status, updated_at=house.at - values["asked"])


def turn_of(house: OrderDesk, *orders: Order, **changes: Any) -> Turn:
    blotter = Blotter()
    for each in orders:
        blotter = enter(blotter, each)
    return Turn(replace(house.desk, blotter=blotter, **changes), house.at, house.rules)


def taken_back(turn: Turn) -> dict[str, str]:
    """The cancels asked for, with their reasons."""
    return {command.intent_id: command.why for command in turn.commands if isinstance(command, Cancel)}


def test_what_rested_five_minutes_is_taken_back_and_what_an_escape_sells_is_left_to_the_escape() -> None:
    house = OrderDesk(settings=SETTINGS)
    age = 5 * NS_PER_MINUTE
    turn = turn_of(
        house,
        order(house, "flight", age=age, side=Side.SELL, escape=True),
        order(house, "old", age=age),
        order(house, "part", OrderStatus.PARTIAL, age=age + 1, side=Side.SELL),
        order(house, "young", age=age - 1),
        order(house, "lost", OrderStatus.UNKNOWN, age=age),
    )
    cancel_rested(turn)
    assert taken_back(turn) == dict.fromkeys(("old", "part"), "rested too long")
    assert [each.status.value for each in turn.state.blotter.open_orders()] == [
        "working", "cancel_pending", "cancel_pending", "working", "unknown",
    ]  # fmt: skip


def test_a_cancel_without_an_answer_is_repeated_after_a_minute_and_again_a_minute_later() -> None:
    house = OrderDesk(settings=SETTINGS)
    pending, minute = OrderStatus.CANCEL_PENDING, 60 * NS_PER_SECOND
    turn = turn_of(
        house,
        order(house, "flight", pending, asked=minute, escape=True, side=Side.SELL),
        order(house, "asked", pending, asked=minute, age=minute),
        order(house, "just", pending, asked=minute - 1, age=minute),
        order(house, "working", asked=minute, age=minute),
    )
    cancel_rested(turn)
    assert taken_back(turn) == {"asked": "no answer to the cancel"}
    assert turn.state.blotter.orders["asked"].updated_at == house.at
    turn.commands.clear()
    cancel_rested(turn)
    assert not turn.commands


@pytest.mark.parametrize(
    ("status", "goes"),
    [
        (OrderStatus.WORKING, True),
        (OrderStatus.PARTIAL, True),
        (OrderStatus.LATE_FILL, True),
        (OrderStatus.CANCEL_PENDING, True),
        (OrderStatus.SENDING, False),
        (OrderStatus.UNKNOWN, False),
        (OrderStatus.FILLED, False),
    ],
)
def test_only_what_rests_at_the_broker_can_be_taken_back(status: OrderStatus, goes: bool) -> None:
    house = OrderDesk()
    mine = order(house, "I1", status)
    turn = turn_of(house, mine)
    cancel(turn, mine, "test")
    assert turn.commands == ([Cancel("I1", house.at, "test")] if goes else [])
    assert turn.state.blotter.orders["I1"].status is (OrderStatus.CANCEL_PENDING if goes else status)
    assert turn.state.day.commands == (1 if goes else 0)
    assert turn.state.day.sent.changes == ({A: 1} if goes else {})


def test_an_order_of_a_day_before_or_without_a_session_is_not_taken_back_and_costs_no_command() -> None:
    house = OrderDesk()
    assert house.desk.session is not None
    since = house.at - house.desk.session.at
    before, first = order(house, "before", age=since + 1), order(house, "first", age=since)
    for mine, session, gone in ((before, True, False), (first, True, True), (first, False, False)):
        turn = turn_of(house, mine, **({} if session else {"session": None}))
        cancel(turn, mine, "test")
        assert (bool(taken_back(turn)), turn.state.day.commands) == (gone, 1 if gone else 0)


def test_a_cancel_of_an_escape_counts_as_a_command_and_not_as_a_change_of_the_name() -> None:
    house = OrderDesk()
    flight = order(house, "flight", side=Side.SELL, escape=True)
    turn = turn_of(house, flight)
    cancel(turn, flight, "test")
    assert (turn.state.day.commands, turn.state.day.sent.changes) == (1, {})
    for name, symbol in (("I1", B), ("I2", B), ("I3", C)):
        cancel(turn, order(house, name, symbol=symbol), "test")
    assert (turn.state.day.commands, turn.state.day.sent.changes) == (4, {B: 2, C: 1})


def test_no_cancel_and_no_order_leaves_when_the_days_commands_are_used_up() -> None:
    house = OrderDesk(settings=loose(DeskSettings(max_commands=1)))
    name = house.wish(A, Side.BUY)
    assert house.wish(B, Side.BUY) == ""
    assert len(house.submits) == 1 and len(house.told("budget.exhausted")) == 1
    assert (len(house.told("request.taken")), len(house.told("request.refused"))) == (1, 1)
    resting = house.desk.blotter.orders[name]
    turn = Turn(house.desk, house.at, house.rules)
    cancel(turn, resting, "test")
    assert not taken_back(turn) and turn.state.blotter.orders[name].status is OrderStatus.WORKING
    assert turn.state.day.sent == house.desk.day.sent


def test_every_resting_order_of_the_side_that_is_meant_is_taken_back_for_the_reason_given() -> None:
    house = OrderDesk()
    orders = (
        order(house, "lost", OrderStatus.UNKNOWN),
        order(house, "sale", side=Side.SELL),
        order(house, "buy", symbol=B),
        order(house, "flight", symbol=C, side=Side.SELL, escape=True),
        order(house, "asked", OrderStatus.CANCEL_PENDING, symbol=D),
    )
    for side, names in ((None, {"sale", "buy", "flight"}), (Side.BUY, {"buy"}), (Side.SELL, {"sale", "flight"})):
        turn = turn_of(house, *orders)
        cancel_open(turn, why="drill", side=side)
        assert taken_back(turn) == dict.fromkeys(names, "drill")


def whys(state: DeskState, event: Any, house: OrderDesk) -> list[tuple[str, str]]:
    return [(c.intent_id, c.why) for c in step(state, event, house.rules)[1] if isinstance(c, Cancel)]


def execution(house: OrderDesk, name: str, quantity: int) -> Filled:
    row = next(row for row in house.broker.rows if row.intent_id == name)
    fill = Fill(row.order_id, name, row.symbol, row.side, quantity, PRICE, quantity * PRICE, quantity, house.at)
    return Filled(name, house.at, fill)


def test_more_executed_than_ordered_takes_back_what_rests_of_all_names_once() -> None:
    house = OrderDesk()
    first, second = house.wish(A, Side.BUY), house.wish(B, Side.BUY)
    assert whys(house.desk, execution(house, first, 11), house) == [(second, "more was executed than intended")]
    known = replace(house.desk, excess=True)
    assert whys(known, execution(house, first, 11), house) == []


def test_an_order_that_lives_after_its_end_is_taken_back_for_that_reason() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    house.handle(Canceled(name, house.at, 0))
    why = "it had ended, and lives or was executed after all"
    assert whys(house.desk, execution(house, name, 4), house) == [(name, why)]


def test_a_difference_nobody_explains_takes_back_what_rests_for_that_reason() -> None:
    house = OrderDesk()
    name = house.wish(B, Side.BUY)
    house.broker.holdings[A] = 5
    for pause in (0, 20, 11):
        house.at += pause * NS_PER_SECOND
        before = house.desk
        house.read()
    reading = house.broker.reading(house.at, ())
    assert whys(before, reading, house) == [(name, "books and broker differ without explanation")]
    assert house.desk.account.gate is OperatorState.HALT


def test_a_person_who_cancels_is_named_in_the_reason() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    assert whys(house.desk, CancelRequest(house.at, "R9", name, "owner", "drill"), house) == [(name, "owner: drill")]
