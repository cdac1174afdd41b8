"""Requests and readings of what happens: corporate actions, holidays, interruptions, headlines."""

from __future__ import annotations

import datetime as dt

from haetae.kis.wire import rows
from haetae.kis.wire.table import companies, market
from haetae.kis.wire.typed import Ask, Reading, ask, reads


@ask("ksdinfo-rev-split")
class Splits(Ask):
    """Changes of par value in a range of days; a blank code asks for all names."""

    f_dt: str
    t_dt: str
    sht_cd: str = ""
    market_gb: str = "0"


@ask("ksdinfo-bonus-issue")
class BonusIssues(Ask):
    """Free issues in a range of days."""

    f_dt: str
    t_dt: str
    sht_cd: str = ""


@ask("ksdinfo-paidin-capin")
class RightsIssues(Ask):
    """Paid issues in a range of record days."""

    f_dt: str
    t_dt: str
    sht_cd: str = ""
    gb1: str = "2"


@ask("ksdinfo-merger-split")
class Mergers(Ask):
    """Mergers and divisions in a range of days."""

    f_dt: str
    t_dt: str
    sht_cd: str = ""


@ask("ksdinfo-dividend")
class Dividends(Ask):
    """Dividends in a range of record days."""

    f_dt: str
    t_dt: str
    sht_cd: str = ""
    gb1: str = "0"


@ask("chk-holiday")
class Holidays(Ask):
    """Calendar days from a day on."""

    bass_dt: str


@ask("inquire-vi-status")
class Interruptions(Ask):
    """Volatility interruptions of a day, of all names or of one."""

    fid_input_date_1: str
    fid_input_iscd: str = ""
    fid_div_cls_code: str = "0"
    fid_mrkt_cls_code: str = "0"
    fid_rank_sort_cls_code: str = "0"
    fid_cond_scr_div_code: str = "20139"


@ask("news-title")
class Headlines(Ask):
    """Headlines before a day and time, of all names or of one."""

    fid_input_date_1: str = ""
    fid_input_hour_1: str = ""
    fid_input_iscd: str = ""


@reads(companies.SPLIT)
class Split(Reading):
    """A change of par value; it takes effect on ``list_dt`` (``YYYY/MM/DD`` or blank), after the record date."""

    record_date: dt.date | None
    sht_cd: str
    inter_bf_face_amt: int
    inter_af_face_amt: int
    list_dt: str


@reads(companies.BONUS)
class Bonus(Reading):
    """A free issue; ``fix_rate`` is new shares per hundred old ones."""

    record_date: dt.date | None
    sht_cd: str
    fix_rate: float
    right_dt: dt.date | None


@reads(companies.RIGHTS)
class Rights(Reading):
    """A paid issue; ``fix_rate`` is new shares per hundred old ones."""

    record_date: dt.date | None
    sht_cd: str
    fix_rate: float
    fix_price: int
    right_dt: dt.date | None


@reads(companies.MERGER)
class Merger(Reading):
    """A merger or division."""

    record_date: dt.date | None
    sht_cd: str
    merge_type: str
    merge_rate: float


@reads(companies.DIVIDEND)
class Dividend(Reading):
    """A dividend in won a share; the right falls away on the session before the one that settles by the record date."""

    record_date: dt.date | None
    sht_cd: str
    divi_kind: str
    per_sto_divi_amt: int


@reads(rows.CALENDAR_DAY)
class CalendarDay(Reading):
    """Whether the exchange opens and settles on a day."""

    bass_dt: dt.date | None
    opnd_yn: bool
    sttl_day_yn: bool


@reads(market.INTERRUPTION)
class Interruption(Reading):
    """One volatility interruption; kind 1 static, 2 dynamic; a released hour of 0 lasts on."""

    mksc_shrn_iscd: str
    bsop_date: dt.date | None
    cntg_vi_hour: int
    vi_cncl_hour: int
    vi_kind_code: str
    vi_prc: int
    vi_stnd_prc: int
    vi_dmc_stnd_prc: int


@reads(market.HEADLINE)
class Headline(Reading):
    """One headline."""

    cntt_usiq_srno: str
    data_dt: dt.date | None
    data_tm: int
    hts_pbnt_titl_cntt: str
    dorg: str
    iscd1: str
    iscd2: str
    iscd3: str
    iscd4: str
    iscd5: str
