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
from haetae.domain.events import OperatorState
from haetae.domain.orders import OrderIntent, OrderKind, OrderStatus, Side
from haetae.guards import (
    CEILINGS,
    GUARDS,
    EscapeLevel,
    Limits,
    Sent,
    Situation,
    TrialLimits,
    clear,
    portfolio,
    review,
)
from rigs.guard_cases import CAPS, CASES
from rigs.guarding import (
    AT,
    OTHER,
    RULES,
    SYMBOL,
    E,
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
    assert spoke(intent(), now(base_prices={}, previous_closes={}), Limits(require_vitals=False)) == "G09"


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
