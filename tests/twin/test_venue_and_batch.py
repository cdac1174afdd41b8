"""The event-driven venue with the ledger, and the array kernel, agree to the won.

Both get the same random bars and the same random orders; after every bar cash, shares, fees,
taxes, reserved cash and every fill are compared, and every answer of the broker to an order.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.domain.events import Cancel, Submit
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.orders import Accepted, ClearedOrder, Filled, OrderIntent, OrderKind, Rejected, Side
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.ledger import apply_fill, mark, open_book, settle
from haetae.sim import FillModel, accept, batch, close_day, open_day, open_venue, step
from haetae.sim.admission import BY_NUMBER

CLASSES = [
    (Market.KOSPI, Kind.COMMON),
    (Market.KOSDAQ, Kind.COMMON),
    (Market.KOSPI, Kind.ETF),
    (Market.KOSDAQ, Kind.SPAC),
    (Market.KONEX, Kind.COMMON),
    (Market.KOSPI, Kind.PREFERRED),
]


def random_market(rng: np.random.Generator, days: list[dt.date], bars: int) -> tuple[Panel, dict, np.ndarray]:
    """Return bars on the tick grid with gaps, locked bars and thin volume, instruments and base prices."""
    symbols = tuple(f"{index:05d}0" for index in range(len(CLASSES)))
    shape = (len(days) * bars, len(symbols))
    blocks = {name: np.zeros(shape, dtype=np.int64) for name in ("open", "high", "low", "close", "volume")}
    traded = rng.random(shape) > 0.08
    start = np.zeros(shape[0], dtype=np.int64)
    end = np.zeros(shape[0], dtype=np.int64)
    stamp = np.zeros(shape[0], dtype=np.int32)
    bases = np.zeros((len(days), len(symbols)), dtype=np.int64)
    price = rng.integers(900, 120_000, len(symbols))
    for d, day in enumerate(days):
        rules = Rulebook.on(day)
        starts, ends = rules.session.minute_edges()
        chosen = np.r_[0 : bars - 1, len(starts) - 1]
        rows = slice(d * bars, (d + 1) * bars)
        start[rows], end[rows], stamp[rows] = starts[chosen], ends[chosen], yyyymmdd(day)
        for s, (market, kind) in enumerate(CLASSES):
            base = bases[d, s] = rules.floor_tick(int(price[s]), kind, market)
            lower, upper = rules.price_limits(int(base), kind, market)
            last = int(base)
            for t in range(d * bars, (d + 1) * bars):
                if not traded[t, s]:
                    for name in ("open", "high", "low", "close"):
                        blocks[name][t, s] = last
                    continue
                if rng.random() < 0.03:
                    four = [upper if rng.random() < 0.5 else lower] * 4
                else:
                    steps = np.round(last * (1 + rng.normal(0, 0.01, 4))).astype(int)
                    four = [min(max(rules.floor_tick(max(int(x), 1), kind, market), lower), upper) for x in steps]
                blocks["open"][t, s], blocks["close"][t, s] = four[0], four[3]
                blocks["high"][t, s], blocks["low"][t, s] = max(four), min(four)
                blocks["volume"][t, s] = rng.integers(0, 400)
                last = four[3]
            price[s] = last
    panel = Panel(symbols, stamp, start, end, **blocks, traded=traded)
    listed = {
        symbol: Instrument(symbol, symbol, market, kind, days[0], int(bases[0, s]), 10**6)
        for s, (symbol, (market, kind)) in enumerate(zip(symbols, CLASSES, strict=True))
    }
    return panel, listed, bases


def random_orders(
    rng: np.random.Generator, panel: Panel, listed: dict, shares: np.ndarray, rules: Rulebook, bar: int
) -> tuple[np.ndarray, np.ndarray]:
    count = len(panel.symbols)
    quantities = np.where(rng.random(count) < 0.5, rng.integers(1, 60, count), -(shares // 2) - (shares > 0))
    quantities = np.where(rng.random(count) < 0.6, quantities, 0).astype(np.int64)
    limits = np.zeros(count, dtype=np.int64)
    for s, symbol in enumerate(panel.symbols):
        if rng.random() < 0.7:
            item = listed[symbol]
            wished = max(int(panel.close[bar, s] * (1 + rng.normal(0, 0.02))), 1)
            limits[s] = max(rules.floor_tick(wished, item.kind, item.market), 1) if rng.random() < 0.95 else wished
    return quantities, limits


def trade_both(seed: int, day_list: list[dt.date], bars: int, model: FillModel, cash: int) -> int:
    rng = np.random.default_rng(seed)
    panel, listed, bases = random_market(rng, day_list, bars)
    market = batch.prepare(panel, listed, base_prices=bases)
    arrays = batch.Batch(market, 1, cash, model, keep_fills=True)
    venue = open_venue(Rulebook.on(day_list[0]), listed, cash, {}, model)
    book = open_book(cash)
    order_bars = 0
    working: dict[int, str] = {}
    for d, (day, first, last) in enumerate(panel.sessions()):
        rules = Rulebook.on(day)
        if d:
            venue = open_day(venue, rules, dict(zip(panel.symbols, bases[d].tolist(), strict=True)))
            book = settle(book, day)
        for t in range(first, last):
            seen = len(arrays.fills)
            if rng.random() < 0.8:
                sent_at = int(panel.start[t]) - (NS_PER_MINUTE // 2 if t == first else 0)
                quantities, limits = random_orders(rng, panel, listed, arrays.shares[0], rules, max(t - 1, first))
                turns = rng.permutation(len(panel.symbols))
                codes = arrays.place(quantities[None], limits[None], turns=turns[None].astype(np.int64))
                for s in turns.tolist():
                    if not quantities[s]:
                        assert codes[0, s] == -1
                        continue
                    if s in working and venue.orders[working[s]].open_quantity:
                        venue, _ = accept(venue, Cancel(working[s], sent_at, "replaced"), sent_at)
                    intent = OrderIntent(
                        f"{t}-{s}", "d", panel.symbols[s], Side.BUY if quantities[s] > 0 else Side.SELL,
                        abs(int(quantities[s])), OrderKind.LIMIT if limits[s] else OrderKind.MARKET,
                        int(limits[s]), sent_at,
                    )  # fmt: skip
                    venue, (answer,) = accept(
                        venue, Submit(ClearedOrder(intent, intent.quantity, sent_at, ())), sent_at
                    )
                    code = BY_NUMBER[codes[0, s]]
                    if code is None:
                        assert isinstance(answer, Accepted)
                        working[s] = intent.intent_id
                    else:
                        assert isinstance(answer, Rejected)
                        assert answer.code == code.value
            order_bars += sum(1 for _ in venue.open_orders())
            arrays.advance(t)
            venue, events = step(venue, panel.slice_at(t))
            theirs = [
                (
                    t,
                    panel.symbols.index(e.fill.symbol),
                    e.fill.quantity * (1 if e.fill.side is Side.BUY else -1),
                    e.fill.price,
                )
                for e in events
                if isinstance(e, Filled)
            ]
            ours = [(int(r["bar"]), int(r["symbol"]), int(r["quantity"]), int(r["price"])) for r in arrays.fills[seen:]]
            assert sorted(ours) == sorted(theirs)
            for event in events:
                assert isinstance(event, Filled)
                item = listed[event.fill.symbol]
                paid = rules.charge(event.fill.side, event.fill.amount, item.market, item.kind)
                book = apply_fill(book, event.fill, paid, rules.settle_on())
            held = [venue.holdings.get(symbol, 0) for symbol in panel.symbols]
            assert arrays.shares[0].tolist() == held
            assert int(arrays.cash[0]) == venue.cash == book.cash
            assert int(arrays.cash[0] - arrays.reserved[0]) == venue.orderable_cash
            assert int(arrays.fees[0]) == venue.fees == book.fees
            assert int(arrays.taxes[0]) == venue.taxes == book.taxes
            assert (
                int(arrays.equity(t)[0])
                == mark(book, dict(zip(panel.symbols, panel.close[t].tolist(), strict=True))).equity
            )
        arrays.expire_day()
        venue, _ = close_day(venue, rules.session.close_at)
        working.clear()
    assert len(arrays.fills)
    return order_bars


@pytest.mark.parametrize("seed", range(8))
def test_venue_with_ledger_equals_batch_to_the_won(seed: int) -> None:
    days = list(trading_days(dt.date(2022, 12, 22), dt.date(2023, 1, 31)))
    models = (FillModel(), FillModel(touch=True), FillModel(slippage_ticks=0), FillModel(volume_share_ppm=330_000))
    cash = 30_000_000 if seed % 2 else 1_000_000_000
    assert trade_both(seed, days, 150, models[seed % 4], cash) >= 12_500, "eight seeds make 100,000 order-bars"
