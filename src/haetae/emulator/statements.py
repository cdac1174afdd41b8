"""Seeded financial statements by quarter, with the day on which each had to be filed.

Here: ``statements_of`` a name, over the years before a day. Figures of the year so far are those of its quarters
added up. Won figures are whole won. Not here: which of them are known by now (``board``), ratios as a wire shows
them.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from haetae.domain.market import Instrument, Kind
from haetae.domain.units import Shares, Won
from haetae.emulator.dice import dice

_QUARTER_LAG, _YEAR_LAG = dt.timedelta(days=45), dt.timedelta(days=90)
"""A quarter has to be filed within 45 days, a year within 90 (자본시장법)."""
_EPOCH = 2015
"""Year in which every name's figures begin, so that they do not depend on who asks when."""
_NOW = (2026 - _EPOCH) * 4
"""Quarters after the epoch at which sales have their drawn size."""
_YEARS = 4
_TAX_LEFT = 0.76
PAR = 500
"""Par value of every share, won."""
_FLOWS = ("sales", "gross", "operating", "ordinary", "net", "depreciation")


@dataclass(frozen=True, slots=True)
class _Make:
    """Shares that a company keeps to: of its sales, of what it owns, of what it owes."""

    leverage: float
    current: float
    overhead: float
    depreciation: float
    inventory: float
    borrowed: float


@dataclass(frozen=True, slots=True)
class Statement:
    """Figures of one quarter, or of a whole year (``annual``); ``period`` is yyyymm of its end.

    ``assets``, ``liabilities``, ``equity`` and ``current_*`` stand at the end, the others flow in the period.
    """

    period: int
    annual: bool
    known_on: dt.date
    sales: Won
    gross: Won
    operating: Won
    ordinary: Won
    net: Won
    depreciation: Won
    assets: Won
    current_assets: Won
    inventory: Won
    liabilities: Won
    current_liabilities: Won
    borrowings: Won
    equity: Won
    capital: Won

    @property
    def shares(self) -> Shares:
        """Shares at the end of the period."""
        return self.capital // PAR

    @property
    def ebitda(self) -> Won:
        """Operating profit before depreciation."""
        return self.operating + self.depreciation

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
    parts = dice(seed, "statement-parts", item.symbol)
    make = _Make(
        leverage, current, *(float(parts.uniform(*span)) for span in ((0.1, 0.3), (0.02, 0.08), (0.2, 0.5), (0.2, 0.7)))
    )
    found: list[Statement] = []
    year_so_far: list[Statement] = []
    for number in range(4 * max(0, until.year - _EPOCH + 1)):
        year, quarter = _EPOCH + number // 4, number % 4 + 1
        shock = own.normal(0.0, 0.05, 3)
        end = dt.date(year, quarter * 3, calendar.monthrange(year, quarter * 3)[1])
        sold = sales * (1 + growth) ** (number - _NOW) * (1 + season[quarter - 1] + shock[0])
        operating = sold * (margin + 0.4 * shock[1])
        ordinary = operating + sold * 0.02 * shock[2] / _TAX_LEFT
        net = ordinary * _TAX_LEFT
        equity = max(equity + net * 0.8, cap * 0.02)
        if end >= until:
            break
        one = _statement(end, sold, operating, ordinary, equity, make, item)
        found.append(one)
        year_so_far = [*year_so_far, one] if quarter > 1 else [one]
        if quarter == 4:
            found.append(replace(_added(year_so_far), annual=True))
    return [one for one in found if one.period // 100 >= until.year - _YEARS]


def year_to_date(quarters: Sequence[Statement]) -> list[Statement]:
    """Return quarters, ascending from the first of a year on, with what flowed in their year so far."""
    years: dict[int, list[Statement]] = {}
    found = []
    for one in quarters:
        years.setdefault(one.period // 100, []).append(one)
        found.append(_added(years[one.period // 100]))
    return found


def _statement(
    end: dt.date, sold: float, operating: float, ordinary: float, equity: float, make: _Make, item: Instrument
) -> Statement:
    liabilities = equity * make.leverage
    assets = round(equity) + round(liabilities)
    return Statement(
        period=end.year * 100 + end.month,
        annual=False,
        known_on=end + (_YEAR_LAG if end.month == 12 else _QUARTER_LAG),
        sales=round(sold),
        gross=round(operating + sold * make.overhead),
        operating=round(operating),
        ordinary=round(ordinary),
        net=round(ordinary * _TAX_LEFT),
        depreciation=round(sold * make.depreciation),
        assets=assets,
        current_assets=round(assets * make.current),
        inventory=round(assets * make.current * make.inventory),
        liabilities=round(liabilities),
        current_liabilities=round(liabilities * 0.6),
        borrowings=round(liabilities * make.borrowed),
        equity=round(equity),
        capital=item.shares_outstanding * PAR,
    )


def _added(quarters: Sequence[Statement]) -> Statement:
    """Return what flowed in all of some quarters, and what stands at the end of the last."""
    return replace(quarters[-1], **{name: sum(getattr(one, name) for one in quarters) for name in _FLOWS})
