"""Months, years, names and closed trips: they add up to the run, to the won."""

import dataclasses
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.backtest import BacktestSettings, by_name, by_period, measure, round_trips, run, trip_figures
from haetae.backtest.metrics import monthly_returns
from panels import daily_panel, minute_panel
from runs import filled, run_of


def _traded(seed, days=60, names=5, minutes=False):
    panel = minute_panel(2, names, seed=seed) if minutes else daily_panel(days, names, seed=seed)
    rng = np.random.default_rng(seed)
    targets = np.full(panel.close.shape, np.nan)
    for row in np.flatnonzero(rng.random(len(panel)) < (0.03 if minutes else 0.4)):
        weights = rng.dirichlet(np.ones(names))
        weights[rng.random(names) < 0.5] = 0.0
        targets[row] = weights
    return run(panel, targets, name="x", settings=BacktestSettings(min_order_won=0))


def plain_trips(result):
    """Trips the slow way: one name at a time, one fill at a time."""
    found = []
    for symbol in range(len(result.symbols)):
        held = profit = costs = bought = 0
        opened = None
        for fill in result.fills[result.fills["symbol"] == symbol]:
            opened = int(fill["row"]) if opened is None else opened
            held += int(fill["quantity"])
            bought += max(int(fill["quantity"]), 0)
            costs += int(fill["fee"] + fill["tax"])
            profit -= int(fill["quantity"] * fill["price"] + fill["fee"] + fill["tax"])
            if held == 0:
                found.append((symbol, opened, int(fill["row"]), bought, profit, costs))
                opened, profit, costs, bought = None, 0, 0, 0
    return found


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_names_add_up_to_the_change_of_the_account_to_the_won(seed):
    result = _traded(seed)
    names = by_name(result)
    assert sum(one.contribution for one in names) == result.equity[-1] - result.initial_cash
    assert sum(one.fees for one in names) == result.fees[-1]
    assert sum(one.taxes for one in names) == result.taxes[-1]
    assert sum(one.bought for one in names) == result.bought[-1]
    assert sum(one.sold for one in names) == result.sold[-1]
    assert sum(one.fills for one in names) == len(result.fills)
    assert {one.symbol: one.held for one in names if one.held} == {
        symbol: held for symbol, held in zip(result.symbols, result.shares.tolist(), strict=True) if held
    }
    assert [one.contribution for one in names] == sorted((one.contribution for one in names), reverse=True)


def test_names_of_minutes_add_up_too():
    result = _traded(3, minutes=True)
    assert sum(one.contribution for one in by_name(result)) == result.equity[-1] - result.initial_cash


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_trips_are_what_one_finds_fill_by_fill(seed):
    result = _traded(seed)
    found = round_trips(result)
    assert [tuple(row) for row in found.tolist()] == plain_trips(result)
    by_symbol = defaultdict(list)
    for row in found:
        by_symbol[result.symbols[row["symbol"]]].append(int(row["profit"]))
    for one in by_name(result):
        profits = by_symbol[one.symbol]
        assert one.trips == len(profits)
        assert math.isnan(one.hit_rate) if not profits else one.hit_rate == sum(p > 0 for p in profits) / len(profits)


def test_trips_that_were_won_lost_and_neither():
    # Name 0: bought 10 at 100, sold in two parts at 110 and 120; then 5 at 100 sold at 90.
    # Name 1: bought and sold at one price without costs. Name 0 is bought once more and kept.
    result = filled(
        [
            (0, 0, 10, 100, 1, 0),
            (0, 1, 3, 50, 0, 0),
            (1, 0, -4, 110, 1, 2),
            (2, 0, -6, 120, 1, 2),
            (2, 1, -3, 50, 0, 0),
            (3, 0, 5, 100, 0, 0),
            (5, 0, -5, 90, 1, 1),
            (6, 0, 7, 95, 0, 0),
        ]
    )
    trips = round_trips(result)
    assert trips["profit"].tolist() == [440 + 720 - 1000 - 7, 450 - 500 - 2, 0]
    assert trips["shares"].tolist() == [10, 5, 3]
    figures = trip_figures(result, trips)
    assert (figures.closed, figures.won, figures.lost) == (3, 1, 1)
    assert figures.hit_rate == pytest.approx(1 / 3)
    assert (figures.average_win, figures.average_loss) == (153.0, -52.0)
    assert figures.payoff == figures.profit_factor == pytest.approx(153 / 52)
    assert figures.holding_sessions == pytest.approx((2 + 2 + 2) / 3)


def test_without_closed_trips_there_is_nothing_to_rate():
    result = filled([(0, 0, 10, 100, 1, 0), (1, 0, -4, 110, 1, 2)])
    figures = trip_figures(result, round_trips(result))
    assert figures.closed == 0 and math.isnan(figures.hit_rate) and math.isnan(figures.profit_factor)


def test_a_result_without_fills_has_no_names_and_no_trips():
    assert by_name(run_of([0.1])) == () and len(round_trips(run_of([0.1]))) == 0


def test_months_and_years_compound_to_the_whole_and_add_up_to_the_costs():
    result = _traded(5, days=400)
    for periods in (by_period(result, None, yearly=False), by_period(result, None, yearly=True)):
        assert np.prod([1 + one.total_return for one in periods]) == pytest.approx(
            result.equity[-1] / result.initial_cash
        )
        assert sum(one.fees for one in periods) == result.fees[-1]
        assert sum(one.taxes for one in periods) == result.taxes[-1]
        assert sum(one.sessions for one in periods) == len(result.daily_days())
        assert min(one.max_drawdown for one in periods) >= measure(result).max_drawdown
    table = monthly_returns(result)
    assert len(by_period(result, None, yearly=False)) == sum(len(row) for row in table.values())
    for one in by_period(result, None, yearly=False):
        assert one.total_return == pytest.approx(table[one.period // 100][one.period % 100])


def test_turnover_of_a_year_is_what_was_traded_over_the_money_there_was():
    result = _traded(6, days=200)
    (year,) = by_period(result, None, yearly=True)
    traded = (result.bought[-1] + result.sold[-1]) / 2
    assert year.turnover == pytest.approx(traded / result.daily_equity().mean())


def test_a_benchmark_without_a_session_of_a_month_has_no_figure_there():
    run_, other = run_of(np.full(60, 0.001)), run_of(np.full(30, 0.002), "b")
    months = by_period(run_, other, yearly=False)
    assert months[0].benchmark == pytest.approx(1.002 ** (months[0].sessions - 1) - 1, abs=1e-9)
    assert math.isnan(months[-1].benchmark)


def test_the_drawdown_of_a_month_counts_from_where_it_began():
    returns = np.zeros(40)
    first = by_period(run_of(returns), None, yearly=False)[0].sessions
    returns[first - 1] = -0.05
    months = by_period(run_of(returns), None, yearly=False)
    assert months[0].max_drawdown == 0.0 and months[1].max_drawdown == pytest.approx(-0.05)


def test_fills_of_another_form_are_refused():
    with pytest.raises(ValueError, match="fills have fields"):
        dataclasses.replace(run_of([0.1]), fills=np.zeros(1, [("row", np.int64)]))
