"""The plain subset of the array exchange and vectorbt, order by order: bar, symbol, side, size, price, cash, equity.

Plain means what both can say: fills of whole shares at one price, without slippage, volume cap or limits in reach. Our
orders meet the open of the next bar and vectorbt's the close of theirs, so each open here is the close before. Prices
are multiples of 1,000 won and the rates 0.1 % and 0.2 %, so that every fee and tax is a whole number of won.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from typing import Any

import numpy as np
import pytest

from haetae.domain.market import Kind
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import FeeSchedule, Rulebook, trading_days
from haetae.sim import FillModel, batch

pytestmark = pytest.mark.skipif(importlib.util.find_spec("vectorbt") is None, reason="vectorbt is not installed")
PLAIN = FillModel(volume_share_ppm=1_000_000, slippage_ticks=0)
CASH = 100_000_000_000
FEE, TAX = 1_000_000, 2_000_000
"""Parts per billion; the tax is the law's on these days."""
DAYS = trading_days(dt.date(2026, 3, 3), dt.date(2026, 4, 30))


def stepped(rng: np.random.Generator, width: int) -> Panel:
    """Return minute bars without auctions whose open is the close before; sessions of 40 bars."""
    rows = 40 * len(DAYS)
    close = np.maximum(200 + np.cumsum(rng.integers(-1, 2, (rows, width)), axis=0), 150) * 1_000
    opened = np.vstack([close[:1], close[:-1]])
    sessions = [Rulebook.on(day).session.minute_edges() for day in DAYS]
    start, end = (np.concatenate([edges[side][:40] for edges in sessions]) for side in (0, 1))
    stamp = np.repeat(np.array([yyyymmdd(day) for day in DAYS], np.int32), 40)
    names = tuple(f"{s:05d}0" for s in range(width))
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    volume = np.full(close.shape, 10**9)
    return Panel(names, stamp, start, end, opened, high, low, close, volume, np.ones(close.shape, np.bool_))


def records(portfolio: Any) -> list[tuple[int, int, int, int]]:
    """Return vectorbt's orders as ``(bar, column, signed shares, price)``."""
    rows = portfolio.orders.records
    signed = np.where(rows["side"] == 0, rows["size"], -rows["size"])
    return sorted(
        zip(*(np.rint(column).astype(int).tolist() for column in (rows["idx"], rows["col"], signed, rows["price"])),
            strict=True)
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_orders_of_given_sizes_agree_one_by_one(seed: int) -> None:
    import vectorbt as vbt

    rng = np.random.default_rng(seed)
    panel = stepped(rng, 6)
    market = batch.prepare(panel, fees=FeeSchedule(fee_ppb=FEE))
    accounts = batch.Batch(market, 1, CASH, PLAIN, keep_fills=True)
    rows, width = panel.close.shape
    sizes = np.full(panel.close.shape, np.nan)
    ours_cash, ours_equity = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    for bar in range(rows):
        if bar:
            held = accounts.shares[0]
            wanted = np.where(
                rng.random(width) < 0.5, rng.integers(1, 90, width), -(rng.integers(0, 90, width) % (held + 1))
            )
            wanted = np.where(rng.random(width) < 0.2, wanted, 0)
            assert (accounts.place(wanted[None])[0][wanted != 0] == 0).all()
            sizes[bar - 1] = np.where(wanted == 0, np.nan, wanted)
        accounts.advance(bar)
        ours_cash[bar] = accounts.cash[0]
    signs = np.where(np.nan_to_num(sizes) < 0, FEE + TAX, FEE) / 1e9
    theirs = vbt.Portfolio.from_orders(
        panel.close.astype(np.float64), size=sizes, fees=signs, init_cash=float(CASH), cash_sharing=True, group_by=True,
        freq="1min",
    )  # fmt: skip
    ours = sorted(
        (int(f["bar"]) - 1, int(f["symbol"]), int(f["quantity"]), int(f["price"])) for f in accounts.fills
    )  # fmt: skip
    assert len(ours) > 500
    assert ours == records(theirs)
    # Both paths are exact: whole won below 2**53. Ours are a bar later, for it is there that the order was met.
    assert np.rint(np.asarray(theirs.cash()).ravel()[:-1]).astype(int).tolist() == ours_cash[1:].tolist()
    shares = np.zeros((rows, width), np.int64)
    np.add.at(shares, (accounts.fills["bar"], accounts.fills["symbol"]), accounts.fills["quantity"])
    ours_equity[1:] = ours_cash[1:] + (np.cumsum(shares, axis=0)[1:] * panel.close[:-1]).sum(axis=1)
    assert np.rint(np.asarray(theirs.value()).ravel()[:-1]).astype(int).tolist() == ours_equity[1:].tolist()


def test_signals_agree_order_by_order_name_by_name() -> None:
    import vectorbt as vbt

    rng = np.random.default_rng(11)
    panel = stepped(rng, 5)
    signal = rng.choice(np.array([-1, 0, 0, 0, 1], np.int8), panel.close.shape)
    signal[39::40] = 0  # an order sent at the end of a session would meet the next one's limits
    found, cash = [], 0
    for s, name in enumerate(panel.symbols):
        blocks = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.traded)
        alone = Panel((name,), panel.days, panel.start, panel.end, *(block[:, s : s + 1].copy() for block in blocks))
        market = batch.prepare(alone, kinds=[Kind.ETF], fees=FeeSchedule(fee_ppb=0))
        walked = batch.run_signals(market, signal[:, s : s + 1], 300_000, CASH, PLAIN)
        found += [(int(f["bar"]) - 1, s, int(f["quantity"]), int(f["price"])) for f in walked.fills]
        cash += walked.cash
    theirs = vbt.Portfolio.from_signals(
        panel.close.astype(np.float64), signal > 0, signal < 0, size=0.3, size_type="percent", size_granularity=1.0,
        fees=0.0, init_cash=float(CASH), freq="1min",
    )  # fmt: skip
    assert len(found) > 500
    assert sorted(found) == records(theirs)
    assert cash == int(np.rint(np.asarray(theirs.cash())[-1].sum()))
