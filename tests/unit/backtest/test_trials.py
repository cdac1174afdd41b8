"""Counting trials: all of them, their spread, and how many ideas they were."""

import math

import numpy as np
import pytest

from haetae.backtest import Trials, deflate, deflated_sharpe, minimum_track_record
from haetae.backtest.sharpe import expected_best, moments
from haetae.domain.errors import DataError

RNG = np.random.default_rng(21)
NOISE = RNG.normal(0, 0.01, (500, 30))


def test_the_number_is_that_of_all_trials_flat_ones_too():
    trials = Trials.from_sharpes([0.05, math.nan, -0.02, 0.01])
    assert trials.count == 4
    assert trials.spread(500) == pytest.approx(np.std([0.05, -0.02, 0.01], ddof=1))


def test_ratios_of_kept_returns_are_the_ratios_of_the_trials():
    trials = Trials.from_returns(NOISE)
    assert trials.sharpes.tolist() == pytest.approx((NOISE.mean(axis=0) / NOISE.std(axis=0, ddof=1)).tolist())


def test_an_unknown_spread_is_that_of_chance_and_not_none():
    returns = NOISE[:, 0] + 0.0012
    told = deflate(returns, Trials.counted(40))
    assert not told.spread_known
    assert told.probability == pytest.approx(deflated_sharpe(returns, 40, 1 / math.sqrt(499)))
    assert told.probability < told.positive - 0.05
    assert deflate(returns, Trials.counted(40, 0.03)).probability == deflated_sharpe(returns, 40, 0.03)


def test_copies_of_one_strategy_are_one_idea_and_independent_ones_are_many():
    base = NOISE[:, :1]
    copies = base + RNG.normal(0, 0.001, (500, 20))
    assert Trials.from_returns(copies).ideas().count == 1
    assert Trials.from_returns(NOISE).ideas().count == 30
    families = np.hstack([NOISE[:, k : k + 1] + RNG.normal(0, 0.002, (500, 5)) for k in range(4)])
    assert Trials.from_returns(families).ideas().count == 4


def test_runs_without_variance_are_one_idea_together():
    flat = np.zeros((500, 3))
    assert Trials.from_returns(np.hstack([NOISE[:, :2], flat])).ideas().count == 3
    assert Trials.from_returns(flat).ideas().count == 1
    assert Trials.from_returns(np.hstack([NOISE[:, :1], flat])).ideas().count == 2


def test_opposite_strategies_are_two_ideas():
    assert Trials.from_returns(np.column_stack([NOISE[:, 0], -NOISE[:, 0]])).ideas().count == 2


def test_the_order_of_trials_does_not_matter():
    families = np.hstack([NOISE[:, k : k + 1] + RNG.normal(0, 0.004, (500, 4)) for k in range(5)])
    shuffled = families[:, RNG.permutation(20)]
    one, other = (deflate(families[:, 0], Trials.from_returns(block)) for block in (families, shuffled))
    assert (one.ideas, one.trials) == (other.ideas, other.trials)
    assert one.ideas_probability == pytest.approx(other.ideas_probability)


def test_the_strict_reading_counts_every_trial():
    told = deflate(NOISE[:, 0], Trials.from_returns(NOISE))
    spread = np.array([moments(c).ratio for c in NOISE.T]).std(ddof=1)
    assert told.hurdle == pytest.approx(expected_best(30, spread) * math.sqrt(252))
    assert told.trials == 30 and told.spread_known
    good = NOISE[:, 0] + 0.004
    told = deflate(good, Trials.from_returns(NOISE))
    assert told.sessions_needed == pytest.approx(minimum_track_record(good, told.hurdle / math.sqrt(252)))
    assert told.sessions_needed > minimum_track_record(good) + 2


def test_without_returns_there_is_no_milder_reading():
    told = deflate(NOISE[:, 0], Trials.from_sharpes([0.1, 0.0]))
    assert told.ideas is None and told.ideas_probability is None


def test_very_many_trials_are_counted_but_not_grouped():
    block = np.random.default_rng(1).normal(0, 0.01, (4, 5_001))
    assert Trials.from_returns(block).ideas() is None
    assert Trials.from_returns(block[:, :100]).ideas() is not None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Trials.counted(0),
        lambda: Trials(1, np.array([0.1, 0.2])),
        lambda: Trials(2, np.zeros(0), NOISE[:, :3]),
        lambda: Trials.from_returns(np.where(NOISE > 0.02, np.nan, NOISE)),
    ],
)
def test_lists_that_do_not_fit_are_refused(make):
    with pytest.raises(DataError) as refused:
        make()
    assert refused.value.expected and refused.value.found and refused.value.next_step
