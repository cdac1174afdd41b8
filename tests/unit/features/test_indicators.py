"""The fused pass over a panel as a face: lengths that are refused, memory that is used again."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from haetae.domain.errors import StrategyError
from haetae.domain.panel import empty_panel
from haetae.features.indicators import Indicators, Lengths, indicators
from random_panels import minute_panel


@pytest.mark.parametrize(
    "wrong",
    [
        {"rsi": 0},
        {"atr": -3},
        {"stochastic": 2.5},
        {"bollinger_width": 0.0},
        {"macd_fast": 30},
        {"bollinger_width": float("nan")},
    ],
)
def test_lengths_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(StrategyError) as caught:
        Lengths(**wrong)
    assert caught.value.expected
    assert caught.value.found
    assert caught.value.next_step


def test_memory_is_used_again_and_holds_what_new_memory_would() -> None:
    panel, other = minute_panel(1, 3, 1, 60), minute_panel(2, 3, 1, 60)
    held = indicators(other)
    again = indicators(panel, into=held)
    fresh = indicators(panel)
    assert again is held
    for field in fields(Indicators):
        assert getattr(again, field.name).tobytes() == getattr(fresh, field.name).tobytes(), field.name


def test_memory_of_another_shape_is_refused() -> None:
    held = indicators(minute_panel(1, 3, 1, 60))
    with pytest.raises(StrategyError, match="do not fit"):
        indicators(minute_panel(1, 4, 1, 60), into=held)


def test_no_bars_give_no_values() -> None:
    assert indicators(empty_panel(("000010",))).rsi.shape == (0, 1)
    assert indicators(empty_panel()).vwap.shape == (0, 0)


def test_a_symbol_does_not_see_its_neighbours() -> None:
    panel = minute_panel(3, 3, 2, 60)
    alone = panel.columns(np.array([2]))
    for field in fields(Indicators):
        whole, own = getattr(indicators(panel), field.name)[:, 2], getattr(indicators(alone), field.name)[:, 0]
        assert whole.tobytes() == own.tobytes(), field.name
