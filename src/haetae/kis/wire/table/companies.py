"""What is known of a company and its papers: basic facts, statements, ratios, events of its shares.

Amounts of statements come in 억 (100 million) won with decimals as text, ``99.99`` where KIS knows nothing.
"""

from __future__ import annotations

from haetae.kis.wire import rows
from haetae.kis.wire.fields import Row, row
from haetae.kis.wire.shape import DEPOSITORY, FINANCE, QUOTES, Operation, many, one, words

AMOUNT_UNIT = 100_000_000
"""Won per unit of the amounts in statements."""
UNKNOWN_AMOUNT = 99.99
"""What KIS sends in a statement where it has no figure (documented examples)."""

PRODUCT = row(
    "product",
    "pdno:text prdt_type_cd:text prdt_name:text prdt_name120:text prdt_abrv_name:text prdt_eng_name:text "
    "prdt_eng_name120:text prdt_eng_abrv_name:text std_pdno:text shtn_pdno:text prdt_sale_stat_cd:text "
    "prdt_risk_grad_cd:text prdt_clsf_cd:text prdt_clsf_name:text sale_strt_dt:day sale_end_dt:day "
    "wrap_asst_type_cd:text ivst_prdt_type_cd:text ivst_prdt_type_cd_name:text frst_erlm_dt:day",
)
RATIO = row(
    "ratio",
    "stac_yymm:text grs:maybe bsop_prfi_inrt:maybe ntin_inrt:maybe roe_val:maybe eps:maybe sps:maybe bps:maybe "
    "rsrv_rate:maybe lblt_rate:maybe",
)
PROFIT_RATIO = row(
    "profit_ratio",
    "stac_yymm:text cptl_ntin_rate:maybe self_cptl_ntin_inrt:maybe sale_ntin_rate:maybe sale_totl_rate:maybe",
)
STABILITY_RATIO = row(
    "stability_ratio", "stac_yymm:text lblt_rate:maybe bram_depn:maybe crnt_rate:maybe quck_rate:maybe"
)
GROWTH_RATIO = row("growth_ratio", "stac_yymm:text grs:maybe bsop_prfi_inrt:maybe equt_inrt:maybe totl_aset_inrt:maybe")
OTHER_RATIO = row("other_ratio", "stac_yymm:text payout_rate:maybe eva:maybe ebitda:maybe ev_ebitda:maybe")
INCOME = row(
    "income",
    "stac_yymm:text sale_account:maybe sale_cost:maybe sale_totl_prfi:maybe depr_cost:maybe sell_mang:maybe "
    "bsop_prti:maybe bsop_non_ernn:maybe bsop_non_expn:maybe op_prfi:maybe spec_prfi:maybe spec_loss:maybe "
    "thtr_ntin:maybe",
)
BALANCE_SHEET = row(
    "balance_sheet",
    "stac_yymm:text cras:maybe fxas:maybe total_aset:maybe flow_lblt:maybe fix_lblt:maybe total_lblt:maybe cpfn:maybe "
    "cfp_surp:maybe prfi_surp:maybe total_cptl:maybe",
)
SPLIT = row(
    "split",
    "record_date:day sht_cd:text isin_name:text inter_bf_face_amt inter_af_face_amt td_stop_dt:text list_dt:text",
)
BONUS = row(
    "bonus",
    "record_date:day sht_cd:text isin_name:text fix_rate:rate odd_rec_price:loose right_dt:day odd_pay_dt:text "
    "list_date:text tot_issue_stk_qty:loose issue_stk_qty:loose stk_kind:text",
)
RIGHTS = row(
    "rights",
    "record_date:day sht_cd:text isin_name:text tot_issue_stk_qty:loose issue_stk_qty:loose fix_rate:rate "
    "disc_rate:rate fix_price:loose right_dt:day sub_term_ft:text sub_term:text list_date:text stk_kind:text",
)
MERGER = row(
    "merger",
    "record_date:day sht_cd:text opp_cust_cd:text opp_cust_nm:text cust_cd:text cust_nm:text merge_type:text "
    "merge_rate:rate td_stop_dt:text list_dt:text odd_amt_pay_dt:text tot_issue_stk_qty:loose issue_stk_qty:loose "
    "seq:text",
)
DIVIDEND = row(
    "dividend",
    "record_date:day sht_cd:text isin_name:text divi_kind:text face_val:rate per_sto_divi_amt:loose divi_rate:rate "
    "stk_divi_rate:rate divi_pay_dt:text stk_div_pay_dt:text odd_pay_dt:text stk_kind:text high_divi_gb:text",
)

_STATEMENT = words("FID_DIV_CLS_CODE fid_cond_mrkt_div_code fid_input_iscd")
_EVENTS = "SHT_CD CTS F_DT T_DT"


def _finance(name: str, korean: str, path: str, tr: str, table: Row, quirks: str = "") -> Operation:
    said = "실전만. 0은 연간, 1은 분기" + (f". {quirks}" if quirks else "")
    return Operation(
        name, korean, "GET", FINANCE + path, tr, "", _STATEMENT, (many("output", table),),
        used="kis → collector", quirks=said,
    )  # fmt: skip


def _event(name: str, korean: str, tr: str, table: Row, extra: str = "", quirks: str = "") -> Operation:
    asked = words(f"{_EVENTS} {extra}")
    return Operation(
        f"ksdinfo-{name}", korean, "GET", DEPOSITORY + name, tr, "", asked, (many("output1", table),),
        used="kis → collector", quirks="실전만. 수는 공백이나 0으로 채워 옴" + (f". {quirks}" if quirks else ""),
    )  # fmt: skip


TABLE = (
    Operation(
        "search-stock-info",
        "주식기본조회",
        "GET",
        QUOTES + "search-stock-info",
        "CTPF1002R",
        "",
        words("PRDT_TYPE_CD PDNO"),
        (one("output", rows.STOCK_INFO),),
        used="kis → collector",
        quirks="실전만. PRDT_TYPE_CD 300. 거래정지·관리·NXT 가능 여부",
    ),
    Operation(
        "search-info",
        "상품기본조회",
        "GET",
        QUOTES + "search-info",
        "CTPF1604R",
        "",
        words("PDNO PRDT_TYPE_CD"),
        (one("output", PRODUCT),),
        quirks="실전만. 종목 코드는 shtn_pdno",
    ),
    _finance("financial-ratio", "재무비율", "financial-ratio", "FHKST66430300", RATIO),
    _finance("profit-ratio", "수익성비율", "profit-ratio", "FHKST66430400", PROFIT_RATIO),
    _finance("stability-ratio", "안정성비율", "stability-ratio", "FHKST66430600", STABILITY_RATIO),
    _finance("growth-ratio", "성장성비율", "growth-ratio", "FHKST66430800", GROWTH_RATIO),
    _finance("other-major-ratios", "기타주요비율", "other-major-ratios", "FHKST66430500", OTHER_RATIO),
    _finance(
        "income-statement",
        "손익계산서",
        "income-statement",
        "FHKST66430200",
        INCOME,
        "분기는 연 누적. 억 원. 99.99는 값 없음",
    ),
    _finance("balance-sheet", "대차대조표", "balance-sheet", "FHKST66430100", BALANCE_SHEET, "억 원. 99.99는 값 없음"),
    _event("rev-split", "액면교체 일정", "HHKDB669105C0", SPLIT, "MARKET_GB", "효력은 list_dt부터"),
    _event("bonus-issue", "무상증자 일정", "HHKDB669101C0", BONUS, quirks="배정율은 100주당 신주"),
    _event("paidin-capin", "유상증자 일정", "HHKDB669100C0", RIGHTS, "GB1", "GB1 2는 기준일별"),
    _event("merger-split", "합병·분할 일정", "HHKDB669104C0", MERGER),
    _event("dividend", "배당 일정", "HHKDB669102C0", DIVIDEND, "GB1 HIGH_GB", "GB1 0은 전체"),
)
