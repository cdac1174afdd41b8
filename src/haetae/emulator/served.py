"""Calls that the emulator answers and this platform's own client does not make.

Third-party clients need them. Here: their rows of the operation table, in the form of
``kis.wire.operations``, and the lookup over all tables. Not here: their answers (``quotations``), the calls about
shares abroad (``overseas``).
"""

from __future__ import annotations

from collections.abc import Mapping

from haetae.emulator import overseas
from haetae.kis.wire import operations
from haetae.kis.wire.fields import row
from haetae.kis.wire.operations import Operation, Output

_QUOTES = "/uapi/domestic-stock/v1/quotations/"
_DAILY_PRICE = row(
    "daily_price",
    "stck_bsop_date:day stck_oprc stck_hgpr stck_lwpr stck_clpr acml_vol prdy_vrss_vol_rate:rate prdy_vrss "
    "prdy_vrss_sign:text prdy_ctrt:rate hts_frgn_ehrt:rate frgn_ntby_qty flng_cls_code:text acml_prtt_rate:rate",
)
_PRINT = row(
    "print",
    "stck_cntg_hour:clock stck_prpr prdy_vrss prdy_vrss_sign:text cntg_vol tday_rltv:rate prdy_ctrt:rate",
)
_PRODUCT = row(
    "product",
    "pdno:text prdt_type_cd:text prdt_name:text prdt_name120:text prdt_abrv_name:text prdt_eng_name:text "
    "prdt_eng_name120:text prdt_eng_abrv_name:text std_pdno:text shtn_pdno:text prdt_sale_stat_cd:text "
    "prdt_risk_grad_cd:text prdt_clsf_cd:text prdt_clsf_name:text sale_strt_dt:day sale_end_dt:day "
    "wrap_asst_type_cd:text ivst_prdt_type_cd:text ivst_prdt_type_cd_name:text frst_erlm_dt:day",
)
_OWN = (
    Operation(
        "inquire-daily-price",
        "일자별 시세",
        "GET",
        _QUOTES + "inquire-daily-price",
        "FHKST01010400",
        "FHKST01010400",
        ("FID_COND_MRKT_DIV_CODE", "FID_INPUT_ISCD", "FID_PERIOD_DIV_CODE", "FID_ORG_ADJ_PRC"),
        (Output("output", _DAILY_PRICE, many=True),),
        page_rows=30,
    ),
    Operation(
        "inquire-ccnl",
        "체결",
        "GET",
        _QUOTES + "inquire-ccnl",
        "FHKST01010300",
        "FHKST01010300",
        ("FID_COND_MRKT_DIV_CODE", "FID_INPUT_ISCD"),
        (Output("output", _PRINT, many=True),),
        page_rows=30,
    ),
    Operation(
        "search-info",
        "상품기본조회",
        "GET",
        _QUOTES + "search-info",
        "CTPF1604R",
        "",
        ("PDNO", "PRDT_TYPE_CD"),
        (Output("output", _PRODUCT, many=False),),
    ),
)
_BY_TR: Mapping[tuple[str, str], Operation] = {
    (operation.path, tr_id): operation
    for operation in (*_OWN, *overseas.TABLE)
    for tr_id in (operation.real, operation.mock)
    if tr_id
}


NAMES = (*operations.OPERATIONS, *(operation.name for operation in _OWN))
"""Every call the emulator knows, by the name of its operation."""


def operation_for(path: str, tr_id: str) -> Operation | None:
    """Return the operation a request means, of any table."""
    return operations.operation_for(path, tr_id) or _BY_TR.get((path, tr_id))
