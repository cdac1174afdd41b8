"""Each guard: it fires, it does not fire, and the boundary between."""
# long: a row of small tests, one guard after the other.

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.decisions import Allow, Deny
from haetae.domain.errors import ConfigError
from haetae.domain.events import OperatorState, TrackRecord
from haetae.domain.orders import Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.units import NS_PER_DAY
from haetae.guards import (
    CEILINGS,
    GUARDS,
    EscapeLevel,
    Limits,
    Sent,
    Situation,
    Traffic,
    TrialLimits,
    clear,
    portfolio,
    review,
)
from rigs.guarding import (
    AT,
    OTHER,
    PLAY,
    REAL,
    RULES,
    SESSION,
    SYMBOL,
    VITALS,
    E,
    at,
    decided,
    escape,
    intent,
    left,
    lost,
    now,
    order,
    seconds,
    sell,
    sents,
    spoke,
    traffic,
)

PRICED = dict.fromkeys((SYMBOL, OTHER, "x", "y"), 50_000)
LIVE = now(mandate=REAL, promoted="r1")


def opening(*symbols: str) -> tuple[Order, ...]:
    """Open buys of one share in names whose price is known."""
    return tuple(order(symbol, symbol=symbol, quantity=1) for symbol in symbols)


CASES = [
    # code, made, fires, does not fire, boundary that still passes
    ("G01", intent(), now(operator=OperatorState.REDUCE_ONLY), now(), now(operator=OperatorState.ACTIVE)),
    ("G01", sell(), now(operator=OperatorState.HALT), now(), now(operator=OperatorState.REDUCE_ONLY)),
    ("G01", escape(), now(operator=OperatorState.HALT), now(), now(operator=OperatorState.REDUCE_ONLY)),
    ("G04", intent(), now(reconciled=False), now(), now(reconciled=True)),
    ("G04", intent(), now(reconciled=None), now(), now(reconciled=True)),
    ("G04", intent(), now(read_at=AT - seconds(90.1)), now(), now(read_at=AT - seconds(90))),
    ("G04", intent(), now(read_at=AT + seconds(91)), now(), now(read_at=AT + seconds(90))),
    ("G04", sell(), now(read_at=AT - seconds(301)), now(reconciled=False), now(read_at=AT - seconds(300))),
    ("G04", escape(), now(read_at=AT - seconds(301)), now(reconciled=False), now(read_at=AT - seconds(300))),
    (
        "G04",
        intent(),
        now(vitals=replace(VITALS, at=AT - seconds(15.1))),
        now(),
        now(vitals=replace(VITALS, at=AT - seconds(15))),
    ),
    (
        "G04",
        intent(),
        now(vitals=replace(VITALS, at=AT + seconds(16))),
        now(),
        now(vitals=replace(VITALS, at=AT + seconds(15))),
    ),
    (
        "G04",
        sell(),
        now(vitals=replace(VITALS, at=AT - seconds(61))),
        now(),
        now(vitals=replace(VITALS, at=AT - seconds(60))),
    ),
    (
        "G04",
        escape(),
        now(vitals=replace(VITALS, at=AT - seconds(61))),
        now(),
        now(vitals=replace(VITALS, at=AT - seconds(60))),
    ),
    ("G04", intent(), now(lease_epoch=0), now(), now(lease_epoch=1)),
    ("G04", escape(), now(lease_epoch=0), now(), now(lease_epoch=1)),
    ("G04", sell(), now(journal_ok=False), now(), now(journal_ok=True)),
    ("G04", sell(), now(journal_ok=None), now(), now(journal_ok=True)),
    ("G04", intent(), now(skew_ms=500), now(), now(skew_ms=499)),
    ("G04", intent(), now(skew_ms=-500), now(), now(skew_ms=-499)),
    ("G04", sell(), now(skew_ms=2_000), now(skew_ms=500), now(skew_ms=1_999)),
    ("G04", escape(), now(skew_ms=-2_000), now(), now(skew_ms=-1_999)),
    ("G04", escape(), now(skew_ms=None), now(), now(skew_ms=0)),
    ("G02", intent(), now(vitals=None), now(), None),
    ("G02", sell(), now(vitals=None), now(), None),
    ("G02", escape(), now(vitals=None), now(), None),
    ("G02", intent(), now(mandate=replace(PLAY, tr_prefix="T")), now(), now(mandate=replace(PLAY, tr_prefix="V"))),
    ("G02", escape(), now(mandate=replace(PLAY, tr_prefix="")), now(), None),
    ("G02", intent(), now(mandate=replace(PLAY, host="")), now(), None),
    (
        "G02",
        intent(),
        now(mandate=replace(PLAY, host="https://openapi.koreainvestment.com:9443")),
        now(),
        now(mandate=replace(PLAY, host="https://openapivts.koreainvestment.com:29443")),
    ),
    ("G02", intent(), now(mandate=replace(PLAY, host="OpenAPI.KoreaInvestment.com.")), now(), now(mandate=PLAY)),
    ("G02", intent(), now(mandate=replace(PLAY, live=None)), now(), now(mandate=PLAY)),
    ("G02", intent(), now(mandate=replace(REAL, build=False), promoted="r1"), LIVE, None),
    ("G02", intent(), now(mandate=replace(REAL, build=None), promoted="r1"), LIVE, None),
    ("G02", intent(), now(mandate=replace(REAL, signed_account="a2"), promoted="r1"), LIVE, None),
    ("G02", intent(), now(mandate=replace(REAL, account="", signed_account=""), promoted="r1"), LIVE, None),
    ("G02", intent(), now(mandate=replace(REAL, signed_host="https://elsewhere"), promoted="r1"), LIVE, None),
    ("G02", intent(), now(mandate=replace(REAL, host="", signed_host=""), promoted="r1"), LIVE, None),
    (
        "G02",
        intent(),
        now(mandate=replace(REAL, expires_at=AT), promoted="r1"),
        LIVE,
        now(mandate=replace(REAL, expires_at=AT + 1), promoted="r1"),
    ),
    (
        "G02",
        intent(),
        now(mandate=replace(REAL, expires_at=AT + NS_PER_DAY + 1), promoted="r1"),
        LIVE,
        now(mandate=replace(REAL, expires_at=AT + NS_PER_DAY), promoted="r1"),
    ),
    ("G02", escape(), now(mandate=replace(REAL, tr_prefix="V"), promoted="r1"), LIVE, None),
    ("G03", intent(), now(promoted="r2"), now(promoted="r1"), now(promoted="")),
    ("G03", escape(), now(promoted="r2"), now(promoted="r1"), now(promoted="")),
    ("G03", intent(), now(mandate=REAL, promoted=""), LIVE, None),
    ("G03", intent(), now(mandate=REAL, promoted="", running=""), LIVE, None),
    ("G28", intent(), now(budget_used_ppm=800_000), now(), now(budget_used_ppm=799_999)),
    ("G28", intent(), now(budget_used_ppm=-1), now(), now(budget_used_ppm=0)),
    ("G28", intent(), now(error_ppm=50_000), now(), now(error_ppm=49_999)),
    ("G28", intent(), now(error_ppm=-1), now(), now(error_ppm=0)),
    ("G28", intent(), now(token_left_s=1_800), now(), now(token_left_s=1_801)),
    ("G05", intent(), now(**at(90_459)), now(), now(**at(90_500))),
    ("G05", intent(), now(**at(151_000, 1)), now(), now(**at(151_000))),
    ("G05", sell(), now(**at(153_000)), now(), now(**at(152_959))),
    ("G05", sell(), now(**at(85_959)), now(), now(**at(90_000))),
    ("G05", escape(), now(**at(82_959)), now(), now(**at(83_000))),
    ("G05", escape(), now(**at(153_000)), now(), now(**at(152_959))),
    ("G06", intent(), now(halted=frozenset({SYMBOL})), now(), now(halted=frozenset({OTHER}))),
    ("G06", intent(), now(frozen=frozenset({SYMBOL})), now(), now(frozen=frozenset({OTHER}))),
    ("G06", sell(), now(halted=frozenset({SYMBOL})), now(), now(halted=frozenset({OTHER}))),
    ("G06", intent(), now(unadjusted=frozenset({SYMBOL})), now(), now(unadjusted=frozenset({OTHER}))),
    ("G06", sell(), now(unadjusted=frozenset({SYMBOL})), now(), now(unadjusted=frozenset({OTHER}))),
    ("G06", intent(), now(previous_closes={SYMBOL: 38_461}), now(), now(previous_closes={SYMBOL: 38_462})),
    ("G06", sell(), now(previous_closes={SYMBOL: 71_429}), now(), now(previous_closes={SYMBOL: 71_428})),
    ("G06", intent(), now(previous_closes={}), now(), None),
    ("G06", intent(), now(previous_closes={OTHER: 50_000}), now(), None),
    ("G06", sell(), now(previous_closes={SYMBOL: 0}), now(), None),
    *(
        ("G06", intent(), now(flags={SYMBOL: frozenset({word})}), now(), now(flags={OTHER: frozenset({word})}))
        for word in (
            "halted",
            "administrative",
            "liquidation",
            "delisted",
            "caution",
            "warning",
            "danger",
            "short_overheated",
        )
    ),
    (
        "G06",
        intent(),
        now(resumed_at={SYMBOL: AT - seconds(179.9)}),
        now(),
        now(resumed_at={SYMBOL: AT - seconds(180)}),
    ),
    ("G06", intent(), now(resumed_at={SYMBOL: AT + 1}), now(), now(resumed_at={OTHER: AT})),
    ("G07", intent(), now(universe=frozenset({OTHER})), now(), None),
    ("G07", intent(), now(universe=frozenset()), now(), None),
    (
        "G07",
        intent(),
        now(universe=frozenset({SYMBOL, *map(str, range(50))})),
        now(),
        now(universe=frozenset({SYMBOL, *map(str, range(49))})),
    ),
    ("G07", intent(symbol=OTHER), now(tradable=frozenset({SYMBOL})), now(), now(tradable=frozenset({OTHER}))),
    ("G08", intent(), now(price_at=AT - seconds(91)), now(), now(price_at=AT - seconds(90))),
    ("G08", intent(), now(last={SYMBOL: 0}), now(), None),
    ("G08", sell(), now(last={SYMBOL: -1}), now(), None),
    ("G08", escape(), now(last={}), now(), None),
    ("G08", intent(), now(price_at=AT + seconds(91)), now(), now(price_at=AT + seconds(90))),
    ("G08", intent(), now(traded_at={}), now(), None),
    ("G08", intent(), now(traded_at={SYMBOL: AT + seconds(601)}), now(), now(traded_at={SYMBOL: AT + seconds(600)})),
    ("G08", intent(), now(price_gaps_bp={SYMBOL: 101}), now(), now(price_gaps_bp={SYMBOL: 100, OTHER: 200})),
    ("G08", intent(), now(price_gaps_bp={SYMBOL: -1}), now(), now(price_gaps_bp={SYMBOL: 0})),
    (
        "G08",
        intent(),
        now(traded_at={SYMBOL: AT - seconds(601)}),
        now(),
        now(traded_at={SYMBOL: AT - seconds(600)}),
    ),
    ("G08", escape(), now(price_at=AT - seconds(601)), now(), now(price_at=AT - seconds(600))),
    ("G17", intent(), now(known_intents=frozenset({"I1"})), now(), now(known_intents=frozenset({"I2"}))),
    (
        "G17",
        intent(),
        now(open_orders=(order(status=OrderStatus.UNKNOWN, side=Side.SELL),)),
        now(),
        now(open_orders=(order(status=OrderStatus.UNKNOWN, symbol=OTHER),)),
    ),
    ("G17", intent(), now(open_orders=(order(),)), now(), now(open_orders=(order(symbol=OTHER),))),
    (
        "G17",
        intent(),
        now(sent=traffic(Sent(AT - seconds(29.9), "S", SYMBOL, Side.BUY, False))),
        now(),
        now(sent=traffic(Sent(AT - seconds(30), "S", SYMBOL, Side.BUY, False))),
    ),
    ("G18", intent(), now(sent=sents(12)), now(), now(sent=sents(11))),
    ("G18", intent(), now(sent=sents(12, apart_s=5)), now(), now(sent=sents(13, first=1, apart_s=5))),
    ("G18", intent(), now(sent=sents(120, apart_s=29)), now(), now(sent=sents(119, apart_s=29))),
    ("G18", intent(), now(sent=sents(400, apart_s=61)), now(), now(sent=sents(399, apart_s=61))),
    (
        "G18",
        intent(),
        now(sent=sents(13, first=1, apart_s=61, symbol=SYMBOL)),
        now(),
        now(sent=sents(12, first=1, apart_s=61, symbol=SYMBOL)),
    ),
    ("G18", escape(), now(sent=sents(200, escape=True)), now(sent=sents(300)), now(sent=sents(199, escape=True))),
    (
        "G18",
        intent(),
        now(sent=replace(Traffic(), changes={SYMBOL: 20})),
        now(),
        now(sent=replace(Traffic(), changes={SYMBOL: 19, OTHER: 50})),
    ),
    ("G20", intent(), now(week_equity=E * 100 // 95 + 1, opening_equity=E), now(), now(week_equity=E * 100 // 95 - 1)),
    ("G20", intent(), now(week_equity=0), now(), None),
    ("G20", intent(), now(**lost(15_000)), now(), now(**lost(14_999))),
    ("G20", intent(), now(peak_equity=E * 10 // 9 + 1), now(), now(peak_equity=E * 10 // 9 - 1)),
    ("G20", intent(), now(opening_equity=0), now(), None),
    ("G21", intent(), now(losing_exits=4), now(), now(losing_exits=3)),
    ("G21", intent(), now(losing_exits=-1), now(), now(losing_exits=0)),
    ("G21", intent(), now(lost_symbols=frozenset({SYMBOL})), now(), now(lost_symbols=frozenset({OTHER}))),
    ("G22", intent(), now(excess=True), now(), None),
    ("G22", sell(), now(excess=True), now(), None),
    ("G22", sell(), now(excess=None), now(), now(excess=False)),
    (
        "G23",
        intent(),
        now(decision=decided(confidence=0.6499)),
        now(decision=decided()),
        now(decision=decided(confidence=0.65)),
    ),
    ("G23", intent(), now(decision=decided(confidence=float("nan"))), now(decision=decided()), None),
    (
        "G23",
        intent(),
        now(decision=decided(evidence_ids=("px:last", "px:last"))),
        now(decision=None),
        now(decision=decided()),
    ),
    (
        "G23",
        intent(),
        now(decision=decided(status="BELOW_THRESHOLD")),
        now(),
        now(decision=decided(status="MODEL_REDUCE")),
    ),
    ("G23", intent(), now(decision=decided(status="ABSTAIN_TIMEOUT")), now(), None),
    ("G23", intent(), now(decision=decided(decider="model-2")), now(), now(decision=decided())),
    ("G23", intent(), now(decision=decided(), session=replace(SESSION, decider="")), now(), None),
    ("G23", intent(), now(decision=decided(confidence=1.01)), now(), now(decision=decided(confidence=1.0))),
    (
        "G23",
        intent(),
        now(decision=decided(evidence_at=AT - NS_PER_DAY - 1)),
        now(),
        now(decision=decided(evidence_at=AT - NS_PER_DAY)),
    ),
    ("G23", intent(), now(decision=decided(evidence_at=0)), now(), None),
    (
        "G23",
        intent(),
        now(decision=decided(), record=(TrackRecord(0.5, 19, 30),)),
        now(),
        now(decision=decided(), record=(TrackRecord(0.5, 20, 30),)),
    ),
    ("G24", intent(), now(decision=decided(baseline=-0.65)), now(), now(decision=decided(baseline=-0.6499))),
    ("G24", intent(), now(decision=decided(baseline=float("nan"))), now(), now(decision=decided(baseline=0.0))),
    (
        "G24",
        intent(symbol=OTHER),
        now(new_names=frozenset("abcdefgh"), open_orders=opening("x", "y"), last=PRICED),
        now(),
        now(new_names=frozenset("abcdefgh"), open_orders=opening("x"), last=PRICED),
    ),
    ("G25", intent(), now(tainted=frozenset({SYMBOL})), now(), now(tainted=frozenset({OTHER}))),
    (
        "G25",
        intent(),
        now(decision=decided(risk_flags=("data_conflict",))),
        now(),
        now(decision=decided(risk_flags=())),
    ),
    ("G25", intent(), now(decision=decided(risk_flags=("halt_risk",))), now(), None),
    (
        "G24",
        intent(symbol=OTHER),
        now(new_names=frozenset("abcdefghij")),
        now(),
        now(new_names=frozenset("abcdefghi")),
    ),
    (
        "G25",
        intent(),
        now(decision=decided(risk_flags=("injection_suspected",))),
        now(),
        now(decision=decided(risk_flags=("earnings",))),
    ),
    ("G26", intent(), now(escape_level=EscapeLevel.NO_BUYS), now(), now(escape_level=EscapeLevel.NORMAL)),
    ("G26", intent(), now(cooling=frozenset({SYMBOL})), now(), now(cooling=frozenset({OTHER}))),
    ("G29", intent(), now(open_orders=(order(side=Side.SELL, quantity=5),)), now(), None),
    ("G29", sell(quantity=5), now(open_orders=(order(),)), now(), now(open_orders=(order(symbol=OTHER),))),
    ("G30", intent(), now(broker_gap_ppm=1_001), now(), now(broker_gap_ppm=1_000)),
    ("G30", intent(), now(broker_gap_ppm=-1), now(), now(broker_gap_ppm=0)),
    ("G09", intent(limit_price=50_050), now(), now(), None),
    ("G09", intent(kind=OrderKind.MARKET, limit_price=0), now(), now(), None),
    ("G09", sell(limit_price=65_100), now(last={SYMBOL: 65_000}), now(), None),
]


@pytest.mark.parametrize(("code", "made", "fires", "quiet", "edge"), CASES)
def test_the_guard_fires_where_it_must_and_only_there(code, made, fires, quiet, edge) -> None:
    assert spoke(made, fires) == code
    if code != "G09":
        assert spoke(made, quiet) is None
    if edge is not None:
        assert spoke(made, edge) is None


@pytest.mark.parametrize(
    ("made", "passes"),
    [
        (intent(limit_price=50_300), True),
        (intent(limit_price=50_400), False),
        (intent(limit_price=49_000), True),
        (intent(limit_price=48_950), False),
        (sell(limit_price=49_000), True),
        (sell(limit_price=48_950), False),
        (sell(limit_price=51_000), True),
        (sell(limit_price=51_100), False),
        (escape(limit_price=35_000), True),
        (escape(limit_price=51_100), False),
    ],
)
def test_the_collar_lets_limits_near_the_last_price_through(made: OrderIntent, *, passes: bool) -> None:
    assert spoke(made, now()) == (None if passes else "G10")


CAPS = [
    ("G16", sell(quantity=11), now(), 10),
    ("G16", sell(quantity=10), now(held={SYMBOL: 0}), 0),
    ("G16", escape(quantity=10), now(open_orders=(order(side=Side.SELL, quantity=7),)), 3),
    ("", sell(quantity=10), now(), 10),
    ("G11", intent(quantity=11), now(volume_today={SYMBOL: 200}), 10),
    ("", intent(quantity=10), now(volume_today={SYMBOL: 200}), 10),
    ("G11", intent(quantity=10), now(volume_today={}), 0),
    ("G11", intent(quantity=11), now(average_turnover={SYMBOL: 500_000_000}), 10),
    ("G11", intent(quantity=10), now(average_turnover={}), 0),
    ("G12", intent(quantity=41), now(), 40),
    ("", intent(quantity=40), now(), 40),
    ("G12", sell(quantity=41), now(held={SYMBOL: 41}), 40),
    ("G12", sell(quantity=2), now(equity=1_000_000, opening_equity=1_000_000, peak_equity=1_000_000), 1),
    ("G13", intent(quantity=11), now(held={SYMBOL: 70}), 10),
    ("", intent(quantity=10), now(held={SYMBOL: 70}), 10),
    ("G13", intent(quantity=1), now(held={SYMBOL: 80}), 0),
    ("G15", intent(quantity=10), now(cash=5 * 50_150 + 50_000), 5),
    ("G15", intent(quantity=10), now(cash=10 * 50_151 - 1), 9),
    ("", intent(quantity=10), now(cash=10 * 50_151), 10),
    ("G15", intent(quantity=10), now(cash=10 * 50_151, open_orders=(order(symbol=OTHER, quantity=2),)), 8),
    ("G19", intent(quantity=11), now(bought_today=29_500_000), 10),
    ("", intent(quantity=10), now(bought_today=29_500_000), 10),
    ("G19", intent(quantity=11), now(bought_today=20_000_000, sold_today=39_500_000), 10),
    ("G19", intent(), now(bought_today=-1), 0),
    ("G19", intent(), now(sold_today=-1), 0),
    ("G15", intent(quantity=10), now(cash=10 * 50_151, short_cash=1), 9),
    ("", intent(quantity=10), now(cash=10 * 50_151 + 1, short_cash=1), 10),
    ("G15", intent(), now(short_cash=-1), 0),
    ("G16", sell(), now(short_shares={SYMBOL: 3}), 7),
    ("", sell(quantity=7), now(short_shares={SYMBOL: 3, OTHER: 9}), 7),
    ("G16", escape(), now(short_shares={SYMBOL: 10}), 0),
    ("G16", sell(), now(short_shares={SYMBOL: -1}), 0),
    ("G12", intent(quantity=40), now(equity=E, opening_equity=E - 1_000_000, peak_equity=E), 39),
    ("G27", intent(quantity=5), now(full_size=False), 4),
    ("", intent(quantity=4), now(full_size=False), 4),
    ("G27", intent(quantity=4), now(full_size=None, bought_today=3_000_000 - 3 * 50_000), 3),
    ("G27", intent(quantity=4), now(full_size=False, bought_today=3_000_000), 0),
    ("G27", intent(quantity=4), now(full_size=False, open_orders=(order(symbol=OTHER, quantity=57),)), 3),
    ("", sell(), now(full_size=False), 10),
]


@pytest.mark.parametrize(("code", "made", "situation", "shares"), CAPS)
def test_a_cap_leaves_what_the_limit_leaves(code: str, made: OrderIntent, situation: Situation, shares: int) -> None:
    assert left(made, situation) == (shares, code)


def test_concentration_counts_sector_gross_and_the_five_largest() -> None:
    names = [f"{n:06d}" for n in range(10)]
    prices = {**dict.fromkeys(names, 50_000), SYMBOL: 50_000}
    limits = Limits(max_top5_ppm=300_000)
    held = dict.fromkeys(names[:5], 79)
    same = now(held=held, last=prices, sectors={**dict.fromkeys(names, "01"), SYMBOL: "01"})
    assert left(intent(quantity=6), same, limits) == (5, "G14")
    assert left(intent(quantity=5), same, limits) == (5, "")
    apart = now(held=held, last=prices, sectors={**{n: n for n in names}, SYMBOL: "01"})
    assert left(intent(quantity=6), apart, limits) == (6, "")
    assert left(intent(quantity=40), replace(apart, held=dict.fromkeys(names[:4], 90)), Limits()) == (40, "")
    top = replace(apart, held=dict.fromkeys(names[:4], 99))
    assert left(intent(quantity=5), top, Limits()) == (4, "G14")
    full = replace(apart, held=dict.fromkeys(names, 179))
    assert left(intent(quantity=11), full, replace(limits, max_top5_ppm=300_000)) == (0, "G14")


def test_market_orders_are_for_escape_sales_only() -> None:
    market = {"kind": OrderKind.MARKET, "limit_price": 0}
    assert spoke(sell(**market), now()) == "G09"
    assert spoke(sell(escape=True, **market), now()) is None


@pytest.mark.parametrize(("price", "code"), [(65_000, None), (65_100, "G09"), (35_000, None), (34_950, "G09")])
def test_the_days_limits_themselves_are_valid_prices(price: int, code: str | None) -> None:
    assert RULES.price_limits(50_000) == (35_000, 65_000)
    assert spoke(intent(limit_price=price), now(last={SYMBOL: price})) == code


def test_a_sale_needs_no_usual_turnover_and_nothing_left_is_a_refusal() -> None:
    assert spoke(sell(), now(average_turnover={})) is None
    assert isinstance(review(sell(), now(held={}), Limits()), Deny)


@pytest.mark.parametrize(("below", "code"), [(9_999_999, None), (10_000_000, "G20")])
def test_the_drawdown_limit_itself_refuses(below: int, code: str | None) -> None:
    peak = 100_000_000
    fallen = {"equity": peak - below, "opening_equity": peak - below, "peak_equity": peak, "week_equity": peak - below}
    assert spoke(intent(quantity=1), now(**fallen)) == code


def test_a_peak_that_is_not_known_refuses() -> None:
    assert spoke(intent(), now(peak_equity=0)) == "G20"


def test_a_name_on_the_deny_list_is_not_bought_but_may_be_sold() -> None:
    limits = Limits(deny_list=frozenset({SYMBOL}))
    assert spoke(intent(), now(), limits) == "G07"
    assert spoke(sell(), now(), limits) is None


def test_what_is_held_may_be_sold_when_it_left_the_list() -> None:
    assert spoke(sell(), now(tradable=frozenset())) is None


def test_open_and_unknown_orders_count_as_filled() -> None:
    names = [f"{n:06d}" for n in range(10)]
    prices = {**dict.fromkeys(names, 50_000), SYMBOL: 50_000}
    sectors = {**{name: name for name in names}, SYMBOL: "01"}
    resting = tuple(order(name, symbol=name, quantity=59, status=OrderStatus.UNKNOWN) for name in names)
    waiting = now(open_orders=resting, last=prices, base_prices=prices, sectors=sectors)
    assert left(intent(quantity=10), waiting) == (10, "")
    assert left(intent(quantity=11), waiting) == (10, "G19")


def test_a_missing_input_refuses() -> None:
    assert spoke(intent(), now(base_prices={})) == "G06"
    assert spoke(intent(), now(base_prices={}, previous_closes={}), Limits()) == "G09"


def test_an_escape_passes_where_entries_are_barred() -> None:
    barred = now(
        reconciled=False,
        frozen=frozenset({SYMBOL}),
        excess=True,
        broker_gap_ppm=10_000,
        losing_exits=9,
        escape_level=EscapeLevel.EXIT_ALL,
        volume_today={},
        average_turnover={},
        sent=sents(300),
        **lost(90_000),
    )
    assert isinstance(review(escape(), barred, Limits()), Allow)


def test_every_guard_code_is_unique_and_has_a_case_here() -> None:
    codes = [guard.code for guard in GUARDS]
    assert len(set(codes)) == len(codes)
    shown = (
        {case[0] for case in CASES}
        | {case.values[0] if hasattr(case, "values") else case[0] for case in CAPS}
        | {"G10", "G14"}
    )
    assert shown - {""} == set(codes) == {f"G{number:02d}" for number in range(1, 31)}


def test_clear_makes_an_order_of_at_most_the_intent_with_the_codes_passed() -> None:
    made = clear(intent(quantity=41), now(), Limits())
    assert not isinstance(made, Deny)
    assert made.quantity == 40
    assert len(made.guard_codes) == len(GUARDS)
    assert isinstance(clear(intent(), now(reconciled=False), Limits()), Deny)


@given(
    quantity=st.integers(1, 10_000),
    held=st.integers(0, 500),
    cash=st.integers(0, 2 * E),
    volume=st.integers(0, 10**6),
    open_quantity=st.integers(1, 1_000),
    side=st.sampled_from(list(Side)),
    flee=st.booleans(),
)
def test_nothing_the_guards_leave_breaks_cash_position_or_holdings(
    quantity, held, cash, volume, open_quantity, side, flee
) -> None:
    resting = order(symbol=OTHER, quantity=open_quantity)
    situation = now(held={SYMBOL: held}, cash=cash, volume_today={SYMBOL: volume}, open_orders=(resting,))
    limits = Limits()
    made = intent(quantity=quantity, side=side, escape=flee and side is Side.SELL)
    shares = left(made, situation, limits)[0]
    assert 0 <= shares <= quantity
    if shares == 0:
        return
    if side is Side.SELL:
        assert shares <= held
        return
    value = shares * 50_000
    assert value <= E * limits.max_order_ppm // 1_000_000
    assert value + held * 50_000 <= E * limits.max_position_ppm // 1_000_000
    assert (value + open_quantity * 50_000) * 1.003 <= cash
    assert shares <= volume * limits.day_volume_ppm // 1_000_000


@pytest.mark.parametrize("name", sorted(CEILINGS))
def test_configuration_cannot_exceed_a_ceiling(name: str) -> None:
    Limits(**{name: CEILINGS[name]})
    with pytest.raises(ConfigError, match="limits are wrong") as caught:
        Limits(**{name: CEILINGS[name] + 1})
    assert name in caught.value.found


def test_all_faults_of_a_configuration_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Limits(max_order_ppm=10**6, daily_buys_ppm=-1, min_confidence=0.2)
    assert all(name in caught.value.found for name in ("max_order_ppm", "daily_buys_ppm", "min_confidence"))


def test_only_the_guards_make_cleared_orders() -> None:
    source = Path(__file__).resolve().parents[3] / "src" / "haetae"
    makers = {p.relative_to(source).parts[0] for p in source.rglob("*.py") if "ClearedOrder(" in p.read_text("utf-8")}
    assert makers == {"guards", "emulator"}  # the emulator stands on the broker's side: it rebuilds what it was sent


def test_limits_of_a_trial_know_no_ceiling_and_every_guard_still_looks() -> None:
    wide = TrialLimits(**{name: ceiling * 10 for name, ceiling in CEILINGS.items()}, rest_after_loss=False)
    allowed = review(intent(), now(lost_symbols=frozenset({SYMBOL})), wide)
    assert isinstance(allowed, Allow) and allowed.codes == tuple(guard.code for guard in GUARDS)
    assert spoke(intent(), now(operator=OperatorState.HALT), wide) == "G01"
    assert spoke(intent(), now(lost_symbols=frozenset({SYMBOL})), Limits()) == "G21"
    with pytest.raises(ConfigError):
        TrialLimits(orders_per_day=-1)


@given(told=st.lists(st.tuples(st.integers(0, 500), st.sampled_from([SYMBOL, OTHER]), st.booleans(), st.booleans())))
def test_traffic_counts_as_reading_every_order_would(told) -> None:
    sent = [
        Sent(AT + seconds(s), f"S{n}", symbol, Side.BUY if buy else Side.SELL, escape)
        for n, (s, symbol, buy, escape) in enumerate(told)
    ]
    counted = traffic(*sent)
    entered = [one for one in sent if not one.escape]
    for since in (AT - 1, AT + seconds(10), AT + seconds(250), AT + seconds(500)):
        assert counted.since(since) == sum(one.at > since for one in entered)
    assert counted.escapes == len(sent) - len(entered)
    for symbol in (SYMBOL, OTHER):
        assert counted.of_symbol.get(symbol, 0) == sum(one.symbol == symbol for one in entered)
        for side in Side:
            mine = [one.at for one in sent if one.symbol == symbol and one.side is side]
            assert counted.newest_of(symbol, side) == max(mine, default=0)


@given(held=st.dictionaries(st.sampled_from([f"00{n:04d}" for n in range(8)]), st.integers(1, 40), min_size=1))
def test_the_room_beside_the_four_largest_others_is_that_of_sorting_them_out(held) -> None:
    name = min(held)
    prices = dict.fromkeys(held, 50_000)
    situation = now(held=held, last=prices, sectors={symbol: symbol for symbol in held})
    others = sorted((held[symbol] * 50_000 for symbol in held if symbol != name), reverse=True)[:4]
    limits = Limits(max_top5_ppm=100_000, max_gross_ppm=900_000, max_sector_ppm=400_000)
    room = E * 100_000 // 1_000_000 - sum(others) - held[name] * 50_000
    found = portfolio.concentration(intent(symbol=name, quantity=10**6), 10**6, situation, limits)
    assert found is not None and found.quantity == room // 50_000
