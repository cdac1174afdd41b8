"""Requests and readings of present prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from haetae.domain.units import Symbol
from haetae.kis.wire import rows
from haetae.kis.wire.operations import OPERATIONS
from haetae.kis.wire.shape import Operation
from haetae.kis.wire.table import market, prices
from haetae.kis.wire.typed import Ask, Reading, ask, reads

FUND = "E"
"""Market code of ETF and ETN in the NAV calls that want one of their own."""


@ask("inquire-price")
class PriceNow(Ask):
    """Price of one name."""

    fid_input_iscd: str
    fid_cond_mrkt_div_code: str = "J"


@dataclass(frozen=True, slots=True)
class PricesNow(Ask):
    """Prices of up to thirty names; each takes a numbered slot."""

    operation: ClassVar[Operation] = OPERATIONS["intstock-multprice"]
    symbols: tuple[Symbol, ...]

    def values(self) -> dict[str, str]:
        """Return the request by the names of the wire."""
        slots = list(enumerate(self.symbols, start=1))
        return {f"FID_COND_MRKT_DIV_CODE_{slot}": "J" for slot, _ in slots} | {
            f"FID_INPUT_ISCD_{slot}": symbol for slot, symbol in slots
        }


@ask("inquire-asking-price-exp-ccn")
class BookNow(Ask):
    """Order book and expected execution of one name."""

    fid_input_iscd: str
    fid_cond_mrkt_div_code: str = "J"


@ask("etfetn-inquire-price")
class FundNow(Ask):
    """Price and NAV of one ETF."""

    fid_input_iscd: str
    fid_cond_mrkt_div_code: str = "J"


@ask("nav-comparison-time-trend")
class FundMinutes(Ask):
    """NAV and price of one ETF by minute, the newest thirty."""

    fid_input_iscd: str
    fid_hour_cls_code: str = "60"
    fid_cond_mrkt_div_code: str = FUND


@ask("inquire-index-price")
class IndexNow(Ask):
    """Level of one index and the counts of rising and falling names."""

    fid_input_iscd: str
    fid_cond_mrkt_div_code: str = "U"


@reads(rows.PRICE)
class Price(Reading):
    """Price, range, volume and status of one name."""

    stck_prpr: int
    stck_oprc: int
    stck_hgpr: int
    stck_lwpr: int
    acml_vol: int
    stck_sdpr: int
    stck_mxpr: int
    stck_llam: int
    aspr_unit: int
    lstn_stcn: int
    temp_stop_yn: bool
    iscd_stat_cls_code: str
    mang_issu_cls_code: str
    mrkt_warn_cls_code: str
    invt_caful_yn: bool
    short_over_yn: bool
    sltr_yn: bool
    vi_cls_code: str


@reads(rows.PRICE)
class DaySoFar(Reading):
    """Price, range and volume of one name: what a feed reads without a stream."""

    stck_prpr: int
    stck_oprc: int
    stck_hgpr: int
    stck_lwpr: int
    acml_vol: int
    stck_sdpr: int


@reads(rows.SNAPSHOT)
class PriceOfMany(Reading):
    """One name of a call for many."""

    inter_shrn_iscd: str
    inter2_prpr: int
    inter2_oprc: int
    inter2_hgpr: int
    inter2_lwpr: int
    acml_vol: int
    inter2_prdy_clpr: int
    inter2_askp: int
    inter2_bidp: int
    seln_rsqn: int
    shnu_rsqn: int


@reads(rows.BOOK)
class Book(Reading):
    """Best level and totals of a book."""

    aspr_acpt_hour: int
    askp1: int
    bidp1: int
    askp_rsqn1: int
    bidp_rsqn1: int
    total_askp_rsqn: int
    total_bidp_rsqn: int


@reads(rows.EXPECTED)
class Expected(Reading):
    """What an auction would trade at."""

    antc_cnpr: int
    antc_vol: int
    vi_cls_code: str


@reads(prices.FUND_PRICE)
class Fund(Reading):
    """Price and NAV (x 100) of an ETF."""

    stck_prpr: int
    nav: int
    prdy_last_nav: int
    acml_vol: int


@reads(prices.NAV_MINUTE)
class NavMinute(Reading):
    """NAV (x 100) and price of one minute."""

    bsop_hour: int
    nav: int
    stck_prpr: int


@reads(market.INDEX_PRICE)
class IndexLevel(Reading):
    """Level (x 100) of an index and counts of its names."""

    bstp_nmix_prpr: int
    bstp_nmix_oprc: int
    bstp_nmix_hgpr: int
    bstp_nmix_lwpr: int
    ascn_issu_cnt: int
    stnr_issu_cnt: int
    down_issu_cnt: int
