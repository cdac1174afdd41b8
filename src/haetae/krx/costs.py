"""What a trade costs: sale tax by date and market, and the charge of one fill.

Rates are integers in parts per billion (0.20 % is 2_000_000); amounts are won. Here: the dated tax
tables, of sales and of dividends. Not here: the commission (`settings`), the arithmetic (`scalar.charge`).

The tax follows the day of settlement (증권거래세법: the transfer is when the trade settles), so a new
rate reaches trades two trading days before it comes into force. Each row names its first trade day;
2019-05-30 for the law of 2019-06-03 and 2024-12-27 for that of 2025-01-01 were announced by the
depository (KSD) and by brokers; the other rows follow from the same rule.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from haetae.domain.market import Kind, Market
from haetae.domain.units import Won


@dataclass(frozen=True, slots=True)
class Charge:
    """Fee and tax of one fill, floored to whole won each."""

    fee: Won
    tax: Won = 0

    @property
    def total(self) -> Won:
        """Fee and tax together."""
        return self.fee + self.tax


class TaxRow(NamedTuple):
    """Sale tax in ppb from a trade day on; ``kospi`` includes the rural tax of 0.15 %."""

    first_trade_day: dt.date
    in_force: dt.date
    kospi: int
    kosdaq: int
    konex: int


TAXES: tuple[TaxRow, ...] = (
    TaxRow(dt.date(2010, 1, 1), dt.date(2010, 1, 1), 3_000_000, 3_000_000, 3_000_000),
    TaxRow(dt.date(2019, 5, 30), dt.date(2019, 6, 3), 2_500_000, 2_500_000, 1_000_000),
    TaxRow(dt.date(2020, 12, 29), dt.date(2021, 1, 1), 2_300_000, 2_300_000, 1_000_000),
    TaxRow(dt.date(2022, 12, 28), dt.date(2023, 1, 1), 2_000_000, 2_000_000, 1_000_000),
    TaxRow(dt.date(2023, 12, 27), dt.date(2024, 1, 1), 1_800_000, 1_800_000, 1_000_000),
    TaxRow(dt.date(2024, 12, 27), dt.date(2025, 1, 1), 1_500_000, 1_500_000, 1_000_000),
    TaxRow(dt.date(2025, 12, 29), dt.date(2026, 1, 1), 2_000_000, 2_000_000, 1_000_000),
)


def sale_tax_ppb(day: dt.date, market: Market, kind: Kind) -> int:
    """Return the tax on a sale traded on a day; 0 for ETF and ETN."""
    if kind in (Kind.ETF, Kind.ETN):
        return 0
    row = next(row for row in reversed(TAXES) if row.first_trade_day <= day)
    match market:
        case Market.KOSPI:
            return row.kospi
        case Market.KOSDAQ:
            return row.kosdaq
        case Market.KONEX:
            return row.konex


DIVIDEND_TAXES: tuple[tuple[dt.date, int, str], ...] = (
    (dt.date(2005, 1, 1), 154_000_000, "소득세법: 14 % and 1.4 % local income tax, withheld"),
)
"""Tax withheld from cash dividends by the day of payment, in ppb."""


def dividend_tax_ppb(day: dt.date) -> int:
    """Return the tax withheld from a cash dividend paid on a day."""
    return next((rate for first, rate, _ in reversed(DIVIDEND_TAXES) if first <= day), 0)
