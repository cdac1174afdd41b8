"""The one table of KIS REST calls: what the client sends, what the emulator answers.

Here: method, path, TR ids of both domains and generations, request names, outputs with their row tables,
page sizes. Not here: the envelope (`envelope`), network (`rest`), rules of the market.
A TR id selects the operation on a shared path; ids of the real domain begin with T, C, F or H, mock trading
ids with V, quotations have the same id on both. ``""`` means that a domain does not serve the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from haetae.kis.wire import rows
from haetae.kis.wire.fields import Row


class Mode(Enum):
    """The two domains of KIS: real money and mock investment."""

    REAL = "real"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a reply: its key, its row table, and whether it is a list of rows."""

    key: str
    row: Row
    many: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST call.

    Attributes
    ----------
    cursor : str or None
        Suffix of the paging names (``100``: ``CTX_AREA_FK100`` asks, ``ctx_area_fk100`` answers; blank for
        ``CTX_AREA_FK``); None where the call is not paged by cursor.
    page_rows, page_rows_mock : int
        Most rows in one reply, 0 where KIS names no limit.
    """

    name: str
    korean: str
    method: str
    path: str
    real: str
    mock: str
    request: tuple[str, ...]
    outputs: tuple[Output, ...] = ()
    legacy_real: str = ""
    legacy_mock: str = ""
    cursor: str | None = None
    page_rows: int = 0
    page_rows_mock: int = 0
    is_order: bool = False

    def tr_id(self, mode: Mode) -> str:
        """Return the current TR id of a domain; blank if that domain does not serve the call."""
        return self.real if mode is Mode.REAL else self.mock

    def serves(self, tr_id: str, mode: Mode) -> bool:
        """Whether a domain takes this TR id, of either generation."""
        ids = (self.real, self.legacy_real) if mode is Mode.REAL else (self.mock, self.legacy_mock)
        return bool(tr_id) and tr_id in ids

    def output(self, key: str) -> Output:
        """Return an output by its key; raises ``KeyError``."""
        for output in self.outputs:
            if output.key == key:
                return output
        raise KeyError(f"{self.name} has no output {key}")

    def rows_per_page(self, mode: Mode) -> int:
        """Return the page size of a domain."""
        return self.page_rows_mock if mode is Mode.MOCK and self.page_rows_mock else self.page_rows

    def body(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the request with every name of the table, blank where no value is given.

        An unknown name raises ``KeyError``: a typing error must not become a silently ignored parameter.
        """
        unknown = set(values) - set(self.request)
        if unknown:
            raise KeyError(f"{self.name} takes no {sorted(unknown)}")
        return {name: values.get(name, "") for name in self.request}

    def read(self, sent: Mapping[str, str]) -> dict[str, str]:
        """Return what a client sent under the names of the table: case of names ignored, missing is blank."""
        upper = {str(name).upper(): str(value) for name, value in sent.items()}
        return {name: upper.get(name.upper(), "") for name in self.request}


_TRADING = "/uapi/domestic-stock/v1/trading/"
_QUOTES = "/uapi/domestic-stock/v1/quotations/"
_ACCOUNT = "CANO ACNT_PRDT_CD"
_ITEM = "FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD"
_DAILY_ORDERS = (
    f"{_ACCOUNT} INQR_STRT_DT INQR_END_DT SLL_BUY_DVSN_CD PDNO ORD_GNO_BRNO ODNO CCLD_DVSN INQR_DVSN INQR_DVSN_1 "
    "INQR_DVSN_3 EXCG_ID_DVSN_CD CTX_AREA_FK100 CTX_AREA_NK100"
)
_ORDER_CASH = f"{_ACCOUNT} PDNO SLL_TYPE ORD_DVSN ORD_QTY ORD_UNPR CNDT_PRIC EXCG_ID_DVSN_CD"
MULTPRICE_SLOTS = 30
_SLOTS = " ".join(f"FID_COND_MRKT_DIV_CODE_{i} FID_INPUT_ISCD_{i}" for i in range(1, MULTPRICE_SLOTS + 1))


def _one(key: str, table: Row) -> Output:
    return Output(key, table, many=False)


def _many(key: str, table: Row) -> Output:
    return Output(key, table, many=True)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ACK = (_one("output", rows.ORDER_ACK),)
_FILLS = (_many("output1", rows.ORDER), _one("output2", rows.ORDER_TOTAL))
_TABLE = (
    Operation("tokenP", "접근토큰발급", "POST", "/oauth2/tokenP", "", "", _words("grant_type appkey appsecret")),
    Operation("revokeP", "접근토큰폐기", "POST", "/oauth2/revokeP", "", "", _words("appkey appsecret token")),
    Operation("Approval", "실시간접속키", "POST", "/oauth2/Approval", "", "", _words("grant_type appkey secretkey")),
    Operation("hashkey", "해시키", "POST", "/uapi/hashkey", "", "", ()),
    Operation(
        "order-cash-buy",
        "현금매수",
        "POST",
        _TRADING + "order-cash",
        "TTTC0012U",
        "VTTC0012U",
        _words(_ORDER_CASH),
        _ACK,
        legacy_real="TTTC0802U",
        legacy_mock="VTTC0802U",
        is_order=True,
    ),
    Operation(
        "order-cash-sell",
        "현금매도",
        "POST",
        _TRADING + "order-cash",
        "TTTC0011U",
        "VTTC0011U",
        _words(_ORDER_CASH),
        _ACK,
        legacy_real="TTTC0801U",
        legacy_mock="VTTC0801U",
        is_order=True,
    ),
    Operation(
        "order-rvsecncl",
        "정정취소",
        "POST",
        _TRADING + "order-rvsecncl",
        "TTTC0013U",
        "VTTC0013U",
        _words(
            f"{_ACCOUNT} KRX_FWDG_ORD_ORGNO ORGN_ODNO ORD_DVSN RVSE_CNCL_DVSN_CD ORD_QTY ORD_UNPR QTY_ALL_ORD_YN "
            "CNDT_PRIC EXCG_ID_DVSN_CD"
        ),
        _ACK,
        legacy_real="TTTC0803U",
        legacy_mock="VTTC0803U",
        is_order=True,
    ),
    Operation(
        "inquire-daily-ccld",
        "일별주문체결 3개월이내",
        "GET",
        _TRADING + "inquire-daily-ccld",
        "TTTC0081R",
        "VTTC0081R",
        _words(_DAILY_ORDERS),
        _FILLS,
        legacy_real="TTTC8001R",
        legacy_mock="VTTC8001R",
        cursor="100",
        page_rows=100,
        page_rows_mock=15,
    ),
    Operation(
        "inquire-daily-ccld-past",
        "일별주문체결 3개월이전",
        "GET",
        _TRADING + "inquire-daily-ccld",
        "CTSC9215R",
        "VTSC9215R",
        _words(_DAILY_ORDERS),
        _FILLS,
        legacy_real="CTSC9115R",
        legacy_mock="VTSC9115R",
        cursor="100",
        page_rows=100,
        page_rows_mock=15,
    ),
    Operation(
        "inquire-balance",
        "잔고",
        "GET",
        _TRADING + "inquire-balance",
        "TTTC8434R",
        "VTTC8434R",
        _words(
            f"{_ACCOUNT} AFHR_FLPR_YN OFL_YN INQR_DVSN UNPR_DVSN FUND_STTL_ICLD_YN FNCG_AMT_AUTO_RDPT_YN PRCS_DVSN "
            "CTX_AREA_FK100 CTX_AREA_NK100"
        ),
        (_many("output1", rows.HOLDING), _many("output2", rows.ACCOUNT)),
        cursor="100",
        page_rows=50,
        page_rows_mock=20,
    ),
    Operation(
        "inquire-psbl-order",
        "매수가능",
        "GET",
        _TRADING + "inquire-psbl-order",
        "TTTC8908R",
        "VTTC8908R",
        _words(f"{_ACCOUNT} PDNO ORD_UNPR ORD_DVSN CMA_EVLU_AMT_ICLD_YN OVRS_ICLD_YN"),
        (_one("output", rows.BUYING_POWER),),
    ),
    Operation(
        "inquire-psbl-rvsecncl",
        "정정취소가능",
        "GET",
        _TRADING + "inquire-psbl-rvsecncl",
        "TTTC0084R",
        "",
        _words(f"{_ACCOUNT} CTX_AREA_FK100 CTX_AREA_NK100 INQR_DVSN_1 INQR_DVSN_2"),
        (_many("output", rows.OPEN_ORDER),),
        legacy_real="TTTC8036R",
        cursor="100",
        page_rows=50,
    ),
    Operation(
        "inquire-price",
        "현재가",
        "GET",
        _QUOTES + "inquire-price",
        "FHKST01010100",
        "FHKST01010100",
        _words(_ITEM),
        (_one("output", rows.PRICE),),
    ),
    Operation(
        "inquire-asking-price-exp-ccn",
        "호가",
        "GET",
        _QUOTES + "inquire-asking-price-exp-ccn",
        "FHKST01010200",
        "FHKST01010200",
        _words(_ITEM),
        (_one("output1", rows.BOOK), _one("output2", rows.EXPECTED)),
    ),
    Operation(
        "intstock-multprice",
        "복수종목 시세",
        "GET",
        _QUOTES + "intstock-multprice",
        "FHKST11300006",
        "",
        _words(_SLOTS),
        (_many("output", rows.SNAPSHOT),),
        page_rows=MULTPRICE_SLOTS,
    ),
    Operation(
        "inquire-daily-itemchartprice",
        "일봉",
        "GET",
        _QUOTES + "inquire-daily-itemchartprice",
        "FHKST03010100",
        "FHKST03010100",
        _words(f"{_ITEM} FID_INPUT_DATE_1 FID_INPUT_DATE_2 FID_PERIOD_DIV_CODE FID_ORG_ADJ_PRC"),
        (_one("output1", rows.DAILY_HEAD), _many("output2", rows.DAILY_BAR)),
        page_rows=100,
    ),
    Operation(
        "inquire-time-itemchartprice",
        "당일분봉",
        "GET",
        _QUOTES + "inquire-time-itemchartprice",
        "FHKST03010200",
        "FHKST03010200",
        _words(f"{_ITEM} FID_INPUT_HOUR_1 FID_PW_DATA_INCU_YN FID_ETC_CLS_CODE"),
        (_one("output1", rows.MINUTE_HEAD), _many("output2", rows.MINUTE_BAR)),
        page_rows=30,
    ),
    Operation(
        "inquire-time-dailychartprice",
        "일별분봉",
        "GET",
        _QUOTES + "inquire-time-dailychartprice",
        "FHKST03010230",
        "",
        _words(f"{_ITEM} FID_INPUT_HOUR_1 FID_INPUT_DATE_1 FID_PW_DATA_INCU_YN FID_FAKE_TICK_INCU_YN"),
        (_one("output1", rows.MINUTE_HEAD), _many("output2", rows.MINUTE_BAR)),
        page_rows=120,
    ),
    Operation(
        "inquire-daily-indexchartprice",
        "지수일봉",
        "GET",
        _QUOTES + "inquire-daily-indexchartprice",
        "FHKUP03500100",
        "FHKUP03500100",
        _words(f"{_ITEM} FID_INPUT_DATE_1 FID_INPUT_DATE_2 FID_PERIOD_DIV_CODE"),
        (_one("output1", rows.INDEX_HEAD), _many("output2", rows.INDEX_BAR)),
        page_rows=50,
    ),
    Operation(
        "search-stock-info",
        "주식기본정보",
        "GET",
        _QUOTES + "search-stock-info",
        "CTPF1002R",
        "",
        _words("PRDT_TYPE_CD PDNO"),
        (_one("output", rows.STOCK_INFO),),
    ),
    Operation(
        "chk-holiday",
        "휴장일",
        "GET",
        _QUOTES + "chk-holiday",
        "CTCA0903R",
        "",
        _words("BASS_DT CTX_AREA_NK CTX_AREA_FK"),
        (_many("output", rows.CALENDAR_DAY),),
        cursor="",
        page_rows=24,
    ),
)

OPERATIONS: Mapping[str, Operation] = {operation.name: operation for operation in _TABLE}
"""Every operation by name."""

_BY_TR: Mapping[tuple[str, str], Operation] = {
    (operation.path, tr_id): operation
    for operation in OPERATIONS.values()
    for tr_id in (operation.real, operation.mock, operation.legacy_real, operation.legacy_mock)
    if tr_id
}
_BY_PATH: Mapping[str, Operation] = {
    operation.path: operation for operation in OPERATIONS.values() if not operation.real and not operation.mock
}


def operation_for(path: str, tr_id: str) -> Operation | None:
    """Return the operation a request means, whatever the domain; None if the table has none.

    The four authentication calls are found by path alone. Whether the domain serves the TR is for the caller
    to ask with ``Operation.serves``.
    """
    return _BY_PATH.get(path) or _BY_TR.get((path, tr_id))
