"""Requests and readings of bars. All charts come newest first."""

from __future__ import annotations

import datetime as dt

from haetae.kis.wire import rows
from haetae.kis.wire.table import charts
from haetae.kis.wire.typed import Ask, Reading, ask, reads

RAW = "1"
"""FID_ORG_ADJ_PRC of prices as they were traded."""


@ask("inquire-daily-itemchartprice")
class DayChart(Ask):
    """Bars of days (D), weeks (W) or months (M) of one name, at most 100."""

    fid_input_iscd: str
    fid_input_date_1: str
    fid_input_date_2: str
    fid_period_div_code: str = "D"
    fid_org_adj_prc: str = RAW
    fid_cond_mrkt_div_code: str = "J"


@ask("inquire-time-itemchartprice")
class MinutesToday(Ask):
    """Minutes of today up to a clock time, at most 30."""

    fid_input_iscd: str
    fid_input_hour_1: str
    fid_pw_data_incu_yn: str = "N"
    fid_cond_mrkt_div_code: str = "J"


@ask("inquire-time-dailychartprice")
class MinutesOfDay(Ask):
    """Minutes of a day up to a clock time, at most 120; ``fid_pw_data_incu_yn`` Y goes on into earlier days."""

    fid_input_iscd: str
    fid_input_date_1: str
    fid_input_hour_1: str
    fid_pw_data_incu_yn: str = "Y"
    fid_cond_mrkt_div_code: str = "J"


@ask("inquire-daily-indexchartprice")
class IndexDays(Ask):
    """Bars of days of one index, at most 50."""

    fid_input_iscd: str
    fid_input_date_1: str
    fid_input_date_2: str
    fid_period_div_code: str = "D"
    fid_cond_mrkt_div_code: str = "U"


@ask("inquire-time-indexchartprice")
class IndexMinutes(Ask):
    """The newest minutes of one index, at most 102; ``fid_input_hour_1`` is the seconds of a bar."""

    fid_input_iscd: str
    fid_input_hour_1: str = "60"
    fid_etc_cls_code: str = "0"
    fid_pw_data_incu_yn: str = "Y"
    fid_cond_mrkt_div_code: str = "U"


@ask("nav-comparison-daily-trend")
class FundDays(Ask):
    """NAV and price of one ETF by day, at most 100."""

    fid_input_iscd: str
    fid_input_date_1: str
    fid_input_date_2: str
    fid_cond_mrkt_div_code: str = "J"


@reads(rows.DAILY_BAR)
class DayBar(Reading):
    """One bar of a day, week or month."""

    stck_bsop_date: dt.date | None
    stck_oprc: int
    stck_hgpr: int
    stck_lwpr: int
    stck_clpr: int
    acml_vol: int
    acml_tr_pbmn: int


@reads(rows.MINUTE_BAR)
class MinuteBar(Reading):
    """One minute of a name."""

    stck_bsop_date: dt.date | None
    stck_cntg_hour: int
    stck_oprc: int
    stck_hgpr: int
    stck_lwpr: int
    stck_prpr: int
    cntg_vol: int


@reads(rows.INDEX_BAR)
class IndexBar(Reading):
    """One day of an index, levels x 100, volume in thousands of shares."""

    stck_bsop_date: dt.date | None
    bstp_nmix_oprc: int
    bstp_nmix_hgpr: int
    bstp_nmix_lwpr: int
    bstp_nmix_prpr: int
    acml_vol: int


@reads(charts.INDEX_MINUTE)
class IndexMinute(Reading):
    """One minute of an index, levels x 100."""

    stck_bsop_date: dt.date | None
    stck_cntg_hour: int
    bstp_nmix_oprc: int
    bstp_nmix_hgpr: int
    bstp_nmix_lwpr: int
    bstp_nmix_prpr: int
    cntg_vol: int


@reads(charts.NAV_DAY)
class NavDay(Reading):
    """NAV (x 100) and close of one day."""

    stck_bsop_date: dt.date | None
    nav: int
    stck_clpr: int
    acml_vol: int
