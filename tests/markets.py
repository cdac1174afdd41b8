"""Random markets that keep the exchange's rules: gaps, thin volume, locked limits, six classes of listing."""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.events import Submit
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.orders import ClearedOrder, OrderIntent, OrderKind, Side, TimeInForce
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook

CLASSES = [
    (Market.KOSPI, Kind.COMMON),
    (Market.KOSDAQ, Kind.COMMON),
    (Market.KOSPI, Kind.ETF),
    (Market.KOSDAQ, Kind.SPAC),
    (Market.KONEX, Kind.COMMON),
    (Market.KOSPI, Kind.PREFERRED),
]


def random_market(
    rng: np.random.Generator, days: list[dt.date], bars: int
) -> tuple[Panel, dict[str, Instrument], np.ndarray]:
    """Return bars on the tick grid, instruments, and base prices per session and symbol.

    The last bar of a session is its closing auction.
    """
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
            base = rules.floor_tick(int(price[s]), kind, market)
            bases[d, s] = base
            lower, upper = rules.price_limits(base, kind, market)
            last = base
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


def order(
    intent_id: str,
    symbol: str,
    signed: int,
    limit: int,
    at: int,
    time_in_force: TimeInForce = TimeInForce.DAY,
) -> Submit:
    """Return a cleared order: signed shares, a limit of 0 is a market order."""
    side = Side.BUY if signed > 0 else Side.SELL
    kind = OrderKind.LIMIT if limit else OrderKind.MARKET
    intent = OrderIntent(intent_id, "d", symbol, side, abs(signed), kind, limit, at, time_in_force)
    return Submit(ClearedOrder(intent, intent.quantity, at, ()))
