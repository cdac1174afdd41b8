"""Who bought and sold: foreigners, institutions, individuals; per name and per market.

Net amounts (``…_tr_pbmn``) come in millions of won, quantities in shares; per market in thousands of shares.
"""

from __future__ import annotations

from haetae.kis.wire.fields import row
from haetae.kis.wire.shape import ITEM, QUOTES, Operation, many, one, words

WON_UNIT = 1_000_000
"""Won per unit of the net amounts."""
MARKET_SHARE_UNIT = 1_000
"""Shares per unit of the quantities of a whole market (seen in documented examples)."""

_PARTIES = "prsn frgn orgn"


def _each(*endings: str, parties: str = _PARTIES) -> str:
    return " ".join(f"{party}_{ending}:loose" for ending in endings for party in parties.split())


INVESTOR_DAY = row(
    "investor_day",
    "stck_bsop_date:day stck_clpr prdy_vrss prdy_vrss_sign:text "
    + _each("ntby_qty", "ntby_tr_pbmn", "shnu_vol", "shnu_tr_pbmn", "seln_vol", "seln_tr_pbmn"),
)
INVESTOR_HEAD = row(
    "investor_head",
    "stck_prpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol prdy_vol rprs_mrkt_kor_name:text",
)
_HOUSES = "scrt ivtr pe_fund bank insu mrbn fund etc"
_SIDES = " ".join(
    f"{party}_{side}_{unit}:loose"
    for party in ("prsn", "orgn", *_HOUSES.split(), "etc_orgt", "etc_corp")
    for side in ("seln", "shnu")
    for unit in ("vol", "tr_pbmn")
)
_NET_QTY = (
    "frgn_ntby_qty:loose frgn_reg_ntby_qty:loose frgn_nreg_ntby_qty:loose prsn_ntby_qty:loose orgn_ntby_qty:loose "
    "scrt_ntby_qty:loose ivtr_ntby_qty:loose pe_fund_ntby_vol:loose bank_ntby_qty:loose insu_ntby_qty:loose "
    "mrbn_ntby_qty:loose fund_ntby_qty:loose etc_ntby_qty:loose"
)
_NET_WON = (
    "frgn_reg_ntby_pbmn:loose frgn_ntby_tr_pbmn:loose frgn_nreg_ntby_pbmn:loose prsn_ntby_tr_pbmn:loose "
    "orgn_ntby_tr_pbmn:loose scrt_ntby_tr_pbmn:loose pe_fund_ntby_tr_pbmn:loose ivtr_ntby_tr_pbmn:loose "
    "bank_ntby_tr_pbmn:loose insu_ntby_tr_pbmn:loose mrbn_ntby_tr_pbmn:loose fund_ntby_tr_pbmn:loose "
    "etc_ntby_tr_pbmn:loose"
)
FLOW_DAY = row(
    "flow_day",
    "stck_bsop_date:day stck_clpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol acml_tr_pbmn:loose stck_oprc "
    f"stck_hgpr stck_lwpr {_NET_QTY} etc_corp_ntby_vol:loose etc_orgt_ntby_vol:loose {_NET_WON} "
    "etc_corp_ntby_tr_pbmn:loose etc_orgt_ntby_tr_pbmn:loose frgn_seln_vol:loose frgn_shnu_vol:loose "
    "frgn_seln_tr_pbmn:loose frgn_shnu_tr_pbmn:loose frgn_reg_askp_qty:loose frgn_reg_bidp_qty:loose "
    "frgn_reg_askp_pbmn:loose frgn_reg_bidp_pbmn:loose frgn_nreg_askp_qty:loose frgn_nreg_bidp_qty:loose "
    f"frgn_nreg_askp_pbmn:loose frgn_nreg_bidp_pbmn:loose {_SIDES} bold_yn:flag",
)
MARKET_FLOW_DAY = row(
    "market_flow_day",
    "stck_bsop_date:day bstp_nmix_prpr:points bstp_nmix_prdy_vrss:points prdy_vrss_sign:text bstp_nmix_prdy_ctrt:rate "
    f"bstp_nmix_oprc:points bstp_nmix_hgpr:points bstp_nmix_lwpr:points stck_prdy_clpr:points {_NET_QTY} "
    f"etc_orgt_ntby_vol:loose etc_corp_ntby_vol:loose {_NET_WON} etc_orgt_ntby_tr_pbmn:loose "
    "etc_corp_ntby_tr_pbmn:loose",
)

TABLE = (
    Operation(
        "inquire-investor",
        "현재가 투자자",
        "GET",
        QUOTES + "inquire-investor",
        "FHKST01010900",
        "FHKST01010900",
        words(ITEM),
        (many("output", INVESTOR_DAY),),
        page_rows=30,
        used="kis → collector (모의)",
        quirks="최근 30일쯤. 당일 값은 마감 뒤에 채워짐. 대금은 백만 원",
    ),
    Operation(
        "investor-trade-by-stock-daily",
        "종목별 투자자매매 일별",
        "GET",
        QUOTES + "investor-trade-by-stock-daily",
        "FHPTJ04160001",
        "",
        words(f"{ITEM} FID_INPUT_DATE_1 FID_ORG_ADJ_PRC FID_ETC_CLS_CODE"),
        (one("output1", INVESTOR_HEAD), many("output2", FLOW_DAY)),
        page_rows=30,
        used="kis → collector",
        quirks="실전만. 그날부터 거꾸로 30행 남짓(미확인), 걸어서 넘김. 대금은 백만 원, 당일은 마감 뒤",
    ),
    Operation(
        "inquire-investor-daily-by-market",
        "시장별 투자자매매 일별",
        "GET",
        QUOTES + "inquire-investor-daily-by-market",
        "FHPTJ04040000",
        "",
        words(f"{ITEM} FID_INPUT_DATE_1 FID_INPUT_ISCD_1 FID_INPUT_DATE_2 FID_INPUT_ISCD_2"),
        (many("output", MARKET_FLOW_DAY),),
        used="kis → collector",
        quirks="실전만. FID_INPUT_ISCD_1에 KSP/KSQ가 없으면 모두 0. 하루씩 물음. 수량은 천 주, 대금은 백만 원",
    ),
)
