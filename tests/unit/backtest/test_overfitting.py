"""PBO by CSCV: equal to the plain way of doing it, and right where the answer is known."""

import itertools
import math
import statistics
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.backtest import overfitting
from haetae.domain.errors import DataError


def plainly(returns, blocks):
    """The paper's steps in plain Python: one half at a time, one trial at a time."""
    length = len(returns) // blocks
    used = [list(row) for row in returns[len(returns) - length * blocks :]]
    cut = [used[k * length : (k + 1) * length] for k in range(blocks)]
    trials = range(len(used[0]))

    def ratio(rows, trial):
        values = [row[trial] for row in rows]
        spread = statistics.stdev(values)
        return statistics.fmean(values) / spread if spread > 1e-12 else 0.0

    logits, pairs = [], []
    for half in itertools.combinations(range(blocks), blocks // 2):
        inside = [row for k in half for row in cut[k]]
        outside = [row for k in range(blocks) if k not in half for row in cut[k]]
        chosen = [ratio(inside, trial) for trial in trials]
        best = max(trials, key=lambda trial: (chosen[trial], -trial))
        there = [ratio(outside, trial) for trial in trials]
        rank = sum(x < there[best] for x in there) + (sum(x == there[best] for x in there) + 1) / 2
        relative = rank / (len(there) + 1)
        logits.append(math.log(relative / (1 - relative)))
        pairs.append((chosen[best], there[best]))
    return logits, pairs


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(2, 7), st.sampled_from([4, 6, 8]), st.integers(0, 5))
def test_it_is_what_the_plain_way_gives(seed, trials, blocks, spare):
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0003, 0.01, (blocks * 6 + spare % blocks, trials))
    logits, pairs = plainly(returns.tolist(), blocks)
    found = overfitting(returns, blocks=blocks)
    assert found.logits.tolist() == pytest.approx(logits)
    assert found.chosen.tolist() == pytest.approx([a for a, _ in pairs])
    assert found.elsewhere.tolist() == pytest.approx([b for _, b in pairs])
    assert found.probability == sum(x <= 0 for x in logits) / len(logits)
    assert found.loss == sum(b < 0 for _, b in pairs) / len(pairs)
    slope = statistics.linear_regression([a for a, _ in pairs], [b for _, b in pairs]).slope
    assert found.slope == pytest.approx(slope)


def test_choosing_among_noise_is_overfitting_about_half_the_time_or_more():
    rng = np.random.default_rng(1)
    found = [overfitting(rng.normal(0, 0.01, (480, 40)), blocks=8) for _ in range(30)]
    assert 0.4 < np.mean([one.probability for one in found]) < 0.75
    assert np.mean([one.slope for one in found]) < 0
    assert 0.4 < np.mean([one.loss for one in found]) < 0.75


def test_a_trial_that_is_truly_better_is_not_overfit():
    returns = np.random.default_rng(2).normal(0, 0.01, (960, 50))
    returns[:, 7] += 0.002
    found = overfitting(returns)
    assert found.probability < 0.01 and found.loss < 0.01
    assert len(found.logits) == 12_870


def test_trials_that_are_good_in_turns_are_overfit_every_time():
    # Each trial earns in one half of the blocks what it loses in the other.
    rng = np.random.default_rng(3)
    signs = np.array([1 if k in half else -1 for half in itertools.combinations(range(8), 4) for k in range(8)])
    returns = np.repeat(signs.reshape(-1, 8), 20, axis=1).T * 0.003 + rng.normal(0, 0.001, (160, 70))
    assert overfitting(returns, blocks=8).probability == 1.0


def test_sessions_that_do_not_fill_the_blocks_are_left_out_at_the_beginning():
    returns = np.random.default_rng(4).normal(0, 0.01, (103, 5))
    found, cut = overfitting(returns, blocks=10), overfitting(returns[3:], blocks=10)
    assert found.sessions == 100 and np.array_equal(found.logits, cut.logits)


def test_flat_trials_have_a_ratio_of_zero():
    returns = np.zeros((64, 3))
    returns[:, 1] = np.random.default_rng(5).normal(-0.01, 0.001, 64)
    found = overfitting(returns, blocks=8)
    assert not found.elsewhere.any() and math.isnan(found.slope)
    assert found.loss == 0.0


def test_scale_of_returns_does_not_matter_and_large_means_lose_no_variance():
    returns = np.random.default_rng(6).normal(0.5, 1e-5, (160, 6))
    small = overfitting(returns / 1000, blocks=8)
    assert small.logits.tolist() == pytest.approx(overfitting(returns, blocks=8).logits.tolist())
    assert overfitting(returns, blocks=8).chosen.tolist() == pytest.approx(
        [a for a, _ in plainly(returns.tolist(), 8)[1]], rel=1e-6
    )


@pytest.mark.parametrize(("shape", "blocks"), [((100, 1), 4), ((100,), 4), ((100, 3), 5), ((100, 3), 2), ((31, 3), 16)])
def test_what_cannot_be_cut_is_refused(shape, blocks):
    with pytest.raises(DataError):
        overfitting(np.zeros(shape), blocks=blocks)


def test_a_return_that_is_not_a_number_is_named():
    returns = np.zeros((64, 3))
    returns[5, 2] = np.nan
    with pytest.raises(DataError) as refused:
        overfitting(returns)
    assert "session 5 of trial 2" in refused.value.found


def test_a_hundred_trials_of_five_years_take_less_than_two_seconds():
    returns = np.random.default_rng(7).normal(0, 0.01, (1250, 100))
    began = time.process_time()
    assert len(overfitting(returns).logits) == 12_870
    assert time.process_time() - began < 2.0
