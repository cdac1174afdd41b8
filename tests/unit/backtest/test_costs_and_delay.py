"""Costs times a factor, orders that go out later, and the log of fills a run leaves."""

import numpy as np
import pytest

from haetae.backtest import BacktestSettings, Ground, Listing, by_name, run, run_strategy
from haetae.backtest.charges import scaled_costs
from haetae.backtest.result import FILLS
from haetae.domain.market import Kind
from haetae.policies.forms import SignalStrategy
from haetae.sim import FillModel
from panels import daily_panel, minute_panel


def _targets(panel, seed, share=0.3):
    rng = np.random.default_rng(seed)
    targets = np.full(panel.close.shape, np.nan)
    for row in np.flatnonzero(rng.random(len(panel)) < share):
        targets[row] = rng.dirichlet(np.ones(len(panel.symbols)))
    return targets


def _later(targets, bars):
    later = np.full(targets.shape, np.nan)
    later[bars:] = targets[: len(targets) - bars]
    return later


@pytest.mark.parametrize("panel", [daily_panel(40, 4, seed=1), minute_panel(1, 4, seed=2)], ids=["daily", "minute"])
@pytest.mark.parametrize("bars", [1, 5])
def test_a_delay_is_the_same_decisions_so_many_bars_later(panel, bars):
    targets = _targets(panel, 3)
    targets[-5:] = np.nan
    delayed = run(panel, targets, name="x", settings=BacktestSettings(delay_bars=bars))
    shifted = run(panel, _later(targets, bars), name="x")
    assert np.array_equal(delayed.equity, shifted.equity)
    assert np.array_equal(delayed.fills, shifted.fills)
    assert not np.array_equal(delayed.equity, run(panel, targets, name="x").equity)


def test_decisions_whose_order_would_come_after_the_last_bar_never_happen():
    panel = daily_panel(6, 2, seed=4)
    targets = np.full(panel.close.shape, np.nan)
    targets[3] = 0.4
    assert run(panel, targets, name="x", settings=BacktestSettings(delay_bars=5)).orders == 0


@pytest.mark.parametrize("ppm", [0, 1_500_000, 2_000_000])
def test_every_fill_is_charged_the_multiple_of_the_rates(ppm):
    panel = daily_panel(30, 3, seed=5)
    market = Listing().prepare(panel)
    result = run(panel, _targets(panel, 6), name="x", settings=BacktestSettings(cost_multiple_ppm=ppm))
    fills = result.fills
    amounts = np.abs(fills["quantity"]) * fills["price"]
    assert len(fills) > 20
    assert np.array_equal(fills["fee"], amounts * (market.fee_ppb * ppm // 1_000_000) // 10**9)
    rates = market.frame.tax_ppb[fills["row"], fills["symbol"]] * ppm // 1_000_000
    assert np.array_equal(fills["tax"], np.where(fills["quantity"] < 0, amounts * rates // 10**9, 0))


def test_slippage_is_scaled_to_whole_ticks_rounded_against_us():
    panel = daily_panel(4, 1, seed=7)
    targets = np.full(panel.close.shape, np.nan)
    targets[0] = 0.5
    paid = {}
    for ppm in (0, 1_000_000, 1_500_000, 2_000_000):
        settings = BacktestSettings(cost_multiple_ppm=ppm)
        paid[ppm] = run(panel, targets, name="x", settings=settings, model=FillModel(slippage_ticks=1)).fills["price"][
            0
        ]
    assert paid[0] == panel.open[1, 0]
    assert paid[0] < paid[1_000_000] < paid[1_500_000] == paid[2_000_000]


def test_a_market_without_tax_has_none_at_any_multiple():
    market = Listing(kinds=[Kind.ETF]).prepare(daily_panel(3, 1, seed=8))
    assert not scaled_costs(market, 2_000_000).frame.tax_ppb.any()
    assert scaled_costs(market, 1_000_000) is market


def test_what_is_not_as_usual_stands_among_the_assumptions():
    panel, none = daily_panel(3, 1, seed=9), np.full((3, 1), np.nan)
    usual = run(panel, none, name="x").assumptions
    other = run(panel, none, name="x", settings=BacktestSettings(delay_bars=2, cost_multiple_ppm=1_500_000)).assumptions
    assert "주문 지연" not in usual and "비용 배율" not in usual
    assert other["주문 지연"] == "2봉" and other["비용 배율"] == "1.5배"


class _Written(SignalStrategy):
    """Signals that are given."""

    def __init__(self, written):
        self._written = written
        self.fraction = 0.1

    policy_id = "written"

    def signals(self, panel):
        return self._written


def _ground(panel):
    return Ground(panel, 0, Listing(), np.ones(panel.close.shape, bool))


def test_signals_know_costs_delay_and_fills_as_targets_do():
    panel = minute_panel(1, 4, seed=13)
    written = np.random.default_rng(14).choice([-1, 0, 1], panel.close.shape, p=[0.02, 0.96, 0.02]).astype(np.int8)
    later = np.vstack([np.zeros_like(written[:3]), written[:-3]])
    plain = run_strategy(_Written(written), _ground(panel))
    delayed = run_strategy(_Written(written), _ground(panel), settings=BacktestSettings(delay_bars=3))
    assert np.array_equal(delayed.fills, run_strategy(_Written(later), _ground(panel)).fills)
    assert not np.array_equal(delayed.fills, plain.fills)
    free = run_strategy(_Written(written), _ground(panel), settings=BacktestSettings(cost_multiple_ppm=0))
    assert free.fees[-1] == free.taxes[-1] == 0 < plain.fees[-1]
    first = [run_.fills["price"][run_.fills["quantity"] > 0][:5].sum() for run_ in (free, plain)]
    assert first[0] < first[1]
    assert len(plain.fills) > 20
    assert np.array_equal(plain.fills["volume"], panel.volume[plain.fills["row"], plain.fills["symbol"]])
    assert plain.equity[-1] == plain.cash[-1] + (plain.shares * plain.marks).sum()
    assert sum(one.contribution for one in by_name(plain)) == plain.equity[-1] - plain.initial_cash


@pytest.mark.parametrize("wrong", [{"delay_bars": -1}, {"cost_multiple_ppm": -1}])
def test_orders_before_their_decision_and_costs_that_pay_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 0"):
        BacktestSettings(**wrong)


@pytest.mark.parametrize("panel", [daily_panel(25, 3, seed=10), minute_panel(1, 3, seed=11)], ids=["daily", "minute"])
def test_the_log_of_fills_tells_the_same_as_the_account(panel):
    result = run(panel, _targets(panel, 12), name="x")
    fills = result.fills
    assert fills.dtype == FILLS and len(fills) > 20
    amounts = fills["quantity"] * fills["price"]
    assert np.maximum(amounts, 0).sum() == result.bought[-1]
    assert np.maximum(-amounts, 0).sum() == result.sold[-1]
    assert (fills["fee"].sum(), fills["tax"].sum()) == (result.fees[-1], result.taxes[-1])
    held = np.zeros(len(panel.symbols), np.int64)
    np.add.at(held, fills["symbol"], fills["quantity"])
    assert np.array_equal(held, result.shares)
    assert np.array_equal(fills["volume"], panel.volume[fills["row"], fills["symbol"]])
    assert result.equity[-1] == result.cash[-1] + (result.shares * result.marks).sum()
    cash = np.zeros(len(panel), np.int64)
    np.add.at(cash, fills["row"], -amounts - fills["fee"] - fills["tax"])
    assert np.array_equal(result.initial_cash + np.cumsum(cash), result.cash)
