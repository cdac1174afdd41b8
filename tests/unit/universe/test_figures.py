"""What bars say: returns that were not traded, holes in the bars, market caps of the day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import numpy as np
import pytest

from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.krx import trading_days
from haetae.universe import UniverseSettings, select
from haetae.universe.figures import market_caps, of_bars
from random_panels import daily_panel

SETTINGS = UniverseSettings(size=5, min_turnover_won=0, min_market_cap_won=0, min_price_won=0, min_listed_days=0)


def halved(panel: Panel, row: int, column: int, parts: int) -> Panel:
    """Return bars of which one symbol was split before a row: prices fall, shares grow."""
    blocks = {}
    for name in ("open", "high", "low", "close", "volume"):
        block = getattr(panel, name).copy()
        share = block[row:, column]
        block[row:, column] = share * parts if name == "volume" else np.maximum(share // parts, 1)
        blocks[name] = block
    return dataclasses.replace(panel, **blocks)


def test_a_split_is_no_loss_and_no_storm() -> None:
    panel = daily_panel(2, symbols=6, halted=0.0)
    split = halved(panel, 200, 3, 5)
    whole, cut = of_bars(panel, 320, SETTINGS), of_bars(split, 320, SETTINGS)
    one_move = np.log(panel.close[200, 3] / panel.close[199, 3])
    assert cut.momentum[3] == pytest.approx(whole.momentum[3] - one_move, abs=0.02)
    assert cut.rebased_on.tolist() == [0, 0, 0, int(panel.days[200]), 0, 0]
    assert np.delete(cut.momentum, 3).tolist() == np.delete(whole.momentum, 3).tolist()
    recent = halved(panel, 290, 3, 5)
    assert of_bars(recent, 320, SETTINGS).volatility[3] == pytest.approx(whole.volatility[3], rel=0.15)


def test_moves_within_the_daily_limit_are_moves() -> None:
    panel = daily_panel(2, symbols=2, halted=0.0)
    close = np.full_like(panel.close, 10_000)
    close[250:, 0] = 13_000
    close[260:, 0] = 9_100
    flat = dataclasses.replace(panel, open=close, high=close, low=close, close=close)
    found = of_bars(flat, 320, SETTINGS)
    assert found.rebased_on.tolist() == [0, 0]
    assert found.momentum[0] == pytest.approx(np.log(0.91))


def test_a_return_over_missing_sessions_is_not_known() -> None:
    panel = daily_panel(2, symbols=1, halted=0.0)
    kept = [*range(150), *range(200, 320)]
    parts = [
        getattr(panel, name)[kept]
        for name in ("days", "start", "end", "open", "high", "low", "close", "volume", "traded")
    ]
    holed = Panel(panel.symbols, *parts)
    found = of_bars(holed, len(holed), SETTINGS)
    logs = np.log(holed.close[-253:].astype(float))
    moves = np.diff(logs, axis=0)
    hole = 150 - (len(holed) - 253)
    moves[hole - 1] = 0.0
    moves[np.abs(moves) > np.log(1.31)] = 0.0
    np.testing.assert_allclose(found.momentum, moves[:-21].sum(axis=0))


def test_the_exchange_never_rests_as_long_as_a_hole() -> None:
    days = trading_days(dt.date(2010, 1, 4), dt.date(2027, 12, 30))
    assert max((b - a).days for a, b in itertools.pairwise(days)) == 11


def test_a_young_name_has_no_momentum_rather_than_a_short_one() -> None:
    panel = daily_panel(2, symbols=3, halted=0.0)  # symbol 1 lists after 160 of 320 sessions
    young = of_bars(panel, 280, SETTINGS)
    assert np.isnan(young.momentum[1])
    assert np.isfinite(young.momentum[[0, 2]]).all()
    assert np.isfinite(of_bars(panel, 300, SETTINGS).momentum[1])


def named(as_of: dt.date, shares: int) -> Instrument:
    return Instrument("000010", "이름", Market.KOSPI, Kind.COMMON, dt.date(2010, 1, 4), 0, shares, as_of=as_of)


@pytest.mark.parametrize(
    ("as_of", "shares", "rebased_on", "expected"),
    [
        (dt.date(2022, 1, 3), 7, 0, 700.0),
        (dt.date(2022, 1, 3), 0, 0, None),
        (dt.date(2022, 1, 5), 7, 0, None),
        (dt.date(1970, 1, 1), 7, 0, None),
        (dt.date(2022, 1, 3), 7, 20220104, None),
        (dt.date(2022, 1, 4), 7, 20220104, 700.0),
    ],
    ids=["known", "no shares", "told tomorrow", "never told", "told before the split", "told on the day of the split"],
)
def test_a_market_cap_needs_shares_that_were_told_after_the_last_split(
    as_of: dt.date, shares: int, rebased_on: int, expected: float | None
) -> None:
    (cap,) = market_caps([named(as_of, shares)], np.array([100]), np.array([rebased_on]), dt.date(2022, 1, 4))
    assert np.isnan(cap) if expected is None else cap == expected


def test_adjusted_bars_have_no_cap_and_so_no_floor_of_it() -> None:
    panel = daily_panel(4, symbols=8, halted=0.0)
    day = day_from(int(panel.days[-1]))
    listed = [dataclasses.replace(named(dt.date(2020, 1, 1), 1), symbol=symbol) for symbol in panel.symbols]
    strict = dataclasses.replace(SETTINGS, min_market_cap_won=10**12)
    adjusted = select(day, listed, panel, dataclasses.replace(strict, prices_adjusted=True))
    assert all("market_cap" in flags for flags in adjusted.flags.values())
    few = dataclasses.replace(strict, size=1)
    with pytest.raises(Exception, match="pass the floors"):
        select(day, listed, panel, few)


def test_a_name_without_trade_for_a_year_has_no_bars() -> None:
    panel = daily_panel(5, symbols=8, halted=0.0)
    traded = panel.traded.copy()
    traded[60:, 4] = False
    quiet = dataclasses.replace(panel, traded=traded)
    day = day_from(int(panel.days[-1]))
    listed = [dataclasses.replace(named(dt.date(2020, 1, 1), 10**6), symbol=symbol) for symbol in panel.symbols]
    found = select(day, listed, quiet, SETTINGS)
    assert [item.code for item in found.exclusions if item.symbol == panel.symbols[4]] == ["history.none"]
