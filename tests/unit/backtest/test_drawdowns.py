"""Falls of a path, with their days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.backtest import drawdowns, measure
from haetae.backtest.drawdowns import calmar, drawdown, longest_below
from haetae.domain.units import day_from
from runs import DAYS, run_of


def test_drawdown_is_zero_at_peaks():
    assert drawdown(np.array([1.0, 2.0, 1.0, 2.0, 3.0])).tolist() == [0.0, 0.0, -0.5, 0.0, 0.0]


def test_two_falls_with_peak_trough_and_recovery():
    # Equity: 1, 1.1, 0.88, 0.99, 1.2, 1.08 on sessions 0 to 5; the last fall is still open.
    run = run_of([0.1, -0.2, 0.125, 1.2 / 0.99 - 1, -0.1])
    deep, shallow = drawdowns(run)
    assert deep.depth == pytest.approx(-0.2)
    assert (deep.peak, deep.trough, deep.recovery, deep.sessions) == (DAYS[1], DAYS[2], DAYS[4], 2)
    assert deep.calendar_days == (day_from(int(DAYS[4])) - day_from(int(DAYS[1]))).days
    assert shallow.depth == pytest.approx(-0.1)
    assert (shallow.peak, shallow.trough, shallow.recovery, shallow.sessions) == (DAYS[4], DAYS[5], None, 1)


def test_a_run_that_loses_from_the_start_falls_from_its_first_session():
    (fall,) = drawdowns(run_of([-0.1, -0.1]))
    assert (fall.peak, fall.trough, fall.recovery) == (DAYS[0], DAYS[2], None)


def test_a_fall_may_end_on_the_last_session():
    (fall,) = drawdowns(run_of([0.1, -0.1, 0.2]))
    assert (fall.trough, fall.recovery, fall.sessions) == (DAYS[2], DAYS[3], 1)


def test_a_run_that_never_falls_has_none():
    assert drawdowns(run_of(np.full(20, 0.001))) == ()


@given(st.integers(0, 10_000))
def test_the_deepest_and_the_longest_are_those_of_the_figures(seed):
    run = run_of(np.random.default_rng(seed).normal(0, 0.01, 120))
    falls = drawdowns(run, count=1_000)
    measured = measure(run)
    assert falls[0].depth == pytest.approx(measured.max_drawdown)
    assert max(fall.sessions for fall in falls) == measured.drawdown_sessions
    assert sum(fall.recovery is None for fall in falls) <= 1
    assert list(falls) == sorted(falls, key=lambda fall: fall.depth)


def test_lengths_of_no_fall_and_of_one_to_the_end():
    assert longest_below(np.zeros(5)) == 0
    assert longest_below(np.array([0.0, -0.1, -0.2])) == 2


def test_calmar_needs_a_fall():
    assert calmar(0.1, -0.2) == pytest.approx(0.5)
    assert np.isnan(calmar(0.1, 0.0))
