"""What fear & greed is made of: each component's name, formula, window and source, declared once.

The page, the command line and the fold read their words from here. Not here: the arithmetic (``crowd``,
``market``), the weights (``settings``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from haetae.domain.errors import Text
from haetae.domain.learning import FeatureSpec

HALF_YEAR: Final = 125
"""Days of the long means: half a trading year, as CNN takes for momentum."""
MONTH: Final = 20
"""Days of the short windows: a trading month."""
BREADTH_DAYS: Final = 10
"""Days over which the share of rising turnover is averaged; one day alone is noise."""
CALM_DAYS: Final = 60
"""Daily moves from which a symbol counts as calm or volatile."""
YEAR: Final = 252
"""Days of a 52-week high: today and the 251 before."""
LEAST_NAMES: Final = 15
"""Symbols that must be known before a share of them is a number."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component as people read it.

    Attributes
    ----------
    name : str
        Its column in every record.
    formula : Text
        The raw number of a day; greed is always the larger one.
    window : int
        Days that the raw number reads, before it is ranked.
    inputs : str
        Tables of the lake.
    unit : str
    """

    name: str
    title: Text
    formula: Text
    window: int
    inputs: str
    unit: str


COMPONENTS: Final[tuple[Component, ...]] = (
    Component(
        "momentum",
        Text(ko="모멘텀", en="momentum"),
        Text(ko="ln(KOSPI / 125일 평균)", en="log of KOSPI over its 125-day mean"),
        HALF_YEAR,
        "index_daily",
        "log",
    ),
    Component(
        "strength",
        Text(ko="신고가·신저가", en="52-week highs and lows"),
        Text(
            ko="(52주 신고가 종목 - 신저가 종목) / 그날 거래된 1년 이상 종목",
            en="(symbols at a 52-week closing high - at a low) / traded symbols with a year of history",
        ),
        YEAR,
        "daily",
        "share",
    ),
    Component(
        "breadth",
        Text(ko="등락 거래대금", en="advancing and declining turnover"),
        Text(
            ko="(오른 종목 거래대금 - 내린 종목 거래대금) / 전체, 10일 평균",
            en="(won traded in rising symbols - in falling ones) / all, mean of 10 days",
        ),
        BREADTH_DAYS + 1,
        "daily",
        "share",
    ),
    Component(
        "calm",
        Text(ko="안정(변동성)", en="calm (volatility)"),
        Text(
            ko="-ln(20일 실현변동성 / 그 125일 평균); VKOSPI가 있으면 -ln(VKOSPI / 125일 평균)",
            en="-log of 20-day realised volatility over its 125-day mean; of VKOSPI where the lake has it",
        ),
        HALF_YEAR + MONTH,
        "index_daily",
        "log",
    ),
    Component(
        "appetite",
        Text(ko="위험 선호", en="junk appetite"),
        Text(
            ko="20일 수익률: 변동성 상위 1/3 종목 평균 - 하위 1/3 평균",
            en="20-day return of the most volatile third of symbols minus that of the calmest third",
        ),
        CALM_DAYS + 1,
        "daily",
        "log return",
    ),
    Component(
        "foreign_flow",
        Text(ko="외국인 수급", en="foreign flow"),
        Text(ko="외국인 순매수 20일 합 / 거래대금 20일 합", en="foreigners' net won / turnover, sums of 20 days"),
        MONTH,
        "market_flows, flows",
        "share",
    ),
    Component(
        "bond_haven",
        Text(ko="국채 대비", en="stocks over treasuries"),
        Text(
            ko="20일 수익률: KOSPI - 국고채 10년 ETF",
            en="20-day return of KOSPI minus that of a 10-year bond fund",
        ),
        MONTH + 1,
        "index_daily, daily",
        "log return",
    ),
    Component(
        "dollar_haven",
        Text(ko="달러 대비", en="stocks over the dollar"),
        Text(
            ko="20일 수익률: KOSPI - 달러 ETF (없으면 전일 원/달러 환율)",
            en="20-day return of KOSPI minus that of a dollar fund (else of the dollar's rate, a day late)",
        ),
        MONTH + 1,
        "index_daily, daily",
        "log return",
    ),
)

NAMES: Final[tuple[str, ...]] = tuple(each.name for each in COMPONENTS)


def specs() -> tuple[FeatureSpec, ...]:
    """Return the components as declarations of features of the whole market."""
    return tuple(
        FeatureSpec(
            each.name, 1, tuple(each.inputs.split(", ")), each.window, "session close", each.unit, "reweighted, flagged"
        )
        for each in COMPONENTS
    )


_BANDS: Final = (
    (25.0, Text(ko="극단적 공포", en="extreme fear")),
    (45.0, Text(ko="공포", en="fear")),
    (55.0, Text(ko="중립", en="neutral")),
    (75.0, Text(ko="탐욕", en="greed")),
)
"""Upper ends of the bands, those of CNN's index, so that the two read alike."""


def word_of(value: float) -> Text:
    """Return the name of a level, 0 to 100."""
    return next((word for top, word in _BANDS if value < top), Text(ko="극단적 탐욕", en="extreme greed"))
