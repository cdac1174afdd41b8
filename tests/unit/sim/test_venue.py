"""Entry, life and end of orders at the simulated exchange, by example."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from haetae.domain.errors import MarketRuleError
from haetae.domain.events import Cancel, Replace
from haetae.domain.market import HaltChange, Instrument, Kind, Market, Slice
from haetae.domain.orders import Accepted, Canceled, Expired, Filled, OrderStatus, Rejected, Replaced, TimeInForce
from haetae.domain.units import NS_PER_MINUTE
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours
from haetae.sim import (
    FillModel,
    Pricing,
    RejectCode,
    Terms,
    Venue,
    accept,
    close_day,
    open_day,
    open_venue,
    set_halt,
    step,
)
from markets import order

DAY = dt.date(2026, 11, 23)
RULES = Rulebook.on(DAY)
OPEN = RULES.session.open_at
LISTED = {
    "000660": Instrument("000660", "하닉", Market.KOSPI, Kind.COMMON, DAY, 200_000, 10**6),
    "005930": Instrument("005930", "삼전", Market.KOSPI, Kind.COMMON, DAY, 70_000, 10**6),
    "069500": Instrument("069500", "ETF", Market.KOSPI, Kind.ETF, DAY, 30_000, 10**6, lot=10),
    "999990": Instrument("999990", "정지", Market.KOSDAQ, Kind.COMMON, DAY, 5_000, 10**6, flags=frozenset({"halted"})),
    "999980": Instrument("999980", "무가", Market.KOSDAQ, Kind.COMMON, DAY, 0, 10**6),
}


def venue(cash: int = 10_000_000, holdings: dict[str, int] | None = None, model: FillModel | None = None) -> Venue:
    return open_venue(RULES, LISTED, cash, holdings or {}, model)


def bar(minute: int, four: tuple[int, int, int, int], volume: int = 1_000, symbol: str = "005930") -> Slice:
    start = OPEN + minute * NS_PER_MINUTE
    columns = [np.array([value], dtype=np.int64) for value in (*four, volume)]
    return Slice(start, start + NS_PER_MINUTE, (symbol,), *columns, traded=np.array([True]))


def refused(stage: Venue, *what: object) -> str:
    after, (answer,) = accept(stage, order("x", *what, OPEN), OPEN)
    assert after is stage, "a refusal changes nothing"
    assert isinstance(answer, Rejected)
    return answer.code


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (("111111", 1, 1_000), RejectCode.UNKNOWN_SYMBOL),
        (("999990", 1, 5_000), RejectCode.HALTED),
        (("999980", 1, 5_000), RejectCode.NO_BASE_PRICE),
        (("005930", 1, 70_050), RejectCode.OFF_TICK),
        (("005930", 1, 91_100), RejectCode.OUTSIDE_LIMITS),
        (("005930", 1, 48_900), RejectCode.OUTSIDE_LIMITS),
        (("069500", 5, 30_000), RejectCode.BAD_LOT),
        (("005930", 143, 70_000), RejectCode.NO_CASH),
        (("005930", 110, 0), RejectCode.NO_CASH),
        (("005930", 10**15, 70_000), RejectCode.NO_CASH),
        (("005930", -1, 70_000), RejectCode.NO_SHARES),
    ],
)
def test_the_broker_refuses_with_a_typed_code(what: tuple[str, int, int], code: RejectCode) -> None:
    assert refused(venue(), *what) == code.value


def test_a_market_buy_reserves_at_the_upper_limit_and_a_limit_buy_at_its_price_both_with_fee() -> None:
    stage, _ = accept(venue(), order("m", "005930", 10, 0, OPEN), OPEN)
    assert stage.orderable_cash == 10_000_000 - 910_000 - 127
    stage, _ = accept(stage, order("l", "005930", 10, 70_000, OPEN), OPEN)
    assert stage.orderable_cash == 10_000_000 - 910_127 - 700_000 - 98
    stage, _ = accept(stage, Cancel("m", OPEN, ""), OPEN)
    assert stage.orderable_cash == 10_000_000 - 700_098


def test_open_sells_reserve_shares() -> None:
    stage, _ = accept(venue(holdings={"005930": 10}), order("a", "005930", -7, 0, OPEN), OPEN)
    assert stage.orderable_shares("005930") == 3
    assert refused(stage, "005930", -4, 0) == "no_shares"


def test_a_market_buy_fills_a_tick_above_the_open_and_a_sell_a_tick_below() -> None:
    for signed, price in ((5, 70_100), (-5, 69_900)):
        stage, _ = accept(venue(holdings={"005930": 5}), order("a", "005930", signed, 0, OPEN), OPEN)
        _, (event,) = step(stage, bar(0, (70_000, 70_500, 69_500, 70_200)))
        assert isinstance(event, Filled)
        assert (event.fill.price, event.at) == (price, OPEN + NS_PER_MINUTE)


def test_slippage_stops_at_the_range_of_the_bar() -> None:
    stage, _ = accept(venue(model=FillModel(slippage_ticks=9)), order("a", "005930", 1, 0, OPEN), OPEN)
    _, (event,) = step(stage, bar(0, (70_000, 70_200, 69_500, 70_200)))
    assert event.fill.price == 70_200


def test_a_large_order_fills_over_several_bars_and_reports_cumulative_quantities() -> None:
    stage, _ = accept(venue(100_000_000), order("a", "005930", 250, 0, OPEN), OPEN)
    seen = []
    for minute in range(4):
        stage, events = step(stage, bar(minute, (70_000, 70_000, 69_900, 70_000)))
        seen += [(event.fill.quantity, event.fill.cumulative) for event in events]
    assert seen == [(100, 100), (100, 200), (50, 250)]
    done = stage.orders["a"]
    assert (done.status, done.open_quantity, done.report().filled) == (OrderStatus.FILLED, 0, 250)
    assert stage.orderable_cash == stage.cash


def test_two_orders_share_the_volume_in_the_order_they_were_sent() -> None:
    stage, _ = accept(venue(100_000_000), order("late", "005930", 80, 0, OPEN), OPEN)
    stage, _ = accept(stage, order("early", "005930", 80, 0, OPEN - 1), OPEN - 1)
    _, events = step(stage, bar(0, (70_000, 70_000, 69_900, 70_000)))
    assert [(event.intent_id, event.fill.quantity) for event in events] == [("early", 80), ("late", 20)]


def test_ioc_takes_what_its_first_bar_gives_and_fok_all_or_nothing() -> None:
    piece = bar(0, (70_000, 70_000, 69_900, 70_000))
    stage, _ = accept(venue(100_000_000), order("i", "005930", 150, 0, OPEN, TimeInForce.IOC), OPEN)
    stage, events = step(stage, piece)
    assert [type(event) for event in events] == [Filled, Canceled]
    assert events[1].filled == 100
    stage, _ = accept(venue(100_000_000), order("f", "005930", 150, 0, OPEN, TimeInForce.FOK), OPEN)
    stage, events = step(stage, piece)
    assert [type(event) for event in events] == [Canceled]
    assert stage.cash == 100_000_000
    stage, _ = accept(venue(100_000_000), order("g", "005930", 100, 0, OPEN, TimeInForce.FOK), OPEN)
    assert [type(event) for event in step(stage, piece)[1]] == [Filled]


def test_a_limit_gets_the_open_if_it_is_better_and_its_own_price_otherwise() -> None:
    for limit, price in ((70_500, 70_000), (69_800, 69_800)):
        stage, _ = accept(venue(), order("a", "005930", 1, limit, OPEN), OPEN)
        _, (event,) = step(stage, bar(0, (70_000, 70_500, 69_500, 70_200)))
        assert event.fill.price == price


def test_replace_moves_the_price_gives_a_new_number_and_loses_the_place_in_the_queue() -> None:
    stage, (first,) = accept(venue(700_200), order("a", "005930", 10, 69_000, OPEN), OPEN)
    at = OPEN + 5
    after, (event,) = accept(stage, Replace("a", at, 70_000), at)
    assert isinstance(event, Replaced)
    assert event.order_id != first.order_id
    assert after.orders["a"].live_from == at
    assert step(after, bar(0, (68_000, 70_000, 67_000, 68_000)))[1] == ()
    _, (event,) = step(after, bar(1, (68_000, 70_000, 67_000, 68_000)))
    assert event.fill.price == 68_000
    for price, code in ((70_050, "off_tick"), (80_000, "no_cash"), (0, "not_a_limit")):
        same, (answer,) = accept(stage, Replace("a", at, price), at)
        assert same is stage
        assert answer.code == code


def test_cancel_of_an_unknown_order_and_of_an_ended_one_are_refused_differently() -> None:
    stage, _ = accept(venue(), order("a", "005930", 1, 0, OPEN), OPEN)
    assert accept(stage, Cancel("b", OPEN, ""), OPEN)[1][0].code == "unknown_order"
    stage, _ = step(stage, bar(0, (70_000, 70_000, 69_900, 70_000)))
    assert accept(stage, Cancel("a", OPEN, ""), OPEN)[1][0].code == "not_open"


def test_the_day_ends_with_expiry_and_the_next_begins_with_its_own_limits() -> None:
    stage, _ = accept(venue(), order("a", "005930", 1, 60_000, OPEN), OPEN)
    tomorrow = Rulebook.on(dt.date(2026, 11, 24))
    with pytest.raises(MarketRuleError):
        open_day(stage, tomorrow, {})
    stage, events = close_day(stage, RULES.session.close_at)
    assert events == (Expired("a", RULES.session.close_at, 0),)
    assert stage.orderable_cash == stage.cash
    stage = open_day(stage, tomorrow, {"005930": 100_000})
    assert stage.limits["005930"] == (70_000, 130_000)
    assert stage.limits["000660"] == (140_000, 260_000)
    assert not stage.orders
    at = tomorrow.session.open_at
    _, (answer,) = accept(stage, order("b", "005930", 1, 0, at), at)
    assert isinstance(answer, Accepted)
    assert (answer.order_id.day, answer.order_id.number) == (tomorrow.day, "0000000001")


def test_a_halt_stops_entry_and_fills_but_not_cancels() -> None:
    stage, _ = accept(venue(), order("a", "005930", 1, 0, OPEN), OPEN)
    stage = set_halt(stage, HaltChange(OPEN, "005930", True, "VI"))
    stage, events = step(stage, bar(0, (70_000, 70_000, 69_900, 70_000)))
    assert events == ()
    assert refused(stage, "005930", 1, 0) == "halted"
    resumed = set_halt(stage, HaltChange(OPEN, "005930", False, "VI"))
    assert len(step(resumed, bar(1, (70_000, 70_000, 69_900, 70_000)))[1]) == 1
    _, (answer,) = accept(stage, Cancel("a", OPEN, ""), OPEN)
    assert isinstance(answer, Canceled)


def test_latency_postpones_the_first_data_an_order_may_meet() -> None:
    stage, _ = accept(venue(model=FillModel(latency_ns=1)), order("a", "005930", 1, 0, OPEN), OPEN)
    stage, events = step(stage, bar(0, (70_000, 70_000, 69_900, 70_000)))
    assert events == ()
    assert len(step(stage, bar(1, (70_000, 70_000, 69_900, 70_000)))[1]) == 1


def test_a_bar_outside_the_limits_of_the_day_is_wrong_data_and_fills_nothing() -> None:
    stage, _ = accept(venue(), order("a", "005930", 1, 0, OPEN), OPEN)
    assert step(stage, bar(0, (91_000, 91_100, 90_000, 91_000)))[1] == ()


def test_a_slice_that_overlaps_what_is_known_is_an_error() -> None:
    stage, _ = step(venue(), bar(0, (70_000, 70_000, 69_900, 70_000)))
    late = bar(0, (70_000, 70_000, 69_900, 70_000))
    with pytest.raises(MarketRuleError):
        step(stage, replace(late, start=late.start + 1, end=late.end + 1))


def test_a_slice_may_hold_a_part_of_the_symbols() -> None:
    stage, _ = accept(venue(), order("a", "005930", 1, 0, OPEN), OPEN)
    stage, events = step(stage, bar(0, (200_000, 200_000, 200_000, 200_000), symbol="000660"))
    assert events == ()
    assert stage.orders["a"].open_quantity == 1


def test_the_end_of_a_names_own_auction_takes_orders_sent_within_it_and_gives_one_price() -> None:
    piece = bar(0, (70_000, 70_500, 69_500, 70_200))
    inside = OPEN + NS_PER_MINUTE - 1
    for signed, limit in ((1, 0), (1, 70_200), (-1, 70_200), (-1, 0)):
        stage, _ = accept(venue(holdings={"005930": 5}), order("a", "005930", signed, limit, inside), inside)
        assert step(stage, piece)[1] == (), "the bar had begun"
        _, (event,) = step(stage, piece, single={"005930"})
        assert event.fill.price == 70_200, "no slippage, no better open"
    late = OPEN + NS_PER_MINUTE
    stage, _ = accept(venue(), order("a", "005930", 1, 0, late), late)
    assert step(stage, piece, single={"005930"})[1] == ()
    stage, _ = accept(venue(), order("a", "005930", 1, 0, inside), inside)
    assert step(stage, piece, single={"000660"})[1] == ()


def test_a_market_of_its_own_meets_the_orders_named_for_it() -> None:
    stage, _ = accept(venue(), order("mine", "005930", 1, 0, OPEN), OPEN)
    stage, _ = accept(stage, order("other", "005930", 1, 0, OPEN), OPEN)
    after, (event,) = step(stage, bar(0, (70_000, 70_500, 69_500, 70_200)), among={"mine"})
    assert event.intent_id == "mine"
    assert after.orders["other"].open_quantity == 1
    closed, (gone,) = close_day(after, RULES.session.close_at, {"other"})
    assert gone == Expired("other", RULES.session.close_at, 0)
    assert closed.orders["mine"].status is OrderStatus.FILLED


def test_an_order_for_the_aftermarket_is_taken_and_moved_then_and_only_then() -> None:
    evening, terms = RULES.session.aftermarket_from, Terms(Pricing.LIMIT, OffHours.AFTERMARKET)
    sent = order("a", "005930", 1, 70_000, evening)
    _, (answer,) = accept(venue(), sent, evening)
    assert answer.code == "market_closed"
    stage, (answer,) = accept(venue(), sent, evening, terms=terms)
    assert isinstance(answer, Accepted)
    _, (moved,) = accept(stage, Replace("a", evening, 69_900), evening)
    assert isinstance(moved, Replaced)
    _, (answer,) = accept(venue(), order("b", "005930", 1, 70_000, OPEN), OPEN, terms=terms)
    assert answer.code == "market_closed"


@pytest.mark.parametrize(
    "wrong", [{"volume_share_ppm": 0}, {"volume_share_ppm": 1_000_001}, {"slippage_ticks": -1}, {"latency_ns": -1}]
)
def test_a_fill_model_cannot_be_kinder_than_the_market(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"share|slippage"):
        FillModel(**wrong)


def test_a_fill_model_says_what_it_assumes_in_both_languages() -> None:
    said = FillModel(touch=True).assumptions()
    assert any("on touch" in text.en for text in said)
    assert any("10 %" in text.ko for text in said)
