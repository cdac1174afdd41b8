from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.decisions import Proposal
from haetae.domain.errors import StrategyError
from haetae.policies import Strategy
from haetae.policies.strategy import check, read_parameter
from panels import daily_panel
from views import view_of

PANEL = daily_panel(40, 3, seed=1)
VIEW = view_of(PANEL)
A, B, C = PANEL.symbols


class Fresh(Strategy):
    """Four kinds of parameters beside constants that are none."""

    every: ClassVar[str] = "week"
    look_back: int = 20
    share: float = 0.5
    word: str = "up"
    brave: bool = False
    constant = 7
    _hidden: int = 3


def test_annotated_attributes_are_parameters_in_their_order() -> None:
    assert list(Fresh.defaults().items()) == [("look_back", 20), ("share", 0.5), ("word", "up"), ("brave", False)]
    made = Fresh(look_back=60, share=1)
    assert made.parameters == {"look_back": 60, "share": 1.0, "word": "up", "brave": False}
    assert isinstance(made.share, float)
    assert made.policy_id == "fresh(look_back=60,share=1.0,word=up,brave=False)"
    assert Fresh().look_back == 20


def test_a_subclass_inherits_parameters_and_may_change_their_defaults() -> None:
    class Slower(Fresh):
        look_back: int = 99

    assert Slower.defaults()["look_back"] == 99
    assert Slower.title() == "slower"
    assert Slower().schedule().unit.value == "week"


@pytest.mark.parametrize(
    ("given", "value"),
    [("look_back", 2.5), ("look_back", True), ("brave", 1), ("share", "0.5"), ("word", 3), ("share", True)],
)
def test_a_value_of_another_kind_is_refused_with_its_default(given: str, value: object) -> None:
    with pytest.raises(StrategyError) as fault:
        Fresh(**{given: value})  # type: ignore[arg-type]
    assert (fault.value.found, fault.value.next_step) == (repr(value), f"{given}={Fresh.defaults()[given]}")


def test_an_unknown_parameter_is_refused_with_those_there_are() -> None:
    with pytest.raises(StrategyError) as fault:
        Fresh(lookback=3)
    assert "look_back=20" in str(fault.value.expected)
    assert fault.value.found == "lookback"


def test_a_parameter_without_a_default_is_refused() -> None:
    class Open(Strategy):
        top: int

    with pytest.raises(StrategyError, match="top"):
        Open()


def test_annotations_that_cannot_be_read_are_a_typed_error() -> None:
    class Odd(Strategy):
        top: "Nowhere" = 3  # type: ignore[name-defined]  # noqa: F821, UP037

    with pytest.raises(StrategyError, match="annotations") as fault:
        Odd()
    assert "Nowhere" in fault.value.found


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [("3", 1, 3), ("0.25", 1.0, 0.25), ("true", False, True), ("0", True, False), ("x=y", "", "x=y"), ("-3", 1, -3)],
)
def test_text_is_read_as_the_kind_of_the_default(text: str, default: object, value: object) -> None:
    found = read_parameter("t", "n", text, default)  # type: ignore[arg-type]
    assert (found, type(found)) == (value, type(default))


@pytest.mark.parametrize(("text", "default"), [("3.5", 1), ("many", 1.0), ("yes", True), ("", 2)])
def test_text_that_does_not_fit_is_refused(text: str, default: object) -> None:
    with pytest.raises(StrategyError, match="n does not fit"):
        read_parameter("t", "n", text, default)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda found: sum(found) <= 1))
def test_weights_that_can_be_meant_come_back_as_given(weights: list[float]) -> None:
    found = Fresh().hold(VIEW, np.array(weights))
    assert list(found.targets.items()) == list(zip(VIEW.symbols, weights, strict=True))
    assert (found.at, found.policy_id) == (VIEW.at, Fresh().policy_id)


@given(
    st.dictionaries(
        st.sampled_from([A, B, C, "NOSUCH"]), st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=4
    )
)
def test_a_proposal_is_refused_exactly_where_it_cannot_be_meant(weights: dict[str, float]) -> None:
    bad = {s: w for s, w in weights.items() if s == "NOSUCH" or not (math.isfinite(w) and w >= 0)}
    total = sum(w for w in weights.values() if math.isfinite(w))
    if not bad and total <= 1:
        assert Fresh().hold(VIEW, weights).targets == weights
    elif bad or total > 1.00001:
        with pytest.raises(StrategyError) as fault:
            Fresh().hold(VIEW, weights)
        first = min(bad) if bad else ""
        assert first in str(fault.value.found)
        assert "2024" in str(fault.value)


def test_a_refusal_names_symbol_time_value_and_remedy() -> None:
    with pytest.raises(StrategyError) as fault:
        Fresh().hold(VIEW, {A: 0.2, B: math.nan})
    assert fault.value.found == f"{B}: nan"
    assert f"({B}, {VIEW.day.isoformat()}T15:30:00+09:00)" in str(fault.value)
    assert "remove NaN" in str(fault.value.next_step)


def test_an_array_of_another_length_is_refused() -> None:
    with pytest.raises(StrategyError, match="cannot be meant") as fault:
        Fresh().hold(VIEW, np.zeros(2))
    assert fault.value.expected == "(3,)"


def test_what_is_held_and_not_named_is_sold_only_when_asked() -> None:
    view = view_of(PANEL, held=[5, 0, 7])
    assert Fresh().hold(view, {B: 0.4}).targets == {B: 0.4}
    assert Fresh().hold(view, {C: 0.4}, close_others=True).targets == {A: 0.0, C: 0.4}


def test_what_is_no_proposal_is_refused() -> None:
    for given_back in (None, {A: 0.5}):
        with pytest.raises(StrategyError) as fault:
            check(given_back, VIEW)  # type: ignore[arg-type]
        assert "self.hold(view" in str(fault.value.expected)
    check(Proposal("p", VIEW.at, "p", {A: 1.0}), VIEW)


def test_a_strategy_without_propose_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Fresh has no propose"):
        Fresh().propose(VIEW)
