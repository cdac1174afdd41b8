"""Present prices, order books, prints of one name or of many."""

from __future__ import annotations

from haetae.kis.wire import rows
from haetae.kis.wire.fields import row
from haetae.kis.wire.shape import FUNDS, ITEM, QUOTES, Operation, many, one, words

MULTPRICE_SLOTS = 30
_SLOTS = " ".join(f"FID_COND_MRKT_DIV_CODE_{i} FID_INPUT_ISCD_{i}" for i in range(1, MULTPRICE_SLOTS + 1))

PRINT = row(
    "print",
    "stck_cntg_hour:clock stck_prpr prdy_vrss prdy_vrss_sign:text cntg_vol tday_rltv:rate prdy_ctrt:rate",
)
FUND_PRICE = row(
    "fund_price",
    "stck_prpr prdy_vrss_sign:text prdy_vrss prdy_ctrt:rate acml_vol prdy_vol stck_mxpr stck_llam stck_prdy_clpr "
    "stck_oprc:loose prdy_clpr_vrss_oprc_rate:rate stck_hgpr:loose prdy_clpr_vrss_hgpr_rate:rate stck_lwpr:loose "
    "prdy_clpr_vrss_lwpr_rate:rate prdy_last_nav:points nav:points nav_prdy_vrss:points nav_prdy_vrss_sign:text "
    "nav_prdy_ctrt:rate trc_errt:rate stck_sdpr stck_sspr nmix_ctrt:rate etf_crcl_stcn etf_ntas_ttam "
    "etf_frcr_ntas_ttam frgn_limt_rate:rate frgn_oder_able_qty etf_cu_unit_scrt_cnt etf_cnfg_issu_cnt "
    "etf_dvdn_cycl:text crcd:text etf_crcl_ntas_ttam etf_frcr_crcl_ntas_ttam etf_frcr_last_ntas_wrth_val:rate "
    "lp_oder_able_cls_code:text stck_dryy_hgpr dryy_hgpr_vrss_prpr_rate:rate dryy_hgpr_date:day stck_dryy_lwpr "
    "dryy_lwpr_vrss_prpr_rate:rate dryy_lwpr_date:day bstp_kor_isnm:text vi_cls_code:text lstn_stcn frgn_hldn_qty "
    "frgn_hldn_qty_rate:rate etf_trc_ert_mltp:rate dprt:rate mbcr_name:text stck_lstn_date:day mtrt_date:text "
    "shrg_type_code:text lp_hldn_rate:rate etf_trgt_nmix_bstp_code:text etf_div_name:text "
    "etf_rprs_bstp_kor_isnm:text lp_hldn_vol",
)
NAV_MINUTE = row(
    "nav_minute",
    "bsop_hour:clock nav:points nav_prdy_vrss_sign:text nav_prdy_vrss:points nav_prdy_ctrt:rate nav_vrss_prpr:points "
    "dprt:rate stck_prpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol cntg_vol:loose",
)

TABLE = (
    Operation(
        "inquire-price",
        "현재가",
        "GET",
        QUOTES + "inquire-price",
        "FHKST01010100",
        "FHKST01010100",
        words(ITEM),
        (one("output", rows.PRICE),),
        used="kis (모의의 시세, 상태), collector",
        quirks="모의는 실제 시세이나 시가·고가·저가가 빠진 적이 있음. 호가단위는 aspr_unit이 정답",
    ),
    Operation(
        "inquire-asking-price-exp-ccn",
        "호가",
        "GET",
        QUOTES + "inquire-asking-price-exp-ccn",
        "FHKST01010200",
        "FHKST01010200",
        words(ITEM),
        (one("output1", rows.BOOK), one("output2", rows.EXPECTED)),
        used="kis",
        quirks="동시호가에는 예상 체결가가 output2에",
    ),
    Operation(
        "inquire-ccnl",
        "체결",
        "GET",
        QUOTES + "inquire-ccnl",
        "FHKST01010300",
        "FHKST01010300",
        words(ITEM),
        (many("output", PRINT),),
        page_rows=30,
        quirks="가장 새로운 30건만",
    ),
    Operation(
        "intstock-multprice",
        "복수종목 시세",
        "GET",
        QUOTES + "intstock-multprice",
        "FHKST11300006",
        "",
        words(_SLOTS),
        (many("output", rows.SNAPSHOT),),
        page_rows=MULTPRICE_SLOTS,
        used="kis (41건을 넘는 종목의 분봉)",
        quirks="실전만. 번호 붙은 칸 30개. 모르는 코드는 빠진 채 성공",
    ),
    Operation(
        "etfetn-inquire-price",
        "ETF 현재가",
        "GET",
        FUNDS + "inquire-price",
        "FHPST02400000",
        "",
        words("fid_input_iscd fid_cond_mrkt_div_code"),
        (one("output", FUND_PRICE),),
        used="kis",
        quirks="실전만. NAV는 소수 둘째 자리까지의 글자. mtrt_date는 날짜가 아닌 0일 수 있음",
    ),
    Operation(
        "nav-comparison-time-trend",
        "NAV 비교추이(분)",
        "GET",
        FUNDS + "nav-comparison-time-trend",
        "FHPST02440100",
        "",
        words("fid_hour_cls_code fid_cond_mrkt_div_code fid_input_iscd"),
        (many("output", NAV_MINUTE),),
        page_rows=30,
        used="kis",
        quirks="실전만. 시장 구분은 E. 새 것부터 30행, 걸어서 돌아갈 수 없음",
    ),
)
