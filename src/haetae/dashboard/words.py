"""The words of the pages: Korean first, English by ``HAETAE_LANG=en``, for texts and for codes.

A code without a word is shown as it is: the desk may know a reason that this table does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from haetae.dashboard.settings import LANGUAGE, language_of

Pair = tuple[str, str]


def say(ko: str, en: str) -> str:
    """Return the text in the language of this process."""
    return en if language_of(os.environ.get(LANGUAGE, "")) == "en" else ko


def word(table: Mapping[str, Pair], code: str) -> str:
    """Return the word of a code, or the code."""
    return say(*table[code]) if code in table else code


SIDE: Mapping[str, Pair] = {"buy": ("매수", "Buy"), "sell": ("매도", "Sell")}

ORDER: Mapping[str, Pair] = {
    "sending": ("보내는 중", "Sending"),
    "working": ("미체결", "Working"),
    "partial": ("일부 체결", "Partly filled"),
    "cancel_pending": ("취소 요청", "Cancelling"),
    "filled": ("체결", "Filled"),
    "canceled": ("취소", "Cancelled"),
    "expired": ("만료", "Expired"),
    "rejected": ("증권사 거절", "Rejected"),
    "refused": ("접수 거절", "Refused"),
    "denied": ("가드 거절", "Denied"),
    "unknown": ("결과 모름", "Outcome unknown"),
    "stuck": ("사람이 확인해야 함", "Needs a person"),
    "late_fill": ("끝난 뒤 다시 나타남", "Back after its end"),
    "absent": ("접수 안 됨", "Never arrived"),
}

DECISION: Mapping[str, Pair] = {
    "MODEL_APPROVE": ("승인", "Approved"),
    "MODEL_REDUCE": ("축소 승인", "Approved, smaller"),
    "MODEL_REJECT": ("거절", "Rejected"),
    "MODEL_EXIT": ("청산", "Exit"),
    "MODEL_ABSTAIN": ("기권", "Abstained"),
    "BELOW_THRESHOLD": ("신뢰도 미달", "Below the threshold"),
    "GUARD_BLOCKED": ("가드 차단", "Blocked by guards"),
    "UNREVIEWED": ("검토 꺼짐", "Review off"),
    "ABSTAIN_STALE": ("기권 · 늦은 답", "Abstained: too late"),
    "ABSTAIN_TIMEOUT": ("기권 · 시간 초과", "Abstained: timed out"),
    "ABSTAIN_REPLAY": ("기권 · 다른 건의 답", "Abstained: wrong leg"),
    "ABSTAIN_PROTOCOL": ("기권 · 형식 오류", "Abstained: protocol"),
}

DECIDER: Mapping[str, Pair] = {
    "offline_rules_v1": ("오프라인 규칙 (AI 아님)", "Offline rules (not AI)"),
    "none": ("묻지 않음", "Not asked"),
}

LEVEL: Mapping[str, Pair] = {
    "NORMAL": ("정상", "Normal"),
    "NO_BUYS": ("매수 중지", "No buys"),
    "REDUCE": ("축소", "Reduce"),
    "EXIT_ALL": ("전량 청산", "Exit all"),
}

ESCAPE: Mapping[str, Pair] = {
    "escape.left_name": ("한 종목만 청산", "One name left"),
    "escape.queued_at_limit": ("하한가에서 대기", "Waits at the lower limit"),
    "escape.sold_unseen": ("시세를 모른 채 팖", "Sold without a price of now"),
}

WHY: Mapping[str, Pair] = {
    "universe": ("종목들의 하락", "The names fell"),
    "index": ("코스피 하락", "The KOSPI fell"),
    "volatility": ("변동성", "Volatility"),
    "vkospi": ("VKOSPI", "VKOSPI"),
    "fear": ("공포 지수", "Fear index"),
    "calm": ("고요", "Calm"),
}

DIFFERENCE: Mapping[str, Pair] = {
    "lagging": ("증권사 반영이 늦음", "The broker lags"),
    "external": ("우리가 내지 않은 거래", "Not traded by us"),
    "corporate_action": ("권리 변동", "Corporate action"),
    "fee": ("비용 차이", "Costs"),
    "stuck": ("결과를 모름", "Outcome not known"),
    "unexplained": ("설명되지 않음", "Unexplained"),
}

APART: Mapping[str, Pair] = {
    "position": ("보유 수량", "Holding"),
    "cash": ("현금", "Cash"),
    "order": ("주문", "Order"),
    "order_list": ("주문 목록", "List of orders"),
}

APART_STATE: Mapping[str, Pair] = {
    "open": ("열려 있음", "Open"),
    "passed": ("지나감", "Passed"),
    "settled": ("다시 같음", "Agrees again"),
}

OPERATOR: Mapping[str, Pair] = {
    "active": ("정상 거래", "Trading"),
    "reduce_only": ("축소만 (매수 금지)", "Reduce only (no buys)"),
    "halt": ("정지 (모든 주문 금지)", "Halted (no orders)"),
}

GUARD: Mapping[str, Pair] = {
    "G01": ("정지 스위치", "Kill switch"),
    "G02": ("거래 권한", "Mandate"),
    "G03": ("버전 증명", "Attestation"),
    "G04": ("기계와 대사", "Machinery and books"),
    "G05": ("거래 시간", "Session"),
    "G06": ("종목 상태", "Symbol state"),
    "G07": ("허용 종목", "Closed list"),
    "G08": ("시세 신선도", "Freshness"),
    "G09": ("호가와 상하한", "Tick and limits"),
    "G10": ("가격 이탈", "Collar"),
    "G11": ("과대 수량", "Fat finger"),
    "G12": ("주문 금액", "Order value"),
    "G13": ("종목 비중", "Position size"),
    "G14": ("쏠림", "Concentration"),
    "G15": ("주문 가능 현금", "Orderable cash"),
    "G16": ("매도 가능 수량", "Sellable"),
    "G17": ("중복 주문", "Duplicates"),
    "G18": ("주문 빈도", "Rates"),
    "G19": ("회전율", "Turnover"),
    "G20": ("손실 한도", "Losses"),
    "G21": ("연속 손실", "Loss streak"),
    "G22": ("초과 체결", "Execution excess"),
    "G23": ("신뢰도", "Confidence"),
    "G24": ("규칙의 반대와 새 종목 수", "Baseline and new names"),
    "G25": ("오염된 근거", "Taint"),
    "G26": ("변동성 탈출", "Volatility escape"),
    "G27": ("승격 첫날", "First day of a change"),
    "G28": ("API 상태", "API health"),
    "G29": ("자전 거래", "Self trade"),
    "G30": ("장부 타당성", "Plausibility"),
}

EXCLUSION: Mapping[str, Pair] = {
    "rank.below_cut": ("순위 밖", "Below the cut"),
    "sector.full": ("업종 한도", "Sector full"),
    "kind.etf": ("ETF", "ETF"),
    "kind.etn": ("ETN", "ETN"),
    "kind.preferred": ("우선주", "Preferred share"),
    "kind.reit": ("리츠", "REIT"),
    "kind.spac": ("스팩", "SPAC"),
    "kind.other": ("펀드 등", "Fund or other"),
    "flag.halted": ("거래정지", "Halted"),
    "flag.administrative": ("관리종목", "Administrative issue"),
    "flag.caution": ("투자주의", "Investment caution"),
    "flag.warning": ("투자경고", "Investment warning"),
    "flag.danger": ("투자위험", "Investment danger"),
    "flag.liquidation": ("정리매매", "Liquidation trading"),
    "flag.unfaithful_disclosure": ("불성실공시", "Unfaithful disclosure"),
    "history.too_short": ("이력 부족", "Short history"),
    "history.none": ("이력 없음", "No history"),
    "listing.too_young": ("신규 상장", "Newly listed"),
    "listing.later": ("상장 전", "Not yet listed"),
    "listing.ended": ("상장폐지", "Delisted"),
    "listing.unknown": ("목록에 없음", "On no list"),
    "fundamentals.none": ("재무 없음", "No statements"),
    "market_cap.below_floor": ("시가총액 미달", "Small market value"),
    "turnover.below_floor": ("거래대금 미달", "Thin turnover"),
    "price.below_floor": ("저가주", "Low price"),
    "trading.idle": ("거래 뜸함", "Rarely traded"),
    "trading.none_today": ("당일 무거래", "Not traded today"),
}

LABEL: Mapping[str, Pair] = {
    "gain": ("이익", "Gain"),
    "loss": ("손실", "Loss"),
    "flat": ("보합", "Flat"),
    "missed_gain": ("놓친 이익", "Gain missed"),
    "spared_loss": ("피한 손실", "Loss spared"),
}

LESSON: Mapping[str, Pair] = {
    "candidate": ("후보 · 효과 없음", "Candidate, no effect"),
    "approved": ("승인", "Approved"),
    "retired": ("물러남", "Retired"),
}

EFFECT: Mapping[str, Pair] = {
    "veto": ("거부", "Veto"),
    "test_looser_gate": ("문턱을 낮춰 시험", "Try a looser gate"),
    "reduce": ("축소", "Reduce"),
}

COMPONENT: Mapping[str, Pair] = {
    "momentum": ("모멘텀", "Momentum"),
    "strength": ("신고가·신저가", "Highs and lows"),
    "breadth": ("등락 폭", "Breadth"),
    "calm": ("안정", "Calm"),
    "appetite": ("위험 선호", "Appetite"),
    "foreign_flow": ("외국인 수급", "Foreign flow"),
    "bond_haven": ("국채 대비", "Over treasuries"),
    "dollar_haven": ("달러 대비", "Over the dollar"),
}

PHASE: Mapping[str, Pair] = {
    "closed": ("장 마감", "Closed"),
    "opening_auction": ("시가 단일가", "Opening auction"),
    "continuous": ("정규장", "Continuous trading"),
    "closing_auction": ("종가 단일가", "Closing auction"),
    "aftermarket": ("장 마감 뒤", "After hours"),
}

STATE: Mapping[str, Pair] = {
    "candidate": ("후보", "Candidate"),
    "shadow": ("관찰", "Shadow"),
    "champion": ("운용", "Champion"),
    "retired": ("은퇴", "Retired"),
}

STEP: Mapping[str, Pair] = {
    "Submit": ("주문 보냄", "Sent"),
    "Submitted": ("주문 보냄", "Sent"),
    "Accepted": ("접수", "Accepted"),
    "Filled": ("체결", "Filled"),
    "Cancel": ("취소 보냄", "Cancel sent"),
    "Canceled": ("취소됨", "Cancelled"),
    "Expired": ("만료", "Expired"),
    "Rejected": ("거절됨", "Rejected"),
    "OutcomeUnknown": ("결과 모름", "Outcome unknown"),
}

PENDING: Mapping[str, Pair] = {
    "waiting": ("대기", "Waiting"),
    "taken": ("실행", "Taken"),
    "refused": ("거절", "Refused"),
}


def fear_greed(value: float) -> str:
    """Return the name of a level of the fear & greed index, 0 to 100."""
    steps = (
        (25.0, ("극단적 공포", "Extreme fear")),
        (45.0, ("공포", "Fear")),
        (55.0, ("중립", "Neutral")),
        (75.0, ("탐욕", "Greed")),
    )
    return next((say(*pair) for top, pair in steps if value < top), say("극단적 탐욕", "Extreme greed"))


def trigger(rule: str) -> str:
    """Return the condition of a lesson in words: ``hour=10`` is a decision between 10 and 11."""
    fact, _, value = rule.partition("=")
    return say(f"{value}시대의 결정", f"decisions from {value}:00") if fact == "hour" and value.isdigit() else rule


def commanded(what: str) -> str:
    """Return a waiting command in words: ``operator halt`` moves the kill switch."""
    verb, _, state = what.partition(" ")
    return say("킬 스위치 → ", "Kill switch → ") + word(OPERATOR, state) if verb == "operator" else what
