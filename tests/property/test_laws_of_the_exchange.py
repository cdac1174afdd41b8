"""The eight laws of the simulated exchange, over the event-driven venue and over its array twin.

Each law is one named property (some in two parts) over markets and orders that Hypothesis draws and shrinks;
``test_planted_bugs`` shows that each fails on an exchange that breaks it.
"""

# long: the eight laws stand on one page

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_cases import CASH, DAYS, Case, Done, Play, Wish, arrays, cases, moved, venue
from haetae import sim
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import Cancel, Replace
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.orders import Accepted, Expired, OrderStatus, Rejected, TimeInForce
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE
from haetae.krx import Rulebook
from haetae.ledger import apply_fill, open_book, settle, settled_cash
from haetae.sim import FillModel, batch
from markets import order

laws = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
both = pytest.mark.parametrize("play", [venue, arrays])
models = st.builds(FillModel, st.integers(1_000, 1_000_000), st.integers(0, 4), st.booleans())


def fills(play: Play, case: Case, model: FillModel | None = None) -> list[Done]:
    return [done for seen in play(case, model) for done in seen.done]


def cut(panel: Panel, rows: int, *, then: int) -> Panel:
    """Return a panel whose bars from a row on are others (``then`` times the volume, prices one tick apart)."""
    blocks = [block.copy() for block in (panel.open, panel.high, panel.low, panel.close, panel.volume)]
    for block in blocks[:4]:
        block[rows:] = panel.close[max(rows - 1, 0)]
    blocks[4][rows:] *= then
    return Panel(panel.symbols, panel.days, panel.start, panel.end, *blocks, np.ones_like(panel.traded))


@both
@laws
@given(case=cases(late=True), data=st.data())
def test_law_1_an_order_meets_only_data_that_begins_at_or_after_it_was_sent(
    play: Play, case: Case, data: st.DataObject
) -> None:
    for done in fills(play, case):
        assert done.order.at <= case.panel.start[done.bar]
    bar = data.draw(st.integers(0, len(case.panel) - 1))
    known = [seen for seen in play(case) if seen.bar < bar]
    later = replace(case, panel=cut(case.panel, bar, then=7), wishes=tuple(w for w in case.wishes if w.bar < bar))
    unknowing = [seen for seen in play(later) if seen.bar < bar]
    assert [(seen.cash, seen.shares, seen.done) for seen in known] == [
        (seen.cash, seen.shares, seen.done) for seen in unknowing
    ], "what comes later changed what was done before"


@laws
@given(case=cases(), data=st.data())
def test_law_1_a_signal_is_traded_after_the_bar_it_was_seen_on(case: Case, data: st.DataObject) -> None:
    rows, width = case.panel.close.shape
    row = st.lists(st.sampled_from((-1, 0, 1, 1)), min_size=width, max_size=width)
    signal = np.array(data.draw(st.lists(row, min_size=rows, max_size=rows)), dtype=np.int8)
    market = batch.prepare(case.panel, case.listed, base_prices=case.bases, halted=case.halted)
    seen = batch.run_signals(market, signal, 300_000, CASH)
    bar = data.draw(st.integers(0, rows - 1))
    other = signal.copy()
    other[bar:] = -other[bar:]
    changed = batch.run_signals(market, other, 300_000, CASH)
    assert seen.equity[: bar + 1].tolist() == changed.equity[: bar + 1].tolist()
    before = [run.fills[run.fills["bar"] <= bar].tolist() for run in (seen, changed)]
    assert before[0] == before[1], "a signal of a bar was traded in that bar"


@both
@laws
@given(case=cases(forces=True), model=models)
def test_law_2_a_fill_lies_in_the_bar_on_the_grid_and_within_the_limits(
    play: Play, case: Case, model: FillModel
) -> None:
    for done in fills(play, case, model):
        item, rules = case.item(done.column), case.rules[case.day_of[done.bar]]
        lower, upper = case.edges(done.bar, done.column)
        assert case.panel.low[done.bar, done.column] <= done.price <= case.panel.high[done.bar, done.column]
        assert lower <= done.price <= upper
        assert rules.on_grid(done.price, item.kind, item.market)
        if done.order.limit:
            assert (done.order.limit - done.price) * done.order.signed >= 0, "worse than the limit"


@both
@laws
@given(case=cases(), model=models)
def test_law_3_all_our_fills_of_a_bar_stay_within_a_share_of_its_volume(
    play: Play, case: Case, model: FillModel
) -> None:
    taken: dict[tuple[int, int], int] = defaultdict(int)
    for done in fills(play, case, model):
        taken[done.bar, done.column] += abs(done.signed)
        assert abs(done.signed) % case.item(done.column).lot == 0
    for (bar, column), shares in taken.items():
        assert case.panel.traded[bar, column]
        assert shares * 1_000_000 <= int(case.panel.volume[bar, column]) * model.volume_share_ppm


@both
@laws
@given(case=cases(), touch=st.booleans(), bar=st.integers(0, 7), column=st.integers(0, 1), ticks=st.integers(-1, 1))
def test_law_4_a_resting_limit_fills_on_trade_through_and_on_touch_only_if_declared(
    play: Play, case: Case, touch: bool, bar: int, column: int, ticks: int
) -> None:
    bar, s = bar % len(case.panel), column % len(case.panel.symbols)
    day = case.day_of[bar]
    limit = moved(case.rules[day], case.item(s), int(case.panel.low[bar, s]), ticks, case.limits[day][s])
    case = replace(case, wishes=(Wish(bar, s, 1, None, limit=limit),))
    filled = {(done.bar, done.column) for done in fills(play, case, FillModel(1_000_000, touch=touch))}
    if case.halted[bar, s] or not case.panel.traded[bar, s] or case.panel.volume[bar, s] < case.item(s).lot:
        assert (bar, s) not in filled
        return
    blocks = (case.panel.open, case.panel.low, case.panel.high, case.panel.close)
    opened, low, high, close = (int(block[bar, s]) for block in blocks)
    if case.single(bar):
        opened = low = high = close
    locked = low == high == case.edges(bar, s)[1]
    due = not locked and (opened <= limit or low < limit or (touch and low == limit))
    assert ((bar, s) in filled) == due


@laws
@given(case=cases(late=True), data=st.data())
def test_law_5_results_do_not_depend_on_the_order_of_registration(case: Case, data: st.DataObject) -> None:
    instants = [(wish.bar, wish.column) for wish in case.wishes]
    case = replace(case, wishes=tuple(w for n, w in enumerate(case.wishes) if (w.bar, w.column) not in instants[:n]))
    ordered = sorted(case.wishes, key=lambda wish: (wish.bar, wish.delay_s))
    shuffled = data.draw(st.permutations(ordered))
    listing = dict(data.draw(st.permutations(list(case.listed.items()))))
    one = list(venue(replace(case, wishes=tuple(sorted(ordered, key=lambda w: w.bar))), holdings=200))
    two = list(venue(replace(case, wishes=tuple(sorted(shuffled, key=lambda w: w.bar)), listed=listing), holdings=200))
    for mine, theirs in zip(one, two, strict=True):
        assert (mine.cash, mine.shares, mine.fees, mine.taxes) == (
            theirs.cash,
            theirs.shares,
            theirs.fees,
            theirs.taxes,
        )
        told = [[(done.column, done.signed, done.price) for done in seen.done] for seen in (mine, theirs)]
        assert told[0] == told[1]


@laws
@given(case=cases(symbols=3), data=st.data())
def test_law_5_scarce_cash_goes_by_explicit_turns_whatever_the_columns_are(case: Case, data: st.DataObject) -> None:
    width, rows = len(case.panel.symbols), range(len(case.panel))
    mirror = np.array(data.draw(st.permutations(range(width))))
    back, panel = np.argsort(mirror), case.panel
    columns = [
        block[:, mirror] for block in (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.traded)
    ]
    renamed = Panel(panel.symbols, panel.days, panel.start, panel.end, *columns)
    items = {
        name: replace(case.item(int(s)), symbol=name) for name, s in zip(panel.symbols, mirror, strict=True)
    }  # fmt: skip
    cash = int(case.bases[0].sum()) * data.draw(st.integers(1, 30))
    one = batch.Batch(batch.prepare(panel, case.listed, base_prices=case.bases), 1, cash)
    two = batch.Batch(batch.prepare(renamed, items, base_prices=case.bases[:, mirror]), 1, cash)
    lots = np.array([item.lot for item in case.listed.values()])
    for bar in rows:
        wanted = np.array([data.draw(st.lists(st.integers(0, 12), min_size=width, max_size=width))]) * lots
        turns = np.array([data.draw(st.permutations(range(width)))])
        codes = one.place(wanted, turns=turns)
        assert np.array_equal(two.place(wanted[:, mirror], turns=back[turns]), codes[:, mirror])
        one.advance(bar)
        two.advance(bar)
        assert one.cash[0] == two.cash[0]
        assert np.array_equal(one.shares[:, mirror], two.shares)


@both
@laws
@given(case=cases(forces=True), model=models)
def test_law_6_cash_and_cost_balance_to_the_won_after_every_fill(play: Play, case: Case, model: FillModel) -> None:
    cash, fees, taxes = CASH, 0, 0
    shares: dict[int, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    for seen in play(case, model):
        rules = case.rules[case.day_of[seen.bar]]
        for done in seen.done:
            amount, before = abs(done.signed) * done.price, paid[done.order.key]
            paid[done.order.key] = after = before + amount
            item = case.item(done.column)
            fee = after * rules.fee_ppb // 10**9 - before * rules.fee_ppb // 10**9
            rate = 0 if done.signed > 0 else rules.sale_tax_ppb(item.market, item.kind)
            tax = after * rate // 10**9 - before * rate // 10**9
            assert (done.fee, done.tax) == (fee, tax), "each is floored on the whole amount of its order"
            cash -= done.signed * done.price + fee + tax
            fees, taxes = fees + fee, taxes + tax
            shares[done.column] += done.signed
        assert (seen.cash, seen.fees, seen.taxes) == (cash, fees, taxes)
        assert {column: n for column, n in seen.shares.items() if n} == {s: n for s, n in shares.items() if n}
        assert cash >= 0


@laws
@given(case=cases())
def test_law_6_the_books_balance_with_the_venue_and_the_bank(case: Case) -> None:
    book = open_book(CASH)
    for seen in venue(case):
        assert seen.venue is not None
        rules = case.rules[case.day_of[seen.bar]]
        for fill in seen.fills:
            item = case.listed[fill.symbol]
            book = apply_fill(book, fill, rules.charge_fill(fill, item.market, item.kind), rules.settle_on())
            cost = sum(position.cost for position in book.positions.values())
            assert book.cash + cost == book.deposits + book.realized
            assert book.cash == book.deposits - book.bought + book.sold - book.fees - book.taxes
        assert (book.cash, book.fees, book.taxes) == (seen.venue.cash, seen.venue.fees, seen.venue.taxes)
        assert seen.venue.orderable_cash >= 0
    assert settled_cash(settle(book, case.rules[-1].settle_on())) == book.cash


@both
@laws
@given(case=cases(forces=True))
def test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price(play: Play, case: Case) -> None:
    for done in fills(play, case):
        bar, s = done.bar, done.column
        assert not case.halted[bar, s]
        assert not case.halted[done.order.bar, s], "it was taken in a halt"
        edge = case.edges(bar, s)[done.signed > 0]
        assert not case.panel.low[bar, s] == case.panel.high[bar, s] == edge
        if case.single(bar):
            assert done.price == case.panel.close[bar, s]
        assert done.order.force is TimeInForce.DAY or (bar == done.order.bar and not case.single(bar))
        assert done.order.force is not TimeInForce.FOK or done.signed == done.order.signed
        assert case.day_of[bar] == case.day_of[done.order.bar], "an order ends with its session"


@laws
@given(case=cases(), ticks=st.lists(st.integers(-1, 4), min_size=2, max_size=5), signed=st.integers(5, 40))
def test_law_7_at_the_one_price_of_an_auction_the_more_eager_order_comes_first(
    case: Case, ticks: list[int], signed: int
) -> None:
    closing = next(bar for bar in range(len(case.panel)) if case.single(bar))
    case = replace(case, wishes=tuple(Wish(closing, 0, signed, tick, -20) for tick in ticks))
    for seen in venue(case):
        if not case.single(seen.bar):
            continue
        assert seen.venue is not None
        filled = {done.order.key for done in seen.done}
        for done in seen.done:
            for rival in seen.venue.open_orders():
                same = rival.symbol == case.panel.symbols[done.column] and (rival.side.value == "buy") == (
                    done.signed > 0
                )
                if same and rival.intent_id not in filled and rival.limit_price and done.order.limit:
                    eager = (rival.limit_price - done.order.limit) * (1 if done.signed > 0 else -1)
                    assert eager <= 0, "a worse order was filled before a better one"


@pytest.mark.parametrize(
    ("hhmm_offset", "taken"),
    [(-31, False), (-30, True), (0, True), (380, True), (389, True), (390, False), (430, False)],
)
def test_law_7_orders_are_taken_only_in_a_phase_that_takes_them(hhmm_offset: int, taken: bool) -> None:
    rules = Rulebook.on(DAYS[0])
    listed = {"005930": Instrument("005930", "", Market.KOSPI, Kind.COMMON, DAYS[0], 70_000, 10**6)}
    at = rules.session.open_at + hhmm_offset * NS_PER_MINUTE
    _, (answer,) = sim.accept(sim.open_venue(rules, listed, CASH), order("a", "005930", 1, 0, at), at)
    assert isinstance(answer, Accepted if taken else Rejected)
    if not taken:
        assert answer.code == "market_closed"


@laws
@given(case=cases(late=True))
def test_law_8_applying_anything_twice_changes_nothing(case: Case) -> None:
    for seen in venue(case):
        stage, piece = seen.venue, seen.piece
        assert stage is not None and piece is not None
        assert sim.step(stage, piece) == (stage, ())
        for known in list(stage.orders.values())[:3]:
            again = order(known.intent_id, known.symbol, 1, known.limit_price, known.sent_at)
            same, (answer,) = sim.accept(stage, again, piece.end)
            assert same is stage
            assert isinstance(answer, Accepted)
        waiting = next(stage.open_orders(), None)
        if waiting is not None:
            gone, _ = sim.accept(stage, Cancel(waiting.intent_id, piece.end, ""), piece.end)
            assert gone.orders[waiting.intent_id].status is OrderStatus.CANCELED
            assert stage.orders[waiting.intent_id].is_open, "a venue is a value"
            assert sim.accept(gone, Cancel(waiting.intent_id, piece.end, ""), piece.end)[0] is gone
            unmoved, (answer,) = sim.accept(gone, Replace(waiting.intent_id, piece.end, 1_000), piece.end)
            assert unmoved is gone
            assert isinstance(answer, Rejected)
    ended, expired = sim.close_day(stage, case.rules[-1].session.close_at)
    assert all(isinstance(event, Expired) for event in expired)
    assert sim.close_day(ended, case.rules[-1].session.close_at) == (ended, ())
    book = open_book(1_000)
    assert settle(settle(book, case.rules[0].day), case.rules[0].day) == settle(book, case.rules[0].day)


@laws
@given(case=cases())
def test_law_8_a_bar_is_met_once_and_a_session_ends_once_on_the_arrays(case: Case) -> None:
    accounts = batch.Batch(batch.prepare(case.panel, case.listed, base_prices=case.bases), 1, CASH)
    for bar in range(len(case.panel)):
        accounts.place(np.array([[item.lot for item in case.listed.values()]]))
        accounts.advance(bar)
        state = (accounts.cash.tolist(), accounts.shares.tolist(), accounts.working.tolist())
        with pytest.raises(MarketRuleError):
            accounts.advance(bar)
        assert state == (accounts.cash.tolist(), accounts.shares.tolist(), accounts.working.tolist())
    accounts.expire_day()
    ended = accounts.reserved.tolist()
    accounts.expire_day()
    assert accounts.reserved.tolist() == ended == [0]
