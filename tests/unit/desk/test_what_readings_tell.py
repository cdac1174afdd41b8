"""What a reading of the account tells and leaves behind: facts with their figures, freezes, and the next reading."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from haetae.desk import DeskSettings, open_desk
from haetae.desk.account import occasion
from haetae.desk.turn import Turn
from haetae.domain.account import Position
from haetae.domain.events import OperatorState
from haetae.domain.orders import Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.units import NS_PER_SECOND
from haetae.execution import Difference, DifferenceKind, enter
from haetae.ledger import open_book
from rigs.desk_day import DAY, loose
from rigs.lossy_broker import Send
from rigs.order_desk import CASH, PRICE, SYMBOLS, OrderDesk

A, B, C, D = SYMBOLS
MS = NS_PER_SECOND // 1_000


def told(house: OrderDesk, kind: str) -> list[dict[str, Any]]:
    return [dict(note.data) for note in house.told(kind)]


def holding(house: OrderDesk, symbol: str, quantity: int) -> None:
    """The books hold something that the broker holds too."""
    positions = {**house.desk.book.positions, symbol: Position(symbol, quantity, quantity * PRICE)}
    house.desk = replace(house.desk, book=replace(house.desk.book, positions=positions))
    house.broker.holdings[symbol] = quantity


def test_an_order_found_in_the_list_is_told_with_the_brokers_number() -> None:
    house = OrderDesk()
    house.how = Send.LOST_ANSWER
    name = house.wish(A, Side.BUY)
    house.read()
    assert told(house, "order.adopted") == [{"intent_id": name, "order": ["2026-11-23", "06010", "1"]}]


def test_an_end_that_only_a_reading_tells_is_told_with_how_and_what_was_executed() -> None:
    house = OrderDesk()
    canceled, rejected, expired = (house.wish(name, Side.BUY) for name in (A, B, C))
    first, second, third = house.broker.rows
    house.broker.fill(first, 4)
    house.broker.cancel(first)
    house.broker.reject(second)
    house.read()
    house.broker.fill(third, 3)
    house.at = house.rules.session.close_at + 60 * NS_PER_SECOND
    house.broker.end_of_day()
    house.read()
    assert told(house, "order.found_ended") == [
        {"intent_id": canceled, "how": "Canceled", "filled": 4},
        {"intent_id": rejected, "how": "Rejected", "filled": 0},
        {"intent_id": expired, "how": "Expired", "filled": 3},
    ]
    assert [note["quantity"] for note in told(house, "fill.booked")] == [4, 3]


def test_an_order_proven_absent_is_told_with_its_name_and_trades_on() -> None:
    house = OrderDesk()
    house.how = Send.LOST_REQUEST
    name = house.wish(B, Side.BUY)
    house.how = Send.TAKEN
    assert house.desk.account.retries == 0
    house.wait(240)
    assert told(house, "order.found_absent") == [{"intent_id": name, "symbol": B}]
    assert house.status(name) == "absent"
    assert house.status(house.wish(B, Side.BUY)) == "working"


def test_an_order_that_several_rows_fit_is_given_up_to_a_person_and_shuts_its_name_beside_others() -> None:
    house = OrderDesk()
    house.desk = replace(house.desk, account=replace(house.desk.account, shut=frozenset({D})))
    house.how = Send.LOST_ANSWER
    name = house.wish(A, Side.BUY)
    house.broker.user_trades(A, Side.BUY, 10, PRICE, house.at)
    house.read()
    why = "several orders of the broker fit"
    assert told(house, "order.became_stuck") == [{"intent_id": name, "symbol": A, "why": why}]
    assert house.desk.account.shut == {A, D}
    assert house.desk.account.frozen == {A, D}


def test_only_what_is_still_unknown_at_the_end_goes_to_a_person() -> None:
    house = OrderDesk()
    house.at = house.rules.session.auction_from - 600 * NS_PER_SECOND
    house.read()
    house.minute()
    working = house.wish(B, Side.BUY)
    house.broker.hide = True
    house.how = Send.LOST_ANSWER
    lost = [house.wish(name, Side.BUY) for name in (A, C)]
    house.at = house.rules.session.close_at + house.settings.settle_after_close_s * NS_PER_SECOND
    house.read()
    why = "the session ended without proof"
    assert told(house, "order.became_stuck") == [
        {"intent_id": name, "symbol": symbol, "why": why} for name, symbol in zip(lost, (A, C), strict=True)
    ]
    assert house.status(working) == "expired"


def test_a_difference_is_told_with_both_sides_when_it_appears_when_it_changes_and_when_it_ends() -> None:
    house = OrderDesk()
    common = {"what": "position", "symbol": A, "ours": 0}
    for theirs in (5, 5, 7):
        house.broker.holdings[A] = theirs
        house.at += NS_PER_SECOND
        house.read()
    lagged = [{**common, "difference": "lagging", "theirs": theirs} for theirs in (5, 7)]
    assert told(house, "reconcile.lagged") == lagged
    assert not house.told("reconcile.agreed")  # it differs otherwise now, which is no agreement
    house.at += 20 * NS_PER_SECOND
    house.read()
    house.at += 20 * NS_PER_SECOND
    house.read()
    wrong = {**common, "difference": "unexplained", "theirs": 7}
    assert told(house, "reconcile.differed") == [wrong]
    house.broker.holdings.clear()
    house.broker.cash -= 100_000
    house.read()
    assert told(house, "reconcile.agreed") == [wrong]
    cash = {"difference": "lagging", "what": "cash", "symbol": "", "ours": CASH, "theirs": CASH - 100_000}
    assert told(house, "reconcile.lagged")[-1] == cash
    assert [d.kind for d in house.desk.account.differences] == [DifferenceKind.LAGGING]


def test_each_name_is_told_once_as_frozen_and_stays_so_while_its_reason_lasts() -> None:
    house = OrderDesk()
    house.broker.user_trades(C, Side.BUY, 3, PRICE, house.at)
    house.broker.user_trades(B, Side.BUY, 3, PRICE, house.at)
    house.how = Send.LOST_REQUEST
    house.wish(A, Side.BUY)
    for _ in range(2):
        house.at += NS_PER_SECOND
        house.read()
    assert told(house, "symbol.frozen") == [{"symbol": A}, {"symbol": B}, {"symbol": C}]
    assert house.desk.account.frozen == {A, B, C}


def test_a_difference_that_may_settle_itself_freezes_no_name_and_hides_no_other() -> None:
    house = OrderDesk()
    for name in (A, B):
        house.broker.holdings[name] = 5
        house.read()
    assert [note["symbol"] for note in told(house, "reconcile.lagged")] == [A, B]
    assert house.desk.account.frozen == frozenset()


def test_an_order_of_a_day_before_freezes_its_name_with_each_reading() -> None:
    house = OrderDesk()
    house.wish(A, Side.BUY)
    house.at += 1
    house.wish(B, Side.BUY)
    assert house.desk.session is not None
    house.desk = replace(house.desk, session=replace(house.desk.session, at=house.at))
    house.read()
    assert house.desk.account.frozen == {A}


def test_a_reading_before_any_session_is_compared_and_freezes_what_nobody_explains() -> None:
    house = OrderDesk()
    house.desk = open_desk(house.settings, open_book(CASH))
    house.broker.user_trades(A, Side.BUY, 3, PRICE, house.at)
    house.read()
    assert (house.desk.account.frozen, house.desk.account.gate) == ({A}, OperatorState.ACTIVE)


def test_a_holding_that_doubled_without_an_order_freezes_its_name_and_halts_nothing() -> None:
    house = OrderDesk()
    holding(house, A, 10)
    house.broker.holdings[A] = 20
    house.wait(120)
    assert [d.kind for d in house.desk.account.differences] == [DifferenceKind.CORPORATE_ACTION]
    assert house.desk.account.frozen == {A}
    assert house.desk.account.gate is OperatorState.ACTIVE
    assert house.desk.account.reconciled


def test_a_halt_for_a_difference_and_its_end_are_told_once_each() -> None:
    house = OrderDesk()
    assert told(house, "reconcile.released") == [{}]  # the first comparison opens the gate
    house.broker.holdings[A] = 5
    house.wait(120)
    assert told(house, "reconcile.halted") == [{}]
    assert not house.desk.latched  # a desk that starts active goes on by itself
    house.broker.holdings.clear()
    house.wait(120)
    assert told(house, "reconcile.released") == [{}, {}]
    assert house.desk.operator is OperatorState.ACTIVE


def test_a_desk_that_starts_halted_lowers_risk_only_after_a_clean_reading_and_tells_who_allowed_it() -> None:
    house = OrderDesk(settings=loose(DeskSettings(start_state=OperatorState.HALT)))
    (note,) = told(house, "operator.changed")
    assert (note["state"], note["who"], "clean" in note["why"]) == ("reduce_only", "recovery", True)
    house.desk = replace(house.desk, operator=OperatorState.HALT, latched=True)
    house.read()
    assert house.desk.operator is OperatorState.HALT  # a person halted it
    house.broker.hide = True
    house.desk = replace(house.desk, operator=OperatorState.ACTIVE)
    house.wish(A, Side.BUY)
    house.read()
    house.wait(245)
    house.desk = replace(house.desk, operator=OperatorState.HALT, latched=False)
    house.read()
    assert [d.kind for d in house.desk.account.differences] == [DifferenceKind.STUCK]
    assert house.desk.operator is OperatorState.HALT
    house.broker.make_visible()
    house.read()
    assert house.desk.operator is OperatorState.REDUCE_ONLY
    assert told(house, "operator.changed")[1:] == [note]


def test_an_order_the_list_does_not_show_yet_leaves_the_account_reconciled() -> None:
    house = OrderDesk()
    house.broker.hide = True
    house.wish(A, Side.BUY)
    house.at += NS_PER_SECOND
    house.read()
    assert [(d.what, d.kind) for d in house.desk.account.differences] == [("order_list", DifferenceKind.LAGGING)]
    account = house.desk.account
    assert (account.reconciled, account.clean_at, account.retries) == (True, house.at, 0)


def test_what_the_reading_showed_less_than_the_books_is_kept_for_the_guards() -> None:
    house = OrderDesk()
    for name, held in ((A, 10), (B, 10), (C, 1), (D, 10)):
        holding(house, name, held)
    house.wish(D, Side.BUY)
    house.broker.holdings.update({A: 6, B: 14, C: 0})
    house.broker.user_trades(D, Side.BUY, 3, PRICE, house.at)
    house.read()
    account = house.desk.account
    assert account.short_shares == {A: 4, C: 1}
    assert account.short_cash == 30_000 - 300  # what a stranger's purchase reserves; we reserve fees for our own too
    house.broker.cancel(house.broker.rows[1])
    house.read()
    assert house.desk.account.short_cash == 0
    snapshot = house.broker.reading(house.at, (house.day,))
    house.handle(replace(snapshot, at=house.at + 1, sellable={A: 5}))
    assert (house.desk.account.sellable, house.desk.account.snapshot_at) == ({A: 5}, house.at + 1)


def test_the_gap_counts_holdings_at_our_prices_in_either_direction() -> None:
    house = OrderDesk()
    holding(house, A, 10)
    house.desk = replace(house.desk, book=replace(house.desk.book, cash=CASH - 10 * PRICE), known=None)
    house.broker.cash = CASH - 10 * PRICE
    for theirs, gap in (({A: 10}, 0), ({A: 15}, 500), ({A: 8, B: 1}, 100), ({A: 0}, 1_000)):
        house.broker.holdings = dict(theirs)
        house.read()
        assert house.desk.account.gap_ppm == gap
        assert house.desk.account.last is not None and house.desk.account.last.positions == {
            name: count for name, count in theirs.items() if count
        }


def test_the_gap_is_whole_ppm_of_our_equity_however_little_that_is() -> None:
    house = OrderDesk()
    for ours, theirs, gap in ((CASH, CASH - 199, 1), (1, 3, 2_000_000)):
        house.desk = replace(house.desk, book=replace(house.desk.book, cash=ours), known=None)
        house.broker.cash = theirs
        house.read()
        assert house.desk.account.gap_ppm == gap


@pytest.mark.parametrize(
    ("measured", "every_s", "age_s", "pause_s"),
    [(True, 60, 51, 25), (True, 20, 51, 20), (False, 60, 51, 60)],
)
def test_readings_lie_as_far_apart_as_set_and_where_guards_ask_their_age_twice_within_it(
    measured: bool, every_s: int, age_s: int, pause_s: int
) -> None:
    settings = loose(DeskSettings(reconcile_every_s=every_s), require_vitals=measured, reconcile_age_s=age_s)
    house = OrderDesk(settings=settings)
    assert house.timers == [house.at + pause_s * NS_PER_SECOND]


def test_cash_that_agrees_is_told_with_the_turnover_once() -> None:
    house = OrderDesk()
    book = replace(house.desk.book, bought=700, sold=300)
    house.desk = replace(house.desk, book=book)
    house.read()
    house.read()
    assert told(house, "cash.agreed") == [{"turnover": 1_000}]
    house.desk = replace(house.desk, book=replace(book, sold=400))
    house.broker.cash -= 1
    house.read()
    assert house.desk.account.agreed_turnover == 1_000
    assert len(house.told("cash.agreed")) == 1


def test_the_first_reading_of_a_process_plans_the_next_though_one_was_planned_before() -> None:
    house = OrderDesk()
    planned = house.desk.account.due_at
    house.timers.clear()
    house.read()
    assert house.timers == [] and house.desk.account.due_at == planned
    house.read(first=True)
    assert house.timers == [house.at + 60 * NS_PER_SECOND]


def test_no_reading_is_planned_in_its_turn_once_the_session_is_over() -> None:
    house = OrderDesk()
    close = house.rules.session.close_at
    for at, planned in ((close - 1, 1), (close, 0), (close + 1, 0)):
        house.at = at
        house.desk = replace(house.desk, account=replace(house.desk.account, due_at=0))
        house.timers.clear()
        house.read()
        assert len(house.timers) == planned


def test_readings_that_leave_something_open_are_counted_and_one_that_does_not_ends_the_count() -> None:
    house = OrderDesk()
    counts = []
    for theirs in (5, 5, 0, 5):
        house.broker.holdings[A] = theirs
        house.at += NS_PER_SECOND
        house.read()
        counts.append((house.desk.account.retries, house.desk.account.reconciled))
    assert counts == [(1, False), (2, False), (0, True), (1, False)]
    house.broker.holdings[A] = 0
    house.read()
    house.how = Send.LOST_REQUEST
    house.wish(B, Side.BUY)
    house.at += NS_PER_SECOND
    house.read()
    assert (house.desk.account.retries, house.desk.account.reconciled) == (1, True)


@pytest.mark.parametrize(
    ("left_ns", "status", "escape", "pause_ms"),
    [
        (600 * MS + 1, OrderStatus.UNKNOWN, True, 601),
        (600 * MS, OrderStatus.UNKNOWN, True, 600),
        (1, OrderStatus.UNKNOWN, True, 1),
        (0, OrderStatus.UNKNOWN, True, 20_000),  # what a reading may disprove now, this one did not
        (600 * MS, OrderStatus.UNKNOWN, False, 20_000),
        (600 * MS, OrderStatus.WORKING, True, 20_000),
        (30_000 * MS, OrderStatus.UNKNOWN, True, 20_000),
    ],
)
def test_the_next_reading_comes_when_it_may_disprove_an_escape_sale_and_not_later_than_any_other(
    left_ns: int, status: OrderStatus, escape: bool, pause_ms: int
) -> None:
    house = OrderDesk(settings=loose(DeskSettings(escape_resend_s=40, retry_reads_ms=(500, 20_000))))
    holding(house, A, 10)
    at = house.at - 40 * NS_PER_SECOND + left_ns
    intent = OrderIntent("E1", "D1", A, Side.SELL, 10, OrderKind.LIMIT, PRICE, at, escape=escape)
    lost = Order(intent, 10, status, updated_at=at)
    account = replace(house.desk.account, retries=5, due_at=0)
    house.desk = replace(house.desk, blotter=enter(house.desk.blotter, lost), account=account)
    house.broker.holdings[B] = 3  # something else differs, which is looked at after twenty seconds
    house.timers.clear()
    house.read()
    assert [due - house.at for due in house.timers] == [pause_ms * MS]


def test_an_occasion_knows_the_turnover_since_cash_agreed_and_which_days_are_over() -> None:
    house = OrderDesk()
    hours = house.rules.session
    book = replace(house.desk.book, bought=700, sold=300)
    state = replace(house.desk, book=book, account=replace(house.desk.account, agreed_turnover=400))

    def at(moment: int) -> Any:
        return occasion(Turn(state, moment, house.rules))

    assert at(house.at).turnover == 600
    over = hours.close_at + 60 * NS_PER_SECOND
    assert (at(over - 1).over, at(over).over) == (frozenset(), frozenset({DAY}))
    moments = (hours.open_at - 1, hours.open_at, hours.close_at - 1, hours.close_at)
    assert [at(moment).listing for moment in moments] == [False, True, True, False]
    yesterday = house.at - 86_400 * NS_PER_SECOND
    old = Order(OrderIntent("I1", "D1", A, Side.BUY, 1, OrderKind.LIMIT, PRICE, yesterday), 1, OrderStatus.UNKNOWN)
    today = Order(OrderIntent("I2", "D1", B, Side.BUY, 1, OrderKind.LIMIT, PRICE, house.at), 1, OrderStatus.WORKING)
    state = replace(state, blotter=enter(enter(state.blotter, old), today))
    before = DAY - dt.timedelta(days=1)
    assert (at(house.at).over, at(over).over) == ({before}, {before, DAY})
    assert at(hours.close_at).listing  # the list of a day that is over can be believed at any hour


def test_a_reading_leaves_its_differences_for_a_person_to_adopt() -> None:
    house = OrderDesk()
    house.broker.holdings[A] = 5
    house.read()
    assert house.desk.account.differences == (Difference(DifferenceKind.LAGGING, "position", A, 0, 5),)
