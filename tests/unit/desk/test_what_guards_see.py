"""What the desk tells its guards of itself: every figure is the desk's own, and an escape sees its own name only."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from haetae.desk import DeskSettings, DeskState
from haetae.desk.exits import Exit
from haetae.desk.ordering import allowed, disproved, doubted, free_cash, situation
from haetae.desk.state import Day
from haetae.desk.turn import Turn
from haetae.domain.account import Position
from haetae.domain.decisions import Action, Decision, Leg
from haetae.domain.events import AccountSnapshot, Mandate, OperatorState, Vitals
from haetae.domain.orders import Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.units import NS_PER_SECOND
from haetae.execution import Blotter, enter
from haetae.guards import EscapeLevel, Traffic
from rigs.desk_day import loose
from rigs.order_desk import CASH, PRICE, SYMBOLS, OrderDesk

A, B, C, D = SYMBOLS
MEASURED = Vitals(1, Mandate(False, False, "a", "127.0.0.1", "V"), 10, 1, True, 0, 0, 50_000)
TRAFFIC = Traffic((3,), {A: 1}, {(A, "buy"): 3})


def intent(house: OrderDesk, symbol: str = A, side: Side = Side.BUY, **options: Any) -> OrderIntent:
    options = {"name": "I1", "at": house.at, **options}
    name, at = options.pop("name"), options.pop("at")
    return OrderIntent(name, "D1", symbol, side, 10, OrderKind.LIMIT, PRICE, at, **options)


def order(house: OrderDesk, status: OrderStatus = OrderStatus.WORKING, **options: Any) -> Order:
    updated = options.pop("updated_at", house.at)
    return Order(intent(house, **options), 10, status, updated_at=updated)


def blotter_of(*orders: Order) -> Blotter:
    made = Blotter()
    for each in orders:
        made = enter(made, each)
    return made


def odd(house: OrderDesk) -> DeskState:
    """The desk with every figure another, so that none passes for its neighbour's."""
    state = house.desk
    positions = {B: Position(B, 3, 2_000), "999990": Position("999990", 2, 500)}
    names = np.zeros_like(state.escape.names)
    names[:, 1] = 1
    return replace(
        state,
        book=replace(state.book, cash=29, bought=107, sold=205, positions=positions),
        escape=replace(state.escape, fallen=1, names=names, level=EscapeLevel.NO_BUYS),
        day=Day(
            opening_equity=101, opening_bought=7, opening_sold=5, sent=TRAFFIC, losing_intents=frozenset({"X", "Y"}),
            lost_symbols=frozenset({A}), new_names=frozenset({B}), tainted=frozenset({C}), resumed={D: 11},
        ),
        account=replace(
            state.account, reconciled=True, frozen=frozenset({A, B}), snapshot_at=13, short_cash=17,
            short_shares={A: 19}, gap_ppm=23,
        ),
        halted=frozenset({C, D}), excess=True, peak_equity=31, week_equity=37, vitals=MEASURED,
        exits={A: Exit(began_at=41), B: Exit(began_at=43), C: Exit(count=2)},
    )  # fmt: skip


def test_every_figure_a_guard_compares_is_the_desks_own() -> None:
    house = OrderDesk()
    resting = order(house, name="I0")
    state = replace(odd(house), blotter=blotter_of(resting, order(house, OrderStatus.FILLED, name="I9")))
    seen = situation(Turn(state, house.at, house.rules), intent(house))
    ended = house.desk.tape.price_at
    told = {
        "at": house.at, "rules": house.rules, "session": house.desk.session, "operator": OperatorState.ACTIVE,
        "reconciled": True, "price_at": ended, "last": dict.fromkeys(SYMBOLS, PRICE),
        "traded_at": dict.fromkeys(SYMBOLS, ended), "volume_today": dict.fromkeys(SYMBOLS, 100_000),
        "halted": {C, D}, "frozen": {A, B}, "held": {B: 3, "999990": 2}, "open_orders": (resting,), "sent": TRAFFIC,
        "cash": 29, "equity": 29 + 3 * PRICE + 2 * 250, "opening_equity": 101, "peak_equity": 31, "week_equity": 37,
        "read_at": 13, "vitals": MEASURED, "resumed_at": {D: 11}, "short_cash": 17, "short_shares": {A: 19},
        "bought_today": 100, "sold_today": 200, "losing_exits": 2, "lost_symbols": {A}, "new_names": {B},
        "tainted": {C}, "excess": True, "broker_gap_ppm": 23, "escape_level": EscapeLevel.NO_BUYS, "cooling": {B},
        "leaving_since": {}, "decision": None,
    }  # fmt: skip
    assert {name: getattr(seen, name) for name in told} == told
    assert [name in seen.known_intents for name in ("I0", "I9", "I1")] == [True, True, False]


def test_a_name_that_fell_alone_is_barred_to_purchases_and_to_no_sale() -> None:
    house = OrderDesk()
    turn = Turn(odd(house), house.at, house.rules)
    assert situation(turn).cooling == {B}
    assert situation(turn, intent(house, B)).cooling == {B}
    assert situation(turn, intent(house, B, Side.SELL)).cooling == frozenset()
    assert situation(turn, intent(house, B, Side.SELL, escape=True)).cooling == frozenset()
    calm = replace(turn.state, escape=replace(turn.state.escape, fallen=0))
    assert situation(Turn(calm, house.at, house.rules)).cooling == frozenset()


def test_an_escape_sees_the_orders_and_the_flight_of_its_own_name_and_any_other_order_sees_them_all() -> None:
    house = OrderDesk()
    mine, other = order(house, symbol=A, name="I0"), order(house, symbol=B, name="I2")
    turn = Turn(replace(odd(house), blotter=blotter_of(mine, other)), house.at, house.rules)
    fleeing = situation(turn, intent(house, A, Side.SELL, escape=True))
    assert (fleeing.open_orders, fleeing.leaving_since) == ((mine,), {A: 41})
    selling = situation(turn, intent(house, A, Side.SELL))
    assert (selling.open_orders, selling.leaving_since) == ((mine, other), {})
    assert situation(turn).open_orders == (mine, other)
    for never_begun in (C, D):  # one that ended, one that never was
        assert situation(turn, intent(house, never_begun, Side.SELL, escape=True)).leaving_since == {}


def reading(at: int, *held: str) -> AccountSnapshot:
    return AccountSnapshot(at, CASH, CASH, dict.fromkeys(held, 10), ())


@pytest.mark.parametrize(
    ("status", "escape", "after_ns", "held", "gone"),
    [
        (OrderStatus.UNKNOWN, True, 2 * NS_PER_SECOND, (A,), True),
        (OrderStatus.UNKNOWN, True, 2 * NS_PER_SECOND - 1, (A,), False),  # too early to say
        (OrderStatus.UNKNOWN, True, 2 * NS_PER_SECOND, (B,), False),  # the shares are gone: it was executed
        (OrderStatus.UNKNOWN, False, 2 * NS_PER_SECOND, (A,), False),  # an ordinary sale is never sent twice
        (OrderStatus.WORKING, True, 2 * NS_PER_SECOND, (A,), False),
        (OrderStatus.UNKNOWN, True, None, (A,), False),  # no reading at all
    ],
)
def test_an_escape_sale_is_disproved_by_a_reading_that_is_late_enough_and_shows_its_shares(
    status: OrderStatus, escape: bool, after_ns: int | None, held: tuple[str, ...], gone: bool
) -> None:
    house = OrderDesk(settings=loose(DeskSettings(escape_resend_s=2)))
    lost = order(house, status, side=Side.SELL, escape=escape, name="I0")
    last = None if after_ns is None else reading(house.at + after_ns, *held)
    state = replace(house.desk, blotter=blotter_of(lost), account=replace(house.desk.account, last=last))
    turn = Turn(state, house.at + 60 * NS_PER_SECOND, house.rules)
    assert disproved(turn, lost) is gone
    again = situation(turn, intent(house, A, Side.SELL, escape=True))
    assert again.open_orders == (() if gone else (lost,))
    assert situation(turn, intent(house, A, Side.SELL)).open_orders == (lost,)  # for anything else it still counts


def decided(status: str) -> Decision:
    leg = Leg("P1.00", "P1", A, Side.BUY, 10, PRICE, 0.1, 0.5)
    return Decision("D1", leg, 1, "rules", Action.APPROVE, 1.0, 0.9, status, 10)


def test_what_nobody_reviewed_is_shown_to_the_guards_as_no_decision() -> None:
    house = OrderDesk()
    turn = Turn(house.desk, house.at, house.rules)
    approved = decided("MODEL_APPROVE")
    assert situation(turn, intent(house), approved).decision is approved
    assert situation(turn, intent(house), decided("UNREVIEWED")).decision is None
    assert situation(turn, intent(house)).decision is None


def test_what_may_be_done_is_the_strictest_word_of_operator_comparison_and_losses() -> None:
    strict = {OperatorState.ACTIVE: 0, OperatorState.REDUCE_ONLY: 1, OperatorState.HALT: 2}
    for compared in (True, False):
        house = OrderDesk(settings=loose(require_reconciled=compared))
        for operator, gate, closed in product(strict, strict, (False, True)):
            account = replace(house.desk.account, gate=gate)
            state = replace(house.desk, operator=operator, account=account, day=replace(house.desk.day, closed=closed))
            words = [strict[operator], strict[gate] if compared else 0, 1 if closed else 0]
            assert strict[allowed(Turn(state, house.at, house.rules))] == max(words)


def test_a_name_is_doubted_for_an_order_of_unknown_fate_back_from_its_end_or_of_a_day_before() -> None:
    house = OrderDesk()
    opened = house.at
    fates = {
        A: (OrderStatus.UNKNOWN, opened), B: (OrderStatus.LATE_FILL, opened), C: (OrderStatus.WORKING, opened - 1),
        D: (OrderStatus.WORKING, opened), "999990": (OrderStatus.STUCK, opened),
        "999980": (OrderStatus.CANCELED, opened - 1),
    }  # fmt: skip
    orders = [order(house, status, symbol=name, at=at, name=name) for name, (status, at) in fates.items()]
    assert doubted(blotter_of(*orders), opened) == {A, B, C, "999990"}
    assert doubted(blotter_of(*orders)) == {A, B, "999990"}  # before any session no order is of a day before


def test_free_cash_is_what_no_open_purchase_reserves_with_its_fees() -> None:
    house = OrderDesk()
    assert free_cash(Turn(house.desk, house.at, house.rules)) == CASH
    house.wish(A, Side.BUY, 10)
    assert free_cash(Turn(house.desk, house.at, house.rules)) == CASH - 100_300
