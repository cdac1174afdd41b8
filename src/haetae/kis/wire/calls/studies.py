"""Requests and readings of what a collector studies of names: flows, boards, status, statements."""

from __future__ import annotations

import datetime as dt

from haetae.kis.wire import rows
from haetae.kis.wire.table import boards, companies, investors
from haetae.kis.wire.typed import Ask, Reading, ask, reads


@ask("inquire-investor")
class RecentFlows(Ask):
    """Net purchases of one name over the last month."""

    fid_input_iscd: str
    fid_cond_mrkt_div_code: str = "J"


@ask("investor-trade-by-stock-daily")
class FlowsOfName(Ask):
    """Net purchases of one name, going back from a day."""

    fid_input_iscd: str
    fid_input_date_1: str
    fid_etc_cls_code: str = "1"
    fid_cond_mrkt_div_code: str = "J"


@ask("inquire-investor-daily-by-market")
class FlowsOfMarket(Ask):
    """Net purchases of one market on one day; ``fid_input_iscd_1`` is KSP or KSQ."""

    fid_input_iscd: str
    fid_input_date_1: str
    fid_input_date_2: str
    fid_input_iscd_1: str
    fid_input_iscd_2: str
    fid_cond_mrkt_div_code: str = "U"


@ask("volume-rank")
class VolumeBoard(Ask):
    """The thirty names of most turnover (``fid_blng_cls_code`` 3) or volume (0)."""

    fid_blng_cls_code: str = "3"
    fid_input_iscd: str = "0000"
    fid_div_cls_code: str = "0"
    fid_trgt_cls_code: str = "111111111"
    fid_trgt_exls_cls_code: str = "0000000000"
    fid_cond_scr_div_code: str = "20171"
    fid_cond_mrkt_div_code: str = "J"


@ask("fluctuation")
class FluctuationBoard(Ask):
    """The thirty names that rose (``fid_rank_sort_cls_code`` 0) or fell (1) most.

    ``fid_prc_cls_code`` 1 is against the last close; 0 would rank rises from the day's low, falls from its high.
    """

    fid_rank_sort_cls_code: str
    fid_input_iscd: str = "0000"
    fid_input_cnt_1: str = "0"
    fid_prc_cls_code: str = "1"
    fid_trgt_cls_code: str = "0"
    fid_trgt_exls_cls_code: str = "0"
    fid_div_cls_code: str = "0"
    fid_cond_scr_div_code: str = "20170"
    fid_cond_mrkt_div_code: str = "J"


@ask("market-cap")
class CapBoard(Ask):
    """The thirty largest names."""

    fid_input_iscd: str = "0000"
    fid_div_cls_code: str = "0"
    fid_trgt_cls_code: str = "0"
    fid_trgt_exls_cls_code: str = "0"
    fid_cond_scr_div_code: str = "20174"
    fid_cond_mrkt_div_code: str = "J"


@ask("search-stock-info")
class StockInfo(Ask):
    """Basic facts of one name."""

    pdno: str
    prdt_type_cd: str = "300"


@ask("financial-ratio")
class Ratios(Ask):
    """Growth, ROE, EPS, BPS, debt by year (0) or quarter (1)."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@ask("profit-ratio")
class ProfitRatios(Ask):
    """Returns on capital and sales."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@ask("stability-ratio")
class StabilityRatios(Ask):
    """Debt, current and quick ratio."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@ask("growth-ratio")
class GrowthRatios(Ask):
    """Growth of sales, profit, equity, assets."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@ask("other-major-ratios")
class OtherRatios(Ask):
    """EBITDA and its multiple, payout."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@ask("income-statement")
class IncomeStatement(Ask):
    """Sales and profits."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@ask("balance-sheet")
class BalanceSheet(Ask):
    """Assets, debts, equity."""

    fid_input_iscd: str
    fid_div_cls_code: str
    fid_cond_mrkt_div_code: str = "J"


@reads(investors.INVESTOR_DAY)
class RecentFlow(Reading):
    """Net purchases of one day: shares, and millions of won."""

    stck_bsop_date: dt.date | None
    frgn_ntby_qty: int
    orgn_ntby_qty: int
    prsn_ntby_qty: int
    frgn_ntby_tr_pbmn: int
    orgn_ntby_tr_pbmn: int
    prsn_ntby_tr_pbmn: int


@reads(investors.FLOW_DAY)
class Flow(Reading):
    """Net purchases of one day: shares, and millions of won."""

    stck_bsop_date: dt.date | None
    frgn_ntby_qty: int
    orgn_ntby_qty: int
    prsn_ntby_qty: int
    frgn_ntby_tr_pbmn: int
    orgn_ntby_tr_pbmn: int
    prsn_ntby_tr_pbmn: int


@reads(investors.MARKET_FLOW_DAY)
class MarketFlow(Reading):
    """Net purchases of one day of a market: thousands of shares, millions of won."""

    stck_bsop_date: dt.date | None
    frgn_ntby_qty: int
    orgn_ntby_qty: int
    prsn_ntby_qty: int
    frgn_ntby_tr_pbmn: int
    orgn_ntby_tr_pbmn: int
    prsn_ntby_tr_pbmn: int


@reads(boards.VOLUME)
class VolumeRank(Reading):
    """One place of the board of turnover."""

    mksc_shrn_iscd: str
    data_rank: int
    acml_vol: int
    acml_tr_pbmn: int


@reads(boards.FLUCTUATION)
class FluctuationRank(Reading):
    """One place of a board of change."""

    stck_shrn_iscd: str
    data_rank: int
    prdy_ctrt: float


@reads(boards.CAP)
class CapRank(Reading):
    """One place of the board of size; ``stck_avls`` in 100 million won."""

    mksc_shrn_iscd: str
    data_rank: int
    stck_avls: int


@reads(rows.STOCK_INFO)
class Stock(Reading):
    """Status of one name."""

    tr_stop_yn: bool
    admn_item_yn: bool
    cptt_trad_tr_psbl_yn: bool
    nxt_tr_stop_yn: bool
    lstg_stqt: int
    lstg_abol_dt: dt.date | None


@reads(companies.RATIO)
class Ratio(Reading):
    """Ratios of one period."""

    stac_yymm: str
    grs: float | None
    bsop_prfi_inrt: float | None
    ntin_inrt: float | None
    roe_val: float | None
    eps: float | None
    sps: float | None
    bps: float | None
    rsrv_rate: float | None
    lblt_rate: float | None


@reads(companies.PROFIT_RATIO)
class ProfitRatio(Reading):
    """Returns of one period."""

    stac_yymm: str
    cptl_ntin_rate: float | None
    self_cptl_ntin_inrt: float | None
    sale_ntin_rate: float | None
    sale_totl_rate: float | None


@reads(companies.STABILITY_RATIO)
class StabilityRatio(Reading):
    """Liquidity of one period."""

    stac_yymm: str
    bram_depn: float | None
    crnt_rate: float | None
    quck_rate: float | None


@reads(companies.GROWTH_RATIO)
class GrowthRatio(Reading):
    """Growth of one period."""

    stac_yymm: str
    equt_inrt: float | None
    totl_aset_inrt: float | None


@reads(companies.OTHER_RATIO)
class OtherRatio(Reading):
    """EBITDA of one period, in 100 million won."""

    stac_yymm: str
    ebitda: float | None
    ev_ebitda: float | None


@reads(companies.INCOME)
class Income(Reading):
    """Sales and profits of one period, in 100 million won."""

    stac_yymm: str
    sale_account: float | None
    sale_totl_prfi: float | None
    bsop_prti: float | None
    op_prfi: float | None
    thtr_ntin: float | None


@reads(companies.BALANCE_SHEET)
class Sheet(Reading):
    """Assets and debts at the end of one period, in 100 million won."""

    stac_yymm: str
    cras: float | None
    total_aset: float | None
    flow_lblt: float | None
    total_lblt: float | None
    total_cptl: float | None
