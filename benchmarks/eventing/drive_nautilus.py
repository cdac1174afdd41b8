"""The peer's side of the event benchmark: NautilusTrader on the arrays of the workload, run by a Python of its own.

Reads ``bars.json`` and the raw int64 arrays beside it from a folder, builds the peer's objects, runs its backtest
engine with a Python strategy and prints one line of JSON. Nothing of the project is imported here, since the peer
stands in an environment of its own.

    python drive_nautilus.py FOLDER
"""

from __future__ import annotations

import array
import json
import resource
import sys
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from time import process_time

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import FeeModel, MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    Currency,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    Symbol,
    TraderId,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

XKRX = Venue("XKRX")
WON = Currency.from_str("KRW")


class KrxCosts(FeeModel):
    """Commission on both sides and the tax on sales, which the peer's own fee models do not know."""

    def rates(self, fee_ppb: int, tax_ppb: int) -> KrxCosts:
        """Set both rates in parts per billion."""
        self.fee_ppb, self.tax_ppb = fee_ppb, tax_ppb
        return self

    def get_commission(self, order: object, fill_quantity: Quantity, fill_px: Price, instrument: Equity) -> Money:
        """Return what one fill costs, fee and tax floored to a won."""
        amount = int(fill_quantity) * int(fill_px)
        cost = amount * self.fee_ppb // 1_000_000_000
        if order.side == OrderSide.SELL:
            cost += amount * self.tax_ppb // 1_000_000_000
        return Money(cost, WON)


class Cross(Strategy):
    """Long while the fast mean is above the slow one, flat otherwise; a share of equity each, whole shares."""

    def prepare(self, facts: dict, types: list) -> None:
        """Take the workload; the strategy keeps running sums, as the other side does."""
        self.fast, self.slow, self.fraction = facts["fast"], facts["slow"], facts["fraction"]
        self.stake = facts["stake"]
        self.types = types
        self.rows = {kind.instrument_id: row for row, kind in enumerate(types)}
        self.closes = [[] for _ in types]
        self.sums = [[0.0, 0.0] for _ in types]
        self.held = [0] * len(types)
        self.quiet = frozenset(facts["quiet"])
        self.sent = 0

    def on_start(self) -> None:
        """Subscribe to every name's minutes."""
        for kind in self.types:
            self.subscribe_bars(kind)

    def on_bar(self, bar: Bar) -> None:
        """Fold one closed minute and act on what it says."""
        name = bar.bar_type.instrument_id
        row = self.rows[name]
        closes, sums = self.closes[row], self.sums[row]
        close = bar.close.as_double()
        closes.append(close)
        seen = len(closes)
        sums[0] += close - (closes[-1 - self.fast] if seen > self.fast else 0.0)
        sums[1] += close - (closes[-1 - self.slow] if seen > self.slow else 0.0)
        if seen > self.slow:
            closes.pop(0)
        elif seen < self.slow:
            return
        gap = sums[0] * self.slow - sums[1] * self.fast
        if bar.ts_event in self.quiet:
            return
        if gap > 0.0 and not self.held[row]:
            stake = self.stake or int(self.portfolio.equity(XKRX)[WON].as_double() * self.fraction)
            shares = stake // int(close)
            if shares:
                self.held[row] = shares
                self.order(name, OrderSide.BUY, shares)
        elif gap < 0.0 and self.held[row]:
            shares, self.held[row] = self.held[row], 0
            self.order(name, OrderSide.SELL, shares)

    def order(self, name: InstrumentId, side: OrderSide, shares: int) -> None:
        """Send a market order."""
        self.sent += 1
        self.submit_order(self.order_factory.market(name, side, Quantity.from_int(shares)))


def main(folder: Path) -> dict[str, object]:
    """Build, run, and return what was measured."""
    facts = json.loads((folder / "bars.json").read_text())
    symbols, bars = facts["symbols"], facts["bars"]
    columns = {}
    for name in ("end", "open", "high", "low", "close", "volume"):
        columns[name] = array.array("q")
        columns[name].frombytes((folder / f"{name}.i64").read_bytes())

    began = process_time()
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("BENCH-001"), logging=LoggerConfig(bypass_logging=True), run_analysis=False
        )
    )
    rate = Decimal(facts["fee_ppb"]) / 1_000_000_000
    costs = KrxCosts().rates(facts["fee_ppb"], facts["tax_ppb"]) if facts["tax_ppb"] else MakerTakerFeeModel(rate, rate)
    engine.add_venue(
        XKRX,
        OmsType.NETTING,
        AccountType.CASH,
        [Money(facts["cash"], WON)],
        base_currency=WON,
        fee_model=costs,
    )
    types = []
    for symbol in symbols:
        name = InstrumentId(Symbol(symbol), XKRX)
        engine.add_instrument(Equity(name, Symbol(symbol), WON, 0, Price(1.0, 0), 0, 0, lot_size=Quantity.from_int(1)))
        types.append(BarType.from_str(f"{symbol}.XKRX-1-MINUTE-LAST-EXTERNAL"))
    data = []
    width = len(symbols)
    for row in range(bars):
        at = columns["end"][row]
        for column in range(width):
            cell = row * width + column
            data.append(
                Bar(
                    types[column],
                    Price(columns["open"][cell], 0),
                    Price(columns["high"][cell], 0),
                    Price(columns["low"][cell], 0),
                    Price(columns["close"][cell], 0),
                    Quantity.from_int(columns["volume"][cell]),
                    at,
                    at,
                )
            )
    engine.add_data(data)
    strategy = Cross(StrategyConfig())
    strategy.prepare(facts, types)
    engine.add_strategy(strategy)
    built = process_time()
    engine.run()
    ended = process_time()
    result = engine.get_result()
    return {
        "version": version("nautilus_trader"),
        "python": sys.version.split()[0],
        "build_s": built - began,
        "run_s": ended - built,
        "sent": strategy.sent,
        "orders": result.total_orders,
        "equity": engine.portfolio.equity(XKRX)[WON].as_double(),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
