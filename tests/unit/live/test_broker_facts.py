"""What brokers do (late lists, lost answers, numbers used again, trades by hand), each met by the real desk.

The names B01 to B21 are the broker faults of the design; those of the wire (pages, odd numbers, tokens) are proven in
``tests/unit/kis``.
"""
# long: what one scripted broker may do, told once.

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from haetae.domain.events import OperatorState
from haetae.domain.orders import Canceled, OrderStatus, Rejected, Side
from haetae.domain.units import NS_PER_SECOND
from haetae.execution import DifferenceKind
from haetae.live import latest_book, latest_handover
from haetae.live.readings import days_to_read
from rigs.desk_day import loose
from rigs.lossy_broker import Send
from rigs.order_desk import PRICE, SYMBOLS, Crash, Died, OrderDesk

A, B = SYMBOLS[:2]


@pytest.fixture
def house() -> OrderDesk:
    return OrderDesk()


def buy(house: OrderDesk, how: Send = Send.TAKEN, symbol: str = A, quantity: int = 10) -> str:
    house.how = how
    name = house.wish(symbol, Side.BUY, quantity)
    house.how = Send.TAKEN
    assert name
    return name


def held(house: OrderDesk, symbol: str = A, shares: int = 10) -> None:
    """Own some shares, by an order that is executed and settled."""
    buy(house, symbol=symbol, quantity=shares)
    row = house.broker.rows[-1]
    house.broker.fill(row, shares)
    house.notice(row, shares)
    house.wait(40)


@pytest.mark.parametrize("lag_s", [5, 45, 119])
def test_b01_an_order_that_becomes_visible_late_is_adopted_and_never_sent_again(house: OrderDesk, lag_s: int) -> None:
    house.broker.hide = True
    name = buy(house, Send.LOST_ANSWER)
    house.wait(lag_s)
    assert house.status(name) == "unknown"
    house.broker.make_visible()
    house.wait(121)
    assert house.status(name) in ("working", "partial")
    assert house.broker.sends[name] == house.broker.taken[name] == 1
    assert [note.data["intent_id"] for note in house.told("order.adopted")] == [name]


def test_b01_an_order_that_hides_longer_than_lists_lag_is_not_called_absent_while_its_money_is_reserved(house) -> None:
    house.broker.hide = True
    name = buy(house, Send.LOST_ANSWER, quantity=20)
    house.wait(600)
    assert house.status(name) == "unknown"
    assert not house.told("order.found_absent")
    house.broker.make_visible()
    house.wait(121)
    assert house.desk.blotter.orders[name].order_id is not None


def test_t04_an_order_that_never_arrived_is_absent_after_proof_and_its_chance_is_gone(house: OrderDesk) -> None:
    name = buy(house, Send.LOST_REQUEST)
    house.wait(119)
    assert house.status(name) == "unknown"
    assert A in house.desk.account.frozen
    assert house.wish(A, Side.BUY) == "" or house.status(house.wish(A, Side.BUY)) == "denied"
    house.wait(130)
    assert house.status(name) == "absent"
    assert A not in house.desk.account.frozen
    assert house.broker.sends[name] == 1


def test_t01_what_provably_never_left_is_refused_and_never_unknown(house: OrderDesk) -> None:
    for how in (Send.REFUSED_CONNECTION, Send.NO_NAME_OR_TLS, Send.PACE_TWICE):
        name = buy(house, how)
        assert house.status(name) == "refused"
        house.wait(61)
    assert not house.told("order.became_unknown")
    assert all(count == 1 for count in house.broker.sends.values())
    assert A not in house.desk.account.frozen


def test_t05_a_late_answer_is_adopted(house: OrderDesk) -> None:
    name = buy(house, Send.LATE_ANSWER)
    assert house.status(name) == "unknown"
    house.late_answers()
    assert house.status(name) == "working"
    house.wait(31)
    assert house.status(name) == "working"


def test_b02_an_order_the_exchange_rejects_after_the_broker_took_it_frees_its_money(house: OrderDesk) -> None:
    name = buy(house)
    house.broker.reject(house.broker.rows[0])
    house.wait(61)
    assert house.status(name) == "rejected"
    assert house.desk.blotter.open_orders() == ()


def test_b02_a_rejection_by_the_exchange_ends_an_order_whose_cancel_is_under_way(house: OrderDesk) -> None:
    name = buy(house)
    house.lose_cancels = True
    house.operate(OperatorState.HALT)
    assert house.status(name) == "cancel_pending"
    house.handle(Rejected(name, house.at, "EXCHANGE", "refused by the exchange"))
    assert house.status(name) == "rejected"


@pytest.mark.parametrize("times", [0, 1, 2])
def test_b03_partial_executions_are_counted_once_however_often_they_are_told(house: OrderDesk, times: int) -> None:
    name = buy(house)
    row = house.broker.rows[0]
    for shares in (1, 1, 8):
        house.broker.fill(row, shares)
        house.notice(row, shares, times=times)
    house.wait(61)
    assert house.status(name) == "filled"
    assert house.desk.book.quantity(A) == 10
    assert house.desk.book.cash == house.broker.cash


def test_b04_an_execution_during_a_cancel_is_booked_and_the_rest_is_cancelled(house: OrderDesk) -> None:
    name = buy(house)
    row = house.broker.rows[0]
    house.broker.fill(row, 4)  # nobody told us
    house.operate(OperatorState.REDUCE_ONLY)
    assert house.status(name) == "cancel_pending"  # the answer speaks of executions not seen: it waits for them
    house.wait(2)
    assert (house.status(name), house.desk.book.quantity(A)) == ("canceled", 4)


def test_b04_a_cancel_that_comes_too_late_leaves_a_whole_execution(house: OrderDesk) -> None:
    name = buy(house)
    house.broker.fill(house.broker.rows[0], 10)
    house.operate(OperatorState.REDUCE_ONLY)
    house.wait(61)
    assert (house.status(name), house.desk.book.quantity(A)) == ("filled", 10)


def test_b05_a_cancel_whose_answer_is_lost_stays_under_way_until_the_list_proves_it(house: OrderDesk) -> None:
    name = buy(house)
    house.lose_cancels = True
    house.operate(OperatorState.REDUCE_ONLY)
    assert house.status(name) == "cancel_pending"
    house.wait(61)
    assert house.status(name) == "canceled"


def test_b06_an_order_whose_price_was_changed_by_hand_is_one_order_counted_once(house: OrderDesk) -> None:
    name = buy(house)
    first = house.broker.rows[0]
    house.broker.fill(first, 3)
    second = house.broker.change_price(first, PRICE - 50, house.at)
    house.broker.fill(second, 2)
    house.wait(61)
    order = house.desk.blotter.orders[name]
    assert (order.filled, order.amount) == (5, 3 * PRICE + 2 * (PRICE - 50))
    assert order.order_id == second.order_id
    assert order.intent.limit_price == PRICE - 50
    assert house.desk.book.cash == house.broker.cash
    house.broker.fill(second, 5)
    house.wait(61)
    assert house.status(name) == "filled"
    assert house.desk.account.differences == ()


def test_b10_a_list_that_is_empty_during_maintenance_proves_no_absence(house: OrderDesk) -> None:
    seen = buy(house, symbol=B)
    house.wait(31)
    name = buy(house, Send.LOST_REQUEST)
    house.broker.down = True
    house.wait(900)
    assert house.status(name) == "unknown"
    assert house.status(seen) in ("working", "cancel_pending", "canceled")
    house.broker.down = False
    house.wait(400)
    assert house.status(name) == "absent"


def test_b13_a_refusal_for_want_of_cash_is_final(house: OrderDesk) -> None:
    house.broker.cash = 50_000
    name = buy(house)
    assert house.status(name) == "refused"
    assert house.told("order.rejected")[0].data["code"] == "APBK0952"
    assert house.broker.sends[name] == 1


def test_b14_an_order_by_hand_is_external_freezes_its_name_and_is_claimed_by_nobody(house: OrderDesk) -> None:
    row = house.broker.user_trades(B, Side.BUY, 7, PRICE, house.at)
    assert row is not None
    house.broker.fill(row, 7)
    house.wait(61)
    assert {d.kind for d in house.desk.account.differences} == {DifferenceKind.EXTERNAL}
    assert house.desk.account.frozen == {B}
    assert house.desk.account.reconciled  # other names go on
    assert house.desk.book.quantity(B) == 0
    assert buy(house, symbol=A)
    refused = house.wish(B, Side.BUY)
    assert house.status(refused) == "denied"


def test_b14_an_order_by_hand_that_could_be_ours_makes_ours_a_persons_matter(house: OrderDesk) -> None:
    name = buy(house, Send.LOST_ANSWER)
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.wait(1)
    assert house.status(name) == "stuck"
    assert house.told("order.became_stuck")[0].data["intent_id"] == name
    assert A in house.desk.account.frozen
    house.broker.cancel(house.broker.rows[0])
    house.broker.cancel(house.broker.rows[1])
    house.wait(301)
    assert house.status(name) == "canceled"  # whichever it was, neither traded
    assert A in house.desk.account.frozen  # … and yet the name is shut to the end of the day
    assert house.desk.account.shut == {A}


def test_b14_what_stood_there_before_the_send_is_never_ours(house: OrderDesk) -> None:
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.wait(1)
    house.read()
    house.broker.rows[0].at = house.at  # a clock that runs ahead
    house.desk.account.__dict__["frozen"] = frozenset()  # as if a person had looked: only the numbers tell them apart
    name = buy(house, Send.LOST_REQUEST)
    assert house.desk.blotter.orders[name].known == (house.broker.rows[0].order_id,)
    house.wait(5)
    assert house.status(name) == "unknown"


def test_b15_a_number_used_again_next_day_is_another_order(house: OrderDesk) -> None:
    first = buy(house)
    house.broker.fill(house.broker.rows[0], 4)
    house.wait(61)
    house.next_day()
    second = buy(house, symbol=B)
    assert house.broker.rows[-1].number == house.broker.rows[0].number
    house.broker.fill(house.broker.rows[-1], 10)
    house.wait(61)
    assert (house.desk.book.quantity(A), house.desk.book.quantity(B)) == (4, 10)
    assert house.status(second) == "filled"
    assert first not in house.desk.blotter.orders
    assert house.desk.book.cash == house.broker.cash


def test_b21_what_is_open_at_the_close_expires_and_frees_its_money(house: OrderDesk) -> None:
    house.at = house.rules.session.auction_from - 600 * NS_PER_SECOND
    house.read()
    house.minute()
    name = house.wish(A, Side.BUY)
    assert house.status(name) == "working", house.told("intent.denied")
    house.at = house.rules.session.close_at + 61 * NS_PER_SECOND
    house.broker.end_of_day()
    house.read()
    assert house.status(name) in ("expired", "canceled")
    assert house.desk.blotter.open_orders() == ()


def test_a_cumulative_figure_that_falls_halts_the_desk_until_it_is_right_again(house: OrderDesk) -> None:
    held(house)
    row = house.broker.rows[0]
    row.filled, row.amount = 3, 3 * PRICE
    house.read()
    assert house.desk.account.gate is OperatorState.HALT
    assert house.told("reconcile.halted")
    denied = house.wish(A, Side.SELL, 5)
    assert house.status(denied) == "denied"
    row.filled, row.amount = 10, 10 * PRICE
    house.read()
    assert house.desk.account.gate is OperatorState.ACTIVE
    assert house.status(house.wish(A, Side.SELL, 5)) != "denied" or house.told("intent.denied")[-1].data["codes"] == [
        "G17"
    ]


def test_an_end_that_was_wrong_reopens_the_order_pages_and_takes_the_rest_back(house: OrderDesk) -> None:
    name = buy(house)
    house.handle(Canceled(name, house.at, 0))
    assert house.status(name) == "canceled"
    row = house.broker.rows[0]
    house.broker.fill(row, 4)
    house.notice(row, 4)
    assert house.told("order.returned")[0].data["intent_id"] == name
    assert A in house.desk.account.shut
    assert (row.left, row.canceled) == (0, 6)  # cancelled at once
    house.wait(61)
    assert (house.status(name), house.desk.book.quantity(A)) == ("canceled", 4)
    assert house.status(house.wish(A, Side.BUY)) == "denied"


@pytest.mark.parametrize("point", list(Crash))
def test_a_death_anywhere_around_a_send_ends_in_the_same_order_or_none(house: OrderDesk, point: Crash) -> None:
    house.crash_at = point
    with pytest.raises(Died):
        house.wish(A, Side.BUY)
    house.restart()
    house.wait(250)
    orders = house.desk.blotter.orders
    if point is Crash.BEFORE_EVENT:
        assert orders == {}
        return
    (name,) = orders
    reached = point is Crash.AFTER_SEND
    assert house.status(name) == ("working" if reached else "absent")
    assert house.broker.sends.get(name, 0) == int(reached)
    assert len(house.broker.rows) == int(reached)


def test_an_order_on_its_way_when_the_process_dies_is_unknown_to_the_next(house: OrderDesk) -> None:
    house.broker.hide = True
    house.crash_at = Crash.AFTER_SEND
    with pytest.raises(Died):
        house.wish(A, Side.BUY)
    house.restart()
    (name,) = house.desk.blotter.orders
    assert house.status(name) == "unknown"
    assert A in house.desk.account.frozen


@pytest.mark.parametrize("closed", [True, False])
def test_an_unknown_order_of_yesterday_freezes_its_name_until_the_brokers_figures_settle_it(closed: bool) -> None:
    house = OrderDesk()
    house.broker.hide = True
    name = buy(house, Send.LOST_ANSWER)
    house.broker.fill(house.broker.rows[0], 10)
    house.next_day(closed=closed)
    assert A in house.desk.account.frozen
    assert house.status(name) == ("stuck" if closed else "unknown")
    assert house.told("order.carried")[0].data["intent_id"] == name
    assert house.status(house.wish(A, Side.BUY)) == "denied"
    house.broker.make_visible()
    house.wait(61)
    assert (house.status(name), house.desk.book.quantity(A)) == ("filled", 10)
    assert A not in house.desk.account.frozen
    assert house.desk.book.cash == house.broker.cash


def test_an_unknown_order_of_yesterday_that_never_was_is_absent_by_the_mornings_figures(house: OrderDesk) -> None:
    name = buy(house, Send.LOST_REQUEST)
    house.at = house.rules.session.close_at  # not two minutes passed since
    house.desk.blotter.orders[name]
    house.next_day()
    house.wait(301)
    assert house.status(name) == "absent"
    assert A not in house.desk.account.frozen


def test_an_order_of_yesterday_is_not_cancelled_by_todays_rules(house: OrderDesk) -> None:
    name = buy(house)
    row = house.broker.rows[0]
    house.next_day(closed=False)
    house.operate(OperatorState.HALT)
    assert house.status(name) == "expired"
    assert row.canceled == 0


def test_the_day_after_a_day_nobody_came_back_to_knows_what_readings_told(house: OrderDesk) -> None:
    name = buy(house)
    house.broker.fill(house.broker.rows[0], 4)
    house.wait(61)  # a reading told it; no notice did
    assert house.desk.blotter.orders[name].filled == 4
    house.journal.flush()
    handed = latest_handover(house.journal)
    assert handed is not None
    assert [order.filled for order in handed.unsettled] == [4]
    assert handed.book.quantity(A) == 4
    assert handed.book == house.desk.book == latest_book(house.journal)
    house.broker.fill(house.broker.rows[0], 6)
    house.next_day(closed=False)
    assert house.desk.book.quantity(A) == 10
    assert house.desk.book.cash == house.broker.cash


def test_what_was_concluded_of_orders_is_known_the_day_after(house: OrderDesk) -> None:
    absent = buy(house, Send.LOST_REQUEST)
    house.wait(301)
    stuck = buy(house, Send.LOST_ANSWER, symbol=B)
    house.broker.user_trades(B, Side.BUY, 10, PRICE, house.at)
    house.wait(5)
    rejected = buy(house, symbol=SYMBOLS[2])
    house.broker.reject(house.broker.rows[-1])
    cancelled = buy(house, symbol=SYMBOLS[3])
    house.broker.cancel(house.broker.rows[-1])
    house.wait(61)
    assert [house.status(n) for n in (absent, stuck, rejected, cancelled)] == [
        "absent",
        "stuck",
        "rejected",
        "canceled",
    ]
    house.journal.flush()
    handed = latest_handover(house.journal)
    assert handed is not None
    assert [(o.intent.intent_id, o.status) for o in handed.unsettled] == [(stuck, OrderStatus.STUCK)]


def test_an_empty_journal_hands_nothing_over() -> None:
    house = OrderDesk()
    house.journal = type(house.journal)()
    assert latest_handover(house.journal) is None
    assert latest_book(house.journal) is None


def test_a_desk_that_starts_halted_may_lower_risk_after_a_clean_comparison_and_a_person_does_the_rest() -> None:
    live = replace(loose(max_order_ppm=50_000), start_state=OperatorState.HALT)
    house = OrderDesk(settings=live)
    assert house.desk.operator is OperatorState.REDUCE_ONLY
    assert house.told("operator.changed")[0].data["who"] == "recovery"
    assert house.status(house.wish(A, Side.BUY)) == "denied"
    house.operate(OperatorState.HALT)
    house.wait(301)
    assert house.desk.operator is OperatorState.HALT  # a person's word is not undone by a reading
    house.operate(OperatorState.ACTIVE)
    assert house.status(house.wish(A, Side.BUY, 20)) == "working"
    house.broker.rows[0].amount = 1
    house.broker.rows[0].filled = 5
    house.read()
    assert house.desk.operator is OperatorState.HALT
    house.broker.rows[0].amount = house.broker.rows[0].filled = 0
    house.read()
    assert house.desk.account.gate is OperatorState.ACTIVE
    assert house.desk.operator is OperatorState.HALT  # live: only a person ends it


def test_readings_go_on_by_themselves_and_soon_after_a_fill(house: OrderDesk) -> None:
    before = house.desk.account.snapshot_at
    house.wait(60)
    assert house.desk.account.snapshot_at == before + 60 * NS_PER_SECOND
    buy(house)
    house.broker.fill(house.broker.rows[0], 10)
    house.wait(1)
    at = house.at
    house.notice(house.broker.rows[0], 10)
    assert min(house.timers) == at + 10 * NS_PER_SECOND
    house.wait(30)
    assert len([t for t in house.timers if t > house.at]) <= 2


def test_a_planned_reading_that_was_lost_with_its_process_is_made_up_for(house: OrderDesk) -> None:
    house.timers.clear()
    house.wait(121)
    assert house.timers


def test_the_day_of_a_calendar_holiday_is_not_read(house: OrderDesk) -> None:
    assert days_to_read(house.desk, dt.date(2026, 11, 23), first=True) == (dt.date(2026, 11, 20), dt.date(2026, 11, 23))
    assert days_to_read(house.desk, dt.date(2026, 11, 23), first=False) == (dt.date(2026, 11, 23),)
