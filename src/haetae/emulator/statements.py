"""Seeded financial statements by quarter, with the day on which each had to be filed.

Here: ``statements_of`` a name, over the years before a day. Figures of the year so far are those of its quarters
added up. Won figures are whole won. Not here: which of them are known by now (``board``), ratios as a wire shows
them.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

import numpy as np

from haetae.domain.market import Instrument, Kind
from haetae.domain.units import Won
from haetae.emulator.dice import dice

_QUARTER_LAG, _YEAR_LAG = dt.timedelta(days=45), dt.timedelta(days=90)
"""A quarter has to be filed within 45 days, a year within 90 (자본시장법)."""
_EPOCH = 2015
"""Year in which every name's figures begin, so that they do not depend on who asks when."""
_NOW = (2026 - _EPOCH) * 4
"""Quarters after the epoch at which sales have their drawn size."""
_YEARS = 4


@dataclass(frozen=True, slots=True)
class Statement:
    """Figures of one quarter, or of a whole year (``annual``); ``period`` is yyyymm of its end.

    ``assets``, ``liabilities``, ``equity`` and ``current_*`` stand at the end, the others flow in the period.
    """

    period: int
    annual: bool
    known_on: dt.date
    sales: Won
    operating: Won
    net: Won
    assets: Won
    current_assets: Won
    liabilities: Won
    current_liabilities: Won
    equity: Won
    capital: Won

    @property
    def roe_pct(self) -> float:
        """Return on equity of the period, percent."""
        return 100.0 * self.net / self.equity

    @property
    def debt_pct(self) -> float:
        """Liabilities against equity, percent."""
        return 100.0 * self.liabilities / self.equity


def statements_of(seed: int, item: Instrument, cap: Won, until: dt.date) -> list[Statement]:
    """Return all quarters and years that ended in the four years before a day, ascending by period.

    ``cap`` is the market value that scales the figures; funds and blank-cheque companies file none.
    """
    if item.kind not in (Kind.COMMON, Kind.PREFERRED, Kind.REIT) or cap <= 0:
        return []
    own = dice(seed, "statements", item.symbol)
    sales = cap * float(np.exp(own.normal(-0.3, 0.7))) / 4
    margin, growth = float(own.normal(0.07, 0.06)), float(own.normal(0.015, 0.02))
    equity = cap * float(np.exp(own.normal(-0.2, 0.5)))
    leverage, current = float(np.exp(own.normal(-0.2, 0.5))), float(own.uniform(0.35, 0.65))
    season = own.normal(0.0, 0.06, 4)
    found: list[Statement] = []
    year_so_far: list[Statement] = []
    for number in range(4 * max(0, until.year - _EPOCH + 1)):
        year, quarter = _EPOCH + number // 4, number % 4 + 1
        shock = own.normal(0.0, 0.05, 3)
        end = dt.date(year, quarter * 3, calendar.monthrange(year, quarter * 3)[1])
        sold = sales * (1 + growth) ** (number - _NOW) * (1 + season[quarter - 1] + shock[0])
        operating = sold * (margin + 0.4 * shock[1])
        net = operating * 0.76 + sold * 0.02 * shock[2]
        equity = max(equity + net * 0.8, cap * 0.02)
        if end >= until:
            break
        one = _statement(end, sold, operating, net, equity, leverage, current, item)
        found.append(one)
        year_so_far = [*year_so_far, one] if quarter > 1 else [one]
        if quarter == 4:
            found.append(_year(end, year_so_far))
    return [one for one in found if one.period // 100 >= until.year - _YEARS]


def _statement(
    end: dt.date, sold: float, operating: float, net: float, equity: float, leverage: float, current: float,
    item: Instrument,
) -> Statement:  # fmt: skip
    liabilities = equity * leverage
    assets = equity + liabilities
    lag = _YEAR_LAG if end.month == 12 else _QUARTER_LAG
    return Statement(
        period=end.year * 100 + end.month,
        annual=False,
        known_on=end + lag,
        sales=round(sold),
        operating=round(operating),
        net=round(net),
        assets=round(equity) + round(liabilities),
        current_assets=round(assets * current),
        liabilities=round(liabilities),
        current_liabilities=round(liabilities * 0.6),
        equity=round(equity),
        capital=item.shares_outstanding * 500,
    )


def _year(end: dt.date, quarters: list[Statement]) -> Statement:
    last = quarters[-1]
    return Statement(
        period=end.year * 100 + 12,
        annual=True,
        known_on=end + _YEAR_LAG,
        sales=sum(one.sales for one in quarters),
        operating=sum(one.operating for one in quarters),
        net=sum(one.net for one in quarters),
        assets=last.assets,
        current_assets=last.current_assets,
        liabilities=last.liabilities,
        current_liabilities=last.current_liabilities,
        equity=last.equity,
        capital=last.capital,
    )
