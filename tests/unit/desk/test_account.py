"""Readings of the account: what is told once, what settles itself, when the next one comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haetae.desk import DeskSettings
from haetae.domain.events import OperatorState
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_SECOND
from haetae.execution import DifferenceKind
from rigs.desk_day import loose
from rigs.lossy_broker import Send
from rigs.order_desk import CASH, PRICE, SYMBOLS, Crash, Died, OrderDesk

A, B = SYMBOLS[:2]


def test_a_difference_that_settles_itself_is_told_apart_from_one_that_a_person_should_see() -> None:
    house = OrderDesk()
    house.broker.holdings[A] = 5
    house.read()
    house.wait(3)
    assert len(house.told("reconcile.lagged")) == 1  # told when it appears, not with every reading
    assert not house.told("reconcile.differed")
    assert not house.desk.account.reconciled
    house.broker.holdings[A] = 0
    house.wait(61)
    assert [n.data["symbol"] for n in house.told("reconcile.agreed")] == [A]
    assert house.desk.account.reconciled
    assert not house.told("reconcile.halted")


def test_a_difference_that_stays_halts_after_thirty_seconds_and_cancels_what_rests() -> None:
    house = OrderDesk()
    name = house.wish(B, Side.BUY)
    house.broker.holdings[A] = 5
    house.read()
    clean = house.desk.account.clean_at
    house.wait(61)
    assert [n.data["difference"] for n in house.told("reconcile.differed")] == ["unexplained"]
    assert house.desk.account.gate is OperatorState.HALT
    assert house.desk.operator is OperatorState.ACTIVE
    assert house.desk.account.clean_at == clean
    assert house.desk.account.frozen == {A}
    assert house.status(name) == "canceled"


def test_readings_come_quickly_at_first_and_then_patiently_while_something_is_open() -> None:
    house = OrderDesk()
    house.timers.clear()
    house.how = Send.LOST_REQUEST
    house.wish(A, Side.BUY)
    house.how = Send.TAKEN
    began, pauses = house.at, []
    for _ in range(9):
        due = min(house.timers)
        pauses.append((due - house.at) / NS_PER_SECOND)
        house.timers = [each for each in house.timers if each > due]
        house.at = due
        house.read()
    assert pauses[:8] == [0.5, 0.5, 1, 2, 4, 8, 15, 30]
    assert house.at - began == 121 * NS_PER_SECOND
    assert not house.told("order.found_absent") or house.desk.blotter.open_orders() == ()


@pytest.mark.parametrize("pause_s", [60, 45])
def test_a_lost_order_is_looked_for_no_less_often_than_a_desk_at_rest_reads(pause_s: int) -> None:
    """Else entries of all other names stopped for the age of the reading, and a proof took six minutes and more."""
    house = OrderDesk(settings=loose(DeskSettings(reconcile_every_s=pause_s)))
    house.how = Send.LOST_ANSWER
    house.broker.hide = True
    name = house.wish(A, Side.BUY)
    house.wait(900)
    assert house.status(name) == "unknown"
    (due,) = [at for at in house.timers if at > house.at]
    assert 0 < due - house.desk.account.snapshot_at <= pause_s * NS_PER_SECOND


def test_an_order_that_is_lost_while_another_is_looked_for_is_looked_for_quickly_too() -> None:
    house = OrderDesk()
    house.broker.hide, house.how = True, Send.LOST_ANSWER
    house.wish(A, Side.BUY)
    house.wait(900)
    second = house.wish(B, Side.BUY)
    house.wait(5)
    house.broker.make_visible()
    house.wait(5)
    assert house.status(second) == "working"


def test_an_order_lost_by_a_death_after_which_the_clock_stepped_back_is_found_by_its_row() -> None:
    house = OrderDesk()
    house.how, house.crash_at = Send.TAKEN, Crash.AFTER_SEND
    with pytest.raises(Died):
        house.wish(A, Side.BUY)
    house.at -= 20 * NS_PER_SECOND
    house.restart()
    house.wait(1)
    (order,) = house.desk.blotter.orders.values()
    assert order.status.value == "working"
    assert house.desk.account.frozen == frozenset()


def test_one_planned_reading_is_under_way_at_a_time() -> None:
    house = OrderDesk()
    for _ in range(5):
        house.read()
    assert len(house.timers) == 1
    house.wait(600)
    assert len([at for at in house.timers if at > house.at]) == 1


def test_readings_that_differ_do_not_add_up_to_more_and_more_of_them() -> None:
    house = OrderDesk()
    house.timers.clear()
    house.broker.holdings[A] = 5
    for _ in range(20):  # somebody else looks too, again and again: after executions, after surprises
        house.read()
    house.timers = sorted(house.timers)
    assert len(house.timers) <= 9  # each pause is longer than the one before, none is asked for beside a shorter one
    asked = len(house.timers)
    for _ in range(30):
        due = house.timers.pop(0)
        house.at = due
        house.read()
        house.timers.sort()
    assert len(house.timers) <= asked


def test_the_first_reading_of_a_run_plans_anew_since_timers_died_with_the_process() -> None:
    house = OrderDesk()
    house.restart()
    assert len(house.timers) == 1


def test_a_desk_that_compares_nothing_plans_no_readings() -> None:
    house = OrderDesk(settings=loose(require_reconciled=False))
    assert house.timers == []
    name = house.wish(A, Side.BUY)
    house.broker.fill(house.broker.rows[0], 10)
    house.notice(house.broker.rows[0], 10)
    assert house.status(name) == "filled"
    assert house.timers == []


def test_an_unknown_order_at_the_end_of_a_session_goes_to_a_person() -> None:
    house = OrderDesk()
    house.at = house.rules.session.auction_from - 600 * NS_PER_SECOND
    house.read()
    house.minute()
    house.broker.hide = True
    house.how = Send.LOST_ANSWER
    name = house.wish(A, Side.BUY, 20)
    house.at = house.rules.session.close_at + 149 * NS_PER_SECOND
    house.read()
    assert house.status(name) == "unknown"
    house.at += NS_PER_SECOND
    house.read()
    assert house.status(name) == "stuck"
    assert house.told("order.became_stuck")[0].data["why"] == "the session ended without proof"
    assert house.desk.account.shut == {A}


def test_an_execution_of_an_unfrozen_day_before_is_charged_as_on_its_own_day() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    row = house.broker.rows[0]
    house.broker.fill(row, 10)
    day = house.day
    house.next_day(closed=False)
    (owed,) = house.desk.book.unsettled
    assert owed.day == house.rules.on(day).settle_on()
    assert house.desk.book.cash == house.broker.cash


def test_cash_that_agreed_narrows_what_rounding_may_explain_later() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY, 200)
    house.broker.fill(house.broker.rows[0], 200)
    house.wait(61)
    assert house.desk.account.agreed_turnover == house.desk.book.bought == 200 * PRICE
    assert house.told("cash.agreed")[0].data["turnover"] == 200 * PRICE
    house.broker.cash -= 1_001
    house.read()
    assert [d.kind for d in house.desk.account.differences] == [DifferenceKind.LAGGING]
    house.next_day()
    assert house.desk.account.agreed_turnover == 200 * PRICE


def test_the_gap_between_the_brokers_figures_and_ours_is_told_in_ppm() -> None:
    house = OrderDesk()
    house.broker.cash = CASH - 100_000
    house.read()
    assert house.desk.account.gap_ppm == 1_000
    poor = replace(house.desk, book=replace(house.desk.book, cash=0))
    house.desk = replace(poor, known=None)
    house.read()
    assert house.desk.account.gap_ppm == 0


def test_an_event_of_nobodys_order_asks_for_a_reading_and_changes_nothing() -> None:
    house = OrderDesk()
    name = house.wish(A, Side.BUY)
    row = house.broker.rows[0]
    house.broker.fill(row, 1)
    told = house.broker.told_of(row, name, house.at, 1)
    book = house.desk.book
    house.handle(replace(told, intent_id="nobody"))
    assert house.desk.book is book
    assert house.told("order.surprised")[0].data["remark"] == "foreign"
    house.handle(replace(told, fill=replace(told.fill, symbol=B)))
    assert house.told("order.surprised")[1].data["remark"] == "contradiction"
    assert A in house.desk.account.frozen
