from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import StrategyError
from haetae.domain.panel import empty_panel
from haetae.policies import LIBRARY, SignalStrategy, TargetStrategy
from haetae.policies.baselines import Task, listed
from haetae.policies.crossing import sma_cross
from panels import daily_panel, minute_panel
from views import view_of

PANEL = daily_panel(90, 4, seed=1)
ROWS = np.array([60, 70, 80], np.int64)
TASK = Task(PANEL, ROWS, listed(PANEL))


def signals(values: object, fraction: float = 0.02) -> SignalStrategy:
    class Given(SignalStrategy):
        def signals(self, panel):
            return values(panel) if callable(values) else values

    return Given(fraction=fraction)


def targets(values: object) -> TargetStrategy:
    class Given(TargetStrategy):
        def targets(self, task):
            return values

    return Given()


def with_value(row: int, column: int, value: float, rest: float = np.nan) -> np.ndarray:
    found = np.full(PANEL.close.shape, np.nan)
    found[ROWS] = rest
    found[row, column] = value
    return found


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float64])
def test_signals_of_any_numeric_kind_become_int8(kind: type) -> None:
    found = signals(np.ones(PANEL.close.shape, kind)).checked_signals(PANEL)
    assert (found.dtype, set(found.ravel().tolist())) == (np.dtype(np.int8), {1})


@pytest.mark.parametrize("value", [2, -2, 0.5, math.nan, math.inf])
def test_a_signal_that_is_none_names_symbol_and_time(value: float) -> None:
    given_back = np.zeros(PANEL.close.shape)
    given_back[33, 2] = value
    with pytest.raises(StrategyError) as fault:
        signals(given_back).checked_signals(PANEL)
    day = str(PANEL.days[33])
    assert f"{PANEL.symbols[2]}, {day[:4]}-{day[4:6]}-{day[6:]}T15:30:00+09:00: " in fault.value.found
    assert str(value) in fault.value.found


@pytest.mark.parametrize("shape", [(90, 3), (89, 4), (90,)])
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    for fault_of in (
        lambda: signals(np.zeros(shape)).checked_signals(PANEL),
        lambda: targets(np.zeros(shape)).checked_targets(TASK),
    ):
        with pytest.raises(StrategyError) as fault:
            fault_of()
        assert fault.value.found == f"shape {shape}"


def test_arrays_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(StrategyError, match="signals") as fault:
        signals(np.full(PANEL.close.shape, "buy")).checked_signals(PANEL)
    assert "dtype" in fault.value.found


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.4, math.nan])
def test_a_fraction_of_equity_lies_in_nought_to_one(fraction: float) -> None:
    with pytest.raises(StrategyError, match="signals") as fault:
        signals(np.zeros(PANEL.close.shape), fraction).checked_signals(PANEL)
    assert fault.value.found == f"fraction={fraction}"


@pytest.mark.parametrize("value", [-0.1, 1.1, math.inf])
def test_a_target_that_cannot_be_meant_names_symbol_and_time(value: float) -> None:
    with pytest.raises(StrategyError) as fault:
        targets(with_value(70, 1, value)).checked_targets(TASK)
    assert PANEL.symbols[1] in fault.value.found
    assert str(value) in fault.value.found


def test_targets_that_sum_to_more_than_one_name_the_time() -> None:
    with pytest.raises(StrategyError) as fault:
        targets(with_value(80, 0, 0.8, rest=0.2)).checked_targets(TASK)
    day = str(PANEL.days[80])
    assert fault.value.found == "1.400000"
    assert f"{day[:4]}-{day[4:6]}-{day[6:]}" in str(fault.value.expected)


def test_targets_in_rows_nobody_asked_for_are_refused() -> None:
    with pytest.raises(StrategyError, match="targets") as fault:
        targets(with_value(61, 0, 0.1)).checked_targets(TASK)
    assert "task.rows" in str(fault.value.expected)


@given(st.lists(st.floats(0, 0.25), min_size=4, max_size=4))
def test_targets_that_can_be_meant_come_back_as_given(weights: list[float]) -> None:
    given_back = TASK.empty()
    given_back[ROWS] = weights
    assert np.array_equal(targets(given_back).checked_targets(TASK), given_back, equal_nan=True)


@given(st.integers(1, 9), st.integers(2, 40), st.integers(0, 1_000))
def test_crossings_equal_means_compared_the_plain_way(fast: int, more: int, seed: int) -> None:
    slow = fast + more
    close = np.random.default_rng(seed).integers(90, 110, (80, 2))
    found = sma_cross(close, fast, slow)
    for column in range(2):
        before = None
        for row in range(slow - 1, 80):
            quick, calm = (int(close[row + 1 - n : row + 1, column].sum()) for n in (fast, slow))
            gap = quick * slow - calm * fast
            wanted = 0 if before is None else int(gap > 0 >= before) - int(gap < 0 <= before)
            assert found[row, column] == wanted
            before = gap
    assert not found[: slow - 1].any()


@pytest.mark.parametrize(("fast", "slow"), [(0, 5), (5, 5), (9, 3)])
def test_lengths_of_means_that_do_not_fit_are_refused(fast: int, slow: int) -> None:
    with pytest.raises(StrategyError, match="lengths"):
        LIBRARY["sma_cross"](fast=fast, slow=slow).checked_signals(PANEL)


def test_signals_answer_a_view_by_its_newest_bar() -> None:
    newest = np.zeros(PANEL.close.shape, np.int8)
    newest[-1] = [1, 1, -1, -1]
    found = signals(newest).propose(view_of(PANEL, held=[0, 3, 3, 0])).targets
    assert found == {PANEL.symbols[0]: 0.02, PANEL.symbols[2]: 0.0}


def test_what_may_not_be_bought_is_not_entered() -> None:
    enter = signals(lambda panel: np.ones(panel.close.shape, np.int8))
    found = enter.propose(view_of(PANEL, tradable=np.array([True, False, True, False])))
    assert set(found.targets) == {PANEL.symbols[0], PANEL.symbols[2]}


def test_more_entries_than_equity_has_room_for_share_it() -> None:
    enter = signals(lambda panel: np.ones(panel.close.shape, np.int8), fraction=0.4)
    assert set(enter.propose(view_of(PANEL)).targets.values()) == {0.25}


def test_signals_prefer_the_minutes_of_a_view_and_need_a_bar() -> None:
    minutes = minute_panel(1, 4, seed=2)
    seen = []
    watching = signals(lambda panel: seen.append(len(panel)) or np.zeros(panel.close.shape, np.int8))
    watching.propose(view_of(PANEL, minutes=minutes))
    assert seen == [len(minutes)]
    nothing = empty_panel(PANEL.symbols)
    for form in (watching, LIBRARY["equal_weight"]()):
        assert form.propose(view_of(PANEL, daily=nothing, minutes=nothing)).targets == {}


@pytest.mark.parametrize("form", [SignalStrategy, TargetStrategy])
def test_a_form_without_its_method_says_so(form: type) -> None:
    with pytest.raises(NotImplementedError, match=form.__name__):
        form().checked_signals(PANEL) if form is SignalStrategy else form().checked_targets(TASK)
