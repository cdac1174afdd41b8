"""The event-driven venue with the ledger, and the array kernel, agree to the won.

Both get the same bars and the same orders; after every bar cash, shares, fees, taxes, reserved cash and every fill are
compared, and every answer of the broker to an order. One working order that meets one bar is an *order-bar*: the
small cases that Hypothesis draws and shrinks make some thousands, the large seeded walks at least a million.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_cases import Case, arrays, cases, venue
from haetae.domain.events import Cancel, Submit
from haetae.domain.market import HaltChange
from haetae.domain.orders import (
    Accepted,
    Canceled,
    ClearedOrder,
    Filled,
    OrderIntent,
    OrderKind,
    Rejected,
    Side,
    TimeInForce,
)
from haetae.krx import Rulebook, trading_days
from haetae.ledger import apply_fill, mark, open_book, settle
from haetae.sim import FillModel, accept, batch, close_day, open_day, open_venue, set_halt, step
from haetae.sim.admission import BY_NUMBER
from haetae.sim.batch import kernels
from wide_markets import WideMarket, wide_market

LIFE = (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
TAX_DAYS = [
    *trading_days(dt.date(2022, 12, 26), dt.date(2022, 12, 29)),
    *trading_days(dt.date(2023, 1, 20), dt.date(2023, 1, 26)),
    *trading_days(dt.date(2023, 12, 8), dt.date(2023, 12, 12)),
    *trading_days(dt.date(2024, 12, 26), dt.date(2024, 12, 30)),
    *trading_days(dt.date(2025, 12, 26), dt.date(2025, 12, 30)),
    *trading_days(dt.date(2026, 9, 11), dt.date(2026, 9, 15)),
]
"""Days around new tax rates, the tick table of 2023, the one of funds, and the aftermarket."""


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    case=cases(symbols=3, forces=True),
    model=st.builds(FillModel, st.integers(50_000, 1_000_000), st.integers(0, 3), st.booleans()),
)
def test_small_cases_that_shrink_agree(case: Case, model: FillModel) -> None:
    last = {(wish.bar, wish.column): wish for wish in case.wishes}
    one_each = tuple(wish for wish in case.wishes if last[wish.bar, wish.column] is wish)
    case = Case(
        case.panel, case.listed, case.bases, case.halted, one_each, case.rules, case.day_of, case.limits
    )  # fmt: skip
    for ours, theirs in zip(arrays(case, model), venue(case, model, keep=False), strict=True):
        assert (ours.cash, ours.fees, ours.taxes, ours.shares) == (
            theirs.cash,
            theirs.fees,
            theirs.taxes,
            theirs.shares,
        )
        told = [[(d.column, d.signed, d.price, d.fee, d.tax) for d in seen.done] for seen in (ours, theirs)]
        assert sorted(told[0]) == sorted(told[1])


@dataclass
class Counts:
    """What a walk met, so that a test can say that it met enough of it."""

    order_bars: int = 0
    fills: int = 0
    partial: int = 0
    rejected: int = 0
    in_halts: int = 0
    ended_by_life: int = 0


def drawn(rng: np.random.Generator, made: WideMarket, shares: np.ndarray, bar: int) -> tuple[np.ndarray, ...]:
    """Return signed quantities, limits and lives of the orders before a bar: few new ones, most far from the price."""
    width = len(made.panel.symbols)
    lots = made.lots
    buys = rng.random(width) < 0.65
    quantities = np.where(buys, rng.integers(1, 40, width) * lots, -np.maximum(shares // 2 // lots, 1) * lots)
    quantities = np.where(rng.random(width) < 0.08, quantities, 0)
    odd = rng.random(width) < 0.02
    quantities = np.where(odd & (quantities != 0), quantities + 1, quantities)
    near = made.panel.close[max(bar - 1, 0)]
    away = np.abs(rng.normal(0.05, 0.05, width)) * np.where(quantities > 0, -1, 1)
    limits = made.on_grid(bar, np.maximum(near * (1 + away), 1).astype(np.int64))
    limits = np.where(rng.random(width) < 0.12, 0, limits)
    limits = np.where((rng.random(width) < 0.02) & (limits > 0), limits + 1, limits)
    return quantities, limits, rng.choice(3, width, p=[0.94, 0.03, 0.03])


def walk_both(seed: int, days: list[dt.date], width: int, bars: int, model: FillModel, cash: int) -> Counts:
    rng, counts = np.random.default_rng(seed), Counts()
    made = wide_market(rng, days, width, bars)
    panel, symbols = made.panel, made.panel.symbols
    market = batch.prepare(panel, made.listed, base_prices=made.bases, halted=made.halted)
    accounts = batch.Batch(market, 1, cash, model, keep_fills=True)
    at_work = open_venue(Rulebook.on(days[0]), made.listed, cash, {}, model)
    book = open_book(cash)
    column_of = {symbol: s for s, symbol in enumerate(symbols)}
    working: dict[int, str] = {}
    for d, (day, first, last) in enumerate(panel.sessions()):
        rules = Rulebook.on(day)
        at_work = open_day(at_work, rules, dict(zip(symbols, made.bases[d].tolist(), strict=True)))
        book = settle(book, day)
        for t in range(first, last):
            at, seen = int(panel.start[t]), len(accounts.fills)
            for s in np.flatnonzero(made.halted[t] != (made.halted[t - 1] if t else False)).tolist():
                at_work = set_halt(at_work, HaltChange(at, symbols[s], bool(made.halted[t, s]), "test"))
            quantities, limits, lives = drawn(rng, made, accounts.shares[0], t)
            turns = rng.permutation(width)
            codes = accounts.place(quantities[None], limits[None], turns=turns[None], forces=lives[None])[0]
            for s in turns[quantities[turns] != 0].tolist():
                if s in working and at_work.orders[working[s]].is_open:
                    at_work, _ = accept(at_work, Cancel(working[s], at, "replaced"), at)
                submit = sent(f"{t}-{s}", symbols[s], int(quantities[s]), int(limits[s]), at, LIFE[lives[s]])
                at_work, (answer,) = accept(at_work, submit, at)
                code = BY_NUMBER[codes[s]]
                if code is None:
                    assert isinstance(answer, Accepted), answer
                    working[s] = submit.order.intent.intent_id
                else:
                    assert isinstance(answer, Rejected)
                    assert answer.code == code.value
                    counts.rejected += 1
            assert len(at_work.orders.open) == np.count_nonzero(accounts.working[0])
            counts.order_bars += len(at_work.orders.open)
            counts.in_halts += int(np.count_nonzero((accounts.working[0] != 0) & made.halted[t]))
            accounts.advance(t)
            at_work, events = step(at_work, panel.slice_at(t))
            theirs = []
            for event in events:
                if isinstance(event, Canceled):
                    counts.ended_by_life += 1
                    continue
                assert isinstance(event, Filled)
                fill, item = event.fill, made.listed[event.fill.symbol]
                paid = rules.charge_fill(fill, item.market, item.kind)
                book = apply_fill(book, fill, paid, rules.settle_on())
                sign = 1 if fill.side is Side.BUY else -1
                theirs.append((t, column_of[fill.symbol], sign * fill.quantity, fill.price, paid.fee, paid.tax))
                counts.partial += at_work.orders[fill.intent_id].is_open
            ours = [row.tolist()[1:] for row in accounts.fills[seen:]]
            assert sorted(map(tuple, ours)) == sorted(theirs)
            counts.fills += len(theirs)
            assert int(accounts.cash[0]) == at_work.cash == book.cash
            assert int(accounts.reserved[0]) == at_work.orders.reserved
            assert (int(accounts.fees[0]), int(accounts.taxes[0])) == (at_work.fees, at_work.taxes)
            assert (at_work.fees, at_work.taxes) == (book.fees, book.taxes)
        held = {symbols[s]: n for s, n in enumerate(accounts.shares[0].tolist()) if n}
        assert held == dict(at_work.holdings) == {symbol: book.quantity(symbol) for symbol in book.positions}
        closes = dict(zip(symbols, panel.close[last - 1].tolist(), strict=True))
        assert int(accounts.equity(last - 1)[0]) == mark(book, closes).equity
        accounts.expire_day()
        at_work, _ = close_day(at_work, rules.session.close_at)
        working.clear()
    return counts


def sent(key: str, symbol: str, signed: int, limit: int, at: int, life: TimeInForce) -> Submit:
    kind, side = (OrderKind.LIMIT if limit else OrderKind.MARKET), (Side.BUY if signed > 0 else Side.SELL)
    intent = OrderIntent(key, "d", symbol, side, abs(signed), kind, limit, at, life)
    return Submit(ClearedOrder(intent, intent.quantity, at, ()))


MODELS = (FillModel(), FillModel(touch=True, slippage_ticks=3), FillModel(330_000, 0), FillModel(1_000_000))


def test_a_short_walk_agrees() -> None:
    counts = walk_both(7, TAX_DAYS[:3], 40, 20, MODELS[0], 400_000_000)
    assert counts.fills > 50


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_million_order_bars_agree_to_the_won(seed: int) -> None:
    cash = 2_000_000_000 if seed % 2 else 10**12
    counts = walk_both(seed, TAX_DAYS, 340, 80, MODELS[seed], cash)
    assert counts.order_bars >= 250_000, "four walks make a million"
    assert counts.fills > 10_000
    assert min(counts.partial, counts.rejected, counts.in_halts, counts.ended_by_life) > 100, counts
    assert kernels.REST == 0
