"""Requests and readings of orders and of the account.

Only the fields that are used stand in a reading; the rows have more (``wire.rows``). Texts of requests are as the
wire wants them: numbers without separators, days as ``YYYYMMDD``.
"""

from __future__ import annotations

import datetime as dt

from haetae.kis.wire import rows
from haetae.kis.wire.table import trading
from haetae.kis.wire.typed import Ask, Reading, ask, reads


@ask("order-cash-buy")
class BuyOrder(Ask):
    """Buy for cash; ``ord_unpr`` is 0 for orders without a price."""

    cano: str
    acnt_prdt_cd: str
    pdno: str
    ord_dvsn: str
    ord_qty: str
    ord_unpr: str
    excg_id_dvsn_cd: str = "KRX"


@ask("order-cash-sell")
class SellOrder(Ask):
    """Sell what is held."""

    cano: str
    acnt_prdt_cd: str
    pdno: str
    ord_dvsn: str
    ord_qty: str
    ord_unpr: str
    excg_id_dvsn_cd: str = "KRX"


@ask("order-rvsecncl")
class OrderChange(Ask):
    """Modify (``rvse_cncl_dvsn_cd`` 01) or cancel (02) an order by branch and number."""

    cano: str
    acnt_prdt_cd: str
    krx_fwdg_ord_orgno: str
    orgn_odno: str
    rvse_cncl_dvsn_cd: str
    ord_unpr: str
    ord_dvsn: str = "00"
    ord_qty: str = "0"
    qty_all_ord_yn: str = "Y"
    excg_id_dvsn_cd: str = "KRX"


@ask("inquire-daily-ccld")
class DayOrders(Ask):
    """All orders of a range of days, oldest first, executed or not."""

    cano: str
    acnt_prdt_cd: str
    inqr_strt_dt: str
    inqr_end_dt: str
    sll_buy_dvsn_cd: str = "00"
    ccld_dvsn: str = "00"
    inqr_dvsn: str = "01"
    inqr_dvsn_3: str = "00"
    excg_id_dvsn_cd: str = "KRX"


@ask("inquire-daily-ccld-past")
class PastOrders(Ask):
    """Orders older than three months."""

    cano: str
    acnt_prdt_cd: str
    inqr_strt_dt: str
    inqr_end_dt: str
    sll_buy_dvsn_cd: str = "00"
    ccld_dvsn: str = "00"
    inqr_dvsn: str = "01"
    inqr_dvsn_3: str = "00"
    excg_id_dvsn_cd: str = "KRX"


@ask("inquire-balance")
class Balance(Ask):
    """Holdings and cash."""

    cano: str
    acnt_prdt_cd: str
    afhr_flpr_yn: str = "N"
    inqr_dvsn: str = "02"
    unpr_dvsn: str = "01"
    fund_sttl_icld_yn: str = "N"
    fncg_amt_auto_rdpt_yn: str = "N"
    prcs_dvsn: str = "00"


@ask("inquire-balance-rlz-pl")
class BalanceProfit(Ask):
    """Holdings and cash with the profit realised today."""

    cano: str
    acnt_prdt_cd: str
    afhr_flpr_yn: str = "N"
    inqr_dvsn: str = "00"
    unpr_dvsn: str = "01"
    fund_sttl_icld_yn: str = "N"
    fncg_amt_auto_rdpt_yn: str = "N"
    prcs_dvsn: str = "00"
    cost_icld_yn: str = "Y"


@ask("inquire-account-balance")
class AccountAssets(Ask):
    """What the whole account is worth, by class of asset."""

    cano: str
    acnt_prdt_cd: str


@ask("inquire-psbl-order")
class BuyingPower(Ask):
    """What may be ordered without credit; without a symbol only the amount is told."""

    cano: str
    acnt_prdt_cd: str
    pdno: str = ""
    ord_unpr: str = ""
    ord_dvsn: str = "00"
    cma_evlu_amt_icld_yn: str = "N"
    ovrs_icld_yn: str = "N"


@ask("inquire-psbl-sell")
class SellableShares(Ask):
    """How many shares of a name may be sold."""

    cano: str
    acnt_prdt_cd: str
    pdno: str


@ask("inquire-psbl-rvsecncl")
class OpenOrders(Ask):
    """Orders that may still be changed."""

    cano: str
    acnt_prdt_cd: str
    inqr_dvsn_1: str = "0"
    inqr_dvsn_2: str = "0"


@ask("inquire-period-profit")
class PeriodProfit(Ask):
    """Profit by day."""

    cano: str
    acnt_prdt_cd: str
    inqr_strt_dt: str
    inqr_end_dt: str
    sort_dvsn: str = "01"
    inqr_dvsn: str = "00"
    cblc_dvsn: str = "00"


@ask("inquire-period-trade-profit")
class PeriodTradeProfit(Ask):
    """Profit by day and name, with the fee and the tax that were really taken."""

    cano: str
    acnt_prdt_cd: str
    inqr_strt_dt: str
    inqr_end_dt: str
    sort_dvsn: str = "01"
    cblc_dvsn: str = "00"


@reads(rows.ORDER_ACK)
class OrderAck(Reading):
    """The number of an order that was taken."""

    KRX_FWDG_ORD_ORGNO: str
    ODNO: int


@reads(rows.ORDER)
class OrderRow(Reading):
    """One order of the day, cumulative."""

    odno: int
    orgn_odno: int
    ord_gno_brno: str
    pdno: str
    sll_buy_dvsn_cd: str
    sll_buy_dvsn_cd_name: str
    ord_qty: int
    ord_unpr: int
    ord_tmd: int
    tot_ccld_qty: int
    tot_ccld_amt: int
    cnc_cfrm_qty: int
    rmn_qty: int
    rjct_qty: int


@reads(rows.OPEN_ORDER)
class OpenOrder(Reading):
    """One order that may still be changed."""

    odno: int
    orgn_odno: int
    ord_gno_brno: str
    pdno: str
    sll_buy_dvsn_cd: str
    ord_qty: int
    ord_unpr: int
    tot_ccld_qty: int
    psbl_qty: int


@reads(rows.HOLDING)
class Holding(Reading):
    """One name that is held."""

    pdno: str
    hldg_qty: int
    ord_psbl_qty: int


@reads(rows.ACCOUNT)
class AccountCash(Reading):
    """Cash by settlement: settled, of tomorrow, of the day after."""

    dnca_tot_amt: int
    nxdy_excc_amt: int
    prvs_rcdl_excc_amt: int


@reads(trading.ACCOUNT_PROFIT)
class AccountProfit(Reading):
    """Profit realised and open of the account today."""

    rlzt_pfls: int
    real_evlu_pfls: int
    thdt_tlex_amt: int


@reads(trading.ASSETS)
class Assets(Reading):
    """Worth of the whole account."""

    nass_tot_amt: int
    tot_dncl_amt: int
    evlu_amt_smtl: int


@reads(rows.BUYING_POWER)
class Power(Reading):
    """Cash that may be ordered and the shares it buys."""

    nrcvb_buy_amt: int
    nrcvb_buy_qty: int


@reads(trading.SELLABLE)
class Sellable(Reading):
    """Shares that may be sold."""

    pdno: str
    cblc_qty: int
    ord_psbl_qty: int


@reads(trading.DAY_PROFIT)
class DayProfit(Reading):
    """Profit, fee and tax of one day."""

    trad_dt: dt.date | None
    buy_amt: int
    sll_amt: int
    rlzt_pfls: int
    fee: int
    tl_tax: int


@reads(trading.TRADE_PROFIT)
class TradeProfit(Reading):
    """Profit, fee and tax of one name on one day."""

    trad_dt: dt.date | None
    pdno: str
    buy_qty: int
    buy_amt: int
    sll_qty: int
    sll_amt: int
    rlzt_pfls: int
    fee: int
    tl_tax: int
