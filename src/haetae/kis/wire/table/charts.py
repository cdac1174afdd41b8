"""Bars: days, weeks, months, minutes of names and of indices, NAVs by day. Newest first on the wire."""

from __future__ import annotations

from haetae.kis.wire import rows
from haetae.kis.wire.fields import row
from haetae.kis.wire.shape import FUNDS, ITEM, QUOTES, Operation, many, one, words

DAY_PRICE = row(
    "day_price",
    "stck_bsop_date:day stck_oprc stck_hgpr stck_lwpr stck_clpr acml_vol prdy_vrss_vol_rate:rate prdy_vrss "
    "prdy_vrss_sign:text prdy_ctrt:rate hts_frgn_ehrt:rate frgn_ntby_qty flng_cls_code:text acml_prtt_rate:rate",
)
INDEX_MINUTE = row(
    "index_minute",
    "stck_bsop_date:day stck_cntg_hour:clock bstp_nmix_prpr:points bstp_nmix_oprc:points bstp_nmix_hgpr:points "
    "bstp_nmix_lwpr:points cntg_vol:loose acml_tr_pbmn:loose",
)
NAV_DAY = row(
    "nav_day",
    "stck_bsop_date:day stck_clpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol cntg_vol:loose dprt:rate "
    "nav_vrss_prpr:points nav:points nav_prdy_vrss_sign:text nav_prdy_vrss:points nav_prdy_ctrt:rate",
)
_PERIOD = "FID_INPUT_DATE_1 FID_INPUT_DATE_2 FID_PERIOD_DIV_CODE"

TABLE = (
    Operation(
        "inquire-daily-itemchartprice",
        "일·주·월봉",
        "GET",
        QUOTES + "inquire-daily-itemchartprice",
        "FHKST03010100",
        "FHKST03010100",
        words(f"{ITEM} {_PERIOD} FID_ORG_ADJ_PRC"),
        (one("output1", rows.DAILY_HEAD), many("output2", rows.DAILY_BAR)),
        page_rows=100,
        used="kis → collector",
        quirks="FID_ORG_ADJ_PRC 0은 수정주가, 1은 원주가(레이크는 원주가만). 끝 날짜로 걸어서 넘김",
    ),
    Operation(
        "inquire-daily-price",
        "일자별 시세",
        "GET",
        QUOTES + "inquire-daily-price",
        "FHKST01010400",
        "FHKST01010400",
        words(f"{ITEM} FID_PERIOD_DIV_CODE FID_ORG_ADJ_PRC"),
        (many("output", DAY_PRICE),),
        page_rows=30,
        quirks="최근 30행만",
    ),
    Operation(
        "inquire-time-itemchartprice",
        "당일분봉",
        "GET",
        QUOTES + "inquire-time-itemchartprice",
        "FHKST03010200",
        "FHKST03010200",
        words(f"{ITEM} FID_INPUT_HOUR_1 FID_PW_DATA_INCU_YN FID_ETC_CLS_CODE"),
        (one("output1", rows.MINUTE_HEAD), many("output2", rows.MINUTE_BAR)),
        page_rows=30,
        used="kis → collector (모의의 당일 복구)",
        quirks="당일만 30행, 경계 행이 겹침. 앞날의 시각은 평평한 가짜 봉. 새 봉은 거래 전까지 앞 거래량",
    ),
    Operation(
        "inquire-time-dailychartprice",
        "일별분봉",
        "GET",
        QUOTES + "inquire-time-dailychartprice",
        "FHKST03010230",
        "",
        words(f"{ITEM} FID_INPUT_HOUR_1 FID_INPUT_DATE_1 FID_PW_DATA_INCU_YN FID_FAKE_TICK_INCU_YN"),
        (one("output1", rows.MINUTE_HEAD), many("output2", rows.MINUTE_BAR)),
        page_rows=120,
        used="kis → collector",
        quirks="실전만. 1년 남짓, 120행. FID_FAKE_TICK_INCU_YN은 빈칸. Y는 전날로 이어짐(미확인)",
    ),
    Operation(
        "inquire-daily-indexchartprice",
        "지수 일봉",
        "GET",
        QUOTES + "inquire-daily-indexchartprice",
        "FHKUP03500100",
        "FHKUP03500100",
        words(f"{ITEM} {_PERIOD}"),
        (one("output1", rows.INDEX_HEAD), many("output2", rows.INDEX_BAR)),
        page_rows=50,
        used="kis → collector",
        quirks="시장 구분 U. 지수는 소수 둘째 자리, 거래량은 천 주",
    ),
    Operation(
        "inquire-time-indexchartprice",
        "지수 분봉",
        "GET",
        QUOTES + "inquire-time-indexchartprice",
        "FHKUP03500200",
        "",
        words(f"{ITEM} FID_ETC_CLS_CODE FID_INPUT_HOUR_1 FID_PW_DATA_INCU_YN"),
        (one("output1", rows.INDEX_HEAD), many("output2", INDEX_MINUTE)),
        page_rows=102,
        used="kis → collector",
        quirks="실전만. FID_INPUT_HOUR_1은 시각이 아니라 봉의 초(60). 새 것부터 102행, 걸어서 돌아갈 수 없음",
    ),
    Operation(
        "nav-comparison-daily-trend",
        "NAV 비교추이(일)",
        "GET",
        FUNDS + "nav-comparison-daily-trend",
        "FHPST02440200",
        "",
        words("fid_cond_mrkt_div_code fid_input_iscd fid_input_date_1 fid_input_date_2"),
        (many("output", NAV_DAY),),
        page_rows=100,
        used="kis → collector",
        quirks="실전만. 100행, 끝 날짜로 걸어서 넘김",
    ),
)
