"""Walk-forward windows and the joined path; the judgement of the best."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.backtest import BacktestSettings, run_strategy
from haetae.backtest.sharpe import deflated_sharpe
from haetae.backtest.sweep.folds import WalkForward, folds_of, read_walk
from haetae.backtest.sweep.luck import judge
from haetae.backtest.sweep.stitching import sold_out, stitch
from haetae.backtest.sweep.work import window
from haetae.domain.errors import ConfigError
from haetae.domain.market import Kind, Market
from haetae.krx import Rulebook
from haetae.policies.library import BuyAndHold, Cash, SmaCross
from haetae.sim import FillModel
from panels import daily_panel, minute_panel
from rigs.sweeping import stretch, stretch_on


@pytest.mark.parametrize(
    ("text", "walk"),
    [
        ("train=504d,test=126d", WalkForward(504, 126, 126)),
        ("train=504,test=126,step=252d,anchored", WalkForward(504, 126, 252, anchored=True)),
        ("test=21d, train=60d, embargo=5d", WalkForward(60, 21, 21, embargo=5)),
    ],
)
def test_windows_are_read(text: str, walk: WalkForward) -> None:
    assert read_walk(text) == walk


@pytest.mark.parametrize(
    "text",
    ["", "train=504d", "test=5d", "train=504d,test=126d,step=21d", "train=5d,test=5d", "train=60d,test=1d",
     "train=60d,train=70d,test=9d", "train=60d,test=9d,anchored,anchored", "train=60m,test=9d", "train=-60d,test=9d"],
)  # fmt: skip
def test_windows_that_cannot_be_meant_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read_walk(text)


@given(
    st.integers(20, 60), st.integers(2, 20), st.integers(0, 10), st.integers(0, 5), st.booleans(), st.integers(90, 200),
    st.integers(0, 30), st.sampled_from([1, 3]),
)  # fmt: skip
@settings(max_examples=80)
def test_folds_move_forward_and_no_test_touches_its_train(
    train: int, test: int, gap: int, embargo: int, anchored: bool, sessions: int, first_session: int, rows: int
) -> None:
    days = np.repeat(np.arange(20_240_000, 20_240_000 + sessions + first_session, dtype=np.int32), rows)
    first = first_session * rows
    folds = folds_of(days, first, WalkForward(train, test, test + gap, anchored, embargo))
    for fold in folds:
        chosen, traded = np.unique(days[slice(*fold.train)]), np.unique(days[slice(*fold.test)])
        assert traded[0] - chosen[-1] == embargo + 1
        assert 2 <= len(traded) <= test
        assert chosen[0] == days[first] if anchored else len(chosen) == train
        assert fold.train[0] >= first
    for before, after in pairwise(folds):
        assert days[after.test[0]] - days[before.test[0]] == test + gap
        assert after.test[0] >= before.test[1]
    left = len(days) - folds[-1].test[1]
    assert left < (gap + 2) * rows or len(np.unique(days[slice(*folds[-1].test)])) == test


def test_too_few_sessions_for_one_fold_are_refused() -> None:
    days = np.arange(20_240_101, 20_240_161, dtype=np.int32)
    assert len(folds_of(days, 0, WalkForward(58, 10, 10))) == 1
    with pytest.raises(ConfigError, match="do not fit"):
        folds_of(days, 0, WalkForward(59, 10, 10))


def test_a_window_ends_where_it_says_and_looks_back_to_the_beginning() -> None:
    panel = minute_panel(6, 3, 4)
    ground = stretch_on(panel, first=381).ground
    ground = dataclasses.replace(ground, daily=daily_panel(30, 3, 1))
    part = window(ground, 381 * 2, 381 * 4)
    assert (part.first, len(part.panel)) == (762, 1_524)
    assert len(part.eligible) == 1_524
    assert (part.daily.days <= part.panel.days[-1]).all()
    assert window(ground, 381, len(panel)) is ground


def test_given_base_prices_follow_their_sessions_into_a_window() -> None:
    ground = stretch(40, 3, first=10).ground
    given_bases = np.arange(90).reshape(30, 3)
    ground = dataclasses.replace(ground, listing=dataclasses.replace(ground.listing, base_prices=given_bases))
    np.testing.assert_array_equal(window(ground, 15, 25).listing.base_prices, given_bases[5:15])


def test_a_window_run_equals_a_run_on_bars_that_end_there() -> None:
    whole = stretch(200, 4)
    shorter = stretch_on(whole.ground.panel.rows(0, 150))
    found = run_strategy(SmaCross(fast=3, slow=10), window(whole.ground, 60, 150))
    wanted = run_strategy(SmaCross(fast=3, slow=10), shorter.ground)
    np.testing.assert_array_equal(found.equity, wanted.equity)


def test_selling_out_pays_fee_tax_and_slippage_to_the_won() -> None:
    ground = stretch(120, 3).ground
    held = run_strategy(BuyAndHold(), ground)
    assert held.shares.any()
    sold = sold_out(held, ground)
    rules = Rulebook.on(ground.panel.sessions()[-1][0])
    market = ground.listing.prepare(ground.traded)
    wanted = int(held.cash[-1])
    for place in range(3):
        close, quantity = int(ground.panel.close[-1, place]), int(held.shares[place])
        bounds, sizes = rules.tick_table(Kind.COMMON, Market.KOSPI)
        tick = int(sizes[np.searchsorted(bounds, close - 1, side="right")])
        amount = quantity * (close - tick * FillModel().slippage_ticks)
        wanted += amount - amount * market.fee_ppb // 10**9 - amount * int(market.frame.tax_ppb[-1, place]) // 10**9
    assert int(sold.equity[-1]) == int(sold.cash[-1]) == wanted < int(held.equity[-1])
    assert not sold.shares.any()
    np.testing.assert_array_equal(sold.equity[:-1], held.equity[:-1])
    parting = sold.fills[len(held.fills) :]
    assert (parting["row"] == len(held.days) - 1).all()
    assert -(parting["quantity"]).sum() == held.shares.sum()
    balance = sold.initial_cash - sold.bought[-1] + sold.sold[-1] - sold.fees[-1] - sold.taxes[-1]
    assert balance == sold.cash[-1]


def test_joined_windows_are_one_account() -> None:
    ground = stretch(200, 4).ground
    first = sold_out(run_strategy(SmaCross(fast=3, slow=10), window(ground, 80, 120)), window(ground, 80, 120))
    second = run_strategy(
        SmaCross(fast=5, slow=20),
        window(ground, 120, 160),
        settings=BacktestSettings(cash=int(first.equity[-1])),
    )
    path = stitch([first, second], "both")
    assert len(path.days) == 80
    growth = np.prod(1 + first.daily_returns()) * np.prod(1 + second.daily_returns())
    assert path.equity[-1] / path.initial_cash == pytest.approx(growth)
    assert path.fees[-1] == first.fees[-1] + second.fees[-1]
    assert path.orders == first.orders + second.orders
    bought = np.where(path.fills["quantity"] > 0, path.fills["quantity"] * path.fills["price"], 0)
    by_row = np.bincount(path.fills["row"], bought, len(path.days)).cumsum()
    np.testing.assert_array_equal(by_row, path.bought)
    cash = path.initial_cash - path.bought + path.sold - path.fees - path.taxes
    np.testing.assert_array_equal(cash, path.cash)


def test_windows_that_do_not_join_are_refused() -> None:
    ground = stretch(200, 4).ground
    first, second = (run_strategy(Cash(), window(ground, *rows)) for rows in ((80, 120), (120, 160)))
    stitch([first, second], "both")
    with pytest.raises(ValueError, match="the run before ended"):
        stitch([second, first], "both")
    with pytest.raises(ValueError, match="won after"):
        stitch([dataclasses.replace(first, equity=first.equity + 1), second], "both")
    with pytest.raises(ValueError, match="won after"):
        stitch([dataclasses.replace(first, shares=first.shares + 1), second], "both")


def test_the_best_of_noise_is_not_told_from_luck_and_a_strong_one_is() -> None:
    dice = np.random.default_rng(1)
    noise = dice.normal(0, 0.01, (500, 60))
    sharpes = noise.mean(axis=0) / noise.std(axis=0, ddof=1)
    best = noise[:, sharpes.argmax()]
    luck = judge(best, sharpes, noise)
    assert luck.trials == 60
    assert not luck.is_told_from_luck
    assert "cannot be told" in luck.verdict.en
    assert judge(best, sharpes[sharpes.argmax() :][:1], noise).deflated > luck.deflated
    assert luck.overfitting > 0.2
    strong = judge(best + 0.004, np.append(sharpes, 0.4), np.column_stack([noise, best + 0.004]))
    assert strong.overfitting < 0.01
    assert strong.is_told_from_luck
    assert "구별할 수 없습니다" not in strong.verdict.ko


def test_a_high_probability_of_overfitting_overrules_the_deflated_ratio() -> None:
    dice = np.random.default_rng(2)
    best = dice.normal(0.005, 0.01, 500)
    returns = np.column_stack([best, dice.normal(0, 0.01, 500)])
    sharpes = np.array([0.5, 0.0])
    assert judge(best, sharpes, returns, lambda _: 0.01).is_told_from_luck
    doubted = judge(best, sharpes, returns, lambda _: 0.4)
    assert not doubted.is_told_from_luck
    assert "PBO 40.0%" in doubted.verdict.en


def test_in_which_order_trials_were_finished_changes_no_bit() -> None:
    dice = np.random.default_rng(4)
    best, sharpes = dice.normal(0.001, 0.01, 300), dice.normal(0.0, 0.06, 40)
    found = {judge(best, dice.permutation(sharpes), best[:, None], lambda _: 0.5) for _ in range(50)}
    assert len(found) == 1


def test_undefined_ratios_are_left_out_of_the_spread_but_count_as_trials() -> None:
    best = np.random.default_rng(3).normal(0.001, 0.01, 300)
    sharpes = np.array([0.1, math.nan, -0.1, 0.05])
    luck = judge(best, sharpes, best[:, None])
    assert luck.trials == 4
    assert luck.trial_sharpe_sd == pytest.approx(np.std([0.1, -0.1, 0.05], ddof=1))
    assert luck.deflated == pytest.approx(deflated_sharpe(best, 4, luck.trial_sharpe_sd))
    assert math.isnan(luck.overfitting)
