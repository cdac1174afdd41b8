"""What a trade costs: sale tax by trade day and market, the broker's public rate, tax on dividends.

Rates are integers in parts per billion (0.20 % is 2_000_000); amounts are won. Here: the dated rows. Not here: the
commission of an account (`settings`), the arithmetic (`scalar.charge`).

The tax follows the day of settlement (증권거래세법: the transfer is when the trade settles), so a new rate reaches
trades two sessions before it comes into force. A row's days are trade days; ``in_force`` is the day of the law.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import NamedTuple

from haetae.domain.market import Kind, Market
from haetae.domain.records import made_often
from haetae.domain.units import Won
from haetae.krx.dated import in_force

KNOWN_TO = dt.date(2027, 12, 31)
SALE_TABLE = "haetae/krx/costs.py (SALE_TAX_ROWS)"
DIVIDEND_TABLE = "haetae/krx/costs.py (DIVIDEND_TAX_ROWS)"
FEE_TABLE = "haetae/krx/costs.py (FEE_ROWS)"


@made_often
@dataclass(frozen=True, slots=True)
class Charge:
    """Fee and tax of one fill, floored to whole won each."""

    fee: Won
    tax: Won = 0

    @property
    def total(self) -> Won:
        """Fee and tax together."""
        return self.fee + self.tax


class TaxedMarket(Enum):
    """Markets as the tax on sales tells them apart; K-OTC (off the exchange) is not traded by this platform."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"
    K_OTC = "K-OTC"


class SaleTaxRow(NamedTuple):
    """Tax on sales of one market traded from ``first_day`` to ``last_day``: transfer tax and rural tax, in ppb."""

    first_day: dt.date
    last_day: dt.date
    in_force: dt.date
    market: TaxedMarket
    transfer_ppb: int
    rural_ppb: int
    source: str

    @property
    def total_ppb(self) -> int:
        """증권거래세 and 농어촌특별세 together."""
        return self.transfer_ppb + self.rural_ppb


class ExemptRow(NamedTuple):
    """What pays no tax on sales; ``kinds`` is empty for what this platform has no kind for."""

    first_day: dt.date
    last_day: dt.date
    what: str
    kinds: frozenset[Kind]
    source: str


_1996 = "rates since 1996 (fntimes.com 201904021729082998f09e13944d_18)"
_2019 = "증권거래세법 시행령, in force 2019-06-03 for trades from 2019-05-30 (예탁결제원, cnbnews.com 411076)"
_2021 = "증권거래세법 시행령, in force 2021-01-01 for trades from 2020-12-29 (KRX, edaily.co.kr 02555126626003440)"
_2023 = "증권거래세법 시행령, in force 2023-01-01; the trade day follows from settlement"
_2024 = "증권거래세법 시행령, in force 2024-01-01; the trade day follows from settlement"
_2025 = "증권거래세법 시행령, in force 2025-01-01 for trades from 2024-12-27 (한양증권 notice 1419)"
_2026 = (
    "증권거래세법 시행령 2025-12-01, in force 2026-01-01 (magazine.hankyung.com 202512016549b); the trade day follows "
    "from settlement"
)
_KONEX_2019 = f"{_2019}; unchanged since (한양증권 notice 1419, magazine.hankyung.com 202512016549b)"
_KOTC_2014 = "K-OTC from 2014-08-25, 0.5 % as unlisted shares (tfmedia.co.kr 26072)"
_KOTC_2017 = (
    "세법개정안 2016: 0.3 % from 2017-04 (tfmedia.co.kr 26072, bizwatch.co.kr 2018-10-18); the day is unverified"
)

_KOSPI, _KOSDAQ, _KONEX, _K_OTC = TaxedMarket
_START = dt.date(2010, 1, 1)
# fmt: off
SALE_TAX_ROWS: tuple[SaleTaxRow, ...] = (
    SaleTaxRow(_START, dt.date(2019, 5, 29), _START, _KOSPI, 1_500_000, 1_500_000, _1996),
    SaleTaxRow(dt.date(2019, 5, 30), dt.date(2020, 12, 28), dt.date(2019, 6, 3), _KOSPI, 1_000_000, 1_500_000, _2019),
    SaleTaxRow(dt.date(2020, 12, 29), dt.date(2022, 12, 27), dt.date(2021, 1, 1), _KOSPI, 800_000, 1_500_000, _2021),
    SaleTaxRow(dt.date(2022, 12, 28), dt.date(2023, 12, 26), dt.date(2023, 1, 1), _KOSPI, 500_000, 1_500_000, _2023),
    SaleTaxRow(dt.date(2023, 12, 27), dt.date(2024, 12, 26), dt.date(2024, 1, 1), _KOSPI, 300_000, 1_500_000, _2024),
    SaleTaxRow(dt.date(2024, 12, 27), dt.date(2025, 12, 28), dt.date(2025, 1, 1), _KOSPI, 0, 1_500_000, _2025),
    SaleTaxRow(dt.date(2025, 12, 29), KNOWN_TO, dt.date(2026, 1, 1), _KOSPI, 500_000, 1_500_000, _2026),
    SaleTaxRow(_START, dt.date(2019, 5, 29), _START, _KOSDAQ, 3_000_000, 0, _1996),
    SaleTaxRow(dt.date(2019, 5, 30), dt.date(2020, 12, 28), dt.date(2019, 6, 3), _KOSDAQ, 2_500_000, 0, _2019),
    SaleTaxRow(dt.date(2020, 12, 29), dt.date(2022, 12, 27), dt.date(2021, 1, 1), _KOSDAQ, 2_300_000, 0, _2021),
    SaleTaxRow(dt.date(2022, 12, 28), dt.date(2023, 12, 26), dt.date(2023, 1, 1), _KOSDAQ, 2_000_000, 0, _2023),
    SaleTaxRow(dt.date(2023, 12, 27), dt.date(2024, 12, 26), dt.date(2024, 1, 1), _KOSDAQ, 1_800_000, 0, _2024),
    SaleTaxRow(dt.date(2024, 12, 27), dt.date(2025, 12, 28), dt.date(2025, 1, 1), _KOSDAQ, 1_500_000, 0, _2025),
    SaleTaxRow(dt.date(2025, 12, 29), KNOWN_TO, dt.date(2026, 1, 1), _KOSDAQ, 2_000_000, 0, _2026),
    SaleTaxRow(dt.date(2013, 7, 1), dt.date(2019, 5, 29), dt.date(2013, 7, 1), _KONEX, 3_000_000, 0, _1996),
    SaleTaxRow(dt.date(2019, 5, 30), KNOWN_TO, dt.date(2019, 6, 3), _KONEX, 1_000_000, 0, _KONEX_2019),
    SaleTaxRow(dt.date(2014, 8, 25), dt.date(2017, 3, 29), dt.date(2014, 8, 25), _K_OTC, 5_000_000, 0, _KOTC_2014),
    SaleTaxRow(dt.date(2017, 3, 30), dt.date(2019, 5, 29), dt.date(2017, 4, 1), _K_OTC, 3_000_000, 0, _KOTC_2017),
    SaleTaxRow(dt.date(2019, 5, 30), dt.date(2020, 12, 28), dt.date(2019, 6, 3), _K_OTC, 2_500_000, 0, _2019),
    SaleTaxRow(dt.date(2020, 12, 29), dt.date(2022, 12, 27), dt.date(2021, 1, 1), _K_OTC, 2_300_000, 0, _2021),
    SaleTaxRow(dt.date(2022, 12, 28), dt.date(2023, 12, 26), dt.date(2023, 1, 1), _K_OTC, 2_000_000, 0, _2023),
    SaleTaxRow(dt.date(2023, 12, 27), dt.date(2024, 12, 26), dt.date(2024, 1, 1), _K_OTC, 1_800_000, 0, _2024),
    SaleTaxRow(dt.date(2024, 12, 27), dt.date(2025, 12, 28), dt.date(2025, 1, 1), _K_OTC, 1_500_000, 0, _2025),
    SaleTaxRow(dt.date(2025, 12, 29), KNOWN_TO, dt.date(2026, 1, 1), _K_OTC, 2_000_000, 0, _2026),
)
EXEMPT_ROWS: tuple[ExemptRow, ...] = (
    ExemptRow(_START, KNOWN_TO, "ETF", frozenset({Kind.ETF}),
              "no share certificate in the sense of 증권거래세법 (유진투자증권, ETF 매매제도)"),
    ExemptRow(_START, KNOWN_TO, "ETN", frozenset({Kind.ETN}),
              "no share certificate in the sense of 증권거래세법 (hoppingg.tistory.com, ETN-ETF-ELW; unverified)"),
    ExemptRow(_START, KNOWN_TO, "ELW", frozenset(),
              "no share certificate in the sense of 증권거래세법; the platform does not trade it (unverified)"),
)
# fmt: on


def sale_tax_row(day: dt.date, market: TaxedMarket) -> SaleTaxRow:
    """Return the rates of a market's shares sold on a day; raises ``MarketRuleError`` where the table has none."""
    rows = [row for row in SALE_TAX_ROWS if row.market is market]
    return in_force(rows, day, table=SALE_TABLE, about=market.value)


@cache
def sale_tax_ppb(day: dt.date, market: Market, kind: Kind) -> int:
    """Return the tax on a sale traded on a day; 0 for what is exempt (ETF, ETN)."""
    rate = sale_tax_row(day, TaxedMarket(market.value)).total_ppb
    exempt = any(kind in row.kinds and row.first_day <= day <= row.last_day for row in EXEMPT_ROWS)
    return 0 if exempt else rate


class DividendTaxRow(NamedTuple):
    """Tax withheld from cash dividends by the day of payment, in ppb."""

    first_day: dt.date
    last_day: dt.date
    rate_ppb: int
    source: str


DIVIDEND_TAX_ROWS: tuple[DividendTaxRow, ...] = (
    DividendTaxRow(dt.date(2005, 1, 1), KNOWN_TO, 154_000_000, "소득세법: 14 % and 1.4 % local income tax, withheld"),
)


def dividend_tax_ppb(day: dt.date) -> int:
    """Return the tax withheld from a cash dividend paid on a day."""
    return in_force(DIVIDEND_TAX_ROWS, day, table=DIVIDEND_TABLE).rate_ppb


class FeeRow(NamedTuple):
    """The broker's public commission on both sides, in ppb of the amount; an account's own rate is in its contract."""

    first_day: dt.date
    last_day: dt.date
    channel: str
    rate_ppb: int
    source: str


FEE_ROWS: tuple[FeeRow, ...] = (
    FeeRow(
        _START, KNOWN_TO, "online, without an event rate", 140_527,
        "KIS online rate 0.0140527 % (second-hand, unverified); a mock account was seen to take 140 won of 995,000; "
        "for years past it is an assumption",
    ),
)  # fmt: skip


def public_fee_ppb(day: dt.date) -> int:
    """Return the broker's public rate of a day, which stands in where no rate of the account is set."""
    return in_force(FEE_ROWS, day, table=FEE_TABLE).rate_ppb
