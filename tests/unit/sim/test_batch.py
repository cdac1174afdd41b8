"""What the array simulator promises beyond its twin: preparation, clipping, episodes, signals."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.domain.errors import DataError, MarketRuleError
from haetae.domain.market import Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.sim import FillModel, batch
from haetae.sim.batch import kernels
from markets import random_market

DAYS = list(trading_days(dt.date(2023, 1, 19), dt.date(2023, 1, 27)))


def flat(days: list[dt.date], prices: list[list[int]], volume: int = 1_000) -> Panel:
    """Return daily bars whose four prices are one; 0 is a day without trade."""
    closes = np.array(prices, dtype=np.int64)
    traded = closes > 0
    for t in range(1, len(closes)):
        closes[t] = np.where(traded[t], closes[t], closes[t - 1])
    sessions = [Rulebook.on(day).session for day in days]
    return Panel(
        tuple(f"{s:06d}" for s in range(closes.shape[1])),
        np.array([yyyymmdd(day) for day in days], dtype=np.int32),
        np.array([session.open_at for session in sessions]),
        np.array([session.close_at for session in sessions]),
        closes, closes.copy(), closes.copy(), closes.copy(),
        np.where(traded, volume, 0), traded,
    )  # fmt: skip


def test_prepared_limits_and_taxes_are_those_of_the_rulebook_each_day() -> None:
    rng = np.random.default_rng(5)
    panel, listed, bases = random_market(rng, DAYS, 12)
    market = batch.prepare(panel, listed, base_prices=bases)
    for d, day in enumerate(DAYS):
        for s, item in enumerate(listed.values()):
            rules = Rulebook.on(day)
            limits = rules.price_limits(int(bases[d, s]), item.kind, item.market)
            assert (market.frame.lower[d, s], market.frame.upper[d, s]) == limits
            assert market.frame.tax_ppb[d, s] == rules.sale_tax_ppb(item.market, item.kind)
            begins = market.frame.table[d, s]
            bounds, sizes = rules.tick_table(item.kind, item.market)
            assert np.array_equal(market.frame.bounds[begins : begins + len(bounds)], bounds)
            assert np.array_equal(market.frame.sizes[begins : begins + len(sizes)], sizes)


def test_without_base_prices_the_close_before_stands_in() -> None:
    market = batch.prepare(flat(DAYS[:3], [[10_000, 0], [11_000, 0], [0, 5_000]]))
    assert market.frame.upper[:, 0].tolist() == [13_000, 13_000, 14_300]
    assert market.frame.upper[:, 1].tolist() == [0, 0, 6_500]


def test_a_day_that_leaves_its_limits_had_another_base_price() -> None:
    market = batch.prepare(flat(DAYS[:2], [[50_000], [10_000]]))
    assert (market.frame.lower[1, 0], market.frame.upper[1, 0]) == (7_000, 13_000)


def test_preparing_refuses_what_does_not_fit_the_panel() -> None:
    panel = flat(DAYS[:2], [[50_000], [50_000]])
    with pytest.raises(DataError):
        batch.prepare(panel, {})
    with pytest.raises(DataError):
        batch.prepare(panel, markets=[Market.KOSPI, Market.KOSDAQ], kinds=[Kind.ETF])
    with pytest.raises(DataError):
        batch.prepare(panel, base_prices=np.zeros((3, 1), dtype=np.int64))


def test_orders_after_the_last_bar_of_a_day_meet_the_next_day() -> None:
    arrays = batch.Batch(batch.prepare(flat(DAYS[:3], [[10_000], [10_000], [10_000]])), 1, 10**7)
    arrays.advance(0)
    assert arrays.place(np.array([[30]])).tolist() == [[0]]
    arrays.advance(1)
    assert arrays.shares.tolist() == [[30]]


def test_an_order_that_met_no_trade_expires_with_its_session() -> None:
    arrays = batch.Batch(batch.prepare(flat(DAYS[:4], [[10_000], [10_000], [0], [10_000]])), 1, 10**7)
    arrays.advance(0)
    arrays.advance(1)
    arrays.place(np.array([[30]]))
    arrays.advance(2)
    assert arrays.working.tolist() == [[30]]
    arrays.advance(3)
    assert arrays.shares.tolist() == [[0]]
    assert arrays.working.tolist() == [[0]]
    assert arrays.reserved.tolist() == [0]


def test_affordable_quantities_are_all_admitted_and_one_share_more_is_not() -> None:
    rng = np.random.default_rng(9)
    panel, listed, bases = random_market(rng, DAYS, 12)
    market = batch.prepare(panel, listed, base_prices=bases)
    arrays = batch.Batch(market, 40, 3_000_000)
    for bar in range(len(panel)):
        wanted = rng.integers(-200, 400, (40, len(panel.symbols)))
        turns = np.argsort(rng.random(wanted.shape), axis=1)
        cut = arrays.affordable(wanted, turns=turns)
        assert (np.abs(cut) <= np.abs(wanted)).all()
        assert (cut * wanted >= 0).all()
        codes = arrays.place(cut, turns=turns)
        assert (codes[cut != 0] == 0).all()
        assert (arrays.cash >= arrays.reserved).all()
        arrays.advance(bar)
    rich = batch.Batch(market, 1, 3_000_000)
    most = rich.affordable(np.full((1, len(panel.symbols)), 10**6))
    assert (rich.place(most) != 6).all()
    more = most + (np.arange(len(panel.symbols)) == 0)
    rich.reset()
    assert 6 in rich.place(more)[0]


def test_environments_do_not_touch_one_another() -> None:
    rng = np.random.default_rng(2)
    panel, listed, bases = random_market(rng, DAYS[:2], 40)
    market = batch.prepare(panel, listed, base_prices=bases)
    wanted = rng.integers(-30, 60, (len(panel), 7, len(panel.symbols)))
    together = batch.Batch(market, 7, 20_000_000, keep_fills=True)
    alone = [batch.Batch(market, 1, 20_000_000) for _ in range(7)]
    for bar in range(len(panel)):
        for env, one in enumerate(alone):
            one.place(wanted[bar, env][None])
            one.advance(bar)
        together.place(wanted[bar])
        together.advance(bar)
        assert together.equity(bar).tolist() == [int(one.equity(bar)[0]) for one in alone]
    fills = together.fills
    spent = np.zeros(7, dtype=np.int64)
    np.add.at(spent, fills["env"], fills["quantity"] * fills["price"] + fills["fee"] + fills["tax"])
    assert (together.cash == 20_000_000 - spent).all()
    assert (together.fees == np.bincount(fills["env"], fills["fee"], 7)).all()


def test_an_episode_may_start_anywhere_and_bars_come_in_order() -> None:
    market = batch.prepare(flat(DAYS[:4], [[10_000]] * 4))
    arrays = batch.Batch(market, 1, 10**7, start=2)
    with pytest.raises(MarketRuleError):
        arrays.advance(1)
    arrays.place(np.array([[5]]))
    arrays.advance(2)
    with pytest.raises(MarketRuleError):
        arrays.advance(2)
    arrays.reset(1)
    assert (arrays.next_bar, arrays.cash.tolist(), arrays.shares.tolist()) == (1, [10**7], [[0]])


def test_what_the_twin_does_not_support_is_refused() -> None:
    market = batch.prepare(flat(DAYS[:2], [[10_000]] * 2))
    with pytest.raises(MarketRuleError):
        batch.Batch(market, 1, 10**7, FillModel(latency_ns=1))
    with pytest.raises(ValueError, match="quantities"):
        batch.Batch(market, 1, 10**7).place(np.array([1]))
    with pytest.raises(ValueError, match="limits"):
        batch.Batch(market, 3, 10**7).place(np.ones((3, 1), dtype=np.int64), np.ones((2, 1), dtype=np.int64))


def test_signals_trade_as_the_same_orders_placed_by_hand() -> None:
    rng = np.random.default_rng(4)
    panel, listed, bases = random_market(rng, DAYS, 60)
    market = batch.prepare(panel, listed, base_prices=bases)
    signal = rng.choice(np.array([-1, 0, 0, 0, 1], dtype=np.int8), panel.close.shape)
    walked = batch.run_signals(market, signal, 150_000, 50_000_000)
    arrays = batch.Batch(market, 1, 50_000_000, keep_fills=True)
    orders = 0
    for bar in range(len(panel)):
        arrays.advance(bar)
        equity = int(arrays.equity(bar)[0])
        assert walked.equity[bar] == equity
        for s in range(len(panel.symbols)):
            held, open_, close = int(arrays.shares[0, s]), int(arrays.working[0, s]), int(panel.close[bar, s])
            wanted = np.zeros((1, len(panel.symbols)), dtype=np.int64)
            if signal[bar, s] > 0 and held == 0 and open_ <= 0 and close > 0:
                wanted[0, s] = equity * 150_000 // 1_000_000 // close
            elif signal[bar, s] < 0 and open_ >= 0 and held:
                wanted[0, s] = -held
            elif signal[bar, s] < 0 and open_ > 0:
                arrays.place(-1 * (np.arange(len(panel.symbols)) == s)[None])
            if wanted.any():
                orders += int(arrays.place(wanted)[0, s] == 0)
    assert walked.n_orders == orders
    assert np.array_equal(walked.fills, arrays.fills)
    assert len(walked.fills) > 100
    assert (walked.cash, walked.fees, walked.taxes) == (arrays.cash[0], arrays.fees[0], arrays.taxes[0])
    assert walked.shares.tolist() == arrays.shares[0].tolist()


def test_a_signal_after_the_last_bar_changes_nothing() -> None:
    panel = flat(DAYS[:3], [[10_000]] * 3)
    signal = np.array([[0], [0], [1]], dtype=np.int8)
    walked = batch.run_signals(batch.prepare(panel), signal, 500_000, 10**7)
    assert walked.equity.tolist() == [10**7] * 3
    assert len(walked.fills) == 0
    with pytest.raises(ValueError, match="shape"):
        batch.run_signals(batch.prepare(panel), signal[:2], 500_000, 10**7)


def test_a_halt_keeps_orders_out_and_what_rests_unfilled() -> None:
    panel = flat(DAYS[:4], [[10_000]] * 4, volume=100)
    halted = np.array([[False], [True], [False], [False]])
    arrays = batch.Batch(batch.prepare(panel, halted=halted), 1, 10**7)
    assert arrays.place(np.array([[5]])).tolist() == [[0]]
    arrays.advance(0)
    assert arrays.affordable(np.array([[5]])).tolist() == [[0]]
    assert arrays.place(np.array([[5]])).tolist() == [[7]]
    arrays.advance(1)
    assert arrays.shares.tolist() == [[5]]
    assert arrays.place(np.array([[5]])).tolist() == [[0]]
    arrays.advance(2)
    assert arrays.shares.tolist() == [[10]]
    with pytest.raises(DataError, match="does not fit"):
        batch.prepare(panel, halted=halted[:2])


def test_a_resting_order_outlives_a_halt_within_its_session() -> None:
    panel, listed, bases = random_market(np.random.default_rng(8), DAYS[:1], 20)
    traded, volume = np.ones_like(panel.traded), np.full(panel.volume.shape, 50)
    halted = np.zeros(panel.close.shape, np.bool_)
    halted[1:4] = True
    open_, price = bases[0] + 0 * panel.open, bases[0] + 0 * panel.close
    flat_bars = Panel(panel.symbols, panel.days, panel.start, panel.end, open_, price.copy(), price.copy(), price,
                      volume, traded)  # fmt: skip
    arrays = batch.Batch(batch.prepare(flat_bars, listed, base_prices=bases, halted=halted), 1, 10**10)
    arrays.place(np.full((1, len(panel.symbols)), 12))
    held = []
    for bar in range(8):
        arrays.advance(bar)
        held.append(int(arrays.shares[0, 0]))
    assert held == [5, 5, 5, 5, 10, 12, 12, 12]


def test_lives_that_may_not_rest_end_with_their_first_bar() -> None:
    market = batch.prepare(flat(DAYS[:3], [[10_000, 10_000, 10_000]] * 3, volume=100))
    arrays = batch.Batch(market, 1, 10**7)
    forces = np.array([[kernels.REST, kernels.IOC, kernels.FOK]])
    assert arrays.place(np.array([[15, 15, 15]]), forces=forces).tolist() == [[0, 0, 0]]
    arrays.advance(0)
    assert arrays.shares.tolist() == [[10, 10, 0]]
    assert arrays.working.tolist() == [[5, 0, 0]]
    assert arrays.place(np.array([[0, 10, 10]]), forces=forces).tolist() == [[-1, 0, 0]]
    arrays.advance(1)
    assert arrays.shares.tolist() == [[10, 20, 10]], "the first expired with its day"
    assert arrays.reserved.tolist() == [0]


def test_a_call_auction_takes_only_orders_that_rest() -> None:
    panel, listed, bases = random_market(np.random.default_rng(8), DAYS[:1], 12)
    arrays = batch.Batch(batch.prepare(panel, listed, base_prices=bases), 1, 10**9, start=11)
    width = len(panel.symbols)
    codes = arrays.place(np.ones((1, width), np.int64), forces=np.full((1, width), kernels.IOC))
    assert codes.tolist() == [[8] * width]
    assert (arrays.place(np.ones((1, width), np.int64)) == 0).all()
