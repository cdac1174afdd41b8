"""The reducer: deterministic, balanced to the won, single-flight, and quiet when it must be."""
# long: the reducer has one face, and its laws stand together.

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.desk import DeskSettings, ReviewMode, open_desk, step, warm
from haetae.domain import codec
from haetae.domain.account import Book, Position
from haetae.domain.decisions import AgentReply, Proposal
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import (
    AccountSnapshot,
    AskAgent,
    AskPolicy,
    Cancel,
    Note,
    OperatorCommand,
    OperatorState,
    Submit,
)
from haetae.domain.market import HaltChange, Slice
from haetae.domain.orders import Accepted, Fill, Filled, OrderStatus, OutcomeUnknown, Side
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, hhmmss_of, instant_at
from haetae.guards import EscapeLevel
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.sim import FillModel, open_venue
from rigs.desk_day import (
    CASH,
    DAY,
    DeskDay,
    codes,
    instruments,
    loose,
    minutes,
    offline,
    open_day,
    session_start,
    top_names,
)

SYMBOLS = codes(12)
START = session_start(SYMBOLS)


def notes(commands, kind: str) -> list[Note]:
    return [c for c in commands if isinstance(c, Note) and c.kind == kind]


def of(commands, kind: type) -> list:
    return [c for c in commands if isinstance(c, kind)]


def begun(**options) -> DeskDay:
    day = open_day(SYMBOLS, **{"settings": loose(), **options})
    day.feed(START, day.snapshot(START.at))
    return day


def balanced(book: Book) -> bool:
    return book.cash + sum(p.cost for p in book.positions.values()) == book.deposits + book.realized


@given(
    seed=st.integers(0, 2**32 - 1),
    volatility=st.sampled_from([0.0003, 0.001, 0.003]),
    shock=st.sampled_from([None, (20, 5, -0.06), (35, 3, 0.08), (12, 10, -0.025)]),
    share=st.sampled_from([2_000, 100_000]),
)
@settings(max_examples=15, deadline=None)
def test_books_balance_to_the_won_after_every_event_of_any_day(seed, volatility, shock, share) -> None:
    day = open_day(SYMBOLS, settings=loose(), model=FillModel(volume_share_ppm=share))
    rng = np.random.default_rng(seed)
    pieces = minutes(SYMBOLS, rng, count=50, volatility=volatility, shock=shock)
    propose = top_names(6)

    def restless(view):
        made = propose(view)
        weights = {s: float(w) for s, w in zip(SYMBOLS, rng.dirichlet(np.ones(13))[:12] * 0.9, strict=True)}
        return replace(made, targets=weights if rng.random() < 0.5 else made.targets)

    day.policy = restless
    day.feed(START, day.snapshot(START.at))
    for piece in pieces:
        day.minute(piece)
        assert balanced(day.desk.book)
        assert day.desk.book.cash == day.venue.cash
        assert dict(day.desk.held) == {s: n for s, n in day.venue.holdings.items() if n}
        resting = day.desk.blotter.open_orders()
        entries = [o.intent.symbol for o in resting if not o.intent.escape]
        assert len(entries) == len(set(entries))
        for symbol in {o.intent.symbol for o in resting if o.intent.side is Side.SELL}:
            on_sale = sum(o.open_quantity for o in day.desk.blotter.open_of(symbol) if o.intent.side is Side.SELL)
            assert on_sale <= day.desk.book.quantity(symbol)
    submitted = of(day.commands, Submit)
    assert len({c.order.intent.intent_id for c in submitted}) == len(submitted)
    assert all(c.order.guard_codes for c in submitted)
    assert day.desk.book.cash >= 0


def test_the_same_events_give_the_same_commands_to_the_byte_also_from_their_stored_form() -> None:
    day = open_day(SYMBOLS, settings=loose())
    day.run(START, minutes(SYMBOLS, np.random.default_rng(3), count=80, shock=(40, 5, -0.05)))
    expected = [codec.encode(command) for command in day.commands]
    for events in (day.events, [codec.decode(codec.encode(event)) for event in day.events]):
        state, made = open_desk(loose(), open_book(CASH)), []
        for event in events:
            state, commands = step(state, event, day.rules)
            made += [codec.encode(command) for command in commands]
        assert made == expected
    assert len(expected) > 100


def test_a_policy_is_asked_every_ten_minutes_inside_the_entry_window_only() -> None:
    day = open_day(SYMBOLS)
    day.run(START, minutes(SYMBOLS, np.random.default_rng(3), volatility=0.0002))
    times = [hhmmss_of(c.view.at) for c in of(day.commands, AskPolicy)]
    assert times[0] == 90_500
    assert times[-1] == 150_500
    assert len(times) == 37


def test_on_a_late_opening_day_everything_is_an_hour_later() -> None:
    exam = dt.date(2026, 11, 19)
    rules = Rulebook.on(exam)
    assert hhmmss_of(rules.session.open_at) == 100_000
    venue = open_venue(rules, instruments(SYMBOLS), CASH)
    day = DeskDay(open_desk(loose(), open_book(CASH)), venue, rules)
    day.run(session_start(SYMBOLS, exam), minutes(SYMBOLS, np.random.default_rng(3), day=exam))
    times = [hhmmss_of(c.view.at) for c in of(day.commands, AskPolicy)]
    assert (times[0], times[-1]) == (100_500, 160_500)


def test_a_view_holds_what_was_known_and_cannot_be_written() -> None:
    day = open_day(SYMBOLS)
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=5)
    day.run(START, pieces)
    (asked,) = of(day.commands, AskPolicy)
    view = asked.view
    assert view.last.tolist() == pieces[-1].close.tolist()
    assert view.features.shape == (12, len(view.feature_names))
    assert view.equity == CASH
    with pytest.raises(ValueError, match="read-only"):
        view.features[0, 0] = 1.0


def test_a_session_of_another_day_than_the_rules_is_refused() -> None:
    with pytest.raises(MarketRuleError):
        step(open_desk(DeskSettings(), open_book(CASH)), START, Rulebook.on(DAY + dt.timedelta(days=1)))


def test_nothing_is_bought_before_books_and_broker_were_compared() -> None:
    day = open_day(SYMBOLS, settings=loose())
    day.snapshots = False
    day.feed(START)
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
        day.minute(piece)
    assert of(day.commands, Submit) == []
    assert {tuple(n.data["codes"]) for n in notes(day.commands, "intent.denied")} == {("G01",)}
    assert of(day.commands, AskAgent) == []


def test_a_proposal_is_planned_once_and_a_faulty_one_never() -> None:
    day = begun()
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=4):
        day.minute(piece)
    at = day.desk.tape.price_at
    bad = day.feed(Proposal("X", at, "p", {"AAPL": 0.1}), Proposal("Y", at, "p", {SYMBOLS[0]: float("nan")}))
    assert len(notes(bad, "proposal.refused")) == 2
    again = day.feed(Proposal("X", at, "p", {SYMBOLS[0]: 0.1}))
    assert len(notes(again, "proposal.refused")) == 1


def test_a_reply_nobody_waits_for_does_nothing() -> None:
    day = begun()
    made = day.feed(AgentReply("P9.00", START.at + 1, "model", "{}"))
    assert [c.kind for c in made] == ["reply.ignored"]


def test_a_reply_that_comes_twice_acts_once() -> None:
    day = begun()
    asked: list = []
    day.decider = lambda brief, at: asked.append((brief, at))
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=5):
        day.minute(piece)
    brief, at = asked[0]
    reply = offline(brief, at + NS_PER_SECOND)
    first, second = day.feed(reply), day.feed(reply)
    assert len(of(first, Submit)) == 1
    assert of(second, Submit) == []


def test_questions_without_an_answer_lapse_after_a_minute() -> None:
    day = begun()
    day.decider = lambda brief, at: None
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=7):
        day.minute(piece)
    assert not day.desk.asked
    assert {n.data["status"] for n in notes(day.commands, "decision.made")} == {"ABSTAIN_TIMEOUT"}
    assert of(day.commands, Submit) == []


@pytest.mark.parametrize(("away", "sold"), [(0, True), (5, False)])
def test_a_sale_nobody_answered_for_goes_on_at_once_and_lapses_after_a_desk_was_away(away: int, sold: bool) -> None:
    day = begun()
    pieces = iter(minutes(SYMBOLS, np.random.default_rng(3), count=60))
    while not day.desk.held:
        day.minute(next(pieces))
    day.decider = lambda brief, at: None
    day.policy = lambda view: Proposal(f"Z-{view.at}", view.at, "out", dict.fromkeys(day.desk.held, 0.0))
    while not any(brief.leg.side is Side.SELL for brief in day.desk.asked.values()):
        day.minute(next(pieces))
    leaving = {brief.leg.symbol for brief in day.desk.asked.values()}
    before = len(day.commands)
    for _ in range(away):
        next(pieces)
    for _ in range(2):
        day.minute(next(pieces))
    made = day.commands[before:]
    sales = {one.order.intent.symbol for one in of(made, Submit) if one.order.intent.side is Side.SELL}
    lapsed = {note.data["symbol"] for note in notes(made, "leg.lapsed")}
    assert (sales, lapsed) == ((leaving, set()) if sold else (set(), leaving))


def test_without_review_legs_go_to_the_guards_at_once() -> None:
    day = begun(settings=replace(loose(), review=ReviewMode.OFF))
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=5):
        day.minute(piece)
    assert of(day.commands, AskAgent) == []
    assert len(of(day.commands, Submit)) > 0
    assert {n.data["status"] for n in notes(day.commands, "decision.made")} == {"UNREVIEWED"}


def test_the_agents_minimum_confidence_decides_what_is_bought() -> None:
    strict = loose()
    strict = replace(strict, agent=replace(strict.agent, min_confidence=0.99))
    counts = []
    for chosen in (loose(), strict):
        day = begun(settings=chosen)
        for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
            day.minute(piece)
        counts.append((len(of(day.commands, Submit)), len(notes(day.commands, "decision.made"))))
    assert counts[0][0] > 0
    assert counts[1][0] == 0
    assert counts[1][1] == counts[0][1]


def test_orders_that_rest_are_withdrawn_after_five_minutes() -> None:
    day = begun(model=FillModel(volume_share_ppm=1))
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=12)
    for piece in pieces:
        day.minute(piece)
    cancels = of(day.commands, Cancel)
    sent = {c.order.intent.intent_id: c.order.intent.at for c in of(day.commands, Submit)}
    assert cancels
    assert all(c.at - sent[c.intent_id] == 5 * NS_PER_MINUTE for c in cancels)
    assert all(o.status.terminal for o in day.desk.blotter.orders.values() if o.intent.intent_id in sent)


def test_a_shock_is_left_without_asking_and_buying_stays_off() -> None:
    day = begun()
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=70, shock=(31, 5, -0.06))
    for piece in pieces[:31]:
        day.minute(piece)
    assert day.desk.book.positions
    made: list = []
    for piece in pieces[31:50]:
        made += [(piece.end, c) for c in day.minute(piece)]
    assert day.desk.escape.level is EscapeLevel.EXIT_ALL
    assert not day.desk.book.positions
    commands = [c for _, c in made]
    assert [n.data["level"] for n in notes(commands, "escape.raised")] == ["REDUCE", "EXIT_ALL"]
    assert of(commands, AskAgent) == []
    orders = of(commands, Submit)
    assert orders
    assert all(c.order.intent.escape and c.order.intent.side is Side.SELL for c in orders)
    assert notes(commands, "decision.skipped")


def test_the_same_day_without_the_shock_escapes_nothing() -> None:
    day = begun()
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=70):
        day.minute(piece)
    assert notes(day.commands, "escape.raised") == []
    assert not any(c.order.intent.escape for c in of(day.commands, Submit))


def test_reduce_leaves_half_of_each_position() -> None:
    day = begun()
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=60, shock=(31, 5, -0.026), volatility=0.0003)
    for piece in pieces[:31]:
        day.minute(piece)
    held = dict(day.desk.held)
    for piece in pieces[31:40]:
        day.minute(piece)
    assert day.desk.escape.level is EscapeLevel.REDUCE
    assert dict(day.desk.held) == {symbol: quantity // 2 for symbol, quantity in held.items()}


def test_an_escape_that_is_not_filled_goes_on_at_the_lower_limit() -> None:
    day = begun()
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=70, shock=(31, 5, -0.06))
    for piece in pieces[:31]:
        day.minute(piece)
    day.venue = replace(day.venue, model=FillModel(volume_share_ppm=1))
    for piece in pieces[31:45]:
        day.minute(piece)
    prices: dict = {}
    for c in of(day.commands, Submit):
        if c.order.intent.escape:
            prices.setdefault(c.order.intent.symbol, []).append(c.order.intent.limit_price)
    assert prices
    assert all(len(tries) > 2 and set(tries[1:]) == {35_000} and tries[0] > 35_000 for tries in prices.values())
    assert balanced(day.desk.book)


def test_one_falling_name_is_left_and_not_bought_again() -> None:
    day = begun()
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=60)
    for piece in pieces[:20]:
        day.minute(piece)
    victim = sorted(day.desk.held)[0]
    row = SYMBOLS.index(victim)
    for number, piece in enumerate(pieces[20:]):
        close, low = piece.close.copy(), piece.low.copy()
        opens, high = piece.open.copy(), piece.high.copy()
        fall = 0.95
        close[row] = day.rules.floor_tick(int(close[row] * fall))
        low[row] = min(low[row], close[row])
        if number:
            opens[row] = day.rules.floor_tick(int(opens[row] * fall))
            low[row], high[row] = min(opens[row], close[row]), max(opens[row], close[row])
        day.minute(replace(piece, open=opens, high=high, low=low, close=close))
    assert victim not in day.desk.held
    assert day.desk.escape.level is EscapeLevel.NORMAL
    assert [n.data["symbol"] for n in notes(day.commands, "escape.left_name")] == [victim]
    after = [c for c in of(day.commands, Submit) if c.order.intent.at > pieces[20].end]
    assert not [c for c in after if c.order.intent.symbol == victim and c.order.intent.side is Side.BUY]


def test_an_unknown_escape_is_sent_again_only_after_a_reading_that_does_not_show_it() -> None:
    day = begun()
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=70, shock=(31, 5, -0.06))
    for piece in pieces[:33]:
        day.minute(piece)
    lost: list[str] = []
    # From here the desk speaks to nobody: submits vanish.
    state, at = day.desk, 0
    for piece in pieces[33:38]:
        at = piece.end
        state, commands = step(state, piece, day.rules)
        for c in of(commands, Submit):
            lost.append(c.order.intent.intent_id)
            state, _ = step(state, OutcomeUnknown(c.order.intent.intent_id, at, "reset"), day.rules)
    names = [state.blotter.orders[i].intent.symbol for i in lost]
    assert lost
    assert len(names) == len(set(names))
    seen = AccountSnapshot(at + 3 * NS_PER_SECOND, day.venue.cash, 0, dict(state.held), ())
    state, commands = step(state, seen, day.rules)
    again = [c for c in of(commands, Submit) if c.order.intent.escape]
    assert sorted(c.order.intent.symbol for c in again) == sorted(set(names))
    for c in again:
        assert c.order.quantity <= state.held[c.order.intent.symbol]


def test_the_days_loss_limit_ends_buying_but_not_leaving() -> None:
    limits = loose(day_loss_halt_ppm=1_000, max_position_ppm=60_000)
    day = begun(settings=limits)
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=70, shock=(31, 8, -0.06))
    for piece in pieces:
        day.minute(piece)
    assert day.desk.day.closed
    (closed,) = notes(day.commands, "day.closed_by_loss")
    later = [c for c in of(day.commands, Submit) if c.order.intent.at >= closed.at]
    assert later
    assert all(c.order.intent.side is Side.SELL for c in later)


def test_halt_cancels_everything_and_reduce_only_cancels_buys() -> None:
    for state, sides in ((OperatorState.HALT, {Side.BUY}), (OperatorState.REDUCE_ONLY, {Side.BUY})):
        day = begun(model=FillModel(volume_share_ppm=1))
        for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
            day.minute(piece)
        open_sides = {o.intent.side for o in day.desk.blotter.open_orders()}
        made = day.feed(OperatorCommand(day.desk.tape.price_at + 1, state, "owner", "drill"))
        assert open_sides == sides
        assert len(of(made, Cancel)) > 0
        assert not day.desk.blotter.open_orders()


def test_a_halted_name_is_not_bought() -> None:
    day = begun()
    best = max(SYMBOLS, key=lambda s: START.scores[s])
    day.feed(HaltChange(START.at + 1, best, True, "VI"))
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
        day.minute(piece)
    assert best not in {c.order.intent.symbol for c in of(day.commands, Submit)}
    assert ("G06",) in {tuple(n.data["codes"]) for n in notes(day.commands, "intent.denied")}


def test_a_position_we_cannot_explain_freezes_its_symbol_and_stops_buying() -> None:
    day = begun()
    day.snapshots = False
    strange = AccountSnapshot(START.at + 1, CASH, CASH, {SYMBOLS[-1]: 7}, ())
    made: list = []
    for _ in range(3):
        made += day.feed(replace(strange, at=day.desk.account.snapshot_at + 15 * NS_PER_SECOND))
    assert not day.desk.account.reconciled
    assert day.desk.account.frozen == {SYMBOLS[-1]}
    assert [n.data["symbol"] for n in notes(made, "symbol.frozen")] == [SYMBOLS[-1]]
    assert day.desk.book.positions == {}
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
        day.minute(piece)
    assert of(day.commands, Submit) == []
    day.feed(day.snapshot(day.desk.tape.price_at))
    assert day.desk.account.reconciled
    assert day.desk.account.frozen == frozenset()


def test_more_executed_than_ordered_stops_the_desk_and_is_booked() -> None:
    day = begun(model=FillModel(volume_share_ppm=1))
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=5):
        day.minute(piece)
    order = day.desk.blotter.open_orders()[0]
    excess = order.quantity + 1
    fill = Fill(
        order.order_id, order.intent.intent_id, order.intent.symbol, Side.BUY, excess, 50_000, excess * 50_000, excess,
        day.desk.tape.price_at,
    )  # fmt: skip
    state, made = step(day.desk, Filled(order.intent.intent_id, fill.at, fill), day.rules)
    assert state.excess
    assert state.book.quantity(order.intent.symbol) == excess
    assert notes(made, "execution.exceeded")
    assert of(made, Cancel)


def test_an_event_told_twice_changes_nothing() -> None:
    day = begun()
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=8):
        day.minute(piece)
    told = [e for e in day.events if isinstance(e, Accepted | Filled)]
    assert told
    for event in told:
        after, made = step(day.desk, event, day.rules)
        assert after.book == day.desk.book
        assert after.blotter == day.desk.blotter
        assert made == ()


def test_a_slice_that_is_not_newer_is_ignored_and_a_gap_is_told() -> None:
    day = begun()
    pieces = minutes(SYMBOLS, np.random.default_rng(3), count=8)
    day.minute(pieces[0])
    state, made = step(day.desk, pieces[0], day.rules)
    assert [c.kind for c in made] == ["slice.ignored"]
    assert state.tape is day.desk.tape
    (told,) = notes(day.minute(pieces[4]), "slice.missed")
    assert told.data["minutes"] == 3


def test_an_impossible_price_is_refused_and_the_last_one_stays() -> None:
    day = begun()
    first, second = minutes(SYMBOLS, np.random.default_rng(3), count=2)
    day.minute(first)
    wrong = second.close.copy()
    wrong[0], wrong[1], wrong[2] = 500_000, 0, 20_000
    state, made = step(day.desk, replace(second, close=wrong), day.rules)
    (told,) = notes(made, "price.refused")
    assert told.data["symbols"] == list(SYMBOLS[:3])
    assert [state.price(s) for s in SYMBOLS[:3]] == first.close[:3].tolist()
    assert state.price(SYMBOLS[3]) == second.close[3]


def test_a_slice_of_other_symbols_is_taken_by_name() -> None:
    day = begun()
    (piece,) = minutes(("000100", "000110", "999990"), np.random.default_rng(3), count=1)
    state, _ = step(day.desk, piece, day.rules)
    assert state.price("000100") == piece.close[0]
    assert state.price("000120") == 50_000
    assert state.tape.traded_at["000120"] == 0
    empty = Slice(
        piece.end, piece.end + NS_PER_MINUTE, (), *(np.zeros(0, np.int64) for _ in range(5)), np.zeros(0, bool)
    )
    after, _ = step(state, empty, day.rules)
    assert after.price("000100") == piece.close[0]


def test_a_held_name_outside_the_universe_keeps_its_place_in_the_books() -> None:
    book = Book(cash=CASH - 1_000_000, deposits=CASH, positions={"777770": Position("777770", 20, 1_000_000)})
    state, _ = step(open_desk(loose(), book), START, Rulebook.on(DAY))
    assert "777770" in state.tape.symbols
    assert state.equity == CASH


def test_the_day_budget_of_commands_halts_a_loop() -> None:
    day = begun(settings=replace(loose(), max_commands=2))
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
        day.minute(piece)
    assert len(of(day.commands, Submit)) == 2
    assert day.desk.operator is OperatorState.HALT
    assert len(notes(day.commands, "budget.exhausted")) == 1


def test_a_warmed_desk_sees_the_same_features_as_one_that_lived_the_day() -> None:
    rng = np.random.default_rng(8)
    before = dt.date(2026, 11, 20)
    pieces = minutes(SYMBOLS, rng, day=before)
    rules = Rulebook.on(before)
    lived, _ = step(open_desk(loose(), open_book(CASH)), session_start(SYMBOLS, before), rules)
    for piece in pieces:
        lived, _ = step(lived, piece, rules)
    stack = {n: np.stack([getattr(p, n) for p in pieces]) for n in ("open", "high", "low", "close", "volume", "traded")}
    panel = Panel(
        SYMBOLS,
        np.full(len(pieces), 20_261_120, np.int32),
        np.array([p.start for p in pieces], np.int64),
        np.array([p.end for p in pieces], np.int64),
        **stack,
    )
    warmed = warm(open_desk(loose(), open_book(CASH)), panel)
    first = minutes(SYMBOLS, rng, count=2)
    views = []
    for state in (lived, warmed):
        now, _ = step(state, START, Rulebook.on(DAY))
        for piece in first:
            now, _ = step(now, piece, Rulebook.on(DAY))
        views.append(now)
    np.testing.assert_array_equal(views[0].tape.features, views[1].tape.features)
    assert np.isfinite(views[1].tape.features).all()
    assert views[0].escape.ratio == pytest.approx(views[1].escape.ratio, rel=1e-4)


def test_the_closing_auction_bar_is_one_minute_of_its_own() -> None:
    day = begun()
    last = minutes(SYMBOLS, np.random.default_rng(3))[-1]
    assert (last.start, last.end) == (instant_at(DAY, 152_000), instant_at(DAY, 153_000))
    state, _ = step(day.desk, last, day.rules)
    assert state.tape.price_at == last.end
    assert state.blotter.open_orders() == ()
    assert OrderStatus.EXPIRED.terminal
