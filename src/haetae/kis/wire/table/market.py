"""The market as a whole: index now, holidays, volatility interruptions, headlines."""

from __future__ import annotations

from haetae.kis.wire import rows
from haetae.kis.wire.fields import row
from haetae.kis.wire.shape import ITEM, QUOTES, Operation, many, one, words

INDEX_PRICE = row(
    "index_price",
    "bstp_nmix_prpr:points bstp_nmix_prdy_vrss:points prdy_vrss_sign:text bstp_nmix_prdy_ctrt:rate acml_vol prdy_vol "
    "acml_tr_pbmn prdy_tr_pbmn bstp_nmix_oprc:points prdy_nmix_vrss_nmix_oprc:points oprc_vrss_prpr_sign:text "
    "bstp_nmix_oprc_prdy_ctrt:rate bstp_nmix_hgpr:points prdy_nmix_vrss_nmix_hgpr:points hgpr_vrss_prpr_sign:text "
    "bstp_nmix_hgpr_prdy_ctrt:rate bstp_nmix_lwpr:points prdy_clpr_vrss_lwpr:points lwpr_vrss_prpr_sign:text "
    "prdy_clpr_vrss_lwpr_rate:rate ascn_issu_cnt uplm_issu_cnt stnr_issu_cnt down_issu_cnt lslm_issu_cnt "
    "dryy_bstp_nmix_hgpr:points dryy_hgpr_vrss_prpr_rate:rate dryy_bstp_nmix_hgpr_date:day "
    "dryy_bstp_nmix_lwpr:points dryy_lwpr_vrss_prpr_rate:rate dryy_bstp_nmix_lwpr_date:day total_askp_rsqn "
    "total_bidp_rsqn seln_rsqn_rate:rate shnu_rsqn_rate:rate ntby_rsqn",
)
INTERRUPTION = row(
    "interruption",
    "hts_kor_isnm:text mksc_shrn_iscd:text vi_cls_code:text bsop_date:day cntg_vi_hour:clock vi_cncl_hour:loose "
    "vi_kind_code:text vi_prc vi_stnd_prc:loose vi_dprt:rate vi_dmc_stnd_prc:loose vi_dmc_dprt:rate vi_count",
)
HEADLINE = row(
    "headline",
    "cntt_usiq_srno:text news_ofer_entp_code:text data_dt:day data_tm:clock hts_pbnt_titl_cntt:text "
    "news_lrdv_code:text dorg:text iscd1:text iscd2:text iscd3:text iscd4:text iscd5:text",
)

TABLE = (
    Operation(
        "inquire-index-price",
        "현재 지수",
        "GET",
        QUOTES + "inquire-index-price",
        "FHPUP02100000",
        "",
        words(ITEM),
        (one("output", INDEX_PRICE),),
        used="kis",
        quirks="실전만. 시장 구분 U. 상승·하락 종목 수가 함께 옴",
    ),
    Operation(
        "chk-holiday",
        "휴장일",
        "GET",
        QUOTES + "chk-holiday",
        "CTCA0903R",
        "",
        words("BASS_DT CTX_AREA_NK CTX_AREA_FK"),
        (many("output", rows.CALENDAR_DAY),),
        cursor="",
        page_rows=24,
        used="kis → collector",
        quirks="실전만. 하루 한 번만 부탁(KIS). 거래일은 opnd_yn. 늦은 개장은 알려 주지 않음",
    ),
    Operation(
        "inquire-vi-status",
        "변동성완화장치 현황",
        "GET",
        QUOTES + "inquire-vi-status",
        "FHPST01390000",
        "",
        words(
            "FID_DIV_CLS_CODE FID_COND_SCR_DIV_CODE FID_MRKT_CLS_CODE FID_INPUT_ISCD FID_RANK_SORT_CLS_CODE "
            "FID_INPUT_DATE_1 FID_TRGT_CLS_CODE FID_TRGT_EXLS_CLS_CODE"
        ),
        (many("output", INTERRUPTION),),
        page_rows=30,
        used="kis → collector",
        quirks="실전만. 30행, 쪽 넘김 없음: 종목을 주면 그 종목만. 종류 1 정적, 2 동적",
    ),
    Operation(
        "news-title",
        "시황·공시 제목",
        "GET",
        QUOTES + "news-title",
        "FHKST01011800",
        "",
        words(
            "FID_NEWS_OFER_ENTP_CODE FID_COND_MRKT_CLS_CODE FID_INPUT_ISCD FID_TITL_CNTT FID_INPUT_DATE_1 "
            "FID_INPUT_HOUR_1 FID_RANK_SORT_CLS_CODE FID_INPUT_SRNO"
        ),
        (many("output", HEADLINE),),
        page_rows=40,
        used="kis → collector",
        quirks="실전만. 날짜는 00YYYYMMDD, 시각은 0000HHMMSS. 행 수 미확인. 제목은 남이 쓴 글: 자료로만 씀",
    ),
)
