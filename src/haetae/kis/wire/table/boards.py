"""Leader boards: thirty names a call, as the exchange stands now."""

from __future__ import annotations

from haetae.kis.wire.fields import row
from haetae.kis.wire.shape import QUOTES, RANKING, Operation, many, words

VOLUME = row(
    "board_volume",
    "hts_kor_isnm:text mksc_shrn_iscd:text data_rank stck_prpr prdy_vrss_sign:text prdy_vrss prdy_ctrt:rate acml_vol "
    "prdy_vol lstn_stcn avrg_vol n_befr_clpr_vrss_prpr_rate:rate vol_inrt:rate vol_tnrt:rate nday_vol_tnrt:rate "
    "avrg_tr_pbmn tr_pbmn_tnrt:rate nday_tr_pbmn_tnrt:rate acml_tr_pbmn",
)
FLUCTUATION = row(
    "board_fluctuation",
    "stck_shrn_iscd:text data_rank hts_kor_isnm:text stck_prpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol "
    "stck_hgpr hgpr_hour:clock acml_hgpr_date:day stck_lwpr lwpr_hour:clock acml_lwpr_date:day "
    "lwpr_vrss_prpr_rate:rate dsgt_date_clpr_vrss_prpr_rate:rate cnnt_ascn_dynu hgpr_vrss_prpr_rate:rate "
    "cnnt_down_dynu oprc_vrss_prpr_sign:text oprc_vrss_prpr oprc_vrss_prpr_rate:rate prd_rsfl prd_rsfl_rate:rate",
)
CAP = row(
    "board_cap",
    "mksc_shrn_iscd:text data_rank hts_kor_isnm:text stck_prpr prdy_vrss prdy_vrss_sign:text prdy_ctrt:rate acml_vol "
    "lstn_stcn stck_avls mrkt_whol_avls_rlim:rate",
)
_COMMON = "fid_trgt_cls_code fid_trgt_exls_cls_code fid_input_price_1 fid_input_price_2 fid_vol_cnt"

TABLE = (
    Operation(
        "volume-rank",
        "거래량 순위",
        "GET",
        QUOTES + "volume-rank",
        "FHPST01710000",
        "",
        words(
            "FID_COND_MRKT_DIV_CODE FID_COND_SCR_DIV_CODE FID_INPUT_ISCD FID_DIV_CLS_CODE FID_BLNG_CLS_CODE "
            "FID_TRGT_CLS_CODE FID_TRGT_EXLS_CLS_CODE FID_INPUT_PRICE_1 FID_INPUT_PRICE_2 FID_VOL_CNT"
        ),
        (many("output", VOLUME),),
        page_rows=30,
        used="kis → collector",
        quirks="실전만. 30행이 전부. 장외 시간에는 비거나 0. FID_BLNG_CLS_CODE 3은 거래대금 순",
    ),
    Operation(
        "fluctuation",
        "등락률 순위",
        "GET",
        RANKING + "fluctuation",
        "FHPST01700000",
        "",
        words(
            "fid_cond_mrkt_div_code fid_cond_scr_div_code fid_input_iscd fid_rank_sort_cls_code fid_input_cnt_1 "
            f"fid_prc_cls_code {_COMMON} fid_div_cls_code fid_rsfl_rate1 fid_rsfl_rate2"
        ),
        (many("output", FLUCTUATION),),
        page_rows=30,
        used="kis → collector",
        quirks="실전만. 30행. 정렬 0은 상승률, 1은 하락률. 전일 종가 대비는 fid_prc_cls_code 1 (0은 저가·고가 대비)",
    ),
    Operation(
        "market-cap",
        "시가총액 순위",
        "GET",
        RANKING + "market-cap",
        "FHPST01740000",
        "",
        words(f"fid_cond_mrkt_div_code fid_cond_scr_div_code fid_div_cls_code fid_input_iscd {_COMMON}"),
        (many("output", CAP),),
        page_rows=30,
        used="kis → collector",
        quirks="실전만. 30행. 시가총액(stck_avls)은 억 원",
    ),
)
