"""A panel with the rules of each of its days, prepared once for many runs.

Here: limits, tick tables, taxes and call-auction bars as arrays beside the bars. Not here: orders
and cash (`engine`), the loops (`kernels`). Prices are int64 won, rates int64 parts per billion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Instrument, Int64Array, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, Won
from haetae.krx import FeeSchedule, Rulebook
from haetae.sim.batch.kernels import Frame, frozen
from haetae.sim.batch.limits import daily_limits
from haetae.sim.faults import check_bars


@dataclass(frozen=True, slots=True, eq=False)
class BatchMarket:
    """Bars of a panel and the rules they trade under, as the compiled loops take them.

    Attributes
    ----------
    frame : Frame
        ``session`` (n_bars,) int32 is the index of each bar's day, ``one_price`` (n_bars,) bool
        marks bars of a call auction, which trade at their close only; ``lower``, ``upper`` and
        ``tax_ppb`` are (n_sessions, n_symbols) int64; ``table`` (n_sessions, n_symbols) int32 is
        where in ``bounds`` and ``sizes`` (n_bands,) the tick table begins.
    fee_ppb : parts per billion
        Commission of both sides.
    """

    panel: Panel
    frame: Frame
    fee_ppb: int


def prepare(
    panel: Panel,
    instruments: Mapping[Symbol, Instrument] | None = None,
    *,
    markets: Sequence[Market] | None = None,
    kinds: Sequence[Kind] | None = None,
    base_prices: Int64Array | Mapping[Symbol, Won] | None = None,
    fees: FeeSchedule | None = None,
    halted: BoolArray | None = None,
) -> BatchMarket:
    """Return a panel with the rules of its days.

    Parameters
    ----------
    panel : Panel
        Minute or daily bars; every day must be a trading day of the KRX.
    instruments : mapping, optional
        Market, kind and lot of each symbol. Without it give ``markets`` and ``kinds``, one per
        symbol of the panel; by default all are KOSPI common shares with a lot of 1.
    base_prices : (n_sessions, n_symbols) int64, or mapping, optional
        기준가 per day; a mapping gives the first day only. Where none is given (0), the close of
        the session before stands in, for the first session the first price. A day whose bars
        leave the limits so found had another base price (corporate action, adjusted data): its
        open is taken, and if even that does not fit, the limits are the range of the day.
    halted : (n_bars, n_symbols) bool, optional
        Bars in which a name was halted: no order that would meet them first is taken, nothing fills,
        resting orders stay. Flags of the instruments tell of one day only and are not used.

    Raises
    ------
    DataError
        If a bar is corrupt (it names symbol, time and values), if bars are out of order, or if ``markets``,
        ``kinds``, ``base_prices`` or ``halted`` do not fit the panel.
    """
    check_bars(panel)
    count = len(panel.symbols)
    listing, kind_of, lots = _listing(panel.symbols, instruments, markets, kinds)
    sessions = panel.sessions()
    edges = np.array([(first, last) for _, first, last in sessions], dtype=np.int64).reshape(-1, 2)
    session = np.repeat(np.arange(len(sessions), dtype=np.int32), edges[:, 1] - edges[:, 0])
    classes = sorted(set(zip(listing, kind_of, strict=True)), key=lambda pair: (pair[0].value, pair[1].value))
    members = np.array([classes.index(pair) for pair in zip(listing, kind_of, strict=True)], dtype=np.intp)

    tables: dict[bytes, int] = {}
    rows: list[tuple[Int64Array, Int64Array]] = []
    table = np.empty((len(sessions), count), dtype=np.int32)
    tax = np.empty((len(sessions), count), dtype=np.int64)
    limit_bp = np.empty((len(sessions), count), dtype=np.int64)
    one_price = np.zeros(len(panel), dtype=np.bool_)
    for index, (day, first, last) in enumerate(sessions):
        rules = Rulebook.on(day)
        per_class = []
        for market, kind in classes:
            bounds, sizes = rules.tick_table(kind, market)
            key = bounds.tobytes() + sizes.tobytes()
            if key not in tables:
                tables[key] = sum(len(known) for known, _ in rows)
                rows.append((bounds, sizes))
            per_class.append((tables[key], rules.sale_tax_ppb(market, kind), rules.limit_bp_of(market)))
        table[index], tax[index], limit_bp[index] = np.array(per_class, dtype=np.int64)[members].T
        starts = panel.start[first:last]
        hours = rules.session
        one_price[first:last] = (starts >= hours.auction_from) & (starts < hours.close_at)
        one_price[first:last] |= (starts >= hours.orders_from) & (starts < hours.open_at)
    none = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    bounds, sizes = (np.concatenate(columns) for columns in zip(none, *rows, strict=True))
    open_, high, low, close, volume = (
        frozen(block, np.int64) for block in (panel.open, panel.high, panel.low, panel.close, panel.volume)
    )
    traded, places = frozen(panel.traded, np.bool_), frozen(table, np.int32)
    bounds, sizes = frozen(bounds, np.int64), frozen(sizes, np.int64)
    lower, upper = (np.zeros((len(sessions), count), dtype=np.int64) for _ in range(2))
    daily_limits(
        open_, high, low, close, traded, frozen(edges, np.int64),
        frozen(_bases(base_prices, panel.symbols, len(sessions)), np.int64),
        frozen(limit_bp, np.int64), places, bounds, sizes,
        lower, upper, np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64),
    )  # fmt: skip
    halts = _halts(halted, panel)
    frame = Frame(
        open_, high, low, close, volume, frozen(traded & ~halts, np.bool_) if len(halts) else traded, halts,
        frozen(session, np.int32), frozen(one_price, np.bool_),
        frozen(lower, np.int64), frozen(upper, np.int64), frozen(tax, np.int64), places, bounds, sizes,
        frozen(lots, np.int64),
    )  # fmt: skip
    return BatchMarket(panel, frame, (fees if fees is not None else FeeSchedule()).fee_ppb)


def _listing(
    symbols: tuple[Symbol, ...],
    instruments: Mapping[Symbol, Instrument] | None,
    markets: Sequence[Market] | None,
    kinds: Sequence[Kind] | None,
) -> tuple[list[Market], list[Kind], Int64Array]:
    count = len(symbols)
    if instruments is not None:
        missing = [symbol for symbol in symbols if symbol not in instruments]
        if missing:
            raise _misfit("an instrument for every symbol", f"none for {', '.join(missing[:5])}")
        named = [instruments[symbol] for symbol in symbols]
        return (
            [item.market for item in named],
            [item.kind for item in named],
            np.array([item.lot for item in named], dtype=np.int64),
        )
    listing = list(markets) if markets is not None else [Market.KOSPI] * count
    kind_of = list(kinds) if kinds is not None else [Kind.COMMON] * count
    if len(listing) != count or len(kind_of) != count:
        raise _misfit(f"{count} markets and kinds", f"{len(listing)} and {len(kind_of)}")
    return listing, kind_of, np.ones(count, dtype=np.int64)


def _bases(given: Int64Array | Mapping[Symbol, Won] | None, symbols: tuple[Symbol, ...], sessions: int) -> Int64Array:
    shape = (sessions, len(symbols))
    bases = np.zeros(shape, dtype=np.int64)
    if isinstance(given, Mapping):
        if sessions:
            bases[0] = [given.get(symbol, 0) for symbol in symbols]
    elif given is not None:
        if given.shape != shape:
            raise _misfit(f"base prices of shape {shape}", f"shape {given.shape}")
        bases[:] = given
    return bases


def _halts(given: BoolArray | None, panel: Panel) -> BoolArray:
    """Return the mask of halts, without rows where nothing is halted."""
    if given is not None and given.shape != panel.close.shape:
        raise _misfit(f"a mask of halts of shape {panel.close.shape}", f"shape {given.shape}")
    if given is None or not given.any():
        return frozen(np.empty((0, len(panel.symbols))), np.bool_)
    return frozen(given, np.bool_)


def _misfit(expected: str, found: str) -> DataError:
    return DataError(
        Text(ko="시장 자료가 패널과 맞지 않습니다", en="market data does not fit the panel"),
        expected=expected,
        found=found,
        next_step="give one entry per symbol of the panel, in its order",
    )
