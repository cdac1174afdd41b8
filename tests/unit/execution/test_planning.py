"""From weights to legs: whole shares, collared prices, cash in order of conviction."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.decisions import Leg, Proposal
from haetae.domain.market import Kind
from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.execution import PlanSettings, intent_from, intent_name, limit_for, plan_legs
from haetae.krx import Rulebook

DAY = dt.date(2026, 11, 23)
RULES = Rulebook.on(DAY)
NAMES = ("000100", "000110", "000120", "000130")
E = 100_000_000


def plan(targets: dict, **changes) -> tuple[Leg, ...]:
    values = {
        "equity": E,
        "cash": E,
        "held": {},
        "busy": frozenset(),
        "last": dict.fromkeys(NAMES, 50_000),
        "base_prices": dict.fromkeys(NAMES, 50_000),
        "kinds": {},
        "rules": RULES,
        "settings": PlanSettings(),
    }
    scores = changes.pop("scores", {})
    return plan_legs(Proposal("P1", 1, "p", targets, scores), **{**values, **changes})


def test_a_target_becomes_whole_shares_at_a_collared_price() -> None:
    (leg,) = plan({NAMES[0]: 0.04})
    assert (leg.side, leg.quantity, leg.limit_price) == (Side.BUY, 80, 50_200)


def test_sells_come_first_and_then_buys_by_conviction_then_code() -> None:
    legs = plan(
        {NAMES[0]: 0.04, NAMES[1]: 0.04, NAMES[2]: 0.0, NAMES[3]: 0.04},
        held={NAMES[2]: 100},
        scores={NAMES[3]: 0.9, NAMES[0]: 0.5, NAMES[1]: 0.5},
    )
    assert [(leg.symbol, leg.side) for leg in legs] == [
        (NAMES[2], Side.SELL),
        (NAMES[3], Side.BUY),
        (NAMES[0], Side.BUY),
        (NAMES[1], Side.BUY),
    ]
    assert [leg.leg_id for leg in legs] == ["P1.00", "P1.01", "P1.02", "P1.03"]


def test_names_that_are_absent_busy_or_without_price_get_no_leg() -> None:
    held = {NAMES[1]: 50}
    assert plan({}, held=held) == ()
    assert plan({NAMES[0]: 0.04}, busy=frozenset({NAMES[0]})) == ()
    assert plan({NAMES[0]: 0.04}, last={}) == ()
    assert plan({NAMES[0]: 0.04}, base_prices={}) == ()


@pytest.mark.parametrize(("weight", "legs"), [(0.0449, 0), (0.0451, 1), (0.0349, 1), (0.0356, 0)])
def test_small_changes_are_not_worth_their_cost(weight: float, legs: int) -> None:
    assert len(plan({NAMES[0]: weight}, held={NAMES[0]: 80})) == legs


def test_a_full_exit_is_made_however_small() -> None:
    (leg,) = plan({NAMES[0]: 0.0}, held={NAMES[0]: 1})
    assert (leg.side, leg.quantity) == (Side.SELL, 1)


def test_scarce_cash_goes_to_the_strongest_and_stops_at_the_floor() -> None:
    legs = plan(dict.fromkeys(NAMES, 0.04), cash=16_500_000, scores={NAMES[2]: 1.0})
    assert [leg.symbol for leg in legs] == [NAMES[2], NAMES[0]]
    spent = sum(leg.quantity * leg.limit_price for leg in legs)
    assert spent <= 6_500_000
    assert plan({NAMES[0]: 0.04}, cash=9_000_000) == ()


def test_there_are_never_more_legs_than_the_setting() -> None:
    names = [f"{n:06d}" for n in range(40)]
    legs = plan(dict.fromkeys(names, 0.02), last=dict.fromkeys(names, 50_000), base_prices=dict.fromkeys(names, 50_000))
    assert len(legs) == PlanSettings().max_legs


@given(
    last=st.integers(1_000, 900_000),
    drift=st.floats(0.71, 1.29),
    collar=st.integers(0, 500),
    side=st.sampled_from(list(Side)),
)
@settings(max_examples=300, deadline=None)
def test_a_limit_is_on_the_grid_inside_the_limits_and_rounded_toward_safety(last, drift, collar, side) -> None:
    base = RULES.floor_tick(last)
    price = RULES.floor_tick(int(base * drift))
    lower, upper = RULES.price_limits(base)
    limit = limit_for(side, price, base, Kind.COMMON, collar, RULES)
    assert RULES.on_grid(limit)
    assert lower <= limit <= upper
    if lower < limit < upper:
        if side is Side.BUY:
            assert limit <= price * (10_000 + collar) / 10_000
        else:
            assert limit >= price * (10_000 - collar) / 10_000


@given(
    weights=st.lists(st.floats(0, 0.25), min_size=4, max_size=4),
    held=st.lists(st.integers(0, 400), min_size=4, max_size=4),
    cash=st.integers(0, E),
)
@settings(max_examples=200, deadline=None)
def test_legs_never_spend_more_than_the_cash_above_the_floor_nor_sell_more_than_held(weights, held, cash) -> None:
    owned = dict(zip(NAMES, held, strict=True))
    legs = plan(dict(zip(NAMES, weights, strict=True)), held=owned, cash=cash)
    spent = sum(leg.quantity * leg.limit_price for leg in legs if leg.side is Side.BUY)
    assert spent <= max(0, cash - E // 10)
    assert all(0 < leg.quantity <= owned[leg.symbol] for leg in legs if leg.side is Side.SELL)


def test_the_same_decision_gives_the_same_intent_and_any_other_gives_another() -> None:
    names = {
        intent_name("A1", day, decision, symbol, side, leg)
        for decision in ("D1", "D2")
        for day in (DAY, DAY + dt.timedelta(days=1))
        for symbol in NAMES[:2]
        for side in Side
        for leg in ("a", "b")
    }
    assert len(names) == 32
    assert intent_name("A1", DAY, "D1", NAMES[0], Side.BUY, "a") in names


def test_an_intent_name_is_the_hash_in_base32() -> None:
    for leg in range(200):
        digest = hashlib.sha256(f"A1|{DAY.isoformat()}|D1|{NAMES[0]}|buy|{leg}".encode()).digest()
        assert intent_name("A1", DAY, "D1", NAMES[0], Side.BUY, str(leg)) == base64.b32encode(digest)[:20].decode()
    leg = Leg("P1.00", "P1", NAMES[0], Side.BUY, 80, 50_200, 0.04, 0.0)
    intent = intent_from(leg, "D1", Side.BUY, 40, 50_200, "A1", DAY, 5)
    assert (intent.quantity, len(intent.intent_id)) == (40, 20)


def test_a_leg_carries_its_proposal_its_target_and_its_score_and_an_intent_carries_the_leg() -> None:
    (leg,) = plan({NAMES[0]: 0.04}, scores={NAMES[0]: 0.7})
    assert leg == Leg("P1.00", "P1", NAMES[0], Side.BUY, 80, 50_200, 0.04, 0.7)
    name = intent_name("A1", DAY, "D1", NAMES[0], Side.SELL, "P1.00")
    intent = intent_from(leg, "D1", Side.SELL, 40, 49_900, "A1", DAY, 5)
    assert intent == OrderIntent(name, "D1", NAMES[0], Side.SELL, 40, OrderKind.LIMIT, 49_900, 5)


def test_what_nobody_scored_has_no_conviction() -> None:
    legs = plan({NAMES[0]: 0.04, NAMES[1]: 0.04, NAMES[2]: 0.04}, scores={NAMES[1]: 0.1, NAMES[2]: -0.1})
    assert [(leg.symbol, leg.score) for leg in legs] == [(NAMES[1], 0.1), (NAMES[0], 0.0), (NAMES[2], -0.1)]


def test_a_sale_may_go_further_below_the_last_price_than_a_purchase_goes_above_it() -> None:
    chosen = PlanSettings(entry_collar_bp=50, exit_collar_bp=200)
    sell, buy = plan({NAMES[0]: 0.0, NAMES[1]: 0.04}, held={NAMES[0]: 100}, settings=chosen)
    assert (sell.side, sell.limit_price) == (Side.SELL, 49_000)
    assert (buy.side, buy.limit_price) == (Side.BUY, 50_200)


def test_a_fund_is_limited_on_its_own_grid_at_the_last_price_and_at_the_days_limits() -> None:
    (fund, share) = plan({NAMES[0]: 0.04, NAMES[1]: 0.04}, kinds={NAMES[0]: "etf"})
    assert (fund.limit_price, share.limit_price) == (50_250, 50_200)
    assert limit_for(Side.BUY, 66_000, 51_235, Kind.ETF, 500, RULES) == 66_605  # 30 % above, a multiple of 5
    assert limit_for(Side.SELL, 36_000, 51_235, Kind.ETF, 500, RULES) == 35_865
    limits = [limit_for(side, 51_235, 51_235, kind, 100, RULES) for side in Side for kind in (Kind.ETF, Kind.COMMON)]
    assert limits == [51_745, 51_700, 50_725, 50_800]
    assert {type(limit) for limit in limits} == {int}


def test_a_name_that_gets_no_leg_leaves_the_ones_after_it_their_own() -> None:
    assert [leg.symbol for leg in plan(dict.fromkeys(NAMES[:2], 0.04), busy=frozenset({NAMES[0]}))] == [NAMES[1]]
    assert [leg.symbol for leg in plan({NAMES[0]: 0.04, NAMES[1]: 0.04}, held={NAMES[0]: 80})] == [NAMES[1]]
    dear = {NAMES[0]: 900_000, NAMES[1]: 50_000}
    legs = plan(dict.fromkeys(NAMES[:2], 0.04), cash=E // 10 + 800_000, last=dear, base_prices=dear)
    assert [(leg.symbol, leg.quantity) for leg in legs] == [(NAMES[1], 15)]


@pytest.mark.parametrize("prices", [{"last": {NAMES[0]: 0}}, {"base_prices": {NAMES[0]: 0}}, {"base_prices": {}}])
def test_what_has_no_positive_price_is_not_even_left(prices: dict) -> None:
    assert plan({NAMES[0]: 0.0}, held={NAMES[0]: 1_000}, **prices) == ()


def test_a_price_of_one_won_is_a_price() -> None:
    one = {NAMES[0]: 1}
    (leg,) = plan({NAMES[0]: 0.04}, last=one, base_prices=one)
    assert (leg.limit_price, leg.quantity) == (1, 4_000_000)


def test_a_single_dear_share_is_worth_an_order() -> None:
    dear = {NAMES[0]: 900_000}
    (buy,) = plan({NAMES[0]: 0.01}, last=dear, base_prices=dear)
    assert (buy.side, buy.quantity) == (Side.BUY, 1)
    (sell,) = plan({NAMES[0]: 0.01}, last=dear, base_prices=dear, held={NAMES[0]: 2})
    assert (sell.side, sell.quantity) == (Side.SELL, 1)


def test_a_change_of_exactly_the_band_or_of_the_smallest_order_is_made() -> None:
    odd = E + 199  # the band of it, half a percent, is no whole won
    assert len(plan({NAMES[0]: 0.045}, held={NAMES[0]: 80}, equity=odd)) == 1
    chosen = PlanSettings(band_ppm=0, min_order_won=4_000_000, cash_floor_ppm=0)
    assert len(plan({NAMES[0]: 0.04}, settings=chosen)) == 1
    chosen = PlanSettings(band_ppm=0, min_order_won=80 * 50_200, cash_floor_ppm=0)
    assert [leg.quantity for leg in plan({NAMES[0]: 0.1}, cash=80 * 50_351, settings=chosen)] == [80]


@pytest.mark.parametrize(("more", "quantity"), [(0, 80), (-1, 79)])
def test_cash_buys_shares_with_their_fees_to_the_won(more: int, quantity: int) -> None:
    each = 50_200 + 150 + 1  # 0.3 % for fees, and a won for what is rounded
    (leg,) = plan({NAMES[0]: 0.1}, cash=E // 10 + 80 * each + more)
    assert leg.quantity == quantity and type(leg.quantity) is int
    two = plan(dict.fromkeys(NAMES[:2], 0.03), cash=E // 10 + 80 * each + more)
    assert [leg.quantity for leg in two] == [60, quantity - 60]
