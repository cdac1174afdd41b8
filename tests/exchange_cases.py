"""Small random markets with orders that Hypothesis can shrink, and both exchanges to play them on.

Here: the strategy ``cases``, and ``venue`` and ``arrays``, which play a case and tell every fill with the order it
belongs to in one form. Not here: what must hold of the fills (the laws), large markets (``markets``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from haetae import sim
from haetae.domain.events import Cancel
from haetae.domain.market import HaltChange, Instrument, Slice
from haetae.domain.orders import Accepted, Fill, Filled, Side, TimeInForce
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_SECOND, Instant, yyyymmdd
from haetae.krx import Rulebook
from haetae.sim import FillModel, batch
from haetae.sim.batch import kernels
from markets import CLASSES, order

DAYS = (dt.date(2025, 12, 26), dt.date(2025, 12, 29))
"""The sale tax changes between the two."""
BASES = (1_000, 1_995, 4_990, 10_000, 19_990, 49_900, 199_800, 499_500)
"""Prices near the edges of the tick table."""
FORCES = {TimeInForce.DAY: kernels.REST, TimeInForce.IOC: kernels.IOC, TimeInForce.FOK: kernels.FOK}
CASH = 10**9


@dataclass(frozen=True)
class Wish:
    """An order sent at a bar's start (or ``delay_s`` later); ``ticks`` from the last close, none for a market order."""

    bar: int
    column: int
    signed: int
    ticks: int | None
    delay_s: int = 0
    force: TimeInForce = TimeInForce.DAY
    limit: int = 0
    """The limit itself, where it is not told in ticks."""


@dataclass(frozen=True)
class Sent:
    """An order the broker took: when, from which bar on it may fill, at what limit."""

    key: str
    at: Instant
    bar: int
    signed: int
    limit: int
    force: TimeInForce


@dataclass(frozen=True)
class Done:
    """One fill as both exchanges tell it; ``signed`` shares, won."""

    bar: int
    column: int
    signed: int
    price: int
    fee: int
    tax: int
    order: Sent


@dataclass(frozen=True)
class Case:
    """A market and the orders sent to it."""

    panel: Panel
    listed: dict[str, Instrument]
    bases: np.ndarray
    halted: np.ndarray
    wishes: tuple[Wish, ...]
    rules: tuple[Rulebook, ...]
    day_of: tuple[int, ...]
    limits: tuple[tuple[tuple[int, int], ...], ...]

    def item(self, column: int) -> Instrument:
        return self.listed[self.panel.symbols[column]]

    def edges(self, bar: int, column: int) -> tuple[int, int]:
        """Return the lowest and highest valid price."""
        return self.limits[self.day_of[bar]][column]

    def single(self, bar: int) -> bool:
        """Return whether a bar is the closing auction."""
        return bool(self.panel.start[bar] >= self.rules[self.day_of[bar]].session.auction_from)

    def priced(self, wish: Wish) -> int:
        """Return the limit of a wish, 0 for a market order."""
        if wish.limit:
            return wish.limit
        if wish.ticks is None:
            return 0
        near = int(self.panel.close[wish.bar - 1, wish.column]) if wish.bar else int(self.bases[0, wish.column])
        day, item = self.day_of[wish.bar], self.item(wish.column)
        return moved(self.rules[day], item, near, wish.ticks, self.limits[day][wish.column])


def moved(rules: Rulebook, item: Instrument, price: int, ticks: int, edges: tuple[int, int]) -> int:
    """Return the price some ticks away on the grid, within the limits of the day."""
    price = rules.floor_tick(max(price, 10), item.kind, item.market)
    for _ in range(abs(ticks)):
        below = rules.floor_tick(price - 1, item.kind, item.market)
        price = price + rules.tick_size(price, item.kind, item.market) if ticks > 0 else below
    return min(max(price, edges[0]), edges[1])


bars = st.tuples(
    st.sampled_from(("trade", "trade", "trade", "trade", "quiet", "upper", "lower", "halt", "halt")),
    st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 300),
)  # fmt: skip


@st.composite
def cases(draw: st.DrawFn, *, symbols: int = 2, forces: bool = False, late: bool = False) -> Case:
    """Draw a market of one or two days, three or four bars each, the last one the closing auction."""
    count, length = draw(st.integers(1, symbols)), draw(st.integers(3, 4))
    days = DAYS[: draw(st.integers(1, 2))]
    classes = [draw(st.sampled_from(CLASSES)) for _ in range(count)]
    bases = [draw(st.sampled_from(BASES)) for _ in range(count)]
    names = tuple(f"{column:05d}0" for column in range(count))
    lots = [draw(st.sampled_from((1, 1, 10))) for _ in range(count)]
    listed = {
        name: Instrument(name, name, market, kind, days[0], base, 10**6, lot=lot)
        for name, (market, kind), base, lot in zip(names, classes, bases, lots, strict=True)
    }
    shape = (length * len(days), count)
    blocks = {name: np.zeros(shape, np.int64) for name in ("open", "high", "low", "close", "volume")}
    traded, halted = np.ones(shape, np.bool_), np.zeros(shape, np.bool_)
    base_rows, limits, times, rules = np.zeros((len(days), count), np.int64), [], [], []
    last = list(bases)
    for d, day in enumerate(days):
        rules.append(Rulebook.on(day))
        starts, ends = rules[-1].session.minute_edges()
        chosen = [*range(length - 1), len(starts) - 1]
        times += list(zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True))
        if d and draw(st.booleans()):
            last = [price // 2 + 10 for price in last]  # a corporate action: another base price
        limits.append([])
        for column, item in enumerate(listed.values()):
            base = rules[-1].floor_tick(last[column], item.kind, item.market)
            base_rows[d, column] = base
            limits[-1].append(rules[-1].price_limits(base, item.kind, item.market))
        for row in range(d * length, (d + 1) * length):
            for column, item in enumerate(listed.values()):
                edges = limits[d][column]
                what, *steps, volume = draw(bars)
                opened, closed = (moved(rules[d], item, last[column], ticks, edges) for ticks in steps[:2])
                if what in ("upper", "lower"):
                    opened = closed = edges[what == "upper"]
                high, low = max(opened, closed), min(opened, closed)
                if what not in ("upper", "lower"):
                    high = moved(rules[d], item, high, steps[2], edges)
                    low = moved(rules[d], item, low, -steps[3], edges)
                if what == "quiet":
                    traded[row, column], volume = False, 0
                    opened = high = low = closed = last[column]
                halted[row, column] = what == "halt"
                values = {"open": opened, "high": high, "low": low, "close": closed, "volume": volume}
                for name, value in values.items():
                    blocks[name][row, column] = value
                last[column] = closed
    panel = Panel(
        names, np.repeat(np.array([yyyymmdd(day) for day in days], np.int32), length),
        np.array([start for start, _ in times]), np.array([end for _, end in times]), **blocks, traded=traded,
    )  # fmt: skip
    wishes = draw(
        st.lists(
            st.builds(
                Wish, st.integers(0, shape[0] - 1), st.integers(0, count - 1),
                st.integers(1, 60).map(lambda n: n - 20).filter(bool), st.none() | st.integers(-4, 4),
                st.integers(-20, 40) if late else st.just(0),
                st.sampled_from((TimeInForce.DAY, *TimeInForce)) if forces else st.just(TimeInForce.DAY),
            ),
            min_size=1, max_size=14,
        )
    )  # fmt: skip
    return Case(
        panel, listed, base_rows, halted, tuple(sorted(wishes, key=lambda wish: (wish.bar, wish.delay_s))),
        tuple(rules), tuple(d for d in range(len(days)) for _ in range(length)), tuple(map(tuple, limits)),
    )  # fmt: skip


@dataclass
class Seen:
    """One bar as it was played: the state after it and its fills; of the venue also the fills it told."""

    bar: int
    cash: int
    shares: dict[int, int]
    fees: int
    taxes: int
    done: list[Done]
    fills: list[Fill]
    venue: sim.Venue | None = None
    piece: Slice | None = None


Play = Callable[..., Iterator[Seen]]


def venue(case: Case, model: FillModel | None = None, *, holdings: int = 0, keep: bool = True) -> Iterator[Seen]:
    """Play a case on ``sim.Venue``; ``keep`` leaves several orders of a name working beside one another."""
    held = {name: holdings * item.lot for name, item in case.listed.items()}
    at_work = sim.open_venue(case.rules[0], case.listed, CASH, held, model)
    at_work = sim.open_day(at_work, case.rules[0], dict(zip(case.panel.symbols, case.bases[0].tolist(), strict=True)))
    sent: dict[str, Sent] = {}
    for bar in range(len(case.panel)):
        day, piece = case.day_of[bar], case.panel.slice_at(bar)
        if bar and day != case.day_of[bar - 1]:
            at_work, _ = sim.close_day(at_work, case.rules[day - 1].session.close_at)
            at_work = sim.open_day(
                at_work, case.rules[day], dict(zip(case.panel.symbols, case.bases[day].tolist(), strict=True))
            )
        for column, name in enumerate(case.panel.symbols):
            at_work = sim.set_halt(at_work, HaltChange(piece.start, name, bool(case.halted[bar, column]), "test"))
        for number, wish in enumerate(case.wishes):
            if wish.bar != bar:
                continue
            name, at = case.panel.symbols[wish.column], piece.start + wish.delay_s * NS_PER_SECOND
            signed = wish.signed * case.item(wish.column).lot
            submit = order(f"w{number}", name, signed, case.priced(wish), at, wish.force)
            for old in list(at_work.open_orders()):
                if old.symbol == name and not keep:
                    at_work, _ = sim.accept(at_work, Cancel(old.intent_id, at, "replaced"), at)
            at_work, (answer,) = sim.accept(at_work, submit, at)
            if isinstance(answer, Accepted):
                sent[f"w{number}"] = Sent(f"w{number}", at, bar, signed, case.priced(wish), wish.force)
        at_work, events = sim.step(at_work, piece)
        fills = [event.fill for event in events if isinstance(event, Filled)]
        done = []
        for fill in fills:
            item = case.listed[fill.symbol]
            charge = case.rules[day].charge_fill(fill, item.market, item.kind)
            sign = 1 if fill.side is Side.BUY else -1
            column, order_of = case.panel.symbols.index(fill.symbol), sent[fill.intent_id]
            done.append(Done(bar, column, sign * fill.quantity, fill.price, charge.fee, charge.tax, order_of))
        shares = {column: at_work.holdings.get(name, 0) for column, name in enumerate(case.panel.symbols)}
        yield Seen(bar, at_work.cash, shares, at_work.fees, at_work.taxes, done, fills, at_work, piece)


def arrays(case: Case, model: FillModel | None = None) -> Iterator[Seen]:
    """Play a case on ``sim.batch``: the last wish of a bar and name is sent, at the edge of its bar."""
    market = batch.prepare(case.panel, case.listed, base_prices=case.bases, halted=case.halted)
    accounts = batch.Batch(market, 1, CASH, model, keep_fills=True)
    working: dict[int, Sent] = {}
    for bar in range(len(case.panel)):
        quantities, limits, forces = np.zeros((3, 1, len(case.panel.symbols)), np.int64)
        chosen = {wish.column: (number, wish) for number, wish in enumerate(case.wishes) if wish.bar == bar}
        for column, (_, wish) in chosen.items():
            quantities[0, column] = wish.signed * case.item(column).lot
            limits[0, column], forces[0, column] = case.priced(wish), FORCES[wish.force]
        codes = accounts.place(quantities, limits, forces=forces)
        for column, (number, wish) in chosen.items():
            if codes[0, column] == 0:
                signed = int(quantities[0, column])
                at = int(case.panel.start[bar])
                working[column] = Sent(f"w{number}", at, bar, signed, int(limits[0, column]), wish.force)
        seen = len(accounts.fills)
        accounts.advance(bar)
        done = [
            Done(bar, int(row["symbol"]), *(int(row[name]) for name in ("quantity", "price", "fee", "tax")),
                 working[int(row["symbol"])])
            for row in accounts.fills[seen:]
        ]  # fmt: skip
        shares = dict(enumerate(accounts.shares[0].tolist()))
        yield Seen(bar, int(accounts.cash[0]), shares, int(accounts.fees[0]), int(accounts.taxes[0]), done, [])
