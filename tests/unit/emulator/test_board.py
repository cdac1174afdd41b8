"""What a board shows at an instant, and that nothing later leaves it."""

import datetime as dt

import numpy as np
import pytest

from haetae.domain.market import Kind, Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, hhmmss_of, instant_at
from haetae.emulator.board import Board, Standing
from haetae.emulator.interventions import Action, ActionKind, Shock
from haetae.emulator.market import World
from haetae.emulator.periods import Period
from haetae.emulator.settings import MarketSettings
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours
from unit.emulator.test_market import market

SMALL = MarketSettings(seed=11, listed=120, history_sessions=60, live_sessions=4)
DAY = SMALL.first_live_day
WORLD = market(SMALL)
ROW = WORLD.row[DAY]
FUND = "069500"


def at(clock: int, day: dt.date = DAY) -> int:
    return instant_at(day, clock)


def board(clock: int, day: dt.date = DAY, world: World = WORLD) -> Board:
    return Board(world, at(clock, day))


def halted_name() -> str:
    return next(item.symbol for item in WORLD.instruments if "halted" in item.flags)


@pytest.mark.parametrize(
    ("clock", "standing"),
    [
        (82_959, Standing.CLOSED),
        (83_000, Standing.OPENING_AUCTION),
        (90_000, Standing.CONTINUOUS),
        (152_000, Standing.CLOSING_AUCTION),
        (153_000, Standing.CLOSED),
        (160_000, Standing.AFTERMARKET),
        (195_959, Standing.AFTERMARKET),
        (200_000, Standing.CLOSED),
    ],
)
def test_a_name_goes_through_the_states_of_the_day(clock: int, standing: Standing) -> None:
    assert board(clock).phase_of("005930") is standing


def test_funds_have_no_aftermarket_and_halted_names_no_state_but_theirs() -> None:
    assert board(170_000).phase_of(FUND) is Standing.CLOSED
    assert board(170_000).evening(FUND) is None
    assert board(100_000).phase_of(halted_name()) is Standing.HALTED
    assert board(100_000).phase_of("none") is Standing.CLOSED
    assert Board(WORLD, at(100_000, DAY + dt.timedelta(days=5))).phase_of("005930") is Standing.CLOSED, "a Saturday"


def test_expected_prices_move_and_come_to_the_price_of_the_uncross() -> None:
    shown = board(83_000)
    seen = []
    for second in range(0, 1_800, 10):
        shown.move(at(83_000) + second * NS_PER_SECOND)
        expected = shown.expected("005930")
        if expected is not None:
            seen.append((expected.price, expected.volume))
            assert expected.since == at(83_000)
    prices = [price for price, _ in seen]
    assert len(set(prices)) > 5, "it moves"
    assert shown.expected("005930") is not None
    lower, upper = shown.sight("005930").lower, shown.sight("005930").upper
    assert all(lower <= price <= upper for price in prices)
    assert seen[-1][1] > 2 * seen[0][1], "orders gather"
    shown.move(at(90_015))
    opened = shown.sight("005930").open
    assert abs(prices[-1] / opened - 1) < 0.006
    assert shown.expected("005930") is None


def test_the_closing_auction_expects_the_close() -> None:
    gaps = []
    for symbol in WORLD.symbols[:40]:
        if not WORLD.daily.volume[ROW, WORLD.column[symbol]]:
            continue
        shown = board(152_950)
        expected = shown.expected(symbol)
        if expected is None or not expected.price:
            continue
        shown.move(at(153_000))
        gaps.append(abs(expected.price / shown.sight(symbol).last - 1))
    assert np.median(gaps) < 0.002
    assert board(150_000).expected("005930") is None
    assert board(153_001).expected("005930") is None


def test_nobody_expects_anything_of_a_halted_name() -> None:
    assert board(84_500).expected(halted_name()) is None


def test_a_day_before_its_own_cannot_be_seen() -> None:
    shown = board(84_500)
    tomorrow = WORLD.days[ROW + 1]
    assert shown.minute_rows("005930", DAY) == shown.index_minutes("0001", DAY) == shown.vi_events(tomorrow) == []
    assert shown.daily_rows("005930", DAY, tomorrow) == []
    assert shown.index_rows("0001", DAY, tomorrow) == []
    assert shown.library.flows("005930", DAY, tomorrow) == []
    assert shown.library.nav_rows(FUND, DAY, tomorrow) == []
    assert shown.library.nav_minutes(FUND) == []
    assert shown.library.nav(FUND) == (0, 0, 0, 0)
    assert shown.announced()[-1].at <= shown.now


def everything(shown: Board) -> list:
    """All that may be asked of a board."""
    library = shown.library
    first, last = WORLD.days[0], WORLD.days[-1]
    found: list = [shown.phase, shown.breakers(), shown.announced(), library.headlines(40)]
    found += [shown.vi_events(day) for day in WORLD.days[-6:]]
    for symbol in ("005930", FUND, halted_name(), WORLD.symbols[3]):
        found += [shown.sight(symbol), shown.phase_of(symbol), shown.top(symbol), shown.evening(symbol)]
        found += [shown.daily_rows(symbol, first, last), shown.minute_rows(symbol, DAY), shown.extremes(symbol, 250)]
        found += [shown.period_rows(symbol, first, last, period) for period in Period]
        found += [library.flows(symbol, first, last), library.statements(symbol), library.nav_rows(symbol, first, last)]
        found += [library.nav(symbol), library.nav_minutes(symbol), library.corporate_actions(first, last, symbol)]
    for code in ("0001", "1001", "2001"):
        found += [shown.index_rows(code, first, last), shown.index_minutes(code, DAY)]
        found += [shown.index_period_rows(code, first, last, Period.WEEK)]
    found += [library.market_flows(one, first, last) for one in (Market.KOSPI, Market.KOSDAQ)]
    table = shown.table()
    return [*found, table.last.tolist(), table.volume.tolist(), table.turnover.tolist(), table.high.tolist()]


@pytest.mark.parametrize("clock", [84_000, 90_010, 101_007, 143_000, 151_500])
def test_nothing_that_a_board_shows_depends_on_what_comes_later(clock: int) -> None:
    other = market(SMALL)
    now = at(clock)
    other.intervene(Shock(now + 1, 3, -1_300))
    other.intervene(Action(WORLD.days[ROW + 1], "005930", ActionKind.SPLIT, ratio=5))
    mine, theirs = everything(Board(WORLD, now)), everything(Board(other, now))
    split = [part for part in theirs if isinstance(part, list) and any(isinstance(one, Action) for one in part)]
    for a, b in zip(mine, theirs, strict=True):
        assert a == b or b in split, "only the announced split differs"


def test_minutes_of_the_running_day_are_those_of_its_record_later() -> None:
    early, late = board(113_042), board(180_000)
    running = early.minute_rows("005930", DAY)
    assert running[:-1] == late.minute_rows("005930", DAY)[: len(running) - 1]
    assert early.index_minutes("0001", DAY) == late.index_minutes("0001", DAY)[: len(early.index_minutes("0001", DAY))]
    whole = late.minute_rows("005930", DAY)
    ((_, bar),) = late.daily_rows("005930", DAY, DAY)
    assert bar[:5] == (
        whole[0][2][0], max(r[2][1] for r in whole), min(r[2][2] for r in whole), whole[-1][2][3],
        sum(r[2][4] for r in whole),
    )  # fmt: skip


def test_weeks_months_and_years_gather_their_days() -> None:
    shown = board(180_000, WORLD.days[-1])
    days = shown.daily_rows("005930", WORLD.days[0], WORLD.days[-1])
    for period in Period:
        rows = shown.period_rows("005930", WORLD.days[0], WORLD.days[-1], period)
        assert sum(bar[4] for _, bar in rows) == sum(bar[4] for _, bar in days)
        assert sum(bar[5] for _, bar in rows) == sum(bar[5] for _, bar in days)
        assert max(bar[1] for _, bar in rows) == max(bar[1] for _, bar in days)
        assert rows[0][1][0] == days[0][1][0]
        assert rows[-1][0] == days[-1][0]
        assert rows[-1][1][3] == days[-1][1][3]
        assert [period.key(day) for day, _ in rows] == sorted({period.key(day) for day, _ in days})
    months = shown.period_rows("005930", WORLD.days[0], WORLD.days[-1], Period.MONTH)
    assert {day.month for day, _ in months} == {day.month for day in WORLD.days}
    weeks = shown.index_period_rows("0001", WORLD.days[0], WORLD.days[-1], Period.WEEK)
    assert all(low <= min(o, c) <= max(o, c) <= high for _, (o, high, low, c, _) in weeks)


def test_a_day_announces_its_phases() -> None:
    codes = [(one.code, hhmmss_of(one.at)) for one in board(200_000).announced() if one.code[0] != "F"]
    assert codes[:3] == [("110", 83_000), ("130", 83_000), ("139", 84_000)]
    assert ("112", 90_000) in codes
    assert ("121", 152_000) in codes
    assert ("129", 153_000) in codes
    assert ("140", 154_000) in codes
    assert codes[-1] == ("149", 160_000)
    late = Board(WORLD, at(100_500, dt.date(2026, 11, 19)))
    told = {one.code: hhmmss_of(one.at) for one in late.announced()}
    assert (told["110"], told["112"]) == (93_000, 100_000), "the day of the university examination begins at ten"


def test_the_aftermarket_is_thin_inside_the_limits_and_leaves_the_day_alone() -> None:
    before, after = board(155_959), board(200_000)
    shares = []
    for symbol in WORLD.symbols:
        mine, theirs = before.sight(symbol), after.sight(symbol)
        assert mine == theirs
        evening = after.evening(symbol)
        if evening is None or evening.volume == 0:
            continue
        assert mine.lower <= evening.low <= evening.last <= evening.high <= mine.upper
        assert evening.last % Rulebook.on(DAY).tick_size(evening.last) == 0
        shares.append(evening.volume / max(mine.volume, 1))
    assert len(shares) > 60
    assert 0.002 < np.median(shares) < 0.05
    assert before.minute_rows("005930", DAY) == after.minute_rows("005930", DAY)
    tape = after.session.off_market(OffHours.AFTERMARKET).tape
    assert tape.market_class == "3"
    assert (int(tape.start[0]), int(tape.end[-1])) == (at(160_000), at(200_000))
    funds = [WORLD.column[i.symbol] for i in WORLD.instruments if i.kind in (Kind.ETF, Kind.ETN)]
    assert not tape.volume[:, funds].any()
    assert board(155_959).evening("005930") is None
    assert board(160_000).evening("005930").volume == 0


def test_there_was_no_aftermarket_before_its_day() -> None:
    old = market(
        MarketSettings(seed=2, listed=120, history_sessions=5, live_sessions=3, first_live_day=dt.date(2026, 9, 10))
    )
    assert [day.day for day in old.days[-3:]] == [10, 11, 14]
    for day, there in ((old.days[-2], False), (old.days[-1], True)):
        shown = Board(old, instant_at(day, 170_000))
        assert (shown.evening("005930") is not None) is there
        assert (shown.phase_of("005930") is Standing.AFTERMARKET) is there


def test_markets_at_a_close_print_at_that_close_only() -> None:
    session = board(180_000).session
    for hours, price in ((OffHours.BEFORE_OPEN, session.base), (OffHours.AFTER_CLOSE, session.tape.price[-1])):
        tape = session.off_market(hours).tape
        assert np.all(tape.price == price)
        assert tape.market_class == "5"
        assert 0 < tape.volume.sum() < 0.05 * session.tape.volume.sum()
        assert np.all(tape.single[tape.volume > 0])


def test_books_stand_around_the_price_and_never_cross() -> None:
    shown = board(100_000)
    for clock in (84_500, 90_130, 101_007, 152_700):
        shown.move(at(clock))
        for symbol in WORLD.symbols[::9]:
            if shown.instrument(symbol) is None or "liquidation" in shown.instrument(symbol).flags:
                continue
            depth, sight = shown.depth(symbol), shown.sight(symbol)
            asks, bids = [p for p in depth.asks if p], [p for p in depth.bids if p]
            assert asks == sorted(asks)
            assert bids == sorted(bids, reverse=True)
            assert not asks or not bids or bids[0] < asks[0]
            assert all(sight.lower <= price <= sight.upper for price in asks + bids)


def test_a_closing_auction_that_goes_on_is_seen_when_it_ends() -> None:
    world = market(SMALL)
    symbol = next(i.symbol for c, i in enumerate(world.instruments) if not world.narrow[c] and not i.flags)
    column = world.column[symbol]
    Board(world, at(150_000)).script(Shock(at(152_959), 0, 450, (symbol,)))
    shown = Board(world, at(153_010))
    assert shown.session.course.released.keys() == {column}
    until = shown.session.course.released[column]
    assert 120 <= (until - at(153_000)) / NS_PER_SECOND <= 150
    before = shown.sight(symbol)
    assert shown.phase_of(symbol) is Standing.CLOSING_AUCTION
    assert shown.expected(symbol) is not None
    assert shown.phase_of("005930") is Standing.CLOSED
    assert len(shown.minute_rows(symbol, DAY)) == len([r for r in shown.minute_rows(symbol, DAY) if r[0] < at(152_000)])
    shown.move(until)
    after = shown.sight(symbol)
    assert after.volume > before.volume
    assert after.last == world.daily.close[ROW, column]
    last = shown.minute_rows(symbol, DAY)[-1]
    assert (last[0], last[2][3]) == (at(152_000), after.last)
    assert shown.phase_of(symbol) is Standing.CLOSED
    assert until - at(153_000) < 3 * NS_PER_MINUTE


def test_headlines_are_drawn_without_regard_to_prices_and_come_in_their_minute() -> None:
    shown = board(120_000)
    titles = shown.library.headlines(25)
    assert len(titles) == 25
    assert all(one.at <= shown.now for one in titles)
    assert [one.at for one in titles] == sorted((one.at for one in titles), reverse=True)
    assert len({one.key for one in titles}) == 25
    assert any(one.symbols for one in titles)
    assert any(not one.symbols for one in titles)
    named = shown.library.headlines(3, symbol="005930")
    assert all("005930" in one.symbols for one in named)


def test_flows_add_up_and_lean_a_little_with_the_return() -> None:
    shown = board(180_000, WORLD.days[-1])
    foreign, moves = [], []
    for column, symbol in enumerate(WORLD.symbols):
        for day, flow in shown.library.flows(symbol, WORLD.days[0], WORLD.days[-1]):
            row = WORLD.row[day]
            volume, base = int(WORLD.daily.volume[row, column]), int(WORLD.daily.base[row, column])
            left = flow.foreign_sh + flow.institution_sh + flow.individual_sh
            assert abs(left) <= 0.02 * volume + 1, "what is left are other companies"
            if volume:
                foreign.append(flow.foreign_sh / volume)
                moves.append(WORLD.daily.close[row, column] / base - 1)
                assert flow.foreign_won * flow.foreign_sh >= 0
    assert 0.1 < np.corrcoef(foreign, moves)[0, 1] < 0.6
    again = board(180_000, WORLD.days[-1]).library.flows("005930", DAY, DAY)
    assert again == shown.library.flows("005930", DAY, DAY)
    total = dict(shown.library.market_flows(Market.KOSPI, DAY, DAY))[DAY]
    mine = [i.symbol for i in WORLD.instruments if i.market is Market.KOSPI and i.kind not in (Kind.ETF, Kind.ETN)]
    assert total.foreign_won == sum(shown.library.flows(s, DAY, DAY)[0][1].foreign_won for s in mine)


def test_flows_of_today_are_told_after_the_close() -> None:
    assert board(152_900).library.flows("005930", DAY, DAY) == []
    assert len(board(153_000).library.flows("005930", DAY, DAY)) == 1


def test_statements_are_known_when_they_had_to_be_filed() -> None:
    shown = board(100_000)
    found = shown.library.statements("005930")
    assert all(one.known_on <= DAY for one in found)
    assert {one.annual for one in found} == {True, False}
    assert max(one.period for one in found) == 202_609, "the third quarter had to be filed by the 14th of November"
    assert all(one.assets == one.liabilities + one.equity for one in found)
    year = next(one for one in found if one.annual and one.period == 202_412)
    quarters = [one for one in found if not one.annual and one.period // 100 == 2024]
    assert year.sales == sum(one.sales for one in quarters)
    assert shown.library.statements(FUND) == []
    long = Board(market(MarketSettings(seed=11, listed=120, history_sessions=5, live_sessions=90)), at(100_000))
    before = long.library.statements("005930")
    long.move(at(100_000, dt.date(2027, 4, 2)))
    after = long.library.statements("005930")
    assert [one for one in after if one in before] == [one for one in before if one in after]
    assert {(one.period, one.annual) for one in after if one not in before} == {(202_612, False), (202_612, True)}


def test_a_funds_value_stays_near_its_price_and_ends_at_the_value_of_the_day() -> None:
    shown = board(153_000)
    value, first, high, low = shown.library.nav(FUND)
    assert low <= min(value, first) <= max(value, first) <= high
    assert abs(value / 100 / shown.sight(FUND).last - 1) < 0.006
    ((day, nav, close, volume),) = shown.library.nav_rows(FUND, DAY, DAY)
    assert (day, close, volume) == (DAY, shown.sight(FUND).last, shown.sight(FUND).volume)
    assert abs(nav - value) <= 1
    minutes = shown.library.nav_minutes(FUND)
    assert len(minutes) == 381
    assert board(100_000).library.nav_minutes(FUND) == minutes[:60]
    assert shown.library.nav_before(FUND) == shown.library.nav_rows(FUND, WORLD.days[ROW - 1], DAY)[0][1]


def test_new_listings_are_told_ahead() -> None:
    fresh = [item for item in WORLD.instruments if item.listed_on > WORLD.days[0]]
    told = board(100_000).library.listings(WORLD.days[0], WORLD.days[-1])
    assert {symbol for _, symbol in told} == {item.symbol for item in fresh}
