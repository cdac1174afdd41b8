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
from haetae.domain.orders import Side
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
