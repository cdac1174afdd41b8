"""Search spaces: how they are written, what they hold, and in which order points are tried."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.backtest.sweep.adaptive import BATCH, Adaptive
from haetae.backtest.sweep.points import key_of
from haetae.backtest.sweep.search import grid_search, random_search
from haetae.backtest.sweep.space import Choices, FloatRange, IntRange, Space
from haetae.backtest.sweep.spelling import default_space, read_axis, read_space
from haetae.domain.errors import ConfigError, StrategyError
from haetae.policies import SignalStrategy


class Tuned(SignalStrategy):
    """Has a parameter of every type."""

    every: ClassVar[str] = "day"
    look: int = 20
    share: float = 0.1
    loud: bool = False
    word: str = "a"


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("look=5,10,20", Choices("look", (5, 10, 20))),
        ("look=5,10,5", Choices("look", (5, 10))),
        ("look=5:50", IntRange("look", 5, 50)),
        ("look=20:200:20", IntRange("look", 20, 200, 20)),
        ("look=1:100:log", IntRange("look", 1, 100, log=True)),
        ("share=0.01:1", FloatRange("share", 0.01, 1.0)),
        ("share=0.01:1:log", FloatRange("share", 0.01, 1.0, log=True)),
        ("share=1", Choices("share", (1.0,))),
        ("loud=true,false", Choices("loud", (True, False))),
        ("word=a,b", Choices("word", ("a", "b"))),
    ],
)
def test_an_axis_takes_the_type_of_the_default(text: str, axis: object) -> None:
    found = read_axis(Tuned, text)
    assert found == axis
    if isinstance(found, Choices):
        assert [type(value) for value in found.values] == [type(value) for value in axis.values]


@pytest.mark.parametrize(
    "text",
    ["look", "look=", "look=50:5", "look=5:5", "look=5:50:0", "look=5:50:-1", "look=0:50:log", "share=0:1:0.1",
     "share=nan:1", "word=a:b", "loud=false:true", "look=1:2:3:4"],
)  # fmt: skip
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises((ConfigError, StrategyError)):
        read_axis(Tuned, text)


@pytest.mark.parametrize("text", ["lock=5,10", "lock=5:10", "look=5.5,6", "look=a:b", "loud=maybe"])
def test_a_name_or_value_the_strategy_does_not_have_is_its_error(text: str) -> None:
    with pytest.raises(StrategyError):
        read_axis(Tuned, text)


def test_a_name_said_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        read_space(Tuned, ["look=5,10", "look=20,30"], {})
    with pytest.raises(ConfigError, match="does not fit"):
        read_space(Tuned, ["look=5,10"], {"look": "7"})


def test_the_grid_has_every_combination_once_and_keeps_what_is_fixed() -> None:
    space = read_space(Tuned, ["look=10:30:10", "loud=true,false"], {"word": "x"})
    found = list(space.grid())
    assert len(found) == 6
    assert len({key_of(each) for each in found}) == 6
    assert all(each["word"] == "x" for each in found)
    assert [each["look"] for each in found] == [10, 10, 20, 20, 30, 30]


def test_a_grid_over_numbers_without_steps_or_beyond_reason_is_refused() -> None:
    with pytest.raises(ConfigError, match="no grid"):
        list(Space((FloatRange("share", 0.1, 1.0),)).grid())
    with pytest.raises(ConfigError, match="too large"):
        list(Space((IntRange("look", 1, 1_000), IntRange("other", 1, 1_000))).grid())


@given(st.integers(1, 500), st.integers(0, 500), st.integers(1, 60), st.booleans(), st.integers(0, 2**31))
@settings(max_examples=60)
def test_draws_of_whole_numbers_stay_inside_and_on_the_steps(
    low: int, more: int, step: int, log: bool, seed: int
) -> None:
    axis = IntRange("look", low, low + more, 1 if log else step, log)
    dice = np.random.default_rng(seed)
    assert all(axis.draw(dice) in axis.values for _ in range(30))


@given(st.floats(1e-6, 1e3), st.floats(1.001, 1e3), st.booleans(), st.integers(0, 2**31))
@settings(max_examples=60)
def test_draws_of_numbers_stay_inside(low: float, factor: float, log: bool, seed: int) -> None:
    axis = FloatRange("share", low, low * factor, log)
    dice = np.random.default_rng(seed)
    drawn = [axis.draw(dice) for _ in range(30)]
    assert all(low * (1 - 1e-12) <= value <= low * factor * (1 + 1e-12) for value in drawn)


def test_a_log_range_draws_small_values_as_often_as_large_ones() -> None:
    dice = np.random.default_rng(1)
    drawn = np.array([FloatRange("share", 0.01, 100.0, log=True).draw(dice) for _ in range(2_000)])
    assert 0.45 < (drawn < 1.0).mean() < 0.55


def test_a_random_search_draws_different_points_and_one_seed_gives_one_search() -> None:
    space = read_space(Tuned, ["look=1:200", "share=0.01:1:log"], {})
    first, again = (random_search(space, 40, np.random.default_rng(3)).propose() for _ in range(2))
    assert first == again
    assert len({key_of(each) for each in first}) == 40
    assert random_search(space, 40, np.random.default_rng(4)).propose() != first


def test_a_small_space_is_drawn_empty_and_no_more() -> None:
    found = random_search(read_space(Tuned, ["look=1:3"], {}), 40, np.random.default_rng(3))
    assert sorted(each["look"] for each in found.propose()) == [1, 2, 3]
    assert found.most == 3
    assert list(found.propose()) == []


def test_the_default_space_reaches_around_every_number() -> None:
    space = default_space(Tuned, {"fraction": "0.05"})
    assert {axis.name: type(axis) for axis in space.axes} == {"look": IntRange, "share": FloatRange, "loud": Choices}
    assert space.axes[0] == IntRange("look", 5, 80, log=True)
    assert dict(space.fixed) == {"fraction": 0.05}


def _climb(seed: int, n: int, refuse_above: int = 10**9) -> list[dict[str, object]]:
    search = Adaptive(Space((IntRange("look", 1, 200), FloatRange("share", 0.0, 1.0)), (("word", "x"),)), n, seed)
    found: list[dict[str, object]] = []
    while batch := search.propose():
        found += [dict(each) for each in batch]
        search.learn([None if each["look"] > refuse_above else -abs(each["look"] - 77) for each in batch])
    return found


def test_the_search_that_learns_repeats_with_its_seed_and_comes_near_the_top() -> None:
    found = _climb(5, 60)
    assert found == _climb(5, 60)
    assert found != _climb(6, 60)
    assert len(found) == 60
    assert all(each["word"] == "x" for each in found)
    early = np.mean([abs(int(each["look"]) - 77) for each in found[:BATCH]])
    late = np.mean([abs(int(each["look"]) - 77) for each in found[-2 * BATCH :]])
    assert late < early / 2


def test_the_search_that_learns_leaves_refused_regions_alone() -> None:
    late = _climb(7, 80, refuse_above=100)[-24:]
    assert sum(int(each["look"]) > 100 for each in late) <= 6


def test_a_grid_search_proposes_once() -> None:
    search = grid_search(Space((Choices("look", (1, 2)),)))
    assert search.most == 2
    assert len(search.propose()) == 2
    search.learn([1.0, None])
    assert not search.propose()
