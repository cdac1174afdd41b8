"""Seeded headlines: harmless Korean titles of a made-up news agency, some of them about listed names.

Here: ``headlines_of`` a day. They are drawn without regard to any price: nothing can be learned from them. Not
here: which have appeared by now (``board``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from haetae.domain.market import Instrument
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol, instant_at, yyyymmdd
from haetae.emulator.dice import dice

_ABOUT = (
    "{name}, 신규 설비 준공식 열어",
    "{name}, 분기 실적 설명회 일정 공고",
    "{name}, 협력사와 상생 협약 체결",
    "{name} 주주총회 소집 결의",
    "{name}, 채용 박람회 참가",
    "[공시] {name}, 단일판매·공급계약 체결",
    "[공시] {name}, 임원·주요주주 소유상황 보고",
    "{name}, 사회공헌 활동 확대",
)
_GENERAL = (
    "코스피, 개장 전 주요 일정",
    "환율 변동성 점검… 전문가 의견은",
    "국고채 금리 보합권 마감",
    "이번 주 공모주 청약 일정",
    "거래소, 투자주의 종목 안내",
    "증권가 점심 브리핑",
    "반도체 업황 지표 발표 예정",
    "[표] 외국인·기관 매매 동향",
    "내일의 증시 캘린더",
    "소비자심리지수 발표",
)
SOURCES = ("해태경제", "가온뉴스", "라온통신")
"""The agencies, all of them made up."""
_FROM, _TO = 7 * 3_600, 18 * 3_600


@dataclass(frozen=True, slots=True)
class Headline:
    """One title: ``key`` is the number a wire shows, ``symbols`` whom it names."""

    key: str
    at: Instant
    title: str
    source: str
    symbols: tuple[Symbol, ...]


def headlines_of(seed: int, day: dt.date, listed: Sequence[Instrument]) -> list[Headline]:
    """Return a day's headlines, ascending by time."""
    own = dice(seed, "news", day)
    count = int(own.integers(30, 60))
    times = sorted(int(second) for second in own.integers(_FROM, _TO, count))
    found = []
    for number, second in enumerate(times):
        at = instant_at(day, 0) + second * NS_PER_SECOND
        about = bool(listed) and own.random() < 0.6
        item = listed[int(own.integers(len(listed)))] if about else None
        title = _ABOUT[int(own.integers(len(_ABOUT)))] if item else _GENERAL[int(own.integers(len(_GENERAL)))]
        clock = f"{second // 3_600:02d}{second // 60 % 60:02d}{second % 60:02d}"
        found.append(
            Headline(
                key=f"{yyyymmdd(day)}{clock}{number:05d}",
                at=at,
                title=title.format(name=item.name) if item else title,
                source=SOURCES[int(own.integers(len(SOURCES)))],
                symbols=(item.symbol,) if item else (),
            )
        )
    return found
