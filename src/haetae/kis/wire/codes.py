"""Message codes of KIS: what they mean for the next step of a client, and the words a server sends with them.

Here: the codes this platform meets, their texts, HTTP status and class. Codes are facts of the protocol
(observed or documented); the texts in ``TEXTS`` are exact or near exact. Not here: retry loops (`rest`).
"""

from __future__ import annotations

from enum import Enum


class Reaction(Enum):
    """What a client may conclude from a refused call.

    ``REFUSED``: proven not done. ``LATER``: proven not done, the same call may be made again after a pause.
    ``NEW_TOKEN``: proven not done, the token is dead. ``STOP``: keys or permissions are wrong, a person must
    look. ``AMBIGUOUS``: an order may or may not have been taken; a query may be repeated.
    """

    REFUSED = "refused"
    LATER = "later"
    NEW_TOKEN = "new_token"  # noqa: S105 - a word, not a secret
    STOP = "stop"
    AMBIGUOUS = "ambiguous"


SUCCESS = "MCA00000"
QUERY_LAST_PAGE = "KIOK0510"
QUERY_MORE_PAGES = "KIOK0520"
QUERY_EMPTY = "KIOK0560"
ORDER_TAKEN = "APBK0013"
RATE_EXCEEDED = "EGW00201"
LEDGER_RATE_EXCEEDED = "EGW00215"
TOKEN_RATE_EXCEEDED = "EGW00133"  # noqa: S105 - a code
TOKEN_UNKNOWN = "EGW00121"  # noqa: S105 - a code
TOKEN_MISSING = "EGW00122"  # noqa: S105 - a code
TOKEN_EXPIRED = "EGW00123"  # noqa: S105 - a code

TEXTS: dict[str, str] = {
    SUCCESS: "정상처리 되었습니다.",
    QUERY_LAST_PAGE: "조회가 완료되었습니다",
    QUERY_MORE_PAGES: "조회가 계속됩니다",
    QUERY_EMPTY: "조회할 내용이 없습니다",
    ORDER_TAKEN: "주문 전송 완료 되었습니다.",
    "40600000": "모의투자 매수주문이 완료 되었습니다.",
    "40610000": "모의투자 매도주문이 완료 되었습니다.",
    "40620000": "모의투자 정정주문이 완료 되었습니다.",
    "40630000": "모의투자 취소주문이 완료 되었습니다.",
    "EGW00103": "유효하지 않은 AppKey입니다.",
    "EGW00105": "유효하지 않은 AppSecret입니다.",
    TOKEN_UNKNOWN: "유효하지 않은 token 입니다.",
    TOKEN_MISSING: "token이 없습니다.",
    TOKEN_EXPIRED: "기간이 만료된 token 입니다.",
    TOKEN_RATE_EXCEEDED: "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)",
    RATE_EXCEEDED: "초당 거래건수를 초과하였습니다.",
    LEDGER_RATE_EXCEEDED: "원장 초당 거래건수를 초과하였습니다.",
    "EGW00301": "연결시간이 초과되었습니다. 직전거래를 반드시 확인하세요.",
    "EGW00302": "거래시간이 초과되었습니다. 직전거래를 반드시 확인하세요.",
    "EGW00304": "고객식별키(appSecret)가 유효하지 않습니다.",
    "EGW02004": "모의투자 TR 이 아닙니다.",
    "MCA00124": "해당 서비스를 찾을수 없습니다",
    "OPSQ2000": "ERROR : INPUT INVALID_CHECK_ACNO",
    "OPSQ2002": "ERROR INPUT FIELD LENGTH",
    "APBK0400": "주문 가능한 수량을 초과했습니다.",
    "APBK0506": "호가단위 오류입니다.",
    "APBK0656": "해당 종목 정보가 없습니다",
    "APBK0918": "장운영시간이 아닙니다.(주문불가)",
    "APBK0919": "장운영일자가 주문일과 상이합니다",
    "APBK0952": "주문가능금액을 초과 했습니다",
    "APBK1663": "원주문 정보가 존재하지 않습니다.",
    "APBK1664": "정정취소 가능수량이 없습니다.",
    "APBK1943": "시장가호가불가",
    "40030000": "모의투자 주문처리가 안되었습니다(호가단위 오류)",
    "40070000": "모의투자 주문처리가 안되었습니다(매매불가 종목)",
    "40100000": "모의투자 영업일이 아닙니다.",
    "40240000": "모의투자 잔고내역이 없습니다.",
    "40250000": "모의투자 주문가능금액이 부족합니다.",
    "40270000": "모의투자 주문처리가 안되었습니다(상/하한가 오류)",
    "40570000": "모의투자 장시작전 입니다.",
    "40580000": "모의투자 장종료 입니다.",
}

_LATER = frozenset({RATE_EXCEEDED, LEDGER_RATE_EXCEEDED, TOKEN_RATE_EXCEEDED})
_NEW_TOKEN = frozenset({TOKEN_UNKNOWN, TOKEN_EXPIRED})
_STOP = frozenset(
    {f"EGW001{n:02d}" for n in (1, 2, 3, 4, 5, *range(6, 21), 22, *range(24, 33))}
    | {"EGW00003", "EGW00004", "EGW00206", "EGW00210", "EGW00303", "EGW00304", "EGW02004", "MCA00124"}
)


_TOO_MANY_REQUESTS = 429
_TOKEN_WORDS = ("token", "토큰")
_DEAD_WORDS = ("만료", "유효하지", "폐기", "expired", "invalid", "revoked")
_KEY_CODES = frozenset({"EGW00103", "EGW00105", "EGW00304", "EGW02004"})


def says_dead_token(text: str) -> bool:
    """Whether a message means, in words no table knows, that the token serves no more (seen after maintenance)."""
    low = text.lower()
    names_token = any(word in low for word in _TOKEN_WORDS) or "기간" in low
    return names_token and any(word in low for word in _DEAD_WORDS)


def says_wrong_key(code: str, text: str) -> bool:
    """Whether a refusal is about the key pair itself or its domain, so that every further call is refused too."""
    if code == "EGW02004":
        return "앱키" in text or "appkey" in text.lower()
    return code in _KEY_CODES


def reaction(code: str, *, status: int, text: str = "") -> Reaction:
    """Return what a refusal with this code, HTTP status and message allows a client to conclude.

    Only codes known to be checked ahead of the order system prove that nothing was done. A business code
    (ledger ``APBK``, ``KIOK``, ``OPSQ2``, mock ``4…``) is proof only with status 200; everything else is ambiguous.
    Odd words about a token are believed of the gateway (``EGW``, or status 401 and 403) alone.
    """
    if code in _LATER or status == _TOO_MANY_REQUESTS:
        return Reaction.LATER
    if code in _NEW_TOKEN:
        return Reaction.NEW_TOKEN
    if code in _STOP:
        return Reaction.STOP
    business = code.startswith(("APBK", "KIOK", "OPSQ2")) or (len(code) == 8 and code.isdigit())
    if business and status == 200:
        return Reaction.REFUSED
    if says_dead_token(text) and (code.startswith("EGW") or status in (401, 403)):
        return Reaction.NEW_TOKEN
    return Reaction.AMBIGUOUS


def http_status(code: str, *, on_oauth: bool = False) -> int:
    """Return the HTTP status KIS sends a refusal with: gateway codes 500 (403 on /oauth2), business codes 200."""
    if code.startswith(("EGW", "IGW", "MCA", "OPSQ0", "OPSQ1", "OPSQ3", "OPSQ9")):
        return 403 if on_oauth or code == TOKEN_RATE_EXCEEDED else 500
    return 200
