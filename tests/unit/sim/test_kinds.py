"""Stops, conditional limits, best-price orders, parts of orders, and which phase takes what."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Instrument, Kind, Market, Phase, Slice
from haetae.domain.orders import Accepted, Canceled, Filled, OrderKind, Rejected, Side, TimeInForce
from haetae.domain.units import NS_PER_MINUTE
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours
from haetae.sim import (
    DayOrders,
    FillModel,
    Pricing,
    Terms,
    Venue,
    accept,
    cancel_part,
    entry_price,
    join_closing,
    open_venue,
    reissue,
    set_call,
    step,
    takes,
)
from markets import order

DAY = dt.date(2026, 11, 23)
RULES = Rulebook.on(DAY)
OPEN, AUCTION = RULES.session.open_at, RULES.session.auction_from
LISTED = {
    "005930": Instrument("005930", "삼전", Market.KOSPI, Kind.COMMON, DAY, 70_000, 10**6),
    "999990": Instrument(
        "999990", "정리", Market.KOSDAQ, Kind.COMMON, DAY, 5_000, 10**6, flags=frozenset({"liquidation"})
    ),
}
CONDITIONAL = Terms(Pricing.CONDITIONAL)


def venue(cash: int = 10_000_000, holdings: dict[str, int] | None = None) -> Venue:
    return open_venue(RULES, LISTED, cash, holdings or {}, FillModel())


def bar(start: int, four: tuple[int, int, int, int], minutes: int = 1, volume: int = 1_000) -> Slice:
    columns = [np.array([value], dtype=np.int64) for value in (*four, volume)]
    return Slice(start, start + minutes * NS_PER_MINUTE, ("005930",), *columns, traded=np.array([True]))


def taken(stage: Venue, *what: object, at: int = OPEN, terms: Terms | None = None) -> Venue:
    after, (answer,) = accept(stage, order(*what, at), at, terms=terms)
    assert isinstance(answer, Accepted), answer
    return after


def test_a_stop_sleeps_until_a_bar_reaches_its_trigger_and_meets_the_next_one() -> None:
    stage = taken(venue(), "s", "005930", 5, 71_000, terms=Terms(Pricing.STOP, trigger=70_500))
    assert stage.orderable_cash < stage.cash, "it reserves while it sleeps"
    stage, events = step(stage, bar(OPEN, (70_000, 70_400, 69_900, 70_000)))
    assert events == ()
    stage, events = step(stage, bar(OPEN + NS_PER_MINUTE, (70_000, 70_500, 69_900, 70_400)))
    assert events == (), "the bar that woke it is over"
    _, (event,) = step(stage, bar(OPEN + 2 * NS_PER_MINUTE, (70_600, 70_700, 70_500, 70_600)))
    assert isinstance(event, Filled)
    assert event.fill.price == 70_600


def test_a_stop_to_sell_wakes_on_the_way_down_and_prints_count_at_their_open_only() -> None:
    sell = Terms(Pricing.STOP, trigger=69_500)
    stage = taken(venue(holdings={"005930": 5}), "s", "005930", -5, 69_000, terms=sell)
    falling = bar(OPEN, (70_000, 70_000, 69_400, 69_600))
    asleep, _ = step(stage, falling, printed=True)
    awake, _ = step(stage, falling)
    following = bar(OPEN + NS_PER_MINUTE, (69_500, 69_600, 69_400, 69_500))
    assert step(asleep, following, printed=True)[1] == ()
    assert len(step(awake, following)[1]) == 1


def test_a_conditional_limit_joins_the_closing_auction_as_a_market_order() -> None:
    stage = taken(venue(), "c", "005930", 10, 60_000, terms=CONDITIONAL)
    stage, events = step(stage, bar(OPEN, (70_000, 70_400, 69_900, 70_000)))
    assert events == ()
    stage, (event,) = step(stage, bar(AUCTION, (70_100, 70_400, 69_900, 70_200), minutes=10))
    assert event.fill.price == 70_200
    assert not stage.orders.waiting


def test_a_conditional_purchase_joins_at_the_most_that_cash_can_pay() -> None:
    stage = taken(venue(cash=705_100), "c", "005930", 10, 60_000, terms=CONDITIONAL)
    joined = join_closing(stage, AUCTION)
    moved = joined.orders["c"]
    assert (moved.kind, moved.limit_price) == (OrderKind.LIMIT, 70_500)
    assert joined.orderable_cash >= 0
    assert join_closing(joined, AUCTION) is joined
    assert join_closing(stage, AUCTION - 1) is stage


def test_orders_of_the_auction_come_after_what_joined_it() -> None:
    stage = taken(venue(cash=900_000), "c", "005930", 9, 60_000, terms=CONDITIONAL)
    at = AUCTION + NS_PER_MINUTE
    _, (answer,) = accept(stage, order("late", "005930", 4, 70_000, at), at)
    assert isinstance(answer, Rejected)
    assert answer.code == "no_cash", "the conditional order had taken the cash at 15:20"


def test_a_conditional_order_cannot_stand_at_the_limit_it_moves_to() -> None:
    lower, upper = venue().limits["005930"]
    for signed, limit in ((1, upper), (-1, lower)):
        sent = order("c", "005930", signed, limit, OPEN)
        _, (answer,) = accept(venue(holdings={"005930": 1}), sent, OPEN, terms=CONDITIONAL)
        assert answer.code == "at_the_limit"


@pytest.mark.parametrize("force", [TimeInForce.IOC, TimeInForce.FOK])
def test_auctions_take_no_order_that_cannot_wait(force: TimeInForce) -> None:
    for at in (OPEN - 1, AUCTION):
        _, (answer,) = accept(venue(), order("i", "005930", 1, 70_000, at, force), at)
        assert answer.code == "not_in_auction"
    _, (answer,) = accept(set_call(venue(), "005930", begins=True), order("i", "005930", 1, 0, OPEN, force), OPEN)
    assert answer.code == "not_in_auction"
    assert takes(Pricing.OPPOSITE, TimeInForce.DAY, Phase.CONTINUOUS, in_call=True) is not None
    assert takes(Pricing.LIMIT, force, Phase.AFTERMARKET, hours=OffHours.AFTERMARKET) is None
    assert takes(Pricing.MARKET, force, Phase.AFTERMARKET, hours=OffHours.AFTERMARKET) is not None


def test_a_name_in_its_own_auction_fills_at_its_single_price_only() -> None:
    stage = taken(set_call(venue(), "005930", begins=True), "a", "005930", 1, 0)
    piece = bar(OPEN, (70_000, 70_400, 69_900, 70_100))
    assert step(stage, piece)[1] == ()
    _, (event,) = step(stage, piece, single={"005930"})
    assert event.fill.price == 70_100
    assert len(step(set_call(stage, "005930", begins=False), piece)[1]) == 1


def test_markets_at_a_fixed_price_take_orders_within_their_windows() -> None:
    window = next(one for one in RULES.off_hours() if one.hours is OffHours.AFTER_CLOSE)
    terms = Terms(Pricing.CLOSE, OffHours.AFTER_CLOSE)
    stage = taken(venue(), "a", "005930", 1, 70_000, at=window.start, terms=terms)
    _, (answer,) = accept(venue(), order("b", "005930", 1, 70_000, window.end), window.end, terms=terms)
    assert answer.code == "market_closed"
    piece = bar(window.start, (70_000, 70_000, 70_000, 70_000))
    assert step(stage, piece)[1] == (), "the regular session's orders are others"
    assert len(step(stage, piece, hours=OffHours.AFTER_CLOSE)[1]) == 1


def test_a_name_in_liquidation_takes_limit_orders_only() -> None:
    _, (answer,) = accept(venue(), order("m", "999990", 1, 0, OPEN), OPEN)
    assert answer.code == "not_in_auction"
    taken(venue(), "l", "999990", 1, 5_000)


@pytest.mark.parametrize(
    ("pricing", "side", "price"),
    [
        (Pricing.OPPOSITE, Side.BUY, 101), (Pricing.OPPOSITE, Side.SELL, 99), (Pricing.SAME, Side.BUY, 99),
        (Pricing.SAME, Side.SELL, 101), (Pricing.CLOSE, Side.BUY, 100), (Pricing.LIMIT, Side.BUY, 7),
        (Pricing.CONDITIONAL, Side.SELL, 7), (Pricing.STOP, Side.BUY, 7), (Pricing.MARKET, Side.BUY, 0),
    ],
)  # fmt: skip
def test_the_price_an_order_goes_out_with(pricing: Pricing, side: Side, price: int) -> None:
    assert entry_price(pricing, side, 7, ask=101, bid=99, close=100) == price


def test_terms_that_do_not_fit_are_no_order() -> None:
    with pytest.raises(ValueError, match="trigger"):
        Terms(Pricing.STOP)
    with pytest.raises(ValueError, match="trigger"):
        Terms(Pricing.LIMIT, trigger=5)
    with pytest.raises(MarketRuleError):
        accept(venue(), order("m", "005930", 1, 0, OPEN), OPEN, terms=CONDITIONAL)


def test_a_part_taken_back_frees_its_cash_and_the_rest_keeps_its_turn() -> None:
    stage = taken(venue(), "a", "005930", 10, 60_000)
    left, events = cancel_part(stage, "a", 4, OPEN)
    assert events == ()
    assert (left.orders["a"].open_quantity, left.orders["a"].sequence) == (6, stage.orders["a"].sequence)
    assert left.orderable_cash == left.cash - left.hold("005930", Side.BUY, 6, 60_000)
    gone, (event,) = cancel_part(left, "a", 6, OPEN)
    assert event == Canceled("a", OPEN, 0)
    assert gone.orderable_cash == gone.cash
    assert cancel_part(left, "a", 7, OPEN)[1][0].code == "too_many"
    assert cancel_part(gone, "a", 1, OPEN)[1][0].code == "not_open"
    assert cancel_part(gone, "x", 1, OPEN)[1][0].code == "unknown_order"


def test_a_part_goes_on_at_another_price_under_a_number_of_its_own() -> None:
    stage = taken(venue(cash=700_100), "a", "005930", 10, 70_000)
    split, (answer,) = reissue(stage, "a", order("b", "005930", 4, 70_000, OPEN), OPEN)
    assert isinstance(answer, Accepted)
    assert (split.orders["a"].open_quantity, split.orders["b"].open_quantity) == (6, 4)
    assert split.orders["b"].sequence > split.orders["a"].sequence
    refused, (answer,) = reissue(stage, "a", order("c", "005930", 4, 75_000, OPEN), OPEN)
    assert answer.code == "no_cash"
    assert refused is stage
    whole, _ = reissue(split, "a", order("d", "005930", 6, 69_000, OPEN), OPEN)
    assert not whole.orders["a"].is_open
    assert reissue(stage, "a", order("e", "005930", -4, 70_000, OPEN), OPEN)[1][0].code == "unknown_order"


def test_ended_orders_cost_nothing_and_older_versions_do_not_see_them() -> None:
    stage = venue()
    versions = []
    for number in range(300):
        stage = taken(stage, f"i{number}", "005930", 1, 60_000)
        versions.append(stage)
        stage, _ = cancel_part(stage, f"i{number}", 1, OPEN)
    assert len(stage.orders) == 300
    assert not stage.orders.open
    assert list(stage.orders) == [f"i{number}" for number in range(300)]
    for number in (0, 100, 299):
        old = versions[number]
        assert old.orders[f"i{number}"].is_open
        assert len(old.orders) == number + 1
        assert f"i{number + 1}" not in old.orders
    other, _ = cancel_part(versions[100], "i100", 1, OPEN + 1)
    assert len(other.orders) == 101
    assert len(stage.orders) == 300, "another way from there leaves this one alone"
    assert versions[100].orders == replace(versions[100]).orders
    assert DayOrders() == {}
    assert repr(other.orders) == "DayOrders(0 open, 101 ended)"
