"""The eight laws of the simulated exchange; each holds for any seed Hypothesis draws."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haetae.domain.events import Cancel, Replace
from haetae.domain.market import HaltChange, Instrument, Phase, Slice
from haetae.domain.orders import Accepted, Expired, Fill, Filled, OrderStatus, Rejected, Side
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND
from haetae.krx import Rulebook
from haetae.ledger import apply_fill, deposit, open_book, settle, settled_cash
from haetae.sim import FillModel, Venue, accept, batch, close_day, open_venue, set_halt, step
from markets import CLASSES, order, random_market

DAY = dt.date(2026, 3, 4)
RULES = Rulebook.on(DAY)
BARS = 24
seeds = st.integers(0, 2**32 - 1)
laws = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Scene:
    """A market, a venue at its open, and where orders may go."""

    rng: np.random.Generator
    panel: Panel
    listed: dict[str, Instrument]
    bases: np.ndarray
    venue: Venue

    def limit(self, symbol: str, near: int) -> int:
        item = self.listed[symbol]
        lower, upper = self.venue.limits[symbol]
        wished = min(max(int(near * (1 + self.rng.normal(0, 0.01))), lower), upper)
        return RULES.floor_tick(wished, item.kind, item.market)

    def grid(self, symbol: str, price: int) -> bool:
        return RULES.on_grid(price, self.listed[symbol].kind, self.listed[symbol].market)


def scene(seed: int, model: FillModel | None = None, cash: int = 10**9) -> Scene:
    rng = np.random.default_rng(seed)
    panel, listed, bases = random_market(rng, [DAY], BARS)
    holdings = {symbol: int(rng.integers(0, 300)) for symbol in panel.symbols}
    return Scene(rng, panel, listed, bases, open_venue(RULES, listed, cash, holdings, model))


def play(stage: Scene, *, several: bool = True) -> Iterator[tuple[int, Slice, list[Fill], Venue]]:
    """Send random orders at random instants, several a symbol, and yield each bar with its fills."""
    venue, number = stage.venue, 0
    for bar in range(BARS):
        piece = stage.panel.slice_at(bar)
        for symbol in stage.panel.symbols:
            for _ in range(int(stage.rng.integers(0, 3 if several else 2))):
                column = stage.panel.symbols.index(symbol)
                near = int(stage.panel.close[max(bar - 1, 0), column])
                limit = stage.limit(symbol, near) if stage.rng.random() < 0.7 else 0
                signed = int(stage.rng.integers(1, 40)) * (1 if stage.rng.random() < 0.6 else -1)
                at = piece.start + int(stage.rng.integers(-20, 40)) * NS_PER_SECOND
                venue, _ = accept(venue, order(f"i{number}", symbol, signed, limit, at), at)
                number += 1
        venue, events = step(venue, piece)
        yield bar, piece, [event.fill for event in events if isinstance(event, Filled)], venue


@laws
@given(seed=seeds)
def test_law_1_an_order_meets_only_data_that_begins_at_or_after_it_was_sent(seed: int) -> None:
    stage, filled = scene(seed), 0
    for _, piece, fills, venue in play(stage):
        for fill in fills:
            assert venue.orders[fill.intent_id].sent_at <= piece.start
            filled += 1
    assert filled


def test_law_1_a_bar_already_running_cannot_fill_an_order() -> None:
    stage = scene(1)
    bar = next(t for t in range(BARS) if stage.panel.traded[t, 0] and stage.panel.volume[t, 0] > 100)
    piece = stage.panel.slice_at(bar)
    for late, expected in ((1, 0), (0, 1)):
        at = piece.start + late
        venue, (answer,) = accept(stage.venue, order("late", piece.symbols[0], 1, 0, at), at)
        assert isinstance(answer, Accepted)
        venue, events = step(replace(venue, limits={**venue.limits, piece.symbols[0]: (1, 10**9)}), piece)
        assert len(events) == expected


@laws
@given(seed=seeds, slippage=st.integers(0, 5), touch=st.booleans())
def test_law_2_a_fill_lies_in_the_bar_on_the_grid_and_within_the_limits(seed: int, slippage: int, touch: bool) -> None:
    stage = scene(seed, FillModel(slippage_ticks=slippage, touch=touch))
    for _, piece, fills, venue in play(stage):
        for fill in fills:
            row = piece.symbols.index(fill.symbol)
            lower, upper = venue.limits[fill.symbol]
            assert piece.low[row] <= fill.price <= piece.high[row]
            assert lower <= fill.price <= upper
            assert stage.grid(fill.symbol, fill.price)
            limit = venue.orders[fill.intent_id].limit_price
            if limit:
                assert fill.price <= limit if fill.side is Side.BUY else fill.price >= limit


@laws
@given(seed=seeds, share=st.integers(1_000, 1_000_000))
def test_law_3_all_our_fills_of_a_bar_stay_within_a_share_of_its_volume(seed: int, share: int) -> None:
    stage = scene(seed, FillModel(volume_share_ppm=share))
    for _, piece, fills, _ in play(stage):
        taken: dict[str, int] = defaultdict(int)
        for fill in fills:
            taken[fill.symbol] += fill.quantity
        for symbol, quantity in taken.items():
            row = piece.symbols.index(symbol)
            assert piece.traded[row]
            assert quantity * 1_000_000 <= int(piece.volume[row]) * share


@laws
@given(seed=seeds, touch=st.booleans())
def test_law_4_a_resting_limit_fills_on_trade_through_and_on_touch_only_if_declared(seed: int, touch: bool) -> None:
    stage = scene(seed, FillModel(touch=touch, volume_share_ppm=1_000_000))
    for bar in range(1, BARS - 1):
        piece = stage.panel.slice_at(bar)
        for row, symbol in enumerate(piece.symbols):
            lower, upper = stage.venue.limits[symbol]
            low, high, opened = int(piece.low[row]), int(piece.high[row]), int(piece.open[row])
            if not piece.traded[row] or not piece.volume[row] or not stage.venue.holdings.get(symbol):
                continue
            for signed, price in ((1, stage.limit(symbol, low)), (1, low), (-1, stage.limit(symbol, high)), (-1, high)):
                if not lower <= price <= upper:
                    continue
                venue, _ = accept(stage.venue, order("one", symbol, signed, price, piece.start), piece.start)
                _, events = step(venue, piece)
                if signed > 0:
                    locked = low == high == upper
                    due = not locked and (opened <= price or low < price or (touch and low == price))
                else:
                    locked = low == high == lower
                    due = not locked and (opened >= price or high > price or (touch and high == price))
                assert bool(events) == due


@laws
@given(seed=seeds)
def test_law_5_results_do_not_depend_on_the_order_of_registration(seed: int) -> None:
    stage = scene(seed, cash=10**12)
    shuffled = stage.rng.permutation(list(stage.listed)).tolist()
    other = replace(
        stage.venue,
        instruments={symbol: stage.listed[symbol] for symbol in shuffled},
        holdings={symbol: stage.venue.holdings.get(symbol, 0) for symbol in shuffled},
    )
    venue, results = stage.venue, ([], [])
    for bar in range(BARS):
        piece = stage.panel.slice_at(bar)
        sent = [
            order(
                f"{bar}{symbol}",
                symbol,
                int(stage.rng.integers(1, 90)),
                stage.limit(symbol, int(piece.close[s])),
                piece.start,
            )
            for s, symbol in enumerate(piece.symbols)
        ]
        for submit in sent:
            venue, _ = accept(venue, submit, piece.start)
        for index in stage.rng.permutation(len(sent)).tolist():
            other, _ = accept(other, sent[index], piece.start)
        venue, mine = step(venue, piece)
        other, theirs = step(other, piece)
        for events, result in ((mine, results[0]), (theirs, results[1])):
            result += [(e.fill.intent_id, e.fill.quantity, e.fill.price) for e in events if isinstance(e, Filled)]
        assert venue.cash == other.cash
    assert results[0] == results[1]
    assert results[0]


@laws
@given(seed=seeds)
def test_law_5_scarce_cash_goes_by_explicit_turns_whatever_the_columns_are(seed: int) -> None:
    stage = scene(seed)
    market = batch.prepare(stage.panel, stage.listed, base_prices=stage.bases)
    cash = int(stage.bases.sum()) * 4
    mirror = stage.rng.permutation(len(CLASSES))
    renamed = Panel(
        stage.panel.symbols, stage.panel.days, stage.panel.start, stage.panel.end,
        *(block[:, mirror] for block in (stage.panel.open, stage.panel.high, stage.panel.low, stage.panel.close)),
        stage.panel.volume[:, mirror], stage.panel.traded[:, mirror],
    )  # fmt: skip
    items = [stage.listed[stage.panel.symbols[s]] for s in mirror]
    mirrored = batch.prepare(
        renamed, markets=[item.market for item in items], kinds=[item.kind for item in items],
        base_prices=stage.bases[:, mirror],
    )  # fmt: skip
    one, two = batch.Batch(market, 1, cash), batch.Batch(mirrored, 1, cash)
    back = np.argsort(mirror)
    refused = 0
    for bar in range(BARS):
        wanted = stage.rng.integers(0, 12, (1, len(CLASSES)))
        turns = stage.rng.permutation(len(CLASSES))[None]
        codes = one.place(wanted, turns=turns)
        assert np.array_equal(two.place(wanted[:, mirror], turns=back[turns]), codes[:, mirror])
        refused += int((codes > 0).sum())
        one.advance(bar)
        two.advance(bar)
        assert one.cash[0] == two.cash[0]
        assert np.array_equal(one.shares[:, mirror], two.shares)
    assert refused, "cash was meant to be scarce"


@laws
@given(seed=seeds)
def test_law_6_cash_and_cost_balance_to_the_won_after_every_fill(seed: int) -> None:
    stage = scene(seed)
    stage.venue = replace(stage.venue, holdings={})
    book = deposit(open_book(10**9 - 7), 7)
    for _, _, fills, venue in play(stage):
        for fill in fills:
            item = stage.listed[fill.symbol]
            paid = RULES.charge_fill(fill, item.market, item.kind)
            book = apply_fill(book, fill, paid, RULES.settle_on())
            cost = sum(position.cost for position in book.positions.values())
            assert book.cash + cost == book.deposits + book.realized
            assert book.cash == book.deposits - book.bought + book.sold - book.fees - book.taxes
            assert settled_cash(book) == book.deposits, "nothing has settled yet"
        assert (book.cash, book.fees, book.taxes) == (venue.cash, venue.fees, venue.taxes)
        assert {symbol: position.quantity for symbol, position in book.positions.items()} == venue.holdings
        assert venue.orderable_cash >= 0
    assert settled_cash(settle(book, RULES.settle_on())) == book.cash


@laws
@given(seed=seeds)
def test_law_7_halted_symbols_and_locked_limits_do_not_fill(seed: int) -> None:
    stage = scene(seed)
    quiet = stage.panel.symbols[0]
    stage.venue = set_halt(stage.venue, HaltChange(RULES.session.orders_from, quiet, True, "test"))
    for _, piece, fills, venue in play(stage):
        for fill in fills:
            row = piece.symbols.index(fill.symbol)
            lower, upper = venue.limits[fill.symbol]
            assert fill.symbol != quiet
            if piece.low[row] == piece.high[row]:
                assert piece.low[row] != (upper if fill.side is Side.BUY else lower)


@laws
@given(seed=seeds)
def test_law_7_a_call_auction_clears_at_one_price(seed: int) -> None:
    stage = scene(seed)
    last = stage.panel.slice_at(BARS - 1)
    assert RULES.phase_at(last.start) is Phase.CLOSING_AUCTION
    for bar, piece, fills, _ in play(stage):
        if bar == BARS - 1:
            for fill in fills:
                assert fill.price == piece.close[piece.symbols.index(fill.symbol)]


@pytest.mark.parametrize(
    ("hhmm_offset", "taken"),
    [(-31, False), (-30, True), (0, True), (380, True), (389, True), (390, False), (430, False)],
)
def test_law_7_orders_are_taken_only_in_a_phase_that_takes_them(hhmm_offset: int, taken: bool) -> None:
    stage = scene(3)
    at = RULES.session.open_at + hhmm_offset * NS_PER_MINUTE
    _, (answer,) = accept(stage.venue, order("a", stage.panel.symbols[0], 1, 0, at), at)
    assert isinstance(answer, Accepted if taken else Rejected)
    if not taken:
        assert answer.code == "market_closed"


@laws
@given(seed=seeds)
def test_law_8_applying_anything_twice_changes_nothing(seed: int) -> None:
    stage = scene(seed)
    for _, piece, _, venue in play(stage):
        assert step(venue, piece) == (venue, ())
        for known in list(venue.orders.values())[:3]:
            again = order(known.intent_id, known.symbol, 1, known.limit_price, known.sent_at)
            same, (answer,) = accept(venue, again, piece.end)
            assert same is venue
            assert isinstance(answer, Accepted)
        waiting = next(venue.open_orders(), None)
        if waiting is not None:
            gone, _ = accept(venue, Cancel(waiting.intent_id, piece.end, ""), piece.end)
            assert gone.orders[waiting.intent_id].status is OrderStatus.CANCELED
            assert accept(gone, Cancel(waiting.intent_id, piece.end, ""), piece.end)[0] is gone
            unmoved, (answer,) = accept(gone, Replace(waiting.intent_id, piece.end, 1_000), piece.end)
            assert unmoved is gone
            assert isinstance(answer, Rejected)
    ended, expired = close_day(venue, RULES.session.close_at)
    assert all(isinstance(event, Expired) for event in expired)
    assert close_day(ended, RULES.session.close_at) == (ended, ())
    book = open_book(1_000)
    assert settle(settle(book, DAY), DAY) == settle(book, DAY)
