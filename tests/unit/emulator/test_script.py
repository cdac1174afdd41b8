"""What a script does to a market: breakers, halts, locks, gaps, designations, ends; and that it reaches no past."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Kind, Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, hhmmss_of, instant_at
from haetae.emulator.board import Board, Standing
from haetae.emulator.holds import ViKind
from haetae.emulator.interventions import (
    Action,
    ActionKind,
    Break,
    Delisting,
    Designation,
    Halt,
    Intervention,
    Lock,
    Shock,
    Trip,
)
from haetae.emulator.market import World
from haetae.emulator.settings import MarketSettings
from unit.emulator.test_market import market

SMALL = MarketSettings(seed=11, listed=120, history_sessions=30, live_sessions=6)
DAY = SMALL.first_live_day


def new_world() -> World:
    return market(SMALL)


PLAIN = new_world()
ROW = PLAIN.row[DAY]
NEXT = PLAIN.days[ROW + 1]
QUIET = next(
    item.symbol
    for column, item in enumerate(PLAIN.instruments)
    if item.kind is Kind.COMMON and not item.flags and item.symbol != "005930"
    and not [event for event in PLAIN.course(ROW).events if event.column == column]
    and PLAIN.daily.volume[ROW, column] > 50_000
)  # fmt: skip


def at(clock: int, day: dt.date = DAY) -> int:
    return instant_at(day, clock)


def run(*events: Intervention, clock: int = 83_000) -> Board:
    board = Board(new_world(), at(clock))
    for event in events:
        board.script(event)
    return board


def column(board: Board, symbol: str) -> int:
    return board.world.column[symbol]


def printed(board: Board, symbol: str, first: int, last: int) -> np.ndarray:
    """Shares printed in rows that begin in a span of clock times."""
    tape = board.session.tape
    rows = (tape.start >= at(first)) & (tape.start < at(last))
    return tape.volume[rows, column(board, symbol)]


def test_a_fall_of_eight_percent_halts_each_market_for_twenty_minutes_and_reopens_at_one_price() -> None:
    board = run(Shock(at(100_000), 5, -1_000))
    session = board.session
    for market_, code in ((Market.KOSPI, "0001"), (Market.KOSDAQ, "1001")):
        pause = next(p for p in session.course.pauses if p.market is market_ and p.level == 1)
        assert pause.at % NS_PER_MINUTE == 0
        assert pause.call_from - pause.at == 20 * NS_PER_MINUTE
        assert 0 <= pause.until - pause.call_from - 10 * NS_PER_MINUTE <= 30 * NS_PER_SECOND
        path = board.world.index_path(code, session.row)
        ends = session.tape.end
        before = np.searchsorted(ends, pause.at)
        assert path[before] <= 0.92
        assert path[before - 4] <= 0.92, "it lasted a minute"
        assert path[before - 8] > 0.92, "and tripped at once"
        mine = np.array([item.market is market_ for item in session.instruments])
        held = (ends > pause.at) & (ends < pause.until)
        assert not session.tape.volume[np.ix_(held, mine)].any()
        after = int(np.searchsorted(ends, pause.until))
        reopened = session.tape.volume[after, mine] > 0
        assert reopened.sum() > 0.8 * (session.tape.volume[:, mine].sum(axis=0) > 0).sum()
        assert np.all(session.tape.single[after, mine][reopened])


def test_a_breaker_goes_through_its_states() -> None:
    board = run(Break(at(110_000), Market.KOSDAQ, 1))
    name = next(i.symbol for i in PLAIN.instruments if i.market is Market.KOSDAQ and not i.flags)
    seen = {}
    for clock in (105_959, 110_000, 111_959, 112_000, 112_959, 113_016):
        board.move(at(clock))
        seen[clock] = (board.phase_of(name), board.phase_of("005930"))
    assert seen[110_000] == (Standing.BREAKER, Standing.CONTINUOUS), "the other market goes on"
    assert seen[111_959][0] is Standing.BREAKER
    assert seen[112_000][0] is seen[112_959][0] is Standing.CALL
    assert seen[105_959][0] is seen[113_016][0] is Standing.CONTINUOUS
    board.move(at(112_500))
    assert board.breaker(Market.KOSDAQ).level == 1
    assert board.breaker(Market.KOSPI) is None
    expected = board.expected(name)
    assert expected.price > 0
    assert expected.since == at(112_000)
    board.move(at(120_000))
    assert board.breaker(Market.KOSDAQ) is None
    assert len(board.breakers()) == 1


def test_levels_follow_one_another_and_the_third_ends_the_day() -> None:
    board = run(
        Shock(at(100_000), 2, -1_100), Shock(at(110_000), 2, -1_000), Shock(at(120_000), 2, -1_500), clock=95_000
    )
    levels = [(p.level, hhmmss_of(p.at) // 100) for p in board.session.course.pauses if p.market is Market.KOSPI]
    assert [level for level, _ in levels] == [1, 2, 3]
    assert 1_001 <= levels[0][1] <= 1_004
    assert 1_101 <= levels[1][1] <= 1_104
    third = next(p for p in board.session.course.pauses if p.level == 3 and p.market is Market.KOSPI)
    tape = board.session.tape
    mine = [k for k, item in enumerate(board.session.instruments) if item.market is Market.KOSPI]
    assert not tape.volume[np.ix_(tape.end > third.at, mine)].any()
    live = [k for k in mine if tape.volume[:, k].any()]
    assert np.array_equal(board.world.daily.close[board.session.row, live], tape.price[-1, live])
    assert np.array_equal(board.world.daily.base[board.session.row + 1, live], tape.price[-1, live])
    board.move(at(152_500))
    assert board.phase_of("005930") is Standing.BREAKER
    assert board.expected("005930") is None


@pytest.mark.parametrize(("clock", "levels"), [(144_000, [1]), (145_500, [])])
def test_no_level_that_resumes_trips_in_the_last_forty_minutes(clock: int, levels: list[int]) -> None:
    board = run(Shock(at(clock), 1, -1_000))
    assert [p.level for p in board.session.course.pauses if p.market is Market.KOSPI] == levels


def test_an_index_that_falls_less_trips_nothing() -> None:
    assert not [p for p in run(Shock(at(100_000), 5, -600)).session.course.pauses if p.level]


def test_a_fall_that_a_later_script_stops_trips_nothing_after_it() -> None:
    fall, stop = Shock(at(100_000), 20, -1_000), Shock(at(100_500), 0, 900)
    assert [p for p in run(fall).session.course.pauses if p.level and p.at > stop.at]
    session = run(fall, stop).session
    assert not [p for p in session.course.pauses if p.level]
    row = int(np.searchsorted(session.tape.end, at(103_000)))
    assert (session.tape.volume[row : row + 20] > 0).any(axis=0).mean() > 0.5, "and nobody waits"


def test_a_gap_of_fifteen_percent_and_back_trips_two_interruptions_that_last_two_minutes() -> None:
    board = run(Shock(at(100_007), 0, 1_500, (QUIET,)), Shock(at(102_007), 0, -1_304, (QUIET,)))
    events = [event for event in board.session.course.events if event.column == column(board, QUIET)]
    assert len(events) >= 2
    first, second = events[:2]
    assert first.price > first.dynamic_reference * 1.06
    assert second.price < second.dynamic_reference * 0.94
    for event in events:
        assert 120 <= (event.released_at - event.at) / NS_PER_SECOND <= 150
        tape = board.session.tape
        inside = (tape.end > event.at) & (tape.end < event.released_at)
        assert not tape.volume[inside, column(board, QUIET)].any()
    board.move(first.at + 60 * NS_PER_SECOND)
    assert board.phase_of(QUIET) is Standing.VI
    assert board.vi_of(QUIET) == first
    assert board.expected(QUIET).since == first.at
    assert (QUIET, first) in board.vi_events(DAY)
    board.move(first.released_at - 1)
    assert (board.phase_of(QUIET), board.vi_of(QUIET)) == (Standing.VI, first)
    board.move(first.released_at)
    assert (board.phase_of(QUIET), board.vi_of(QUIET)) == (Standing.CONTINUOUS, None)
    board.move(first.at - NS_PER_SECOND)
    assert (QUIET, first) not in board.vi_events(DAY), "nothing later than now"


@pytest.mark.parametrize("upward", [True, False])
def test_a_trip_is_a_dynamic_interruption_of_one_name(upward: bool) -> None:
    board = run(Trip(at(103_000), QUIET, upward))
    events = [event for event in board.session.course.events if event.column == column(board, QUIET)]
    assert events[0].kind in (ViKind.DYNAMIC, ViKind.BOTH)
    assert at(103_000) <= events[0].at < at(103_030)
    assert (events[0].price > events[0].dynamic_reference) is upward


@pytest.mark.parametrize("upper", [True, False])
def test_a_lock_keeps_a_name_at_its_limit_with_one_side_of_the_book_empty(upper: bool) -> None:
    board = run(Lock(at(100_000), QUIET, upper))
    tape, place = board.session.tape, column(board, QUIET)
    sight = board.sight(QUIET)
    edge = sight.upper if upper else sight.lower
    later = (tape.start >= at(100_500)) & (tape.volume[:, place] > 0)
    assert later.sum() > 20
    assert set(tape.price[later, place].tolist()) == {edge}
    assert board.world.daily.close[board.session.row, place] == edge
    board.move(at(110_000))
    depth = board.depth(QUIET)
    assert (set(depth.asks) == {0}) is upper
    assert (set(depth.bids) == {0}) is not upper
    assert sum(depth.bid_sizes if upper else depth.ask_sizes) > 0
    ask, bid, _ = board.top(QUIET)
    assert (ask == 0, bid == 0) == (upper, not upper)


def test_a_halt_within_the_day_resumes_through_a_call_auction_of_ten_minutes() -> None:
    board = run(Halt(at(100_000), "005930", at(103_000)))
    seen = {}
    for clock in (95_959, 100_000, 102_959, 103_000, 103_959, 104_015):
        board.move(at(clock))
        seen[clock] = board.phase_of("005930")
    assert [seen[c] for c in (100_000, 102_959)] == [Standing.HALTED] * 2
    assert [seen[c] for c in (103_000, 103_959)] == [Standing.CALL] * 2
    assert seen[95_959] is seen[104_015] is Standing.CONTINUOUS
    assert not printed(board, "005930", 100_000, 104_000).any()
    board.move(at(101_000))
    assert board.halted("005930")
    assert not board.halted(QUIET)


def test_a_halt_without_an_end_leaves_the_day_with_its_last_print_and_the_next_days_without_any() -> None:
    board = run(Halt(at(100_000), "005930"))
    world, place = board.world, column(board, "005930")
    last = board.session.tape.price[np.searchsorted(board.session.tape.end, at(100_000)), place]
    assert world.daily.close[ROW, place] == last
    assert np.all(world.daily.volume[ROW + 1 :, place] == 0)
    assert np.all(world.daily.close[ROW + 1 :, place] == last)
    board.move(at(110_000, NEXT))
    assert board.halted("005930")


def test_a_halt_over_a_night_begins_again_with_an_auction() -> None:
    board = run(Halt(at(140_000), "005930", at(100_000, NEXT)))
    board.move(at(93_000, NEXT))
    assert board.phase_of("005930") is Standing.HALTED
    board.move(at(100_500, NEXT))
    assert board.phase_of("005930") is Standing.CALL
    board.move(at(103_000, NEXT))
    assert board.phase_of("005930") is Standing.CONTINUOUS
    assert board.sight("005930").volume > 0


def test_a_designation_changes_flags_and_rules_from_its_day_on() -> None:
    board = run(Designation(NEXT, QUIET, add=frozenset({"liquidation", "administrative"})))
    assert board.instrument(QUIET).flags == frozenset()
    board.move(at(110_000, NEXT))
    assert board.instrument(QUIET).flags == {"liquidation", "administrative"}
    assert board.sight(QUIET).upper > 10**9
    rows = np.flatnonzero(board.session.tape.volume[:, column(board, QUIET)])
    assert set(rows.tolist()) <= {*range(0, 1520, 120), 1523}


@pytest.mark.parametrize("flag", ["liquidation", "short_overheated"])
def test_a_name_at_periodic_single_prices_has_no_interruptions_however_far_it_moves(flag: str) -> None:
    designation = Designation(NEXT, QUIET, add=frozenset({flag}))
    jumps = [Shock(at(clock, NEXT), 1, size, (QUIET,)) for clock, size in ((83_000, 1_400), (113_000, -1_600))]
    place = PLAIN.column[QUIET]
    undesignated = run(*jumps).world.course(ROW + 1)
    assert [event for event in undesignated.events if event.column == place]
    course = run(designation, *jumps).world.course(ROW + 1)
    found = course.price[course.volume[:, place] > 0, place]
    assert found[0] > 1.1 * PLAIN.daily.close[ROW, place] > found[-1]
    assert not [event for event in course.events if event.column == place]


def test_a_delisted_name_is_gone_and_stands_at_its_last_price() -> None:
    board = run(Delisting(NEXT, QUIET))
    last = int(board.world.daily.close[ROW, column(board, QUIET)])
    assert board.instrument(QUIET) is not None
    board.move(at(100_000, NEXT))
    assert board.instrument(QUIET) is None
    assert board.phase_of(QUIET) is Standing.CLOSED
    assert (board.sight(QUIET).last, board.sight(QUIET).volume) == (last, 0)
    assert [day for day, _ in board.daily_rows(QUIET, DAY, board.world.days[-1])] == [DAY]


def test_a_split_divides_prices_multiplies_volumes_and_leaves_returns() -> None:
    board = run(Action(NEXT, "005930", ActionKind.SPLIT, ratio=50))
    world, place = board.world, column(board, "005930")
    before = int(PLAIN.daily.close[ROW, place])
    assert abs(world.daily.base[ROW + 1, place] - before / 50) <= 2.5
    assert np.array_equal(world.daily.close[: ROW + 1, place], PLAIN.daily.close[: ROW + 1, place])
    mine, theirs = world.daily.close[ROW + 1 :, place], PLAIN.daily.close[ROW + 1 :, place]
    assert np.all(np.abs(mine * 50 / theirs - 1) < 0.02)
    assert np.all(np.abs(world.daily.volume[ROW + 1 :, place] / PLAIN.daily.volume[ROW + 1 :, place] - 50) < 0.5)
    assert board.instrument("005930").shares_outstanding * 50 == world.instruments_on(ROW + 1)[place].shares_outstanding
    others = [k for k in range(120) if k != place]
    assert np.array_equal(world.daily.close[:, others], PLAIN.daily.close[:, others])
    board.move(at(160_000, NEXT))
    raw = dict(board.daily_rows("005930", DAY, NEXT))
    adjusted = dict(board.daily_rows("005930", DAY, NEXT, adjusted=True))
    assert raw[DAY][3] == before
    assert abs(adjusted[DAY][3] - before / 50) <= 3
    assert raw[NEXT] == adjusted[NEXT]
    assert [one.kind for one in board.library.corporate_actions(DAY, NEXT, "005930")] == [ActionKind.SPLIT]


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (Action(NEXT, "005930", ActionKind.BONUS, ratio=0.5), lambda p: p / 1.5),
        (Action(NEXT, "005930", ActionKind.RIGHTS, ratio=0.2, price=10_000), lambda p: (p + 2_000) / 1.2),
        (Action(NEXT, "005930", ActionKind.DIVIDEND, price=500), lambda p: p),
        (Action(NEXT, "005930", ActionKind.SPLIT, ratio=0.1), lambda p: p * 10),
    ],
)
def test_base_prices_follow_the_exchanges_formulas(action: Action, wanted) -> None:
    board = run(action)
    place = column(board, "005930")
    base = int(board.world.daily.base[ROW + 1, place])
    tick = board.world.grid(NEXT).tick(board.world.daily.base[ROW + 1])[place]
    assert abs(base - wanted(int(PLAIN.daily.close[ROW, place]))) <= tick
    lower, upper = board.world.limits(ROW + 1)
    assert lower[place] <= board.world.daily.low[ROW + 1, place]
    assert board.world.daily.high[ROW + 1, place] <= upper[place]


def test_a_merged_name_leaves_the_list() -> None:
    board = run(Action(NEXT, QUIET, ActionKind.MERGER, ratio=0.4, partner="005930"))
    board.move(at(100_000, NEXT))
    assert board.instrument(QUIET) is None
    assert board.instrument("005930") is not None


ACTS = st.one_of(
    st.builds(Shock, st.just(0), st.integers(0, 20), st.integers(-1_500, 1_500), st.none()),
    st.builds(Shock, st.just(0), st.integers(0, 20), st.integers(-2_500, 2_500), st.just(("005930", QUIET))),
    st.builds(Halt, st.just(0), st.just("005930")),
    st.builds(Break, st.just(0), st.sampled_from([Market.KOSPI, Market.KOSDAQ]), st.integers(1, 3)),
    st.builds(Lock, st.just(0), st.just(QUIET), st.booleans()),
    st.builds(Trip, st.just(0), st.just(QUIET), st.booleans()),
)


def sighted(board: Board) -> tuple:
    """All that a board shows of the day so far."""
    symbols = board.world.symbols
    return (
        {symbol: board.sight(symbol) for symbol in symbols},
        {symbol: board.phase_of(symbol) for symbol in symbols},
        board.vi_events(DAY),
        board.breakers(),
        board.announced(),
        board.session.tape.price[: board.seen].tolist(),
    )


@given(st.lists(st.tuples(ACTS, st.integers(0, 9_000), st.integers(0, 9_000)), min_size=1, max_size=3))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
def test_whatever_is_scripted_changes_nothing_that_was_seen(acts) -> None:
    world = market(dataclasses.replace(SMALL, live_sessions=1))
    board = Board(world, at(90_000))
    for act, wait, ahead in acts:
        board.move(min(board.now + wait * NS_PER_SECOND, at(152_900)))
        before = sighted(board)
        moment = min(board.now + ahead * NS_PER_SECOND, at(152_900)) + 1
        board.script(dataclasses.replace(act, at=moment))
        assert sighted(board) == before
    tape = board.session.tape
    lower, upper = world.limits(ROW)
    live = tape.volume > 0
    assert np.all(((tape.price >= lower) & (tape.price <= upper))[live])
    assert np.all((tape.price % world.grid(DAY).tick(tape.price) == 0)[live])
    assert not np.any(live & tape.held & ~tape.single)
    assert np.array_equal(world.daily.volume[ROW], tape.cumulative[-1])


@pytest.mark.parametrize(
    "event",
    [
        Shock(at(100_000), -1, 100),
        Shock(at(100_000), 1, -9_900),
        Shock(at(100_000), 1, 100, ("999999",)),
        Break(at(100_000), Market.KOSPI, 4),
        Halt(at(100_000), "005930", at(95_000)),
        Designation(NEXT, "005930", add=frozenset({"famous"})),
        Action(NEXT, "005930", ActionKind.SPLIT),
        Action(NEXT, "005930", ActionKind.DIVIDEND),
        Action(NEXT, "005930", ActionKind.MERGER, ratio=1.0, partner="none"),
        Delisting(dt.date(2026, 11, 28), "005930"),
        Shock(at(70_000), 1, 100),
        Delisting(DAY, "005930"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(event: Intervention) -> None:
    board = run(clock=80_000)
    with pytest.raises(MarketRuleError) as caught:
        board.script(event)
    assert caught.value.expected
    assert caught.value.next_step
    assert not board.world.script.lines
    assert np.array_equal(board.world.daily.close, PLAIN.daily.close)
