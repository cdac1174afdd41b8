"""What a guard says it compared is what it compared, and an input that is missing or no number never lets through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.decisions import Allow, Deny, Reduce
from haetae.domain.events import Vitals
from haetae.domain.orders import OrderStatus, Side
from haetae.guards import (
    GUARDS,
    Limits,
    Sent,
    Situation,
    Step,
    Traffic,
    check,
    clear,
    compared,
    explain,
    guards_of,
    inputs_of,
    inputs_of_all,
    review,
)
from haetae.guards.compared import INPUTS
from rigs.guard_cases import CASES, LIVE
from rigs.guarding import (
    AT,
    ON_A_DAY,
    OTHER,
    REAL,
    SYMBOL,
    E,
    decided,
    escape,
    intent,
    now,
    order,
    seconds,
    sell,
)  # fmt: skip

NAN = float("nan")
SILENT = {"at", "rules"}
"""What every guard may read: the moment and the day's rules."""


class Watched(Situation):
    """A situation that remembers what is read of it."""

    __slots__ = ("seen",)

    def __getattribute__(self, name: str):
        if name in _NAMES:
            object.__getattribute__(self, "seen").add(name)
        return object.__getattribute__(self, name)


_NAMES = {item.name for item in fields(Situation)}


def watched(situation: Situation) -> Watched:
    made = object.__new__(Watched)
    object.__setattr__(made, "seen", set())
    for name in _NAMES:
        object.__setattr__(made, name, getattr(situation, name))
    return made


def reads(call) -> set[str]:
    """What is read by a call on many situations, of the fields of a situation."""
    found: set[str] = set()
    for code, made, fires, quiet, edge in CASES:
        for situation in (fires, quiet, edge):
            if situation is not None:
                eye = watched(situation)
                call(code, made, eye)
                found |= object.__getattribute__(eye, "seen")
    return found - SILENT


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.code)
def test_everything_a_guard_reads_is_among_its_inputs(guard) -> None:
    def look(_code, made, eye) -> None:
        try:
            guard.check(made, made.quantity, eye, ON_A_DAY)
        except (TypeError, KeyError, AttributeError, ZeroDivisionError):
            return  # a missing input: what was read until then counts

    told = reads(lambda _code, made, eye: compared(guard, made, eye, ON_A_DAY))
    assert reads(look) <= told | {"open_orders", "last", "held"}, reads(look) - told


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.code)
def test_every_guard_tells_itself_in_both_languages_and_names_real_limits(guard) -> None:
    assert all((guard.name.ko, guard.name.en, guard.protects.ko, guard.protects.en, guard.remedy.ko, guard.remedy.en))
    assert guard.source and set(guard.inputs) <= set(INPUTS) and guard.inputs
    assert set(guard.limits) <= {item.name for item in fields(Limits)}


def test_every_limit_belongs_to_a_guard_or_to_the_desk() -> None:
    used = {name for guard in GUARDS for name in guard.limits}
    assert {item.name for item in fields(Limits)} - used == {"day_loss_halt_ppm"}  # where the desk closes the day
    assert {name for guard in GUARDS for name in guard.inputs} == set(INPUTS)


def test_what_was_compared_is_json_and_says_missing_as_null() -> None:
    blind = now(vitals=None, last={}, decision=None, base_prices={}, traded_at={}, read_at=0)
    for situation in (now(decision=decided()), blind, LIVE):
        for guard in GUARDS:
            json.dumps(compared(guard, intent(), situation, ON_A_DAY), allow_nan=False)
        json.dumps(inputs_of_all(intent(), situation), allow_nan=False)
    assert compared(GUARDS[3], intent(), blind, ON_A_DAY)["lease_epoch"] is None
    assert inputs_of_all(intent(), blind)["last"] is None and inputs_of_all(intent(), blind)["base_price"] is None
    told = inputs_of_all(intent(), now(open_orders=(order(), order("O2", symbol=OTHER)), decision=decided()))
    assert (told["open_same_side"], told["exposures"], told["worth"], told["equity"]) == (10, 1_500_000, 0.9, E)
    assert inputs_of_all(sell(), now())["open_other_side"] == 0
    denied = Limits(deny_list=frozenset({SYMBOL}))
    assert compared(next(g for g in GUARDS if g.code == "G07"), intent(), now(), denied)["deny_list"] is True


def numbers() -> Iterator[tuple[str, Situation]]:
    """The situation with each number of its own taken away or spoiled, one at a time."""
    sound = now(decision=decided())
    for item in fields(Situation):
        value = getattr(sound, item.name)
        if type(value) is int:
            for bad in (None, NAN, -1):
                yield f"{item.name}={bad}", replace(sound, **{item.name: bad})
        elif isinstance(value, dict) and value and item.name not in ("held",):
            for bad in (None, NAN, -1, {}):
                broken = {} if bad == {} else dict.fromkeys(value, bad)
                yield f"{item.name}={bad}", replace(sound, **{item.name: broken})
    for item in fields(Vitals):
        value = getattr(sound.vitals, item.name)
        if type(value) in (int, bool) and item.name not in ("full_size",):
            for bad in (None, NAN) + (() if item.name == "skew_ms" else (-1,)):
                yield f"vitals.{item.name}={bad}", replace(sound, vitals=replace(sound.vitals, **{item.name: bad}))
    for name in ("confidence", "baseline", "evidence_at"):
        for bad in (None, NAN, -1):
            yield f"decision.{name}={bad}", replace(sound, decision=decided(**{name: bad}))
    for name in ("vitals", "session"):
        yield f"{name}=None", replace(sound, **{name: None})
    for name in ("base_prices", "previous_closes", "average_turnover"):
        for bad in ({}, {SYMBOL: None}, {SYMBOL: NAN}, {SYMBOL: -1}):
            yield f"{name}={bad}", replace(sound, session=replace(sound.session, **{name: bad}))


@pytest.mark.parametrize(("what", "situation"), [pytest.param(*row, id=row[0]) for row in numbers()])
def test_an_input_that_is_missing_or_makes_no_sense_never_lets_a_buy_through(what: str, situation: Situation) -> None:
    assert isinstance(review(intent(), situation, ON_A_DAY), Deny)


def test_a_sound_situation_lets_the_same_buy_through() -> None:
    assert isinstance(review(intent(), now(decision=decided()), ON_A_DAY), Allow)
    assert isinstance(review(intent(), LIVE, ON_A_DAY), Allow)


@pytest.mark.parametrize("price", [50_000.0, NAN, None, "50000"])
def test_a_price_that_is_no_whole_number_is_refused(price) -> None:
    made = object.__new__(type(intent()))
    for item in fields(made):
        object.__setattr__(made, item.name, price if item.name == "limit_price" else getattr(intent(), item.name))
    assert isinstance(review(made, now(), ON_A_DAY), Deny)


@given(
    held=st.integers(0, 60),
    resting=st.lists(st.tuples(st.sampled_from([SYMBOL, OTHER]), st.integers(1, 60), st.sampled_from(
        [OrderStatus.WORKING, OrderStatus.UNKNOWN, OrderStatus.CANCEL_PENDING, OrderStatus.SENDING])), max_size=4),
    asked=st.integers(1, 200),
)  # fmt: skip
def test_position_cash_and_turnover_hold_though_everything_open_should_fill(held, resting, asked) -> None:
    # Resting orders are of the other name or other side's kind: of the same side and name none may stand beside it.
    others = tuple(
        order(f"O{n}", status=status, quantity=count, symbol=OTHER) for n, (_, count, status) in enumerate(resting)
    )
    situation = now(held={SYMBOL: held}, open_orders=others, cash=40_000_000)
    made = clear(intent(quantity=asked), situation, ON_A_DAY)
    if isinstance(made, Deny):
        return
    bought = (made.quantity + sum(o.open_quantity for o in others)) * 50_000
    assert (held + made.quantity) * 50_000 <= E * ON_A_DAY.max_position_ppm // 10**6
    assert bought * 1.003 <= 40_000_000
    assert bought <= E * ON_A_DAY.daily_buys_ppm // 10**6


@pytest.mark.parametrize("status", [s for s in OrderStatus if not s.terminal and s is not OrderStatus.NEW])
def test_an_open_order_of_any_state_counts_as_filled(status: OrderStatus) -> None:
    waiting = order(status=status, symbol=OTHER, quantity=600)
    assert isinstance(review(intent(), now(open_orders=(waiting,)), ON_A_DAY), Deny)
    mine = order(status=status, side=Side.SELL, quantity=8)
    left = review(escape(quantity=10), now(open_orders=(mine,)), ON_A_DAY)
    assert isinstance(left, Reduce) and left.quantity == 2


@pytest.mark.parametrize("made", [intent(), sell(), escape()], ids=["buy", "sell", "escape"])
def test_an_explanation_ends_where_the_review_does(made) -> None:
    for situation in (now(), now(vitals=None), now(held={SYMBOL: 3}), now(at=AT + seconds(20_000)), LIVE):
        steps = explain(made, situation, ON_A_DAY)
        assert [step.guard for step in steps] == list(guards_of(made))
        verdict = review(made, situation, ON_A_DAY)
        speakers = [step for step in steps if step.finding is not None]
        if isinstance(verdict, Allow):
            assert not speakers
        elif isinstance(verdict, Reduce):
            assert steps[-1].left == verdict.quantity and all(step.left > 0 for step in steps)
        else:
            first: Step = next(step for step in speakers if step.left == 0)
            assert verdict.reasons[-1].code == first.guard.code


def test_real_money_is_never_play_money_and_the_other_way_round() -> None:
    crossed = replace(REAL, live=False)
    assert isinstance(review(intent(), now(mandate=crossed, promoted="r1"), ON_A_DAY), Deny)


def test_a_mapping_that_cannot_change_is_read_like_any_other() -> None:
    assert isinstance(review(intent(), now(last=MappingProxyType({SYMBOL: 50_000})), ON_A_DAY), Allow)


def test_a_verdict_is_journalled_with_what_the_guards_that_spoke_compared() -> None:
    situation = now(volume_today={SYMBOL: 100}, cash=100_000)
    verdict = review(intent(), situation, ON_A_DAY)
    assert isinstance(verdict, Reduce) and [reason.code for reason in verdict.reasons] == ["G11", "G15"]
    told = inputs_of(verdict.reasons, intent(), situation, ON_A_DAY)
    assert told["G11"]["volume_today"] == 100 and told["G11"]["day_volume_ppm"] == 50_000
    assert told["G15"] == {"cash": 100_000, "short_cash": 0, "reserved": 0, "reserve_ppm": 3_000}


def test_a_guard_that_stumbles_says_over_what() -> None:
    (collar,) = [guard for guard in GUARDS if guard.code == "G10"]
    assert "KeyError" in str(check(collar, intent(), 10, now(last={}), ON_A_DAY))


def test_traffic_counts_changes_by_name_and_flights_by_their_pauses() -> None:
    quiet = Traffic().and_changed(SYMBOL).and_changed(OTHER).and_changed(SYMBOL)
    assert dict(quiet.changes) == {SYMBOL: 2, OTHER: 1} and quiet.times == ()
    assert quiet.fleeing_since(SYMBOL, AT) == AT

    def fled(traffic: Traffic, at: int) -> Traffic:
        return traffic.and_then(Sent(at, f"E{at}", SYMBOL, Side.SELL, True))

    first = fled(quiet, AT)
    assert first.fleeing_since(SYMBOL, AT + seconds(300)) == AT
    assert first.fleeing_since(SYMBOL, AT + seconds(301)) == AT + seconds(301)
    second = fled(first, AT + seconds(200))
    assert second.fleeing_since(SYMBOL, AT + seconds(500)) == AT
    later = fled(second, AT + seconds(501))
    assert later.fleeing_since(SYMBOL, AT + seconds(502)) == AT + seconds(501)
    assert dict(later.changes) == {SYMBOL: 2, OTHER: 1} and later.escapes == 3
    out_of_turn = fled(later, AT)
    assert out_of_turn.fleeing_since(SYMBOL, AT + seconds(502)) <= AT + seconds(501)
