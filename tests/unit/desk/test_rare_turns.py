"""Turns that few days see: an end told by a reading alone, a start that is halted, more executed than there was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haetae.desk import DeskSettings
from haetae.desk.ordering import situation
from haetae.desk.turn import Turn
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import OperatorState
from haetae.domain.orders import Canceled, OrderIntent, OrderKind, Side
from haetae.domain.units import NS_PER_MINUTE
from rigs.desk_day import loose
from rigs.order_desk import PRICE, SYMBOLS, OrderDesk

A, B = SYMBOLS[:2]


def test_a_refusal_that_only_a_reading_tells_is_noted_as_one() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    house.broker.reject(house.broker.rows[0])
    house.read()
    assert house.status(name) == "rejected"
    assert [n.data["how"] for n in house.told("order.found_ended")] == ["Rejected"]


def test_a_desk_that_starts_halted_may_lower_risk_after_a_clean_reading_and_halts_for_good_after_a_wrong_one() -> None:
    house = OrderDesk(settings=loose(DeskSettings(start_state=OperatorState.HALT)))
    assert house.desk.operator is OperatorState.REDUCE_ONLY
    assert [n.data["who"] for n in house.told("operator.changed")] == ["recovery"]
    house.broker.holdings[A] = 5
    house.read()
    house.wait(61)
    assert (house.desk.operator, house.desk.latched) == (OperatorState.HALT, True)
    house.broker.holdings[A] = 0
    house.wait(61)
    assert house.desk.account.gate is OperatorState.ACTIVE
    assert house.desk.operator is OperatorState.HALT  # only a person ends it


def test_nothing_is_guarded_before_a_session_has_started() -> None:
    house = OrderDesk()
    with pytest.raises(MarketRuleError, match="no session has started"):
        situation(Turn(replace(house.desk, session=None), house.at, house.rules))


def test_a_cancel_that_nobody_answers_is_asked_for_again_after_a_minute() -> None:
    house = OrderDesk()
    house.lose_cancels = True
    name = house.wish(A, Side.BUY)
    house.at += house.settings.rest_minutes * NS_PER_MINUTE
    house.minute()
    assert house.status(name) == "cancel_pending"
    house.broker.rows[0].left, house.broker.rows[0].canceled = 10, 0  # the broker has forgotten it
    house.lose_cancels = False
    house.at += 2 * NS_PER_MINUTE
    house.minute()
    assert house.status(name) == "canceled"


def test_an_end_that_was_wrong_freezes_the_name_pages_and_takes_the_rest_back() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    house.handle(Canceled(name, house.at, 0))
    house.broker.fill(house.broker.rows[0], 4)
    house.notice(house.broker.rows[0], 4)
    assert [n.data["intent_id"] for n in house.told("order.returned")] == [name]
    assert A in house.desk.account.shut
    assert house.broker.rows[0].canceled == 6


def test_a_sale_of_more_than_is_held_stops_the_desk_once_and_is_not_booked() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    house.broker.fill(house.broker.rows[0], 10)
    house.wait(61)
    name = house.wish(A, Side.SELL)
    row = house.broker.rows[1]
    row.filled, row.amount, row.left = 10, 10 * PRICE, 0
    gone = replace(house.desk.book, positions={})
    house.desk = replace(house.desk, book=gone)
    for part in (10, 1):
        row.filled, row.amount = row.filled + (part == 1), row.amount + PRICE * (part == 1)
        house.handle(house.broker.told_of(row, name, house.at, part))
    assert house.desk.excess
    assert house.desk.book.positions == {}
    assert len(house.told("execution.exceeded")) == 1


def test_an_escape_order_of_a_name_that_is_not_being_left_began_now() -> None:
    house = OrderDesk()
    intent = OrderIntent("E1", "D1", A, Side.SELL, 1, OrderKind.LIMIT, PRICE, house.at, escape=True)
    now = situation(Turn(house.desk, house.at, house.rules), intent)
    assert now.leaving_since == {}
    assert now.fleeing_since(A) == house.at
