"""The synthetic market keeps the rules of the exchange and its own arithmetic, and looks like a market."""

import dataclasses
import time
import tracemalloc

import numpy as np
import pytest

from haetae.domain.market import Kind, Market
from haetae.emulator.interventions import ActionKind, Shock
from haetae.emulator.kernels import carry
from haetae.emulator.market import World, synthesize
from haetae.emulator.settings import MarketSettings
from haetae.emulator.tape import Tape
from haetae.krx import Rulebook

SMALL = MarketSettings(seed=5, listed=130, history_sessions=80, live_sessions=4)


def dice(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, 0]))


def market(settings: MarketSettings) -> World:
    return synthesize(settings, dice(settings.seed))


@pytest.fixture(scope="module")
def world() -> World:
    return market(SMALL)


@pytest.fixture(scope="module")
def full() -> World:
    return market(MarketSettings())


def test_same_seed_gives_the_same_market_whatever_is_asked_first(world: World) -> None:
    other = market(SMALL)
    later, first = other.minutes(80), other.minutes(10)
    assert np.array_equal(world.daily.close, other.daily.close)
    assert np.array_equal(world.minutes(10).close, first.close)
    assert np.array_equal(world.minutes(80).volume, later.volume)
    assert world.course(80).events == other.course(80).events


def test_another_seed_gives_another_market(world: World) -> None:
    assert not np.array_equal(world.daily.close, market(dataclasses.replace(SMALL, seed=6)).daily.close)


def test_minutes_of_one_name_are_those_it_has_among_all(world: World) -> None:
    alone = market(SMALL)
    for row in (12, 60, 79, 80):
        bars = world.minutes(row)
        for column in range(0, 130, 7):
            for mine, theirs in zip(
                alone.minutes_of(row, column), (bars.open, bars.high, bars.low, bars.close, bars.volume), strict=True
            ):
                assert np.array_equal(mine, theirs[:, column])


def test_list_holds_every_kind_a_universe_must_tell_apart(full: World) -> None:
    assert len(full.symbols) == 240
    kinds = {(item.market, item.kind) for item in full.instruments}
    assert {(Market.KOSPI, Kind.COMMON), (Market.KOSDAQ, Kind.COMMON), (Market.KOSPI, Kind.PREFERRED)} <= kinds
    assert {(Market.KOSPI, kind) for kind in (Kind.ETF, Kind.ETN, Kind.REIT)} <= kinds
    assert (Market.KOSDAQ, Kind.SPAC) in kinds
    flags = {flag for item in full.instruments for flag in item.flags}
    assert {"halted", "administrative", "liquidation", "caution", "warning", "unfaithful_disclosure"} <= flags
    assert "005930" in full.symbols
    assert list(full.symbols) == sorted(set(full.symbols))
    assert sum(1 for item in full.instruments if item.kind is Kind.COMMON and not item.flags) >= 170
    fresh = full.listed_row[(full.listed_row > 0) & (full.listed_row < full.row[full.first_live])]
    assert len(fresh) == 4, "some are listed within the history"
    assert any(row >= full.row[full.first_live] for row in full.listed_row), "and one while the clock runs"
    commons = [item.name for item in full.instruments]
    assert len(set(commons)) > 0.8 * len(commons)


@pytest.mark.parametrize("seed", [1, 2, 77, 20261123])
def test_005930_is_listed_in_every_market(seed: int) -> None:
    made = market(MarketSettings(seed=seed, listed=200, history_sessions=3, live_sessions=1))
    assert made.by_symbol["005930"].name == "삼성전자"
    assert made.daily.volume[:, made.column["005930"]].min() > 0


def test_a_name_in_liquidation_leaves_the_list_after_seven_sessions(full: World) -> None:
    name = next(item.symbol for item in full.instruments if "liquidation" in item.flags)
    column, first = full.column[name], full.row[full.first_live]
    assert np.all(full.daily.close[first : first + 7, column] > 0)
    assert np.all(full.daily.base[first + 7 :, column] == 0)


def test_daily_prices_stand_on_the_grid_and_inside_the_limits(world: World) -> None:
    daily = world.daily
    for row in (1, 40, 82):
        grid = world.grid(world.days[row])
        lower, upper = world.limits(row)
        for column in (daily.open, daily.high, daily.low, daily.close):
            listed = column[row] > 0
            assert np.all(column[row] % grid.tick(column[row]) == 0)
            assert np.all((column[row] >= lower)[listed])
            assert np.all((column[row] <= upper)[listed])


def test_limits_of_all_names_are_those_of_the_rulebook_one_by_one(world: World) -> None:
    lower, upper = world.grid(world.days[5]).limits(world.daily.base[5])
    for column, item in enumerate(world.instruments):
        base = int(world.daily.base[5, column])
        if base:
            assert (lower[column], upper[column]) == Rulebook.on(world.days[5]).price_limits(
                base, item.kind, item.market
            )


def test_a_first_day_may_reach_four_times_its_offer(full: World) -> None:
    for column in np.flatnonzero(full.listed_row > 0).tolist():
        row = int(full.listed_row[column])
        lower, upper = full.limits(row)
        offer = int(full.daily.base[row, column])
        assert 0.59 * offer < lower[column] < 0.61 * offer
        assert 3.98 * offer < upper[column] <= 4 * offer
        assert full.limits(row + 1)[1][column] < 1.31 * full.daily.base[row + 1, column]
        assert not [event for event in full.course(row).events if event.column == column], "no VI on the first day"


def test_base_price_is_the_close_before(world: World) -> None:
    listed = (world.daily.close[:-1] > 0) & (world.daily.base[1:] > 0)
    assert np.array_equal(world.daily.base[1:][listed], world.daily.close[:-1][listed])


@pytest.mark.parametrize("row", [0, 50, 80, 83])
def test_minutes_and_prints_aggregate_to_the_day_exactly(world: World, row: int) -> None:
    bars, daily, course = world.minutes(row), world.daily, world.course(row)
    assert len(bars.start) == 381
    live = daily.volume[row] > 0
    columns = np.arange(len(world.symbols))
    first = bars.traded.argmax(axis=0)
    assert np.array_equal(bars.open[first, columns][live], daily.open[row][live])
    assert np.array_equal(np.where(bars.traded, bars.high, 0).max(axis=0)[live], daily.high[row][live])
    assert np.array_equal(np.where(bars.traded, bars.low, 10**12).min(axis=0)[live], daily.low[row][live])
    assert np.array_equal(bars.close[-1], daily.close[row])
    assert np.array_equal(bars.volume.sum(axis=0), daily.volume[row])
    tape = Tape.of(course)
    assert np.array_equal(tape.high[-1][live], daily.high[row][live])
    assert np.array_equal(tape.low[-1][live], daily.low[row][live])
    assert np.array_equal(tape.opened[-1][live], daily.open[row][live])
    assert np.array_equal(tape.cumulative[-1], daily.volume[row])
    assert np.array_equal(tape.turnover[-1], (tape.price * tape.volume).sum(axis=0))


def test_no_print_of_any_day_breaks_a_rule_of_the_exchange(full: World) -> None:
    """On the grid, inside the limits, none while its name is held, continuous ones inside the VI bands."""
    tripped = 0
    for row in range(full.row[full.first_live] - 12, len(full.days)):
        course, grid = full.course(row), full.grid(full.days[row])
        lower, upper = full.limits(row)
        printed = course.volume > 0
        assert np.all(course.price[printed] % grid.tick(course.price)[printed] == 0)
        assert np.all(((course.price >= lower) & (course.price <= upper))[printed])
        assert not np.any(printed & course.held & ~course.single), "a name printed while it was held"
        periodic = [bool(item.flags & {"liquidation", "short_overheated"}) for item in full.instruments_on(row)]
        free = np.array(periodic) | (full.listed_row == row)
        base = full.daily.base[row]
        begun = np.cumsum(printed, axis=0) > 0
        first = printed & (np.cumsum(printed, axis=0) == 1)
        counted = carry(course.price, ((course.single & printed) | first).astype(np.int64), base)
        before = np.vstack([base[None], course.price[:-1]])
        reference = np.vstack([base[None], counted[:-1]])
        wanted = printed & ~course.single & ~first & ~free & begun
        rates = Rulebook.on(full.days[row]).vi
        rate = np.where(full.narrow, rates.dynamic(narrow=True).continuous, rates.dynamic(narrow=False).continuous)
        assert not np.any(wanted & (np.abs(course.price - reference) * 10 >= reference)), "a static VI was missed"
        assert not np.any(wanted & (np.abs(course.price - before) * 10_000 >= before * rate)), "a dynamic VI was missed"
        tripped += len(course.events)
    assert tripped > 10, "the laws were put to the test"


def test_flagged_names_trade_every_half_hour_only(full: World) -> None:
    row = full.row[full.first_live]
    course = full.course(row)
    for column, item in enumerate(full.instruments):
        if item.flags & {"liquidation", "short_overheated"} and full.daily.volume[row, column]:
            rows = np.flatnonzero(course.volume[:, column])
            assert set(rows.tolist()) <= {*range(0, 1520, 120), 1523}
            assert len(rows) > 5
    quiet = next(c for c, i in enumerate(full.instruments) if "liquidation" in i.flags)
    lower, upper = full.limits(row)
    assert lower[quiet] == 1
    assert upper[quiet] > 10**9


@pytest.mark.parametrize("seed", [3, 8, 20261123])
def test_returns_look_like_those_of_korean_shares(seed: int) -> None:
    """Ranges around what Korean commons showed in 2019-2023 (240 most traded, three windows)."""
    made = market(MarketSettings(seed=seed, history_sessions=380, live_sessions=2))
    commons = np.array([item.kind is Kind.COMMON for item in made.instruments])
    steady = np.all(made.daily.volume > 0, axis=0) & commons
    daily = made.daily
    returns = np.diff(np.log(daily.close[:, steady].astype(float)), axis=0)
    centred = returns - returns.mean(axis=0)
    kurtosis = np.median((centred**4).mean(axis=0) / returns.var(axis=0) ** 2)
    assert 6 < kurtosis < 14, "real: 7.8 to 11.0"
    assert 0.022 < np.median(returns.std(axis=0)) < 0.04, "real: 0.028 to 0.041"
    across = np.corrcoef(returns.T)[np.triu_indices(returns.shape[1], 1)].mean()
    assert 0.10 < across < 0.35, "real: 0.16 to 0.32"
    size = np.abs(centred)
    after = [
        np.median([np.corrcoef(size[lag:, k], size[:-lag, k])[0, 1] for k in range(size.shape[1])]) for lag in (1, 5)
    ]
    assert 0.08 < after[0] < 0.30, "real: 0.10 to 0.27"
    assert 0.04 < after[1] < after[0], "real: 0.06 to 0.15"
    gap = np.log(daily.open[1:, steady] / daily.base[1:, steady])
    inside = np.log(daily.close[1:, steady] / daily.open[1:, steady])
    share = np.median(gap.var(axis=0) / (gap.var(axis=0) + inside.var(axis=0)))
    assert 0.15 < share < 0.28, "real: 0.18 to 0.24"
    far = np.maximum(
        daily.high[:, steady] / daily.open[:, steady] - 1, 1 - daily.low[:, steady] / daily.open[:, steady]
    )
    assert 0.005 < (far >= 0.1).mean() < 0.05, "real: 0.03 to 0.06"
    shares = np.log(daily.volume[1:, steady].astype(float))
    with_move = np.median([np.corrcoef(size[:, k], shares[:, k])[0, 1] for k in range(size.shape[1])])
    assert with_move > 0.3, "real: 0.5"


@pytest.mark.parametrize("seed", [3, 8, 20261123])
def test_volume_of_a_day_is_u_shaped_with_heavy_auctions(seed: int) -> None:
    made = market(MarketSettings(seed=seed, history_sessions=20, live_sessions=2))
    volume = np.mean([made.minutes(row).volume.sum(axis=1) for row in range(5, 20)], axis=0)
    noon = volume[170:230].mean()
    assert 1.8 < volume[:30].mean() / noon < 4.5
    assert 1.2 < volume[-31:-1].mean() / noon < 3
    total = volume.sum()
    assert 0.02 < volume[-1] / total < 0.08, "the closing auction"
    assert volume[0] / total > 0.02, "the opening auction with its first minute"


@pytest.mark.parametrize("seed", [3, 8])
def test_minutes_of_different_names_move_together_a_little(seed: int) -> None:
    made = market(MarketSettings(seed=seed, history_sessions=20, live_sessions=2))
    close = made.minutes(10).close[:380].astype(float)
    traded = made.minutes(10).traded[:380].mean(axis=0) > 0.9
    moves = np.diff(np.log(close[:, traded]), axis=0)
    assert 0.05 < np.corrcoef(moves.T)[np.triu_indices(moves.shape[1], 1)].mean() < 0.5


def test_shock_moves_the_market_by_its_size_and_later_days_follow(world: World) -> None:
    struck = market(SMALL)
    at = int(struck.minutes(81).start[100])
    struck.add_shock(Shock(at, 5, -500))
    before, after = world.minutes(81), struck.minutes(81)
    assert np.array_equal(before.close[:100], after.close[:100])
    live = (world.daily.volume[81] > 0) & after.traded[105:115].any(axis=0) & before.traded[105:115].any(axis=0)
    change = after.close[110][live] / before.close[110][live] - 1.0
    assert -0.06 < np.median(change) < -0.045
    assert np.array_equal(struck.daily.close[81], after.close[-1])
    listed = struck.daily.base[82] > 0
    assert np.array_equal(struck.daily.base[82][listed], struck.daily.close[81][listed])
    lower, upper = struck.limits(81)
    live = world.daily.volume[81] > 0
    assert np.all(after.low[:, live] >= lower[live])
    assert np.all(after.high[:, live] <= upper[live])
    again = market(SMALL)
    again.add_shock(Shock(at, 5, -500))
    assert np.array_equal(again.minutes(82).close, struck.minutes(82).close)


def test_shock_of_one_symbol_leaves_the_others_alone(world: World) -> None:
    struck = market(SMALL)
    struck.add_shock(Shock(int(struck.minutes(81).start[200]), 3, 900, ("005930",)))
    place = struck.column["005930"]
    others = [column for column in range(len(struck.symbols)) if column != place]
    assert struck.daily.close[81, place] > world.daily.close[81, place]
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(struck.daily, name)[:, others], getattr(world.daily, name)[:, others])
        assert np.array_equal(getattr(struck.minutes(81), name)[:, others], getattr(world.minutes(81), name)[:, others])


def test_index_follows_its_members(world: World) -> None:
    kospi = world.indices["0001"]
    assert np.all(kospi.high >= np.maximum(kospi.open, kospi.close))
    assert np.all(kospi.low <= np.minimum(kospi.open, kospi.close))
    mine = [p for p, item in enumerate(world.instruments) if item.market is Market.KOSPI and item.kind is Kind.COMMON]
    moves = np.diff(np.log(np.maximum(world.daily.close[:, mine], 1).astype(float)), axis=0)
    listed = np.all(world.daily.close[:, mine] > 0, axis=0)
    assert np.corrcoef(moves[:, listed].mean(axis=1), np.diff(np.log(kospi.close)))[0, 1] > 0.5


@pytest.mark.parametrize("code", ["0001", "1001", "2001"])
def test_minutes_of_an_index_aggregate_to_its_day(world: World, code: str) -> None:
    table = world.indices[code]
    for row in (5, 44, 81):
        opened, high, low, close = world.index_minutes(code, row)
        assert (opened[0], high.max(), low.min(), close[-1]) == tuple(
            int(part[row]) for part in (table.open, table.high, table.low, table.close)
        )
        assert np.all(high >= np.maximum(opened, close))
        assert np.all(low <= np.minimum(opened, close))


def test_dividends_fall_away_before_the_year_ends_and_move_no_base_price() -> None:
    made = market(MarketSettings(seed=4, listed=120, history_sessions=250, live_sessions=40))
    dividends = [action for action in made.register.notices if getattr(action, "kind", None) is ActionKind.DIVIDEND]
    assert len(dividends) > 30
    ends = [one for one in dividends if one.day.month == 12]
    assert {one.day.isoformat() for one in ends} == {"2025-12-29", "2026-12-29"}
    for one in dividends:
        row, column = made.row[one.day], made.column[one.symbol]
        assert made.daily.base[row, column] == made.daily.close[row - 1, column]
        assert one.arrival > one.day
        assert 0 < one.price < 0.06 * made.daily.close[row - 1, column]


def test_a_world_is_built_fast() -> None:
    market(MarketSettings(listed=120, history_sessions=3))
    begun = time.process_time()
    market(MarketSettings(listed=240, history_sessions=300))
    assert time.process_time() - begun < 2.0


def test_a_year_of_sessions_with_minutes_is_served_in_bounded_memory() -> None:
    made = market(MarketSettings(seed=3, listed=200, history_sessions=5, live_sessions=250))
    assert len(made.days) == 255
    place = made.column["005930"]
    tracemalloc.start()
    for row in range(5, 255):
        opened, high, low, close, volume = made.minutes_of(row, place)
        assert volume.sum() == made.daily.volume[row, place]
        assert close[-1] == made.daily.close[row, place]
        assert (high.max(), low[volume > 0].min()) == (made.daily.high[row, place], made.daily.low[row, place])
        assert opened[(volume > 0).argmax()] == made.daily.open[row, place]
    for row in range(5, 255, 6):
        assert np.array_equal(made.minutes(row).close[-1], made.daily.close[row])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 260e6
