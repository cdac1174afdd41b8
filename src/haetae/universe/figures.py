"""What the bars and the statements up to a day say of each candidate, as arrays over the panel's columns.

Windows are sessions: 60 for turnover and volatility, 252 to 21 sessions ago for momentum. A close that moved by more
than the daily limit of 30 % was not traded there (a split, a reduction, a resumed name): that return is unknown, not
a loss, and so is a return over more calendar days than any closure of the exchange lasts. NaN is unknown.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, yyyymmdd
from haetae.universe.names import LONG_AGO
from haetae.universe.settings import UniverseSettings
from haetae.universe.statements import Statements

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

RECENT: Final = 60
YEAR: Final = 252
MONTH: Final = 21
_MIN_VOLATILITY_RETURNS: Final = 30
"""Half of the window; a spread of fewer returns is mostly chance."""
_LIMIT_LOW, _LIMIT_HIGH = np.log(0.69), np.log(1.31)
"""The daily limit of 30 % (15 % before 2015-06-15), with room for rounding to ticks and of adjustment."""
_LONGEST_CLOSURE_DAYS: Final = 12
"""Calendar days between two sessions; the longest closure since 2010 was 11 (2017-09-29 to 2017-10-10)."""


@dataclass(frozen=True, slots=True, eq=False)
class BarFigures:
    """Figures of the bars up to the day, ``(n_symbols,)`` each.

    Attributes
    ----------
    close, turnover : int64, float64
        Won, 0 where nothing was traded in the window; the median of 60 sessions' close times volume.
    rows, idle : int64
        Sessions with a close within the window; sessions without trade of the last 60.
    momentum, volatility : float64
        Log return from 252 to 21 sessions ago; standard deviation of 60 daily log returns.
    rebased_on : int64
        Newest day (yyyymmdd) of the last 252 sessions on which a close broke the daily limit, 0 for none.
    """

    close: Int64Array
    traded_today: BoolArray
    rows: Int64Array
    idle: Int64Array
    turnover: Float64Array
    momentum: Float64Array
    volatility: Float64Array
    rebased_on: Int64Array


def window_rows(settings: UniverseSettings) -> int:
    """Return how many sessions a selection reads, the last of them its day."""
    return max(YEAR + 1, settings.min_history_rows)


def of_bars(panel: Panel, rows: int, settings: UniverseSettings) -> BarFigures:
    """Return the figures of the first ``rows`` bars of a panel of daily bars.

    Only the last ``window_rows`` of them are read, so a panel that begins later gives the same figures.
    """
    window = slice(max(0, rows - window_rows(settings)), rows)
    year = slice(max(0, rows - YEAR - 1), rows)
    close, days = panel.close[year], panel.days[year]
    alive = panel.traded[window].any(axis=0)
    recent = slice(max(0, rows - RECENT), rows)
    won = panel.close[recent].astype(np.float64) * panel.volume[recent]
    moves, broken = _returns(close, days)
    known = np.isfinite(moves)
    past = moves[: max(0, len(moves) - MONTH)]
    momentum = np.where(known.sum(axis=0) >= settings.min_momentum_rows, np.nansum(past, axis=0), np.nan)
    return BarFigures(
        close=np.where(alive, close[-1], 0),
        traded_today=panel.traded[rows - 1],
        rows=(panel.close[window] > 0).sum(axis=0),
        idle=(~panel.traded[recent]).sum(axis=0),
        turnover=np.median(won, axis=0),
        momentum=momentum,
        volatility=_spread(moves[-RECENT:]),
        rebased_on=(broken * days[1:, None]).max(axis=0, initial=0).astype(np.int64),
    )


def _returns(close: Int64Array, days: NDArray[np.int32]) -> tuple[Float64Array, BoolArray]:
    """Return daily log returns, NaN where unknown, and where a close broke the daily limit."""
    logs = np.log(np.where(close > 0, close, np.nan).astype(np.float64))
    moves = np.diff(logs, axis=0)
    gaps = np.array([(day_from(int(b)) - day_from(int(a))).days for a, b in itertools.pairwise(days)])
    moves[gaps > _LONGEST_CLOSURE_DAYS] = np.nan
    broken = (moves < _LIMIT_LOW) | (moves > _LIMIT_HIGH)
    moves[broken] = np.nan
    return moves, broken


def _spread(moves: Float64Array) -> Float64Array:
    """Return the standard deviation of known returns, NaN where too few are known."""
    known = np.isfinite(moves)
    count = known.sum(axis=0)
    filled = np.where(known, moves, 0.0)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    squares = np.where(known, (moves - mean) ** 2, 0.0).sum(axis=0)
    spread = np.sqrt(squares / np.maximum(count, 1))
    return np.where(count >= _MIN_VOLATILITY_RETURNS, spread, np.nan)


def market_caps(
    instruments: Sequence[Instrument], closes: Int64Array, rebased_on: Int64Array, day: dt.date
) -> Float64Array:
    """Return the market cap in won of each instrument, NaN where its shares are not known on the day.

    Shares of a list older than the newest rebasing of the price are those before the split, so they do not count.
    """
    shares = np.array(
        [item.shares_outstanding if LONG_AGO < item.as_of <= day else 0 for item in instruments], np.int64
    )
    told = np.array([yyyymmdd(item.as_of) for item in instruments], np.int64)
    caps = closes.astype(np.float64) * shares
    return np.where((shares > 0) & (closes > 0) & (told >= rebased_on), caps, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class BookFigures:
    """Ratios of the statements known on the day, ``(n,)`` float64 each, NaN where unknown.

    ``debt`` is liabilities over assets. With a negative book value return on equity is minus infinity and debt plus
    infinity where the ratios that a source gives would turn their sign. ``stale`` tells that the newest statement
    was too old to count, ``negative`` that equity is zero or below.
    """

    earnings_yield: Float64Array
    book_to_price: Float64Array
    return_on_equity: Float64Array
    debt: Float64Array
    operating_margin: Float64Array
    stale: BoolArray
    negative: BoolArray


def of_books(
    statements: Statements, symbols: Sequence[Symbol], caps: Float64Array, day: dt.date, settings: UniverseSettings
) -> BookFigures:
    """Return the ratios of some symbols whose market caps (won, NaN unknown) are given."""
    known = statements.on(day, symbols)
    old_flows = _too_old(known.flow_period, day, settings.max_statement_age_days)
    old_states = _too_old(known.state_period, day, settings.max_statement_age_days)
    flows = {item: np.where(old_flows, np.nan, values) for item, values in known.flows.items()}
    states = {item: np.where(old_states, np.nan, values) for item, values in known.states.items()}
    negative = (states["equity_won"] <= 0) | (states["debt_to_equity_pct"] < 0)
    return BookFigures(
        earnings_yield=flows["net_income_won"] / caps,
        book_to_price=states["equity_won"] / caps,
        return_on_equity=_return_on_equity(flows),
        debt=_debt(states),
        operating_margin=flows["operating_profit_won"] / _positive(flows["sales_won"]),
        stale=old_flows | old_states,
        negative=negative,
    )


def _too_old(period: Int64Array, day: dt.date, most: int) -> BoolArray:
    ends = {each: _end_of(each) for each in np.unique(period[period > 0]).tolist()}
    old = {each for each, end in ends.items() if (day - end).days > most}
    return np.isin(period, np.array(sorted(old), np.int64))


def _end_of(period: int) -> dt.date:
    year, month = divmod(period, 100)
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def _positive(values: Float64Array) -> Float64Array:
    return np.where(values > 0, values, np.nan)


def _return_on_equity(flows: Mapping[str, Float64Array]) -> Float64Array:
    equity, profit = flows["equity_won"], flows["net_income_won"]
    computed = np.where(equity > 0, profit / _positive(equity), np.where(equity <= 0, -np.inf, np.nan))
    return np.where(np.isnan(computed), flows["roe_pct"] / 100.0, computed)


def _debt(states: Mapping[str, Float64Array]) -> Float64Array:
    """Return liabilities over assets: from the amounts, else from debt over equity."""
    equity, debt, assets = states["equity_won"], states["liabilities_won"], states["assets_won"]
    whole = np.where(np.isnan(assets), debt + equity, assets)
    told = states["debt_to_equity_pct"]
    from_ratio = np.where(told >= 0, told / (100.0 + np.maximum(told, 0.0)), np.where(told < 0, np.inf, np.nan))
    computed = debt / _positive(whole)
    return np.where(np.isnan(computed), from_ratio, computed)
