"""Keys, orders and the account: calls under ``/oauth2`` and ``/trading``.

Here: operations whose rows are in ``wire.rows``, and the rows of profit. Amounts are won.
"""

from __future__ import annotations

from haetae.kis.wire import rows
from haetae.kis.wire.fields import row
from haetae.kis.wire.shape import ACCOUNT, TRADING, Operation, many, one, words

_CURSOR = "CTX_AREA_FK100 CTX_AREA_NK100"
_DAILY_ORDERS = (
    f"{ACCOUNT} INQR_STRT_DT INQR_END_DT SLL_BUY_DVSN_CD PDNO ORD_GNO_BRNO ODNO CCLD_DVSN INQR_DVSN INQR_DVSN_1 "
    f"INQR_DVSN_3 EXCG_ID_DVSN_CD {_CURSOR}"
)
_ORDER_CASH = f"{ACCOUNT} PDNO SLL_TYPE ORD_DVSN ORD_QTY ORD_UNPR CNDT_PRIC EXCG_ID_DVSN_CD"
_BALANCE = f"{ACCOUNT} AFHR_FLPR_YN OFL_YN INQR_DVSN UNPR_DVSN FUND_STTL_ICLD_YN FNCG_AMT_AUTO_RDPT_YN PRCS_DVSN"
_PERIOD = f"{ACCOUNT} SORT_DVSN PDNO INQR_STRT_DT INQR_END_DT CBLC_DVSN {_CURSOR}"
_ACK = (one("output", rows.ORDER_ACK),)
_FILLS = (many("output1", rows.ORDER), one("output2", rows.ORDER_TOTAL))

SELLABLE = row(
    "sellable",
    "pdno:text prdt_name:text buy_qty sll_qty cblc_qty nsvg_qty ord_psbl_qty pchs_avg_pric:rate pchs_amt now_pric "
    "evlu_amt evlu_pfls_amt evlu_pfls_rt:rate",
)
HOLDING_PROFIT = row(
    "holding_profit",
    "pdno:text prdt_name:text trad_dvsn_name:text bfdy_buy_qty bfdy_sll_qty thdt_buyqty thdt_sll_qty hldg_qty "
    "ord_psbl_qty pchs_avg_pric:rate pchs_amt prpr evlu_amt evlu_pfls_amt evlu_pfls_rt:rate evlu_erng_rt:rate "
    "loan_dt:day loan_amt stln_slng_chgs expd_dt:day stck_loan_unpr:rate bfdy_cprs_icdc fltt_rt:rate",
)
ACCOUNT_PROFIT = row(
    "account_profit",
    "dnca_tot_amt nxdy_excc_amt prvs_rcdl_excc_amt cma_evlu_amt bfdy_buy_amt thdt_buy_amt nxdy_auto_rdpt_amt "
    "bfdy_sll_amt thdt_sll_amt d2_auto_rdpt_amt bfdy_tlex_amt thdt_tlex_amt tot_loan_amt scts_evlu_amt tot_evlu_amt "
    "nass_amt fncg_gld_auto_rdpt_yn:flag pchs_amt_smtl_amt evlu_amt_smtl_amt evlu_pfls_smtl_amt tot_stln_slng_chgs "
    "bfdy_tot_asst_evlu_amt asst_icdc_amt asst_icdc_erng_rt:rate rlzt_pfls rlzt_erng_rt:rate real_evlu_pfls "
    "real_evlu_pfls_erng_rt:rate",
)
ASSET_CLASS = row("asset_class", "pchs_amt evlu_amt evlu_pfls_amt crdt_lnd_amt real_nass_amt whol_weit_rt:rate")
ASSETS = row(
    "assets",
    "pchs_amt_smtl nass_tot_amt loan_amt_smtl evlu_pfls_amt_smtl evlu_amt_smtl tot_asst_amt tot_lnda_tot_ulst_lnda "
    "cma_auto_loan_amt tot_mgln_amt stln_evlu_amt crdt_fncg_amt ocl_apl_loan_amt pldg_stup_amt frcr_evlu_tota "
    "tot_dncl_amt cma_evlu_amt dncl_amt tot_sbst_amt thdt_rcvb_amt ovrs_stck_evlu_amt1:rate ovrs_bond_evlu_amt:rate "
    "mmf_cma_mgge_loan_amt sbsc_dncl_amt pbst_sbsc_fnds_loan_use_amt etpr_crdt_grnt_loan_amt",
)
DAY_PROFIT = row(
    "day_profit",
    "trad_dt:day buy_amt sll_amt rlzt_pfls fee loan_int tl_tax pfls_rt:rate sll_qty1 buy_qty1",
)
DAY_PROFIT_TOTAL = row(
    "day_profit_total",
    "sll_qty_smtl sll_tr_amt_smtl sll_fee_smtl sll_tltx_smtl sll_excc_amt_smtl buy_qty_smtl buy_tr_amt_smtl "
    "buy_fee_smtl buy_tax_smtl buy_excc_amt_smtl tot_qty tot_tr_amt tot_fee tot_tltx tot_excc_amt tot_rlzt_pfls "
    "loan_int",
)
TRADE_PROFIT = row(
    "trade_profit",
    "trad_dt:day pdno:text prdt_name:text trad_dvsn_name:text loan_dt:day hldg_qty pchs_unpr buy_qty buy_amt sll_pric "
    "sll_qty sll_amt rlzt_pfls pfls_rt:rate fee tl_tax loan_int",
)
TRADE_PROFIT_TOTAL = row(
    "trade_profit_total",
    "sll_qty_smtl sll_tr_amt_smtl sll_fee_smtl sll_tltx_smtl sll_excc_amt_smtl buyqty_smtl buy_tr_amt_smtl "
    "buy_fee_smtl buy_tax_smtl buy_excc_amt_smtl tot_qty tot_tr_amt tot_fee tot_tltx tot_excc_amt tot_rlzt_pfls "
    "loan_int tot_pftrt:rate",
)

TABLE = (
    Operation(
        "tokenP",
        "접근토큰발급",
        "POST",
        "/oauth2/tokenP",
        "",
        "",
        words("grant_type appkey appsecret"),
        used="kis",
        quirks="앱 키마다 분당 1건(EGW00133, HTTP 403). 6시간 안의 재발급은 같은 토큰. 실전은 발급마다 알림톡",
    ),
    Operation(
        "revokeP",
        "접근토큰폐기",
        "POST",
        "/oauth2/revokeP",
        "",
        "",
        words("appkey appsecret token"),
        quirks="응답은 rt_cd가 아니라 code 200",
    ),
    Operation(
        "Approval",
        "실시간접속키",
        "POST",
        "/oauth2/Approval",
        "",
        "",
        words("grant_type appkey secretkey"),
        used="kis",
        quirks="appsecret을 secretkey라는 이름으로 보냄. 등록할 때만 검사하므로 이어진 세션은 만료를 넘김",
    ),
    Operation("hashkey", "해시키", "POST", "/uapi/hashkey", "", "", (), quirks="2022-08부터 선택. 쓰지 않음"),
    Operation(
        "order-cash-buy",
        "현금매수",
        "POST",
        TRADING + "order-cash",
        "TTTC0012U",
        "VTTC0012U",
        words(_ORDER_CASH),
        _ACK,
        legacy_real="TTTC0802U",
        legacy_mock="VTTC0802U",
        is_order=True,
        used="kis → live",
        quirks="고객 주문번호가 없음: 응답을 잃으면 다시 보내지 않고 조회로 찾음. 시장가는 +30 %를 예약",
    ),
    Operation(
        "order-cash-sell",
        "현금매도",
        "POST",
        TRADING + "order-cash",
        "TTTC0011U",
        "VTTC0011U",
        words(_ORDER_CASH),
        _ACK,
        legacy_real="TTTC0801U",
        legacy_mock="VTTC0801U",
        is_order=True,
        used="kis → live",
        quirks="매수와 같음. 보유 수량을 넘으면 APBK0400",
    ),
    Operation(
        "order-rvsecncl",
        "정정취소",
        "POST",
        TRADING + "order-rvsecncl",
        "TTTC0013U",
        "VTTC0013U",
        words(
            f"{ACCOUNT} KRX_FWDG_ORD_ORGNO ORGN_ODNO ORD_DVSN RVSE_CNCL_DVSN_CD ORD_QTY ORD_UNPR QTY_ALL_ORD_YN "
            "CNDT_PRIC EXCG_ID_DVSN_CD"
        ),
        _ACK,
        legacy_real="TTTC0803U",
        legacy_mock="VTTC0803U",
        is_order=True,
        used="kis → live",
        quirks="새 주문번호가 나옴. 원주문의 조직번호와 번호가 필요(모의 00950). 정정은 남은 수량만",
    ),
    Operation(
        "inquire-daily-ccld",
        "일별주문체결 3개월이내",
        "GET",
        TRADING + "inquire-daily-ccld",
        "TTTC0081R",
        "VTTC0081R",
        words(_DAILY_ORDERS),
        _FILLS,
        legacy_real="TTTC8001R",
        legacy_mock="VTTC8001R",
        cursor="100",
        page_rows=100,
        page_rows_mock=15,
        used="kis → live, review",
        quirks="누적 체결이 진실. 모의는 당일 행이 없던 적이 있음(2026-05). 번호는 수로 비교(0·공백 채움)",
    ),
    Operation(
        "inquire-daily-ccld-past",
        "일별주문체결 3개월이전",
        "GET",
        TRADING + "inquire-daily-ccld",
        "CTSC9215R",
        "VTSC9215R",
        words(_DAILY_ORDERS),
        _FILLS,
        legacy_real="CTSC9115R",
        legacy_mock="VTSC9115R",
        cursor="100",
        page_rows=100,
        page_rows_mock=15,
        used="kis → review",
        quirks="같은 경로를 TR이 가름. 장중에는 늦게 반영됨",
    ),
    Operation(
        "inquire-balance",
        "잔고",
        "GET",
        TRADING + "inquire-balance",
        "TTTC8434R",
        "VTTC8434R",
        words(f"{_BALANCE} {_CURSOR}"),
        (many("output1", rows.HOLDING), many("output2", rows.ACCOUNT)),
        cursor="100",
        page_rows=50,
        page_rows_mock=20,
        used="kis → live",
        quirks="output2는 한 행의 배열. 다 판 종목은 결제까지 수량 0으로 남음. 같은 종목이 두 번 오면 더하지 않고 거절",
    ),
    Operation(
        "inquire-balance-rlz-pl",
        "잔고 실현손익",
        "GET",
        TRADING + "inquire-balance-rlz-pl",
        "TTTC8494R",
        "",
        words(f"{_BALANCE} COST_ICLD_YN {_CURSOR}"),
        (many("output1", HOLDING_PROFIT), many("output2", ACCOUNT_PROFIT)),
        cursor="100",
        page_rows=50,
        used="kis → review",
        quirks="실전만. output2는 한 행의 배열",
    ),
    Operation(
        "inquire-account-balance",
        "투자계좌자산현황",
        "GET",
        TRADING + "inquire-account-balance",
        "CTRP6548R",
        "",
        words(f"{ACCOUNT} INQR_DVSN_1 BSPR_BF_DT_APLY_YN"),
        (many("output1", ASSET_CLASS), one("output2", ASSETS)),
        used="kis → review",
        quirks="실전만. output1은 자산 종류별 스무 행 남짓",
    ),
    Operation(
        "inquire-psbl-order",
        "매수가능",
        "GET",
        TRADING + "inquire-psbl-order",
        "TTTC8908R",
        "VTTC8908R",
        words(f"{ACCOUNT} PDNO ORD_UNPR ORD_DVSN CMA_EVLU_AMT_ICLD_YN OVRS_ICLD_YN"),
        (one("output", rows.BUYING_POWER),),
        used="kis → live",
        quirks="주문 가능액은 nrcvb_buy_amt. 예수금(dnca_tot_amt)은 주문 가능액이 아님",
    ),
    Operation(
        "inquire-psbl-sell",
        "매도가능수량",
        "GET",
        TRADING + "inquire-psbl-sell",
        "TTTC8408R",
        "",
        words(f"{ACCOUNT} PDNO"),
        (one("output", SELLABLE),),
        used="kis → live",
        quirks="실전만. 모의는 잔고의 ord_psbl_qty를 씀",
    ),
    Operation(
        "inquire-psbl-rvsecncl",
        "정정취소가능",
        "GET",
        TRADING + "inquire-psbl-rvsecncl",
        "TTTC0084R",
        "",
        words(f"{ACCOUNT} {_CURSOR} INQR_DVSN_1 INQR_DVSN_2"),
        (many("output", rows.OPEN_ORDER),),
        legacy_real="TTTC8036R",
        cursor="100",
        page_rows=50,
        used="kis → live",
        quirks="실전만. 모의는 일별주문체결의 rmn_qty로 대신",
    ),
    Operation(
        "inquire-period-profit",
        "기간별손익 일별합산",
        "GET",
        TRADING + "inquire-period-profit",
        "TTTC8708R",
        "",
        words(f"{_PERIOD} INQR_DVSN"),
        (many("output1", DAY_PROFIT), one("output2", DAY_PROFIT_TOTAL)),
        cursor="100",
        page_rows=50,
        used="kis → review",
        quirks="실전만",
    ),
    Operation(
        "inquire-period-trade-profit",
        "기간별매매손익",
        "GET",
        TRADING + "inquire-period-trade-profit",
        "TTTC8715R",
        "",
        words(_PERIOD),
        (many("output1", TRADE_PROFIT), one("output2", TRADE_PROFIT_TOTAL)),
        cursor="100",
        page_rows=50,
        used="kis → review",
        quirks="실전만. 수수료와 세금의 실제 값을 여기서 읽음",
    ),
)
