"""The market of a drill: a small exchange of a seed, a day of the calendar, names to trade, and what the desk knows.

Here: the emulator's settings, its core at an instant, opening holdings, the desk's ``SessionStart``. Not here: the line
to it (``line``), who trades (``rig``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from haetae import agent, ledger
from haetae.domain.account import Book
from haetae.domain.events import SessionStart
from haetae.domain.market import Kind
from haetae.domain.orders import BrokerOrderId, Fill, Side
from haetae.domain.units import Instant, Symbol, instant_at
from haetae.emulator.accounts import Account
from haetae.emulator.core import Core
from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire.operations import Mode
from haetae.krx import Rulebook
from haetae.krx.calendar import previous_trading_day
from haetae.wiring.desks import session_start

ACCOUNT = "50019876"
PRODUCT = "01"
HTS_ID = "drill-hts-id"
CASH = 100_000_000
_LISTED_MORE = 20
"""Names beyond those that may be traded: some are halted, new, or too small."""
_USUAL = (0.0012, 0.0025, 0.004)
"""Usual deviations of a minute's return: by the least this market is wild, and the escape has work."""
_HISTORY = 25
"""Sessions before the first: the average turnover of twenty, and their yesterday."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One market, and who may be traded on it."""

    world: World
    settings: EmulatorSettings
    day: dt.date
    symbols: tuple[Symbol, ...]

    @property
    def held(self) -> tuple[Symbol, ...]:
        """Return the names that are held from the day before: one of three."""
        return self.symbols[::3]

    def core(self, at: Instant, beat: Callable[[], float]) -> Core:
        """Open the emulator at an instant."""
        return Core(self.world, self.settings, at, beat=beat)


def make_ground(seed: int, day: dt.date, symbols: int, *, sessions: int = 1) -> Ground:
    """Return the market of a seed whose first session is ``day``."""
    market = MarketSettings(
        seed=seed,
        listed=max(120, symbols + _LISTED_MORE),
        history_sessions=_HISTORY,
        live_sessions=sessions,
        first_live_day=day,
    )
    settings = EmulatorSettings(market, initial_cash=CASH)
    world = build_world(market)
    row = world.row[day]
    daily = world.daily
    shares = (daily.close[row - 20 : row] * daily.volume[row - 20 : row]).mean(axis=0)
    fit = [
        (-float(shares[column]), item.symbol)
        for column, item in enumerate(world.instruments_on(row))
        if item.kind is Kind.COMMON and not item.flags and daily.base[row, column] > 0 and daily.volume[row, column] > 0
    ]
    chosen = tuple(sorted(symbol for _, symbol in sorted(fit)[:symbols]))
    return Ground(world, settings, day, chosen)


def begin_session(ground: Ground, core: Core, at: Instant, dice: np.random.Generator) -> SessionStart:
    """Return what the desk knows before the open: of the day before, and the day's base prices."""
    row, world = ground.world.row[ground.day], ground.world
    column, daily = world.column, world.daily
    items = {item.symbol: item for item in world.instruments_on(row)}
    turnover = (daily.close[row - 20 : row] * daily.volume[row - 20 : row]).mean(axis=0)
    session = session_start(
        at,
        ground.symbols,
        items,
        closes={s: core.board.session.base_prices[s] for s in ground.symbols},
        turnover={s: int(turnover[column[s]]) for s in ground.symbols},
        scores={s: float(dice.random()) for s in ground.symbols},
        fear_greed=float(dice.integers(20, 80)),
    )
    return replace(
        session,
        volatility=dict.fromkeys(ground.symbols, float(dice.choice(_USUAL))),
        universe=frozenset(ground.symbols),
        previous_closes={s: int(daily.close[row - 1, column[s]]) for s in ground.symbols},
        decider=agent.DECIDER,
    )


def own_already(
    ground: Ground, core: Core, account: Account, shares: Mapping[Symbol, float], dice: np.random.Generator
) -> Book:
    """Give an account holdings from the day before, as parts of its cash; return its book."""
    before = previous_trading_day(ground.day)
    rules, prices = Rulebook.on(before), core.board.session.base_prices
    items = ground.world.by_symbol
    book = account.book
    for number, (symbol, share) in enumerate(sorted(shares.items()), start=1):
        price = prices[symbol]
        quantity = int(CASH * share) // price
        if quantity <= 0:
            continue
        fill = Fill(
            order_id=BrokerOrderId(before, "06010", str(number)),
            intent_id=f"before-{number}",
            symbol=symbol,
            side=Side.BUY,
            quantity=quantity,
            price=price,
            amount=quantity * price,
            cumulative=quantity,
            at=instant_at(before, 100_000) + number,
        )
        item = items[symbol]
        charges = rules.charge_fill(fill, item.market, item.kind)
        book = ledger.apply_fill(book, fill, charges, rules.settle_on())
    book = ledger.settle(book, ground.day)
    holdings = {symbol: item.quantity for symbol, item in book.positions.items()}
    account.book = book
    account.venue = replace(account.venue, cash=book.cash, holdings=holdings, taxes=book.taxes)
    return book


def connection(seed: int) -> KisSettings:
    """Return the desk's settings of the connection; every secret in it is a canary for the search in the logs."""
    key = f"{seed & (2**63 - 1):019d}"
    return KisSettings(
        rest_url="http://127.0.0.1:9443",
        ws_url="ws://127.0.0.1:21000",
        app_key=("PSCANARY" + key + "KEYCANARYKEY")[:36],
        app_secret=Secret((("SECRETCANARY" + key) * 12)[:180]),
        account=ACCOUNT,
        product=PRODUCT,
        mode=Mode.REAL,
        hts_id=HTS_ID,
        watch_clock=True,
        index_poll_s=30.0,
    )
