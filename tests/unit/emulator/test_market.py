"""The synthetic market keeps the rules of the exchange and its own arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.market import Kind, Market
from haetae.emulator.bridge import DayBars, Tape, bridge_day
from haetae.emulator.grid import Grid
from haetae.emulator.market import Shock, World, synthesize
from haetae.emulator.settings import MarketSettings
from haetae.krx import Rulebook

SMALL = MarketSettings(seed=5, listed=130, history_sessions=80, live_sessions=4)


def dice(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, 0]))


def new_world() -> World:
    return synthesize(SMALL, dice(5))


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


def test_same_seed_gives_the_same_market_whatever_is_asked_first(world: World) -> None:
    other = new_world()
    later, first = other.minutes(80), other.minutes(10)
    assert np.array_equal(world.daily.close, other.daily.close)
    assert np.array_equal(world.minutes(10).close, first.close)
    assert np.array_equal(world.minutes(80).volume, later.volume)


def test_another_seed_gives_another_market(world: World) -> None:
    assert not np.array_equal(world.daily.close, synthesize(SMALL, dice(6)).daily.close)


def test_list_holds_every_kind_a_universe_must_tell_apart(world: World) -> None:
    kinds = {(item.market, item.kind) for item in world.instruments}
    assert {(Market.KOSPI, Kind.COMMON), (Market.KOSDAQ, Kind.COMMON), (Market.KOSPI, Kind.PREFERRED)} <= kinds
    assert {(Market.KOSPI, Kind.ETF), (Market.KOSDAQ, Kind.SPAC), (Market.KOSPI, Kind.REIT)} <= kinds
    flags = {flag for item in world.instruments for flag in item.flags}
    assert {"halted", "administrative", "liquidation", "caution", "warning", "unfaithful_disclosure"} <= flags
    assert "005930" in world.symbols
    assert list(world.symbols) == sorted(set(world.symbols))
    assert len(world.symbols) == 130
    assert sum(1 for item in world.instruments if item.kind is Kind.COMMON and not item.flags) >= 80


def test_daily_prices_stand_on_the_grid_and_inside_the_limits(world: World) -> None:
    daily = world.daily
    for row in (1, 40, 82):
        grid = world.grid(world.days[row])
        lower, upper = grid.limits(daily.base[row])
        for column in (daily.open, daily.high, daily.low, daily.close):
            listed = column[row] > 0
            assert np.all(column[row] % grid.tick(column[row]) == 0)
            assert np.all((column[row] >= lower)[listed])
            assert np.all((column[row] <= upper)[listed])


def test_base_price_is_the_close_before(world: World) -> None:
    listed = world.daily.close[:-1] > 0
    assert np.array_equal(world.daily.base[1:][listed], world.daily.close[:-1][listed])


@pytest.mark.parametrize("row", [0, 50, 80, 83])
def test_minutes_and_prints_aggregate_to_the_day_exactly(world: World, row: int) -> None:
    bars, daily = world.minutes(row), world.daily
    assert len(bars.start) == 381
    live = daily.volume[row] > 0
    columns = np.arange(len(world.symbols))
    first = bars.traded.argmax(axis=0)
    assert np.array_equal(bars.open[first, columns][live], daily.open[row][live])
    assert np.array_equal(np.where(bars.traded, bars.high, 0).max(axis=0)[live], daily.high[row][live])
    assert np.array_equal(np.where(bars.traded, bars.low, 10**12).min(axis=0)[live], daily.low[row][live])
    assert np.array_equal(bars.close[-1], daily.close[row])
    assert np.array_equal(bars.volume.sum(axis=0), daily.volume[row])
    tape = Tape(bars, daily.base[row])
    assert np.array_equal(tape.high[-1][live], daily.high[row][live])
    assert np.array_equal(tape.low[-1][live], daily.low[row][live])
    assert np.array_equal(tape.opened[-1][live], daily.open[row][live])
    assert np.array_equal(tape.cumulative[-1], daily.volume[row])
    grouped = tape.volume.reshape(381, 4, -1)
    assert np.array_equal(grouped.sum(axis=1), bars.volume)
    priced = np.where(grouped > 0, tape.price.reshape(381, 4, -1), 0).max(axis=1)
    assert np.array_equal(priced[bars.traded], bars.high[bars.traded])


def test_returns_have_fat_tails_and_clustered_volatility_and_move_together(world: World) -> None:
    wide = synthesize(MarketSettings(listed=130, history_sessions=400, live_sessions=2), dice(3))
    steady = np.all(wide.daily.volume > 0, axis=0)
    returns = np.diff(np.log(wide.daily.close[:, steady].astype(float)), axis=0)
    centred = returns - returns.mean(axis=0)
    kurtosis = np.median((centred**4).mean(axis=0) / returns.var(axis=0) ** 2)
    assert kurtosis > 3.5
    across = np.corrcoef(returns.T)[np.triu_indices(returns.shape[1], 1)]
    assert 0.1 < across.mean() < 0.6
    energy = (centred**2 / returns.var(axis=0)).mean(axis=1)
    assert np.corrcoef(energy[1:], energy[:-1])[0, 1] > 0.03
    minutes = wide.minutes(300).volume[:-1].sum(axis=1).astype(float)
    assert minutes[:30].mean() > 1.5 * minutes[150:250].mean()
    assert minutes[-20:].mean() > minutes[150:250].mean()


def test_shock_moves_the_market_by_its_size_and_later_days_follow(world: World) -> None:
    struck = new_world()
    at = int(struck.minutes(81).start[100])
    struck.add_shock(Shock(at, 5, -500))
    before, after = world.minutes(81), struck.minutes(81)
    assert np.array_equal(before.close[:100], after.close[:100])
    live = world.daily.volume[81] > 0
    change = after.close[110][live] / before.close[110][live] - 1.0
    assert -0.06 < np.median(change) < -0.045
    assert np.array_equal(struck.daily.close[81], after.close[-1])
    assert np.array_equal(struck.daily.base[82], struck.daily.close[81])
    lower, upper = struck.grid(struck.days[81]).limits(struck.daily.base[81])
    assert np.all(after.low[:, live] >= lower[live])
    assert np.all(after.high[:, live] <= upper[live])
    again = new_world()
    again.add_shock(Shock(at, 5, -500))
    assert np.array_equal(again.minutes(82).close, struck.minutes(82).close)


def test_shock_of_one_symbol_leaves_the_others_alone(world: World) -> None:
    struck = new_world()
    struck.add_shock(Shock(int(struck.minutes(81).start[200]), 3, 900, ("005930",)))
    place = struck.column["005930"]
    others = [column for column in range(len(struck.symbols)) if column != place]
    assert struck.daily.close[81, place] > world.daily.close[81, place]
    assert np.array_equal(struck.daily.close[:, others], world.daily.close[:, others])


def test_index_follows_its_members(world: World) -> None:
    kospi = world.indices["0001"]
    assert np.all(kospi.high >= np.maximum(kospi.open, kospi.close))
    assert np.all(kospi.low <= np.minimum(kospi.open, kospi.close))
    mine = [p for p, item in enumerate(world.instruments) if item.market is Market.KOSPI and item.kind is Kind.COMMON]
    moves = np.diff(np.log(np.maximum(world.daily.close[:, mine], 1).astype(float)), axis=0)
    listed = np.all(world.daily.close[:, mine] > 0, axis=0)
    assert np.corrcoef(moves[:, listed].mean(axis=1), np.diff(np.log(kospi.close)))[0, 1] > 0.6


GRID = Grid(Rulebook.on(SMALL.first_live_day), [(Kind.COMMON, Market.KOSPI)])
TIMES = Rulebook.on(SMALL.first_live_day).session.minute_edges()


@st.composite
def daily_bars(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    """A day that could have happened: few shares cannot have touched many prices."""
    volume = draw(st.one_of(st.integers(0, 9), st.integers(10, 5_000_000)))
    four = [draw(st.integers(2_000, 4_000)) * 5 // 10 * 10 for _ in range(4)]
    if volume < 4:
        four = [four[0], four[0], four[0], four[min(1, max(volume - 1, 0))]]
    low, high = min(four), max(four)
    return four[0], high, low, four[3], volume


@given(daily_bars(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_bridge_meets_any_possible_day(bar: tuple[int, int, int, int, int], seed: int) -> None:
    opened, high, low, close, volume = (np.array([value]) for value in bar)
    before = np.array([3_000])
    bars = bridge_day(SMALL.first_live_day, DayBars(opened, high, low, close, volume, before), TIMES, GRID, dice(seed))
    tape = Tape(bars, before)
    assert bars.volume.sum() == volume[0]
    assert np.all(bars.low <= np.minimum(bars.open, bars.close))
    assert np.all(bars.high >= np.maximum(bars.open, bars.close))
    if volume[0] == 0:
        assert np.all(bars.close == 3_000)
        return
    assert (tape.opened[-1, 0], tape.high[-1, 0], tape.low[-1, 0], tape.price[-1, 0]) == (
        bar[0],
        bar[1],
        bar[2],
        bar[3],
    )
    assert tape.cumulative[-1, 0] == volume[0]
