"""How much money a strategy carries."""

import numpy as np
import pytest

from haetae.backtest import BacktestSettings, measure, participation, run
from haetae.sim import FillModel
from panels import daily_panel
from runs import filled, run_of


def test_one_fill_scales_to_the_share_asked_for():
    # 10 shares of a bar of 1,000 are 1 %: at 1 % the account carries itself, at 10 % ten times itself.
    found = participation(filled([(0, 0, 10, 100, 0, 0)], volume=1_000))
    equity = 10_000_000
    assert (found.median, found.largest) == (pytest.approx(0.01), pytest.approx(0.01))
    assert [one.account for one in found.capacities] == pytest.approx([equity, 5 * equity, 10 * equity])
    assert [one.first_beyond for one in found.capacities] == [one.account for one in found.capacities]


def test_one_thin_bar_decides_the_first_beyond_but_not_the_account():
    thick = [(row, 0, 10, 100, 0, 0, 100_000) for row in range(40)]
    found = participation(filled([*thick, (5, 1, 10, 100, 0, 0, 100)]))
    ten = found.capacities[2]
    assert ten.first_beyond == pytest.approx(10_000_000)
    assert ten.account == pytest.approx(10_000_000 * 1_000)
    assert found.largest == pytest.approx(0.1) and found.within_95 == pytest.approx(1e-4)


def test_buys_and_sales_of_a_name_in_one_bar_count_together():
    both = participation(filled([(0, 0, 10, 100, 0, 0), (0, 0, -10, 100, 0, 0)], volume=1_000))
    assert both.largest == pytest.approx(0.02)


def test_without_fills_there_is_no_capacity():
    assert participation(run_of([0.1])) is None


def test_an_account_at_the_first_beyond_goes_beyond_and_one_below_does_not():
    panel = daily_panel(40, 4, seed=3, volume=200_000)
    targets = np.full(panel.close.shape, np.nan)
    rng = np.random.default_rng(4)
    for row in range(0, 38, 4):
        targets[row] = rng.dirichlet(np.ones(4))
    no_limit = FillModel(volume_share_ppm=1_000_000, slippage_ticks=0)

    def largest(cash):
        settings = BacktestSettings(cash=cash, min_order_won=0)
        result = run(panel, targets, name="x", model=no_limit, settings=settings)
        assert measure(result).fill_rate > 0.8
        return participation(result)

    beyond = largest(100_000_000).capacities[0].first_beyond
    assert largest(int(beyond * 0.97)).largest < 0.0101
    assert largest(int(beyond * 1.06)).largest > 0.0101
