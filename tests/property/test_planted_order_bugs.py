"""Each bug of ``rigs.order_bugs``, planted into the running desk, is found by a story, and some by the machine alone.

Finding means: what passes on the code as it is fails with the bug in it.
"""

from __future__ import annotations

import io
import os
import unittest
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from haetae.domain.events import OperatorState, OrderClaim
from haetae.domain.orders import BrokerOrderId, OrderStatus, Side
from rigs import order_bugs
from rigs.lossy_broker import Send
from rigs.order_desk import PRICE, SYMBOLS, Crash, Died, OrderDesk
from rigs.order_life import OrderLife

A, B = SYMBOLS[:2]


def _bought(house: OrderDesk, how: Send = Send.TAKEN, symbol: str = A) -> str:
    house.how = how
    name = house.wish(symbol, Side.BUY)
    house.how = Send.TAKEN
    return name


def an_answer_is_lost() -> None:
    house = OrderDesk()
    name = _bought(house, Send.LOST_ANSWER)
    house.wait(61)
    assert house.broker.taken == {name: 1}
    assert house.status(name) == "working"


def a_notice_comes_twice_and_a_list_confirms_it() -> None:
    house = OrderDesk()
    _bought(house)
    row = house.broker.rows[0]
    house.broker.fill(row, 4)
    house.notice(row, 4, times=2)
    house.wait(61)
    house.wait(61)
    assert house.desk.book.quantity(A) == 4


def a_list_lags_for_minutes() -> None:
    house = OrderDesk()
    house.broker.hide = True
    name = _bought(house, Send.LOST_ANSWER)
    house.wait(400)
    assert house.status(name) == "unknown"


def a_list_is_emptied() -> None:
    house = OrderDesk()
    _bought(house, symbol=B)
    house.broker.cancel(house.broker.rows[0])  # it holds no money, whose absence from the list would show by itself
    house.wait(31)
    name = _bought(house, Send.LOST_REQUEST)
    house.broker.down = True
    house.wait(400)
    assert house.status(name) == "unknown"
    assert not house.desk.blotter.orders[name].status.terminal


def a_list_without_an_order_ends_nothing() -> None:
    house = OrderDesk()
    house.broker.hide = True
    name = _bought(house)
    house.wait(61)
    assert house.status(name) == "working"


def an_unknown_order_meets_the_next_morning() -> None:
    house = OrderDesk()
    house.broker.hide = True
    name = _bought(house, Send.LOST_ANSWER)
    house.broker.fill(house.broker.rows[0], 10)
    house.next_day(closed=False)
    assert name in house.desk.blotter.orders
    assert house.desk.blotter.orders[name].status.doubtful
    assert A in house.desk.account.frozen
    house.broker.make_visible()
    house.wait(61)
    assert house.desk.book.quantity(A) == 10


def a_reading_told_what_no_notice_did() -> None:
    house = OrderDesk()
    _bought(house)
    house.broker.fill(house.broker.rows[0], 4)
    house.wait(61)
    house.journal.flush()
    house.next_day(closed=False)
    assert house.desk.book.cash == house.broker.cash
    assert [n.data["intent_id"] for n in house.told("order.carried")]
    assert len(house.told("fill.booked")) == 1  # booked on its own day, not again


def an_order_by_hand_could_be_ours() -> None:
    house = OrderDesk()
    name = _bought(house, Send.LOST_ANSWER)
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.wait(1)
    assert house.status(name) == "stuck"


def _says(house: OrderDesk, name: str, number: BrokerOrderId | None) -> None:
    house.handle(OrderClaim(house.at, "R-claim", name, number, "owner", "the screen", "signed"))


def an_order_of_ours_is_claimed_for_another() -> None:
    house = OrderDesk()
    house.broker.hide = True
    first = _bought(house)
    house.broker.fill(house.broker.rows[0], 10)
    house.notice(house.broker.rows[0], 10)
    house.wait(61)
    house.broker.hide = False
    house.broker.make_visible()  # a list that lags, and a clock that runs ahead: the row looks new
    house.broker.rows[0].at = house.at
    name = _bought(house, Send.LOST_REQUEST)
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.wait(1)
    _says(house, name, house.broker.rows[0].order_id)
    assert (house.status(name), house.status(first)) == ("stuck", "filled")
    assert house.desk.book.quantity(A) == 10


def an_order_of_another_price_is_claimed() -> None:
    house = OrderDesk()
    name = _bought(house, Send.LOST_ANSWER)
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    other = house.broker.user_trades(A, Side.BUY, 10, PRICE + 50, house.at)
    assert other is not None
    house.wait(1)
    _says(house, name, other.order_id)
    assert house.status(name) == "stuck"


def an_order_was_never_there_and_others_end_alike() -> None:
    house = OrderDesk()
    name = _bought(house, Send.LOST_REQUEST)
    rows = [house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at) for _ in range(2)]
    house.wait(1)
    _says(house, name, None)
    for row in rows:
        assert row is not None
        house.broker.fill(row, 10)
    house.wait(61)
    assert (house.status(name), house.desk.book.quantity(A)) == ("absent", 0)


def an_order_stood_there_before_the_send() -> None:
    house = OrderDesk()
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.read()
    house.desk.account.__dict__["frozen"] = frozenset()
    name = _bought(house, Send.LOST_REQUEST)
    house.wait(5)
    assert house.status(name) == "unknown"


def an_end_was_wrong() -> None:
    house = OrderDesk()
    name = _bought(house)
    row = house.broker.rows[0]
    house.broker.fill(row, 4)
    house.operate(OperatorState.REDUCE_ONLY)  # the cancel speaks of four shares that nobody told
    house.wait(61)
    assert (house.status(name), house.desk.book.quantity(A)) == ("canceled", 4)
    house.operate(OperatorState.ACTIVE)
    late = _bought(house, symbol=B)
    order = house.desk.blotter.orders[late]
    house.broker.cancel(house.broker.rows[1])
    house.wait(61)
    assert house.status(late) == "canceled"
    house.broker.rows[1].canceled, house.broker.rows[1].left = 0, 10
    house.broker.fill(house.broker.rows[1], 3)
    house.notice(house.broker.rows[1], 3)
    assert house.desk.book.quantity(B) == 3, order


def a_cancel_is_refused() -> None:
    house = OrderDesk()
    name = _bought(house)
    row = house.broker.rows[0]
    left, row.left = row.left, 0  # for a moment the order cannot be cancelled
    house.operate(OperatorState.REDUCE_ONLY)
    row.left = left
    assert house.desk.blotter.orders[name].status is OrderStatus.WORKING


def a_halt_is_pressed() -> None:
    house = OrderDesk()
    house.operate(OperatorState.HALT)
    assert house.status(_bought(house)) == "denied"
    assert house.broker.sends == {}


def a_price_is_changed_by_hand() -> None:
    house = OrderDesk()
    name = _bought(house)
    first = house.broker.rows[0]
    house.broker.fill(first, 3)
    second = house.broker.change_price(first, PRICE - 50, house.at)
    house.broker.fill(second, 2)
    house.wait(61)
    assert house.desk.blotter.orders[name].filled == 5
    assert house.desk.account.gate is OperatorState.ACTIVE


def the_process_dies_after_a_send() -> None:
    house = OrderDesk()
    house.crash_at = Crash.AFTER_SEND
    with pytest.raises(Died):
        house.wish(A, Side.BUY)
    house.restart()
    house.wait(61)
    (order,) = house.desk.blotter.orders.values()
    assert order.status is OrderStatus.WORKING


def a_name_of_unknown_fate_is_wanted_again() -> None:
    house = OrderDesk()
    _bought(house, Send.LOST_REQUEST)
    house.wait(31)
    assert house.status(_bought(house)) == "denied"


def a_number_is_used_again() -> None:
    house = OrderDesk()
    _bought(house)
    house.next_day(closed=False)
    second = _bought(house, symbol=B)
    house.broker.fill(house.broker.rows[-1], 10)
    house.wait(61)
    assert house.desk.blotter.orders[second].order_id == BrokerOrderId(house.day, "06010", "1")
    assert (house.desk.book.quantity(A), house.desk.book.quantity(B)) == (0, 10)
    assert house.told("order.surprised") == []  # nothing of today was even taken for yesterday's


def an_order_never_left() -> None:
    house = OrderDesk()
    assert house.status(_bought(house, Send.REFUSED_CONNECTION)) == "refused"


SCENARIOS: dict[str, Callable[[], None]] = {
    "retry_after_timeout": an_answer_is_lost,
    "per_notice_counting": a_notice_comes_twice_and_a_list_confirms_it,
    "absent_too_early": a_list_lags_for_minutes,
    "blotter_emptied_at_restart": an_unknown_order_meets_the_next_morning,
    "cumulative_ignored": a_notice_comes_twice_and_a_list_confirms_it,
    "first_fitting_row_taken": an_order_by_hand_could_be_ours,
    "claimed_whosever_it_is": an_order_of_ours_is_claimed_for_another,
    "claimed_of_any_shape": an_order_of_another_price_is_claimed,
    "claims_rows_not_remembered": an_order_was_never_there_and_others_end_alike,
    "known_numbers_forgotten": an_order_stood_there_before_the_send,
    "cash_not_looked_at": a_list_lags_for_minutes,
    "empty_list_believed": a_list_is_emptied,
    "late_fill_dropped": an_end_was_wrong,
    "end_before_its_fills": an_end_was_wrong,
    "refused_cancel_ends_the_order": a_cancel_is_refused,
    "halt_ignored": a_halt_is_pressed,
    "new_number_alone": a_price_is_changed_by_hand,
    "unsettled_not_handed_over": an_unknown_order_meets_the_next_morning,
    "readings_not_handed_over": a_reading_told_what_no_notice_did,
    "in_flight_forgotten": the_process_dies_after_a_send,
    "unknown_not_counted": a_name_of_unknown_fate_is_wanted_again,
    "number_used_again": a_number_is_used_again,
    "not_sent_is_unknown": an_order_never_left,
    "unlisted_order_is_over": a_list_without_an_order_ends_nothing,
}
"""The shortest story in which each bug shows."""

BY_THE_MACHINE = ("retry_after_timeout", "per_notice_counting", "cumulative_ignored")
"""Found by the machine in seconds; a night (``HAETAE_LIFE_EXAMPLES``) finds others too."""


def test_every_bug_has_a_story() -> None:
    assert set(SCENARIOS) == set(order_bugs.BUGS)


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_story_holds_without_the_bug_and_breaks_with_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    SCENARIOS[name]()
    order_bugs.plant(name, monkeypatch)
    with pytest.raises(AssertionError) as found:  # what the story says, and no accident on the way there
        SCENARIOS[name]()
    assert found.traceback[-1].path == Path(__file__)


@pytest.mark.parametrize("name", BY_THE_MACHINE)
def test_the_machine_finds_it_without_being_told_the_story(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order_bugs.plant(name, monkeypatch)
    case = type(f"With_{name}", (OrderLife,), {}).TestCase
    case.settings = settings(
        max_examples=int(os.environ.get("HAETAE_LIFE_EXAMPLES", "120")),
        stateful_step_count=40,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    found = unittest.TestResult()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        case("runTest").run(found)
    assert found.failures and not found.errors  # an invariant broke; an accident would be an error
