"""Cash dividends of a synthetic market: who pays, how much, when the right falls away and the money comes.

Here: ``draw_dividends``. A year's dividend falls away on the last session but one of the year (a buyer of
the session before it is on the list of the last business day, T+2), and is paid in the middle of April; the
largest names also pay by the quarter. Not here: other corporate actions, which only a script makes.
"""

from __future__ import annotations

import calendar
import datetime as dt

from haetae.domain.market import Instrument, Kind
from haetae.domain.units import Won
from haetae.emulator.dice import dice
from haetae.emulator.interventions import Action, ActionKind
from haetae.emulator.tables import DailyTable
from haetae.krx import settlement
from haetae.krx.calendar import next_trading_day
from haetae.krx.closures import LAST_YEAR

_PAYERS = 0.55
"""Share of commons and preferred shares that pay a dividend."""
_QUARTERLY = frozenset({"005930", "000660"})


def draw_dividends(
    seed: int, instruments: tuple[Instrument, ...], daily: DailyTable, days: tuple[dt.date, ...]
) -> list[Action]:
    """Return the dividends whose right falls away within the sessions of a market, by day and symbol."""
    found = []
    row = {day: place for place, day in enumerate(days)}
    for column, item in enumerate(instruments):
        if item.kind not in (Kind.COMMON, Kind.PREFERRED, Kind.REIT):
            continue
        own = dice(seed, "dividend", item.symbol)
        pays, rate = own.random() < _PAYERS or item.symbol in _QUARTERLY, 0.004 + 0.036 * own.random()
        if not pays:
            continue
        for year, month in _periods(days, quarterly=item.symbol in _QUARTERLY):
            ex = _ex_day(year, month)
            place = row.get(ex)
            if place is None or place == 0 or daily.close[place - 1, column] == 0:
                continue
            share = rate / 4 if item.symbol in _QUARTERLY else rate
            amount = _rounded(share * int(daily.close[place - 1, column]))
            found.append(Action(ex, item.symbol, ActionKind.DIVIDEND, price=amount, arrives=_paid_on(year, month)))
    return sorted(found, key=lambda action: (action.day, action.symbol))


def _periods(days: tuple[dt.date, ...], *, quarterly: bool) -> list[tuple[int, int]]:
    """Year and month of the periods that end within the days and are paid within the trading calendar."""
    months = (3, 6, 9, 12) if quarterly else (12,)
    years = range(days[0].year, days[-1].year + 1)
    return [(year, month) for year in years for month in months if month < 12 or year < LAST_YEAR]


def _ex_day(year: int, month: int) -> dt.date:
    """Return the first session whose buyers are not on the list of the period's last business day."""
    last = dt.date(year, month, calendar.monthrange(year, month)[1])
    return settlement.ex_day(last)


def _paid_on(year: int, month: int) -> dt.date:
    return next_trading_day(dt.date(year + 1, 4, 14) if month == 12 else dt.date(year, month + 1, 18))


def _rounded(amount: float) -> Won:
    """Return a dividend as boards decide it: by 1, 10 or 50 won."""
    step = 1 if amount < 100 else 10 if amount < 1_000 else 50
    return max(step, round(amount / step) * step)
