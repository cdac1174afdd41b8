"""A backtest by target weights equals the same walk written out with the venue and the ledger.

The second walk shares no line with ``haetae.backtest``: plain integers for shares and cash shares,
one order per symbol and bar through ``sim.accept``, fills into a ``Book``. Every bar is compared.
"""

import datetime as dt

import numpy as np
import pytest

from haetae.backtest import BacktestSettings, Listing, run
from haetae.domain.events import Cancel, Submit
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.orders import Accepted, ClearedOrder, Filled, OrderIntent, OrderKind, Side
from haetae.krx import Rulebook
from haetae.ledger import apply_fill, mark, open_book
from haetae.sim import accept, close_day, open_day, open_venue, step
from panels import minute_panel

CLASSES = [(Market.KOSPI, Kind.COMMON), (Market.KOSDAQ, Kind.COMMON), (Market.KOSPI, Kind.ETF)]
SETTINGS = BacktestSettings(cash=20_000_000, work_bars=4, min_order_won=30_000, cash_floor_ppm=10_000)


def _listed(panel):
    return {
        symbol: Instrument(symbol, symbol, *CLASSES[n % 3], dt.date(2000, 1, 4), int(panel.open[0, n]), 10**6)
        for n, symbol in enumerate(panel.symbols)
    }


def _targets(panel, rng):
    targets = np.full(panel.close.shape, np.nan)
    for row in rng.choice(len(panel) - 30, 60, replace=False):
        if row % 381 < 360:  # an order after the close waits for nobody
            weights = rng.dirichlet(np.ones(len(panel.symbols))) * rng.uniform(0.3, 1.2)
            weights[rng.random(len(weights)) < 0.25] = 0.0
            weights[rng.random(len(weights)) < 0.2] = np.nan
            targets[row] = weights
    return targets


class Account:
    """Venue and book of one account, walked by hand."""

    def __init__(self, panel, listed):
        self.panel, self.listed = panel, listed
        self.rules = Rulebook.on(panel.sessions()[0][0])
        self.venue = open_venue(self.rules, listed, SETTINGS.cash)
        self.book = open_book(SETTINGS.cash)
        self.want: dict[str, int] = {}
        self.left = self.sent = 0

    def decide(self, row, weights):
        prices = dict(zip(self.panel.symbols, self.panel.close[row].tolist(), strict=True))
        equity = mark(self.book, prices).equity
        investable = equity - equity * SETTINGS.cash_floor_ppm // 10**6
        if not self.left:
            self.want = {s: self.book.quantity(s) for s in self.panel.symbols}
        for symbol, weight in zip(self.panel.symbols, weights.tolist(), strict=True):
            if weight != weight:
                continue
            shares = investable * round(weight * 10**6) // 10**6 // prices[symbol]
            held = self.book.quantity(symbol)
            small = shares and abs(shares - held) * prices[symbol] < SETTINGS.min_order_won
            self.want[symbol] = held if small else shares
        self.left = SETTINGS.work_bars

    def order(self, at):
        for order in list(self.venue.open_orders()):
            self.venue, _ = accept(self.venue, Cancel(order.intent_id, at, "next bar"), at)
        missing = {s: self.want[s] - self.book.quantity(s) for s in self.panel.symbols}
        fee = self.rules.fee_ppb
        need = 0
        for symbol, shares in missing.items():
            if shares > 0:
                amount = shares * self.venue.limits[symbol][1]
                need += amount + amount * fee // 10**9
        part = min(10**6, self.book.cash * 10**6 // need) if need > self.book.cash else 10**6
        for symbol, shares in missing.items():
            wanted = shares * part // 10**6 if shares > 0 else -shares
            if wanted:
                self.sent += 1
                side = Side.BUY if shares > 0 else Side.SELL
                intent = OrderIntent(f"i{self.sent}", "d", symbol, side, wanted, OrderKind.MARKET, 0, at)
                self.venue, (answer,) = accept(self.venue, Submit(ClearedOrder(intent, wanted, at, ())), at)
                assert isinstance(answer, Accepted)

    def live(self, row):
        piece = self.panel.slice_at(row)
        if self.left:
            self.order(piece.start)
        self.venue, events = step(self.venue, piece)
        for event in events:
            if isinstance(event, Filled):
                item = self.listed[event.fill.symbol]
                charge = self.rules.charge_fill(event.fill, item.market, item.kind)
                self.book = apply_fill(self.book, event.fill, charge, self.rules.settle_on())
        if self.left:
            arrived = all(self.book.quantity(s) == n for s, n in self.want.items())
            self.left = 0 if arrived else self.left - 1

    def turn(self, day, row):
        self.venue, _ = close_day(self.venue, self.rules.session.close_at)
        self.rules = Rulebook.on(day)
        bases = dict(zip(self.panel.symbols, self.panel.close[row - 1].tolist(), strict=True))
        self.venue = open_day(self.venue, self.rules, bases)


@pytest.mark.parametrize(("seed", "volume"), [(1, 20_000), (2, 900), (3, 150)])
def test_equity_cash_fees_and_taxes_agree_at_every_bar(seed, volume):
    panel = minute_panel(2, 6, seed=seed, volume=volume)
    listed = _listed(panel)
    targets = _targets(panel, np.random.default_rng(seed))
    result = run(panel, targets, name="x", listing=Listing(instruments=listed), settings=SETTINGS)
    account = Account(panel, listed)
    firsts = {first: day for day, first, _last in panel.sessions()[1:]}
    for row in range(len(panel)):
        if row in firsts:
            account.turn(firsts[row], row)
        account.live(row)
        if not np.isnan(targets[row]).all():
            account.decide(row, targets[row])
        prices = dict(zip(panel.symbols, panel.close[row].tolist(), strict=True))
        book = account.book
        assert mark(book, prices).equity == result.equity[row], row
        assert (book.cash, book.fees, book.taxes) == (result.cash[row], result.fees[row], result.taxes[row])
    assert [account.book.quantity(s) for s in panel.symbols] == result.shares.tolist()
    assert result.bought[-1] > SETTINGS.cash // 4 and result.taxes[-1] > 0
