"""The sweep over costs and delays."""

import dataclasses
import math

import numpy as np
import pytest

from haetae.backtest import BacktestSettings, measure, run, stress
from panels import daily_panel
from runs import run_of


def _rerun(panel, targets):
    def rerun(cost_multiple_ppm, delay_bars):
        settings = BacktestSettings(cost_multiple_ppm=cost_multiple_ppm, delay_bars=delay_bars)
        return run(panel, targets, name="x", settings=settings)

    return rerun


@pytest.fixture(scope="module")
def market():
    panel = daily_panel(120, 4, seed=1, drift=0.002)
    targets = np.full(panel.close.shape, np.nan)
    rng = np.random.default_rng(2)
    for row in range(0, 110, 2):
        targets[row] = rng.dirichlet(np.ones(4))
    return panel, targets


def test_dearer_is_never_better_and_the_plain_run_is_in_both_tables(market):
    found = stress(_rerun(*market))
    returns = [one.total_return for one in found.costs]
    assert [one.cost_multiple_ppm for one in found.costs] == [0, 1_000_000, 1_500_000, 2_000_000]
    assert [one.delay_bars for one in found.delays] == [0, 1, 5]
    assert returns == sorted(returns, reverse=True) and len(set(returns)) == 4
    plain = measure(run(*market, name="x"))
    assert found.costs[1] == found.delays[0]
    assert found.costs[1].total_return == plain.total_return
    assert found.costs[1].costs == plain.fees_won + plain.taxes_won
    assert found.costs[0].costs == 0


def test_each_pair_is_run_once():
    asked = []

    def rerun(cost, delay):
        asked.append((cost, delay))
        return run_of([0.01])

    stress(rerun)
    assert sorted(asked) == [
        (0, 0),
        (1_000_000, 0),
        (1_000_000, 1),
        (1_000_000, 5),
        (1_500_000, 0),
        (2_000_000, 0),
    ]


def _by_cost(returns):
    return stress(lambda cost, _delay: run_of([returns[cost]]), costs_ppm=sorted(returns), delays=())


def test_the_break_even_cost_is_where_nothing_is_left():
    found = _by_cost({0: 0.3, 1_000_000: 0.1, 2_000_000: -0.1})
    assert found.break_even_ppm == pytest.approx(1_500_000)
    assert math.isinf(_by_cost({0: 0.3, 2_000_000: 0.1}).break_even_ppm)
    assert _by_cost({0: -0.1, 1_000_000: -0.3}).break_even_ppm == 0.0
    assert math.isnan(_by_cost({1_000_000: -0.1}).break_even_ppm)


def test_a_rerun_is_found_by_its_cost_and_delay():
    found = stress(lambda cost, delay: run_of([cost / 1e8 + delay / 1e3]))
    assert found.at(1_000_000, 5).total_return == pytest.approx(0.015)
    assert found.at(2_000_000, 5) is None
    assert dataclasses.asdict(found.at(2_000_000, 0))["total_return"] == pytest.approx(0.02)
