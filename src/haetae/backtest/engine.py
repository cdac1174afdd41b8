"""One account over a panel: target rows or a policy, minute or daily bars, one set of rules.

A decision in row ``t`` knows the bars up to ``t`` and its orders meet row ``t + 1`` first. Daily bars
are met in three parts (same prices, a third of the volume each), because a day has room to sell
first and buy with the proceeds; without it every rebalance would lag a day. Parts change nothing
for rows without orders.

Here: the walk and its bookkeeping. Not here: shares and orders (``rebalance``), matching
(``sim.batch``), statistics (``metrics``).
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.charges import scaled_costs, scaled_model
from haetae.backtest.rebalance import Rebalancer
from haetae.backtest.result import FILLS, Result, stale_value
from haetae.backtest.settings import BacktestSettings
from haetae.domain.market import Instrument, Int64Array, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from
from haetae.krx import FeeSchedule
from haetae.sim import FillModel
from haetae.sim.batch import Batch, BatchMarket, prepare

DAY_PARTS = 3
"""Parts of a daily bar in which orders are worked: sell, buy, buy the rest (see ``rebalance``)."""

Decide = Callable[[int, Batch], NDArray[np.float64] | None]
"""Row and account to ``(1, n_symbols)`` target weights, or None when nothing is decided."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of the symbols; by default all are KOSPI common shares.

    ``instruments`` rules out ``markets`` and ``kinds``, which are one per symbol of the panel.
    ``base_prices`` are per session ``(n_sessions, n_symbols)`` or a mapping for the first one.
    """

    instruments: Mapping[Symbol, Instrument] | None = None
    markets: Sequence[Market] | None = None
    kinds: Sequence[Kind] | None = None
    base_prices: Int64Array | Mapping[Symbol, int] | None = None
    fees: FeeSchedule | None = None

    def named(self, panel: Panel) -> dict[Symbol, Instrument]:
        """Return an instrument for each symbol of a panel, made up from markets and kinds where none was given."""
        if self.instruments is not None:
            return {symbol: self.instruments[symbol] for symbol in panel.symbols}
        markets = self.markets or [Market.KOSPI] * len(panel.symbols)
        kinds = self.kinds or [Kind.COMMON] * len(panel.symbols)
        listed = day_from(int(panel.days[0])) if len(panel) else dt.date(1970, 1, 1)
        return {
            symbol: Instrument(symbol, symbol, market, kind, listed, 0, 0)
            for symbol, market, kind in zip(panel.symbols, markets, kinds, strict=True)
        }

    def prepare(self, panel: Panel) -> BatchMarket:
        """Return the panel with the rules of its days."""
        return prepare(
            panel,
            self.instruments,
            markets=self.markets,
            kinds=self.kinds,
            base_prices=self.base_prices,
            fees=self.fees,
        )


def run(
    panel: Panel,
    targets: NDArray[np.float64],
    *,
    name: str,
    listing: Listing | None = None,
    model: FillModel | None = None,
    settings: BacktestSettings | None = None,
) -> Result:
    """Return the result of following target weights.

    Parameters
    ----------
    panel : Panel
        Daily or minute bars.
    targets : (n_bars, n_symbols) float64
        Share of equity wanted, decided at the end of the row; NaN leaves a symbol as it is.
    name : str
        How the run is called in reports.
    listing : Listing, optional
        Markets, kinds, lots, base prices and fees.
    """
    if targets.shape != panel.close.shape:
        raise ValueError(f"targets have shape {targets.shape}, expected {panel.close.shape}")
    rows = np.flatnonzero(~np.isnan(targets).all(axis=1))
    wanted = set(rows.tolist())

    def decide(row: int, _batch: Batch) -> NDArray[np.float64] | None:
        return targets[row : row + 1] if row in wanted else None

    return walk(panel, rows, decide, name=name, listing=listing, model=model, settings=settings)


def walk(
    panel: Panel,
    rows: Int64Array,
    decide: Decide,
    *,
    name: str,
    listing: Listing | None = None,
    model: FillModel | None = None,
    settings: BacktestSettings | None = None,
) -> Result:
    """Return the result of asking ``decide`` at the end of the given rows, see ``run``."""
    settings = settings or BacktestSettings()
    model = scaled_model(model or FillModel(), settings.cost_multiple_ppm)
    daily = len(panel.sessions()) == len(panel)
    steps = DAY_PARTS * settings.work_sessions if daily else settings.work_bars
    parts, row_of = (
        _in_parts(panel, rows + settings.delay_bars, settings.work_sessions)
        if daily
        else (panel, np.arange(len(panel)))
    )
    market = scaled_costs((listing or Listing()).prepare(parts), settings.cost_multiple_ppm)
    batch = Batch(market, 1, settings.cash, model, keep_fills=True)
    rebalancer = Rebalancer(batch, cash_floor_ppm=settings.cash_floor_ppm, min_order_won=settings.min_order_won)
    asked = set(rows.tolist())
    equity, cash = np.empty(len(panel), np.int64), np.empty(len(panel), np.int64)
    waiting: deque[tuple[int, NDArray[np.float64]]] = deque()
    left = 0
    for t in range(len(parts)):
        if left:
            rebalancer.work()
        batch.advance(t)
        if left:
            left = 0 if rebalancer.arrived else left - 1
            if not left:
                rebalancer.give_up()
        row = int(row_of[t])
        if t + 1 < len(parts) and row_of[t + 1] == row:
            continue
        equity[row] = batch.equity(t)[0]
        cash[row] = batch.cash[0]
        if row in asked and (wanted := decide(row, batch)) is not None:
            waiting.append((row + settings.delay_bars, wanted.copy()))
        if waiting and waiting[0][0] == row:
            rebalancer.decide(waiting.popleft()[1], t)
            left = steps
    worked = f"{settings.work_sessions}거래일" if daily else f"{settings.work_bars}분봉"
    return _result(name, panel, row_of, batch, rebalancer, equity, cash, settings, worked)


def _in_parts(panel: Panel, rows: Int64Array, work_sessions: int) -> tuple[Panel, Int64Array]:
    """Return daily bars with those in reach of a decision split, and the old row of each new one."""
    reached = np.zeros(len(panel), bool)
    for row in rows.tolist():
        reached[row + 1 : row + 1 + work_sessions] = True
    counts = np.where(reached, DAY_PARTS, 1)
    row_of = np.repeat(np.arange(len(panel)), counts)
    place = np.arange(len(row_of)) - np.repeat(np.cumsum(counts) - counts, counts)
    of = counts[row_of]
    length = (panel.end - panel.start)[row_of]
    start = panel.start[row_of] + length * place // of
    end = panel.start[row_of] + length * (place + 1) // of
    volume = panel.volume[row_of] // of[:, None]
    volume[place == of - 1] += (panel.volume % counts[:, None])[row_of[place == of - 1]]
    split = Panel(
        panel.symbols,
        panel.days[row_of],
        start,
        end,
        panel.open[row_of],
        panel.high[row_of],
        panel.low[row_of],
        panel.close[row_of],
        volume,
        panel.traded[row_of],
    )
    return split, row_of


def _result(
    name: str,
    panel: Panel,
    row_of: Int64Array,
    batch: Batch,
    rebalancer: Rebalancer,
    equity: Int64Array,
    cash: Int64Array,
    settings: BacktestSettings,
    worked: str,
) -> Result:
    fills = batch.fills
    rows = row_of[fills["bar"]]
    amounts = np.abs(fills["quantity"]) * fills["price"]
    buys = fills["quantity"] > 0

    def total(values: Int64Array, chosen: NDArray[np.bool_] | slice) -> Int64Array:
        column = np.zeros(len(panel), np.int64)
        np.add.at(column, rows[chosen], values[chosen])
        return np.cumsum(column)

    return Result(
        name=name,
        symbols=panel.symbols,
        days=panel.days,
        initial_cash=settings.cash,
        equity=equity,
        cash=cash,
        fees=total(fills["fee"], slice(None)),
        taxes=total(fills["tax"], slice(None)),
        bought=total(amounts, buys),
        sold=total(amounts, ~buys),
        shares=batch.shares[0].copy(),
        stale_value=stale_value(panel.close, panel.traded, panel.days, batch.shares[0]),
        orders=rebalancer.orders,
        ordered=rebalancer.ordered,
        filled=int(np.abs(fills["quantity"]).sum()),
        assumptions=assumptions(batch.market, batch.model, settings) | {"미체결 재주문": worked},
        fills=kept_fills(fills, rows, panel),
        marks=panel.close[-1].copy(),
    )


def kept_fills(fills: NDArray[np.void], rows: Int64Array, panel: Panel) -> NDArray[np.void]:
    """Return a log of ``sim.batch`` in rows of the panel, each fill beside the volume of its whole bar."""
    kept = np.empty(len(fills), FILLS)
    kept["row"] = rows
    kept["volume"] = panel.volume[rows, fills["symbol"]]
    for name in ("symbol", "quantity", "price", "fee", "tax"):
        kept[name] = fills[name]
    return kept


def assumptions(market: BatchMarket, model: FillModel, settings: BacktestSettings) -> dict[str, str]:
    """Return what a run assumes, as text for its report."""
    told = {f"체결 규칙 {place}": text.ko for place, text in enumerate(model.assumptions(), start=1)}
    taxes = sorted({int(rate) for rate in np.unique(market.frame.tax_ppb)})
    told["수수료 (양방향)"] = f"{market.fee_ppb / 1e7:.5f} %"
    told["거래세 (매도, 날짜별)"] = ", ".join(f"{rate / 1e7:.3f} %" for rate in taxes)
    told["현금 하한"] = f"{settings.cash_floor_ppm / 1e4:g} %"
    told["최소 주문"] = f"{settings.min_order_won:,d}원"
    if settings.delay_bars:
        told["주문 지연"] = f"{settings.delay_bars}봉"
    if settings.cost_multiple_ppm != 1_000_000:
        told["비용 배율"] = f"{settings.cost_multiple_ppm / 1e6:g}배"
    return told
