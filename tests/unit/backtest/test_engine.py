import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.backtest import BacktestSettings, Listing, measure, run
from haetae.backtest.rebalance import desired_shares, orders_towards
from haetae.domain.market import Kind, Market
from haetae.domain.panel import Panel
from haetae.krx import FeeSchedule, Rulebook
from haetae.sim import FillModel
from panels import daily_panel, minute_panel


def _balanced(result):
    left = result.initial_cash - result.bought + result.sold - result.fees - result.taxes
    assert np.array_equal(left, result.cash)
    assert (result.cash >= 0).all()


def _random_targets(panel, rng, share):
    targets = np.full(panel.close.shape, np.nan)
    for row in np.flatnonzero(rng.random(len(panel)) < share):
        weights = rng.dirichlet(np.ones(len(panel.symbols))) * rng.uniform(0.2, 1.3)
        weights[rng.random(len(weights)) < 0.3] = 0.0
        weights[rng.random(len(weights)) < 0.2] = np.nan
        targets[row] = weights
    return targets


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.5, 1.0]), st.sampled_from([2_000, 500_000]))
def test_cash_balances_to_the_won_and_is_never_negative_on_daily_bars(seed, share, volume):
    panel = daily_panel(40, 6, seed=seed, volume=volume)
    result = run(panel, _random_targets(panel, np.random.default_rng(seed), share), name="x")
    _balanced(result)
    assert result.equity[-1] == result.cash[-1] + (result.shares * panel.close[-1]).sum()
    assert (result.shares >= 0).all()


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000))
def test_cash_balances_to_the_won_and_is_never_negative_on_minute_bars(seed):
    panel = minute_panel(2, 5, seed=seed, volume=3_000)
    result = run(panel, _random_targets(panel, np.random.default_rng(seed), 0.05), name="x")
    _balanced(result)
    assert result.equity[-1] == result.cash[-1] + (result.shares * panel.close[-1]).sum()


def test_an_order_meets_the_next_bar_and_never_its_own():
    panel = daily_panel(5, 1, seed=1)
    targets = np.full(panel.close.shape, np.nan)
    targets[1] = 1.0
    result = run(panel, targets, name="x", model=FillModel(slippage_ticks=0))
    assert result.bought[1] == 0 and result.bought[2] > 0
    assert result.bought[2] % panel.open[2, 0] == 0


def test_costs_are_those_of_the_rulebook():
    panel = daily_panel(6, 2, seed=2)
    targets = np.full(panel.close.shape, np.nan)
    targets[0] = [0.5, 0.4]
    targets[2] = 0.0
    listing = Listing(markets=[Market.KOSPI, Market.KOSDAQ], kinds=[Kind.COMMON, Kind.ETF])
    result = run(panel, targets, name="x", listing=listing)
    assert result.shares.tolist() == [0, 0]
    rules = Rulebook.on(panel.sessions()[3][0])
    assert rules.sale_tax_ppb(Market.KOSDAQ, Kind.ETF) == 0
    taxed = run(panel, targets, name="x")
    assert 0 < result.taxes[-1] < taxed.taxes[-1]
    assert abs(int(taxed.taxes[-1]) - int(taxed.sold[-1]) * rules.sale_tax_ppb(Market.KOSPI, Kind.COMMON) // 10**9) < 9
    free = run(panel, targets, name="x", listing=Listing(fees=FeeSchedule(fee_ppb=0)))
    assert free.fees[-1] == 0 < taxed.fees[-1]


def test_a_rebalance_from_full_to_full_is_done_within_a_day():
    panel = daily_panel(8, 4, seed=3)
    targets = np.full(panel.close.shape, np.nan)
    targets[0] = [0.5, 0.5, 0.0, 0.0]
    targets[3] = [0.0, 0.0, 0.5, 0.5]
    result = run(panel, targets, name="x")
    held = run(panel.rows(0, 5), targets[:5], name="x")
    assert held.shares[:2].tolist() == [0, 0]
    weights = held.shares * panel.close[4] / held.equity[-1]
    assert (weights[2:] > 0.45).all()
    assert measure(result).fill_rate > 0.95


def test_scarce_volume_is_worked_over_sessions_and_then_given_up():
    panel = daily_panel(12, 1, seed=4, volume=600)
    targets = np.full(panel.close.shape, np.nan)
    targets[0] = 1.0
    result = run(panel, targets, name="x")
    grows = np.flatnonzero(np.diff(result.bought) > 0) + 1
    assert grows.tolist() == [1, 2, 3]
    cap = (panel.volume[1:4, 0] // 3 // 10).sum() * 3
    assert result.shares[0] <= cap + 9


def test_results_do_not_depend_on_the_columns_order():
    panel = daily_panel(20, 5, seed=5)
    targets = _random_targets(panel, np.random.default_rng(5), 0.3)
    straight = run(panel, targets, name="x")
    order = np.array([3, 1, 4, 0, 2])

    def mixed(block):
        return np.ascontiguousarray(block[:, order])

    other = Panel(
        panel.symbols,
        panel.days,
        panel.start,
        panel.end,
        *(mixed(getattr(panel, n)) for n in ("open", "high", "low", "close", "volume", "traded")),
    )
    swapped = run(other, mixed(targets), name="x")
    assert np.array_equal(straight.equity, swapped.equity)
    assert np.array_equal(straight.shares[order], swapped.shares)


def test_future_bars_do_not_change_the_past():
    panel, altered = daily_panel(30, 4, seed=6), daily_panel(30, 4, seed=6, shock_from=20)
    targets = _random_targets(panel, np.random.default_rng(6), 0.3)
    a, b = run(panel, targets, name="x"), run(altered, targets, name="x")
    assert np.array_equal(a.equity[:20], b.equity[:20]) and np.array_equal(a.bought[:20], b.bought[:20])
    assert not np.array_equal(a.equity, b.equity)


def test_more_cost_never_means_more_money():
    panel = daily_panel(60, 4, seed=7)
    targets = _random_targets(panel, np.random.default_rng(7), 0.5)
    ends = [
        run(panel, targets, name="x", listing=Listing(fees=FeeSchedule(fee_ppb=fee))).equity[-1]
        for fee in (0, 1_000_000, 5_000_000)
    ]
    assert ends[0] > ends[1] > ends[2]


def test_holding_cash_costs_and_earns_nothing():
    panel = daily_panel(10, 2, seed=8)
    result = run(panel, np.full(panel.close.shape, np.nan), name="cash", settings=BacktestSettings(cash=123))
    assert (result.equity == 123).all() and result.orders == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000))
def test_rounding_is_downwards_and_buys_fit_into_cash(seed):
    rng = np.random.default_rng(seed)
    close = rng.integers(100, 900_000, 7)
    targets = rng.random((2, 7)) / 5
    shares = rng.integers(0, 50, (2, 7))
    equity = rng.integers(10**6, 10**12, 2)
    desired = shares.copy()
    lots = np.ones(7, np.int64)
    desired_shares(targets, equity, close, shares, lots, 0, 0, desired)
    assert (desired * close <= equity[:, None] * (targets + 1e-6)).all()
    cash = rng.integers(0, 10**9, 2)
    orders = np.empty_like(shares)
    upper = close * 13 // 10
    orders_towards(desired, shares, cash, upper, lots, 140_527, orders)
    need = (np.maximum(orders, 0) * upper).sum(axis=1)
    assert (need + need * 140_527 // 10**9 <= cash + 7).all()
    assert (orders * (desired - shares) >= 0).all()


def test_targets_of_another_shape_are_refused():
    with pytest.raises(ValueError):
        run(daily_panel(5, 2, seed=1), np.zeros((4, 2)), name="x")
