"""The event-driven venue with the ledger, and the array kernel, agree to the won.

Both get the same random bars and the same random orders; after every bar cash, shares, fees,
taxes, reserved cash and every fill are compared, and every answer of the broker to an order.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.domain.events import Cancel
from haetae.domain.orders import Accepted, Filled, Rejected, Side
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE
from haetae.krx import Rulebook, trading_days
from haetae.ledger import apply_fill, mark, open_book, settle
from haetae.sim import FillModel, accept, batch, close_day, open_day, open_venue, step
from haetae.sim.admission import BY_NUMBER
from markets import order, random_market


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
                    submit = order(f"{t}-{s}", panel.symbols[s], int(quantities[s]), int(limits[s]), sent_at)
                    venue, (answer,) = accept(venue, submit, sent_at)
                    code = BY_NUMBER[codes[0, s]]
                    if code is None:
                        assert isinstance(answer, Accepted)
                        working[s] = submit.order.intent.intent_id
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
                paid = rules.charge_fill(event.fill, item.market, item.kind)
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
