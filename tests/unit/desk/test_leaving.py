"""Leaving under an escape: price, size and time of every order, whatever becomes of the ones before."""
# long: one story of an exit, told from the first limit to the last.

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.desk import DeskSettings, DeskState, exits, open_desk, step
from haetae.desk.exits import Exit
from haetae.domain import codec
from haetae.domain.account import Position
from haetae.domain.events import (
    AccountSnapshot,
    Cancel,
    Command,
    Glance,
    MarketReading,
    Note,
    OperatorCommand,
    OperatorState,
    SetTimer,
    Submit,
    Timer,
)
from haetae.domain.market import HaltChange, Kind, Market, Slice
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    Fill,
    Filled,
    Order,
    OrderIntent,
    OrderKind,
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Side,
)
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND
from haetae.execution import enter
from haetae.guards import EscapeLevel, EscapeSettings
from haetae.krx import Rulebook
from haetae.ledger import open_book
from rigs.desk_day import DAY, codes, session_start

ONE, TWO, THREE = SYMBOLS = codes(3)
RULES = Rulebook.on(DAY)
OPEN = RULES.session.open_at
SETTINGS = EscapeSettings()
BASE, LOWER = 50_000, 35_000


def unmeasured(settings: DeskSettings) -> DeskSettings:
    """Return settings of a desk whose machinery nobody measures."""
    return replace(settings, limits=replace(settings.limits, require_vitals=False))


class Desk:
    """A desk that holds shares, and whoever tells it things."""

    def __init__(self, held: dict[str, int], settings: DeskSettings | None = None, minutes: int = 8) -> None:
        book = open_book(100_000_000)
        book = replace(book, positions={s: Position(s, n, n * BASE) for s, n in held.items()})
        self.state: DeskState = open_desk(unmeasured(settings or DeskSettings()), book)
        self.at = OPEN
        self.commands: list[Command] = []
        self.tell(session_start(SYMBOLS))
        self.tell(AccountSnapshot(self.at, book.cash, book.cash, dict(held), ()))
        self.number = 0
        for _ in range(minutes):
            self.minute()

    def tell(self, event) -> list[Command]:
        self.state, made = step(self.state, event, RULES)
        self.commands += made
        return list(made)

    def minute(self, *prices: int) -> list[Command]:
        start = OPEN + self.minutes * NS_PER_MINUTE
        self.at = start + NS_PER_MINUTE
        close = np.array(prices or [BASE] * 3, np.int64)
        volume = np.full(3, 60_000, np.int64)
        self.minutes += 1
        return self.tell(
            Slice(
                start, self.at, SYMBOLS, close, close.copy(), close.copy(), close.copy(), volume, np.ones(3, np.bool_)
            )
        )

    minutes = 0

    def glance(self, *prices: int, after_s: float = 1.0) -> list[Command]:
        self.at += round(after_s * NS_PER_SECOND)
        last = np.array(prices, np.int64)
        return self.tell(Glance(self.at, SYMBOLS, last, last.copy(), np.full(3, BASE, np.int64)))

    def fire(self, after_s: float) -> list[Command]:
        self.at += round(after_s * NS_PER_SECOND)
        return self.tell(Timer(self.at, "escape"))

    def accept(self, intent_id: str) -> list[Command]:
        self.number += 1
        return self.tell(Accepted(intent_id, self.at, BrokerOrderId(DAY, "1", str(self.number))))

    def fill(self, intent_id: str, quantity: int) -> list[Command]:
        order = self.state.blotter.orders[intent_id]
        fill = Fill(
            order.order_id or BrokerOrderId(DAY, "1", "77"), intent_id, order.intent.symbol, order.intent.side,
            quantity, order.intent.limit_price, quantity * order.intent.limit_price, order.filled + quantity, self.at,
            amount_before=order.amount,
        )  # fmt: skip
        return self.tell(Filled(intent_id, self.at, fill))


def orders(commands: list[Command]) -> list[OrderIntent]:
    return [replace(c.order.intent, quantity=c.order.quantity) for c in commands if isinstance(c, Submit)]


def cancels(commands: list[Command]) -> list[str]:
    return [c.intent_id for c in commands if isinstance(c, Cancel)]


def notes(commands: list[Command], kind: str) -> list[Note]:
    return [c for c in commands if isinstance(c, Note) and c.kind == kind]


def timers(commands: list[Command], name: str) -> list[SetTimer]:
    return [c for c in commands if isinstance(c, SetTimer) and c.name == name]


CRASH = (48_000, 48_000, 48_000)


def fled(held: dict[str, int] | None = None, settings: DeskSettings | None = None) -> tuple[Desk, list[OrderIntent]]:
    """A desk whose escape fired between two minutes, and its first orders."""
    desk = Desk(held if held is not None else {ONE: 100}, settings)
    return desk, orders(desk.glance(*CRASH))


def test_prints_between_minutes_sell_at_once_five_percent_below_the_newest_price() -> None:
    desk, (order,) = fled()
    assert desk.state.escape.level is EscapeLevel.EXIT_ALL
    assert (order.side, order.quantity, order.limit_price, order.escape) == (Side.SELL, 100, 45_600, True)
    assert desk.state.price(ONE) == 48_000


def test_the_note_holds_every_number_that_was_compared() -> None:
    desk, _ = fled()
    (raised,) = notes(desk.commands, "escape.raised")
    data = raised.data
    assert (data["level"], data["before"], data["why"]) == ("EXIT_ALL", "NORMAL", "universe")
    assert (data["market_bp"], data["middle_bp"]) == (-400.0, -400.0)
    assert data["triggers_bp"] == [-100, -200, -350]
    assert {
        "index_bp", "newest_index_bp", "vkospi_x100", "vkospi_jump_ppm", "ratio", "fear_greed", "scale", "falling_bp",
        "triggers_index_bp", "triggers_ratio", "triggers_vkospi_x100", "triggers_vkospi_jump_ppm", "market", "trigger",
        "same_time", "exits",
    } <= set(data)  # fmt: skip
    assert data["fear_greed"] == 55.0
    assert codec.encode(codec.decode(codec.encode(raised))) == codec.encode(raised)


def test_a_mood_that_is_not_known_is_told_as_none_and_scales_nothing() -> None:
    desk = Desk({ONE: 100})
    desk.tell(replace(session_start(SYMBOLS), fear_greed=float("nan")))
    desk.minutes = 0
    for _ in range(6):
        desk.minute()
    (raised,) = notes(desk.glance(*CRASH), "escape.raised")
    assert (raised.data["fear_greed"], raised.data["scale"]) == (None, 1.0)


def test_one_percent_is_added_for_every_two_seconds_in_which_nothing_was_sold() -> None:
    desk, (first,) = fled()
    (timer,) = [c for c in desk.commands if isinstance(c, SetTimer) and c.name == "escape"]
    assert timer.at == first.at + 2 * NS_PER_SECOND
    desk.accept(first.intent_id)
    assert cancels(desk.fire(1.9)) == []
    assert cancels(desk.fire(0.1)) == [first.intent_id]
    (second,) = orders(desk.tell(Canceled(first.intent_id, desk.at, 0)))
    assert second.limit_price == RULES.floor_tick(48_000 * 94 // 100)
    prices, order = [first.limit_price, second.limit_price], second
    for pause in (4.0, 8.0, 16.0):
        desk.accept(order.intent_id)
        assert cancels(desk.fire(pause - 0.1)) == []
        assert cancels(desk.fire(0.1)) == [order.intent_id]
        (order,) = orders(desk.tell(Canceled(order.intent_id, desk.at, 0)))
        prices.append(order.limit_price)
    assert prices == [RULES.floor_tick(48_000 * part // 100) for part in (95, 94, 92, 88)] + [LOWER]
    desk.accept(order.intent_id)
    assert cancels(desk.fire(300.0)) == []
    assert len({one.intent_id for one in orders(desk.commands)}) == 5


def test_what_is_sold_sets_the_clock_of_the_limit_anew() -> None:
    desk, (first,) = fled({ONE: 400_000})
    desk.accept(first.intent_id)
    assert first.quantity == 40_000  # a tenth of it, more than a quarter of a minute's volume
    desk.at += 50 * NS_PER_SECOND
    assert orders(desk.fill(first.intent_id, first.quantity)) == []
    (second,) = orders(desk.minute(48_000, 48_000, 48_000))
    assert (second.quantity, second.limit_price) == (40_000, 45_600)


def test_a_minute_takes_a_quarter_of_what_trades_in_one_and_the_next_minute_goes_on() -> None:
    desk, (first,) = fled({ONE: 100_000})
    assert first.quantity == 15_000
    desk.accept(first.intent_id)
    assert orders(desk.fill(first.intent_id, 15_000)) == []
    assert orders(desk.fire(2.0)) == []
    (second,) = orders(desk.minute(48_000, 48_000, 48_000))
    assert second.quantity == 15_000


def test_in_a_name_that_hardly_trades_a_tenth_goes_each_minute() -> None:
    assert exits.stage_room(Exit(1, size=100, stage_from=100), 100, 0, 0, SETTINGS) == 10
    assert exits.stage_room(Exit(1, size=101, stage_from=101), 101, 0, 0, SETTINGS) == 11
    assert exits.stage_room(Exit(1, size=5, stage_from=5), 5, 0, 0, SETTINGS) == 1
    assert exits.stage_room(Exit(1, size=100, stage_from=100), 96, 3, 0, SETTINGS) == 3
    assert exits.stage_room(Exit(1, size=100, stage_from=100), 100, 0, 1_000, SETTINGS) == 250


def test_a_minutes_volume_is_todays_or_the_usual_one_whichever_is_larger() -> None:
    assert exits.minute_volume(6_000, 60, 0, 1_000) == 100
    assert exits.minute_volume(6_000, 0, 0, 1_000) == 6_000
    assert exits.minute_volume(0, 60, 381_000_000, 1_000) == 1_000
    assert exits.minute_volume(0, 60, 381_000_000, 0) == 0


def test_at_limit_down_everything_queues_at_the_lower_limit_rests_and_pages_once() -> None:
    desk = Desk({ONE: 100_000})
    (order,) = orders(desk.glance(LOWER, 48_000, 48_000))
    assert (order.symbol, order.quantity, order.limit_price) == (ONE, 100_000, LOWER)
    desk.accept(order.intent_id)
    made = desk.fire(2.0)
    for _ in range(30):
        made += desk.minute(LOWER, 48_000, 48_000)
    assert cancels(made) == []
    assert orders(made) == []
    (page,) = notes(made, "escape.queued_at_limit")
    assert (page.data["symbol"], page.data["quantity"], page.data["urgency"]) == (ONE, 100_000, "page")
    assert [c for c in made if isinstance(c, SetTimer) and c.name == "escape"] == []


def test_a_halted_name_waits_and_is_taken_up_when_it_resumes() -> None:
    desk = Desk({ONE: 100, TWO: 50})
    desk.tell(HaltChange(desk.at, ONE, True, "vi"))
    made = desk.glance(*CRASH)
    assert [order.symbol for order in orders(made)] == [TWO]
    for _ in range(3):
        assert [o.symbol for o in orders(desk.minute(*CRASH)) if o.symbol == ONE] == []
    (order,) = orders(desk.tell(HaltChange(desk.at + 1, ONE, False, "")))
    assert (order.symbol, order.quantity) == (ONE, 100)


def test_an_order_in_a_name_that_halts_is_left_alone() -> None:
    desk, (order,) = fled()
    desk.accept(order.intent_id)
    desk.tell(HaltChange(desk.at, ONE, True, "vi"))
    for _ in range(3):
        assert cancels(desk.minute(*CRASH)) == []


def test_a_sale_in_the_way_is_cancelled_and_only_the_rest_goes_out_at_once() -> None:
    desk = Desk({ONE: 100})
    regular = OrderIntent("S1", "D1", ONE, Side.SELL, 60, OrderKind.LIMIT, 50_000, desk.at)
    working = Order(regular, 60, OrderStatus.WORKING, BrokerOrderId(DAY, "1", "9"))
    desk.state = replace(desk.state, blotter=enter(desk.state.blotter, working))
    made = desk.glance(*CRASH)
    assert cancels(made) == ["S1"]
    assert [order.quantity for order in orders(made)] == [40]
    assert [order.quantity for order in orders(desk.tell(Canceled("S1", desk.at, 0)))] == []
    assert [order.quantity for order in orders(desk.fire(2.0))] == [60]


def test_a_cancel_without_an_answer_is_asked_for_again_after_five_seconds() -> None:
    desk, (order,) = fled()
    desk.accept(order.intent_id)
    assert cancels(desk.fire(2.0)) == [order.intent_id]
    assert cancels(desk.fire(4.9)) == []
    assert cancels(desk.fire(0.1)) == [order.intent_id]


def test_a_refused_cancel_is_asked_for_again_after_five_seconds_and_never_at_once() -> None:
    desk, (order,) = fled()
    desk.accept(order.intent_id)
    assert cancels(desk.fire(2.0)) == [order.intent_id]
    refused = Rejected(order.intent_id, desk.at, "APBK0344", "no such order", change=True)
    assert cancels(desk.tell(refused)) == []
    assert cancels(desk.fire(4.9)) == []
    assert cancels(desk.fire(0.1)) == [order.intent_id]


def test_what_the_broker_would_not_sell_is_not_sent() -> None:
    desk = Desk({ONE: 100})
    desk.tell(AccountSnapshot(desk.at, 100_000_000, 0, {ONE: 100}, (), sellable={ONE: 70}))
    (order,) = orders(desk.glance(*CRASH))
    assert order.quantity == 70
    assert ONE not in desk.accept(order.intent_id) and ONE not in desk.state.account.sellable


def test_a_refused_sale_is_tried_again_later_and_never_at_once() -> None:
    desk, (first,) = fled()
    assert orders(desk.tell(Rejected(first.intent_id, desk.at, "APBK1234", "no"))) == []
    assert orders(desk.fire(1.9)) == []
    (second,) = orders(desk.fire(0.1))
    desk.tell(Rejected(second.intent_id, desk.at, "APBK1234", "no"))
    assert orders(desk.fire(3.9)) == []
    assert len(orders(desk.fire(0.1))) == 1


def test_an_unknown_sale_of_everything_goes_again_after_a_later_reading_and_a_part_does_not() -> None:
    for fall, level in ((CRASH, EscapeLevel.EXIT_ALL), ((48_900,) * 3, EscapeLevel.REDUCE)):
        desk = Desk({ONE: 100})
        (first,) = orders(desk.glance(*fall))
        assert desk.state.escape.level is level
        desk.tell(OutcomeUnknown(first.intent_id, desk.at, "reset"))
        assert orders(desk.fire(3.0)) == []
        early = AccountSnapshot(desk.at - 2 * NS_PER_SECOND, 100_000_000, 0, {ONE: 100}, ())
        assert orders(desk.tell(early)) == []
        seen = AccountSnapshot(desk.at, 100_000_000, 0, {ONE: 100}, (), sellable={ONE: 90})
        again = orders(desk.tell(seen))
        assert [order.quantity for order in again] == ([90] if level is EscapeLevel.EXIT_ALL else [])


def test_an_unknown_sale_is_looked_for_when_a_reading_may_first_disprove_it() -> None:
    desk, (first,) = fled()
    desk.at += NS_PER_SECOND // 10
    lost_at = desk.at
    (look,) = timers(desk.tell(OutcomeUnknown(first.intent_id, desk.at, "reset")), "reconcile")
    assert look.at == lost_at + NS_PER_SECOND // 2
    desk.at = look.at + NS_PER_SECOND // 5
    made = desk.tell(AccountSnapshot(desk.at, 100_000_000, 0, {ONE: 100}, ()))
    assert orders(made) == []
    (look,) = timers(made, "reconcile")
    assert look.at == lost_at + NS_PER_SECOND
    desk.at = look.at + NS_PER_SECOND // 5
    made = desk.tell(AccountSnapshot(desk.at, 100_000_000, 0, {ONE: 100}, ()))
    desk.at = lost_at + 2 * NS_PER_SECOND
    made += desk.fire(0.0)
    assert [order.quantity for order in orders(made)] == [100]


def test_nothing_is_renewed_while_a_first_sale_waits_for_its_turn_at_the_broker() -> None:
    """At the pace the broker allows, the cancels of renewals would go before the first sale of the last names."""
    desk, (first, second) = fled({ONE: 100, TWO: 100})
    desk.accept(first.intent_id)
    assert cancels(desk.fire(2.5)) == []
    assert cancels(desk.accept(second.intent_id)) == [first.intent_id, second.intent_id]


def test_a_sale_that_never_has_its_turn_holds_up_no_other() -> None:
    desk, (first, _) = fled({ONE: 100, TWO: 100})
    desk.accept(first.intent_id)
    assert cancels(desk.fire(3.9)) == []
    assert cancels(desk.fire(0.1)) == [first.intent_id]


def test_a_halted_desk_cancels_and_sells_nothing_until_it_is_released() -> None:
    desk = Desk({ONE: 100})
    desk.tell(OperatorCommand(desk.at, OperatorState.HALT, "owner", "drill"))
    made = desk.glance(*CRASH) + desk.fire(2.0) + desk.minute(*CRASH)
    assert orders(made) == []
    assert notes(made, "intent.denied") == []
    (order,) = orders(desk.tell(OperatorCommand(desk.at, OperatorState.REDUCE_ONLY, "owner", "go")))
    assert order.quantity == 100


def test_what_the_guards_refuse_is_not_tried_every_moment() -> None:
    base = DeskSettings()
    desk, made = fled(settings=replace(base, limits=replace(base.limits, escapes_per_day=0)))
    assert made == []
    denied = notes(desk.commands, "intent.denied")
    assert [note.data["codes"] for note in denied] == [["G18"]]
    assert notes(desk.fire(1.9), "intent.denied") == []
    assert len(notes(desk.fire(0.1), "intent.denied")) == 1


def test_an_exit_that_a_long_halt_held_back_goes_on_widening_from_where_it_began() -> None:
    slow = replace(DeskSettings(), escape=replace(SETTINGS, widen_s=60))
    desk = Desk({ONE: 100}, slow)
    (first,) = orders(desk.glance(*CRASH))
    desk.accept(first.intent_id)
    desk.tell(HaltChange(desk.at, ONE, True, "halt"))
    for _ in range(6):  # longer than any two orders of one flight lie apart
        desk.minute(*CRASH)
    assert cancels(desk.tell(HaltChange(desk.at, ONE, False, ""))) == [first.intent_id]
    later = orders(desk.tell(Canceled(first.intent_id, desk.at, 0)))
    assert notes(desk.commands, "intent.denied") == []
    assert [order.limit_price for order in later] == [RULES.floor_tick(48_000 * 90 // 100)]


def test_reduce_leaves_half_and_exit_all_takes_the_rest() -> None:
    desk = Desk({ONE: 101, TWO: 1})
    first = {order.symbol: order for order in orders(desk.glance(48_900, 48_900, 48_900))}
    assert {symbol: order.quantity for symbol, order in first.items()} == {ONE: 51, TWO: 1}
    for order in first.values():
        desk.accept(order.intent_id)
        desk.fill(order.intent_id, order.quantity)
    (rest,) = orders(desk.glance(*CRASH))
    assert (rest.symbol, rest.quantity) == (ONE, 50)


def test_a_fall_of_the_index_alone_reduces_between_minutes() -> None:
    desk = Desk({ONE: 100})
    made: list[Command] = []
    for level in (250_000, 250_000, 244_000, 244_000):
        desk.at += 5 * NS_PER_SECOND
        made += desk.tell(MarketReading(desk.at, level))
    assert [note.data["level"] for note in notes(made, "escape.raised")] == ["NO_BUYS", "REDUCE"]
    assert [order.quantity for order in orders(made)] == [50]
    assert desk.state.reading is not None and desk.state.reading.index_x100 == 244_000


def test_before_the_first_minute_closes_an_exit_goes_by_the_base_price() -> None:
    desk = Desk({ONE: 100}, minutes=0)
    made: list[Command] = []
    for level in (250_000, 250_000, 244_000, 244_000):
        desk.at += 5 * NS_PER_SECOND
        made += desk.tell(MarketReading(desk.at, level))
    (order,) = orders(made)
    assert (order.quantity, order.limit_price) == (50, BASE * 95 // 100)
    assert notes(made, "escape.sold_unseen") == []


@pytest.mark.parametrize(("dark_s", "limit"), [(600 - 15, BASE * 95 // 100), (601 - 15, LOWER)])
def test_after_ten_dark_minutes_an_exit_asks_for_whatever_is_paid_and_a_person_is_called(
    dark_s: int, limit: int
) -> None:
    desk = Desk({ONE: 100})
    desk.at += dark_s * NS_PER_SECOND
    made: list[Command] = []
    for level in (250_000, 250_000, 244_000):
        made += desk.tell(MarketReading(desk.at, level))
        desk.at += 5 * NS_PER_SECOND
    made += desk.tell(MarketReading(desk.at, 244_000))
    (order,) = orders(made)
    assert order.limit_price == limit
    told = notes(made, "escape.sold_unseen")
    assert [note.data["why"] for note in told] == ([] if limit > LOWER else ["no price for 601 s"])


def test_a_name_outside_the_session_is_sold_at_the_market() -> None:
    """Shares that a person adopted in the middle of the day are in the books, and nobody tells their price."""
    desk = Desk({ONE: 100, "999990": 7})
    made: list[Command] = []
    for level in (250_000, 250_000, 235_000, 235_000, 235_000):
        desk.at += 5 * NS_PER_SECOND
        made += desk.tell(MarketReading(desk.at, level))
    (alone,) = [order for order in orders(made) if order.symbol == "999990"]
    assert (alone.kind, alone.limit_price, alone.quantity) == (OrderKind.MARKET, 0, 7)
    (told,) = notes(made, "escape.sold_unseen")
    assert (told.data["symbol"], told.data["why"]) == ("999990", "not in the session")


def test_names_that_come_in_by_a_late_fill_under_exit_all_go_out_again() -> None:
    desk = Desk({ONE: 100})
    bought = OrderIntent("B1", "D1", TWO, Side.BUY, 10, OrderKind.LIMIT, 50_000, desk.at)
    working = Order(bought, 10, OrderStatus.WORKING, BrokerOrderId(DAY, "1", "9"))
    desk.state = replace(desk.state, blotter=enter(desk.state.blotter, working))
    assert cancels(desk.glance(*CRASH)) == ["B1"]
    made = desk.fill("B1", 10)
    assert [(order.symbol, order.quantity) for order in orders(made)] == [(TWO, 10)]


def test_when_names_may_stay_again_what_is_on_sale_is_taken_back() -> None:
    desk = Desk({ONE: 100})
    queue, why = list(desk.glance(48_900, 48_900, 48_900)), []
    for _ in range(40):
        queue += desk.minute(50_000, 50_000, 50_000)
        while queue:
            command = queue.pop(0)
            if isinstance(command, Submit):
                queue += desk.accept(command.order.intent.intent_id)
            elif isinstance(command, Cancel):
                why.append(command.why)
                queue += desk.tell(Canceled(command.intent_id, desk.at, 0))
    assert desk.state.escape.level is EscapeLevel.NORMAL
    assert set(why[:-1]) == {"an escape further down"}
    assert why[-1] == "the escape is over"
    assert desk.state.leave == {}
    assert not desk.state.blotter.working
    assert desk.state.book.quantity(ONE) == 100


def test_a_name_that_fell_alone_is_left_and_told_and_others_stay() -> None:
    desk = Desk({ONE: 100, TWO: 50})
    made = desk.glance(48_400, 50_000, 50_000)
    assert [(n.data["symbol"], n.data["price"]) for n in notes(made, "escape.left_name")] == [(ONE, 48_400)]
    assert [order.symbol for order in orders(made)] == [ONE]
    assert desk.state.escape.level <= EscapeLevel.NO_BUYS


def test_glances_of_other_names_or_from_before_the_last_minute_are_ignored() -> None:
    desk = Desk({ONE: 100})
    late = Glance(desk.at - 1, SYMBOLS, *(np.full(3, 40_000, np.int64) for _ in range(3)))
    strange = Glance(desk.at + 1, SYMBOLS[:2], *(np.full(2, 40_000, np.int64) for _ in range(3)))
    for event in (late, strange):
        assert [c.kind for c in desk.tell(event)] == ["glance.ignored"]
    assert desk.state.escape.level is EscapeLevel.NORMAL


def test_prices_of_a_glance_beyond_the_days_limits_move_nothing() -> None:
    desk = Desk({ONE: 100})
    assert orders(desk.glance(5_000, 5_000, 5_000)) == []
    assert desk.state.price(ONE) == BASE


def test_before_orders_are_taken_nothing_is_sent() -> None:
    desk, (order,) = fled()
    desk.accept(order.intent_id)
    desk.at = RULES.session.close_at
    assert desk.tell(Timer(desk.at, "escape")) == []


def test_a_timer_of_another_name_does_nothing() -> None:
    desk, _ = fled()
    assert desk.tell(Timer(desk.at + 10**10, "reconcile")) == []


class Lossy:
    """A broker that loses answers, tells fills twice or never, and is read now and then."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self.desk, self.dice = desk, dice
        self.orders: dict[str, dict] = {}
        self.holdings = dict(desk.state.held)
        self.cash = desk.state.book.cash
        self.perform(desk.commands)

    def perform(self, commands: list[Command]) -> None:
        queue = list(commands)
        while queue:
            command = queue.pop(0)
            if isinstance(command, Submit):
                queue += self.take(command)
            elif isinstance(command, Cancel):
                queue += self.cancel(command.intent_id)

    def take(self, command: Submit) -> list[Command]:
        intent, quantity = command.order.intent, command.order.quantity
        name = intent.intent_id
        assert name not in self.orders
        free = self.holdings[intent.symbol] - sum(
            o["open"] for o in self.orders.values() if o["intent"].symbol == intent.symbol
        )
        fate = self.dice.random()
        if quantity > free or fate < 0.15:
            return self.desk.tell(Rejected(name, self.desk.at, "X", "no"))
        if fate < 0.25:
            return self.desk.tell(OutcomeUnknown(name, self.desk.at, "never taken"))
        self.orders[name] = {"intent": intent, "quantity": quantity, "open": quantity, "filled": 0, "amount": 0}
        self.orders[name]["id"] = BrokerOrderId(DAY, "1", str(len(self.orders)))
        if fate < 0.4:
            return self.desk.tell(OutcomeUnknown(name, self.desk.at, "taken, unheard"))
        return self.desk.tell(Accepted(name, self.desk.at, self.orders[name]["id"]))

    def cancel(self, name: str) -> list[Command]:
        order, fate = self.orders.get(name), self.dice.random()
        if order is None or fate < 0.2:
            return self.desk.tell(OutcomeUnknown(name, self.desk.at, "lost"))
        order["open"] = 0
        return [] if fate < 0.4 else self.desk.tell(Canceled(name, self.desk.at, order["filled"]))

    def trade(self) -> None:
        for name, order in list(self.orders.items()):
            if not order["open"] or self.dice.random() < 0.3:
                continue
            shares = self.dice.randint(1, order["open"])
            price = order["intent"].limit_price
            before = order["amount"]
            order["open"] -= shares
            order["filled"] += shares
            order["amount"] += shares * price
            self.holdings[order["intent"].symbol] -= shares
            assert self.holdings[order["intent"].symbol] >= 0
            fill = Fill(
                order["id"], name, order["intent"].symbol, Side.SELL, shares, price, shares * price, order["filled"],
                self.desk.at, amount_before=before,
            )  # fmt: skip
            charge = RULES.charge_fill(fill, Market.KOSPI, Kind.COMMON)
            self.cash += fill.amount - charge.fee - charge.tax
            for _ in range(self.dice.choice((0, 1, 1, 2))):
                self.perform(self.desk.tell(Filled(name, self.desk.at, fill)))

    def read(self) -> None:
        told = tuple(
            BrokerOrder(
                o["id"], o["intent"].symbol, Side.SELL, o["quantity"], o["filled"], o["amount"], o["open"],
                o["intent"].limit_price, o["intent"].at,
            )
            for o in self.orders.values()
        )  # fmt: skip
        held = {symbol: n for symbol, n in self.holdings.items() if n}
        on_sale = {s: sum(o["open"] for o in self.orders.values() if o["intent"].symbol == s) for s in held}
        sellable = {s: n - on_sale[s] for s, n in held.items()}
        self.perform(self.desk.tell(AccountSnapshot(self.desk.at, self.cash, self.cash, held, told, sellable=sellable)))


@given(st.integers(0, 10**6), st.lists(st.integers(1, 3_000), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_what_may_stay_is_reached_whatever_orders_are_lost_or_told_twice(seed: int, shares: list[int]) -> None:
    dice = random.Random(seed)
    desk = Desk(dict(zip(SYMBOLS, shares, strict=True)))
    fall = dice.choice((CRASH, (48_900,) * 3))
    desk.glance(*fall)
    broker = Lossy(desk, dice)
    wanted = dict(desk.state.leave)
    sizes = dict(zip(SYMBOLS, shares, strict=True))
    for _ in range(40):
        desk.at += dice.randint(1, 20) * NS_PER_SECOND
        broker.perform(desk.tell(Timer(desk.at, "escape")))
        broker.trade()
        if dice.random() < 0.6:
            broker.read()
        for symbol in SYMBOLS:
            assert broker.holdings[symbol] >= wanted[symbol]
    for _ in range(40):  # heal everything and run to quiet
        dice.random = lambda: 0.9  # type: ignore[method-assign]
        desk.minutes = max(desk.minutes, (desk.at - OPEN) // NS_PER_MINUTE + 1)
        broker.perform(desk.minute(*fall))
        broker.trade()
        desk.at += 4 * NS_PER_SECOND
        broker.read()
    assert sizes.keys() == wanted.keys()
    assert broker.holdings == wanted
    assert {s: desk.state.book.quantity(s) for s in SYMBOLS} == wanted


@pytest.mark.parametrize("seconds", [1, 59])
def test_an_exit_keeps_its_orders_apart_from_an_earlier_one_of_the_day(seconds: int) -> None:
    done = exits.begun(Exit(count=3), OPEN + seconds, 50, 50)
    assert (done.count, done.began_at, done.tries) == (3, OPEN + seconds, 0)
