"""The grounds an audit makes: the past stays byte for byte, the rest changes wholly, and bars stay bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cheats
from haetae.backtest import Ground
from haetae.backtest.audit.chance import Null
from haetae.backtest.audit.futures import BLOCKS, perturbed_after, renamed, truncated_after
from haetae.backtest.audit.markets import of_chance, with_delisted
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.krx import Rulebook

PRICES = ("open", "high", "low", "close")


def bars_are_bars(panel: Panel) -> None:
    traded = panel.traded
    assert (panel.low[traded] > 0).all()
    for name in ("open", "close"):
        price = getattr(panel, name)
        assert ((price >= panel.low) & (price <= panel.high))[traded].all()
    assert (panel.volume[~traded] == 0).all()
    still = ~traded[1:]
    for name in PRICES:
        assert np.array_equal(getattr(panel, name)[1:][still], panel.close[:-1][still])


@settings(max_examples=25)
@given(st.integers(0, 148), st.sampled_from([0.5, -0.5]), st.integers(0, 99))
def test_a_changed_future_keeps_the_past_and_nothing_else(row: int, tilt: float, seed: int) -> None:
    ground = cheats.ground()
    other = perturbed_after(ground, row, np.random.default_rng(seed), tilt)
    bars_are_bars(other.panel)
    for name in BLOCKS:
        assert np.array_equal(getattr(other.panel, name)[: row + 1], getattr(ground.panel, name)[: row + 1])
    assert np.array_equal(other.eligible[: row + 1], ground.eligible[: row + 1])
    traded = other.panel.traded[row + 1 :]
    for name in (*PRICES, "volume"):
        moved = getattr(other.panel, name)[row + 1 :] != getattr(ground.panel, name)[row + 1 :]
        assert moved[traded].mean() > 0.95
    rise = np.log(other.panel.close[row + 1 :][traded] / ground.panel.close[row + 1 :][traded])
    assert (np.sign(rise) == np.sign(tilt)).all(), "whatever leans on a later price must move in one of the two"


@pytest.mark.parametrize("row", [381, 600, 761, 762, 1000])
def test_a_changed_future_of_minutes_leaves_the_sessions_that_were_over(row: int) -> None:
    ground = cheats.minute_ground()
    known = ground.daily.days < ground.panel.days[row]
    if row + 1 < len(ground.panel) and ground.panel.days[row + 1] != ground.panel.days[row]:
        known |= ground.daily.days == ground.panel.days[row]
    other = perturbed_after(ground, row, np.random.default_rng(1), 0.5)
    assert np.array_equal(other.daily.close[known], ground.daily.close[known])
    assert (other.daily.close[~known] != ground.daily.close[~known]).mean() > 0.7
    cut = truncated_after(ground, row)
    assert cut is None or np.array_equal(cut.daily.days, ground.daily.days[known])


def test_a_cut_ground_leads_to_no_later_bar() -> None:
    cut = truncated_after(cheats.ground(), 100)
    assert cut is not None
    assert len(cut.panel) == 101
    assert cut.panel.close.base is None
    assert truncated_after(cheats.ground(), cheats.ground().first) is None


@given(st.permutations(range(12)))
@settings(max_examples=20)
def test_names_dealt_out_twice_come_home(order: list[int]) -> None:
    ground = cheats.ground()
    there = np.array(order)
    back = renamed(renamed(ground, there), np.argsort(there))
    for name in BLOCKS:
        assert np.array_equal(getattr(back.panel, name), getattr(ground.panel, name))
    assert np.array_equal(renamed(ground, there).panel.close[:, 0], ground.panel.close[:, there[0]])


@pytest.mark.parametrize("null", list(Null))
@pytest.mark.parametrize("ground", [cheats.ground(), cheats.minute_ground()], ids=["daily", "minute"])
def test_a_market_of_chance_is_a_market_on_the_grid(null: Null, ground: Ground) -> None:
    made = of_chance(ground, null, len(ground.panel) - 5, np.random.default_rng(3))
    bars_are_bars(made.panel)
    assert len(made.panel) == len(ground.panel) - 5
    rules = Rulebook.on(day_from(int(made.panel.days[-1])))
    assert all(rules.on_grid(int(price)) for name in PRICES for price in getattr(made.panel, name)[-1])


def test_nothing_can_be_foreseen_in_the_mean() -> None:
    ground = cheats.ground()
    dice = np.random.default_rng(5)
    for null in Null:
        moves = []
        for _ in range(12):
            close = of_chance(ground, null, 150, dice).panel.close.astype(float)
            moves.append(close[1:] / close[:-1] - 1.0)
        whole = np.concatenate(moves)
        error = whole.std() / np.sqrt(whole.size / 12)  # names move together
        assert abs(whole.mean()) < 3 * error
        again = np.concatenate([each[1:].ravel() for each in moves])
        before = np.concatenate([each[:-1].ravel() for each in moves])
        assert abs(np.corrcoef(before, again)[0, 1]) < 0.05


@pytest.mark.parametrize("ground", [cheats.ground(), cheats.minute_ground()], ids=["daily", "minute"])
def test_a_delisted_name_falls_by_the_limit_and_never_trades_again(ground: Ground) -> None:
    made = with_delisted(ground, 2, np.random.default_rng(4))
    panel = made.ground.panel
    bars_are_bars(panel)
    old = [panel.symbols.index(symbol) for symbol in ground.panel.symbols]
    assert np.array_equal(panel.close[:, old], ground.panel.close)
    for symbol, end in zip(made.symbols, made.ends, strict=True):
        column = panel.symbols.index(symbol)
        assert panel.traded[end - 1 if ground.is_daily else 0, column]
        assert not panel.traded[end:, column].any()
        assert not made.ground.eligible[end:, column].any()
        day = panel.days[end - 1]
        fall = np.flatnonzero(panel.days == day)
        lower, _upper = Rulebook.on(day_from(int(day))).price_limits(int(panel.close[fall[0] - 1, column]))
        assert set(panel.close[fall, column].tolist()) == {lower}
        assert int(panel.volume[fall, column].sum()) == 1
