"""Tables of the page on fear & greed: what it is made of, its bands, and how it stood to the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise

from haetae.domain.errors import Text
from haetae.features.feargreed import COMPONENTS, FearGreedSettings, word_of
from real_moods import recorded

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

_NAMES = {
    "2020-03": Text(ko="코로나19 급락", en="the fall of Covid-19"),
    "2022-06": Text(ko="금리·물가 충격", en="the shock of rates and prices"),
    "2019-08": Text(ko="수출 규제·무역 분쟁", en="export curbs and trade war"),
    "2022-01": Text(ko="긴축 예고, 우크라이나 직전", en="tightening ahead, the eve of Ukraine"),
    "2020-08": Text(ko="개인 매수 상승장", en="the rally of private buyers"),
    "2020-12": Text(ko="KOSPI 3,000 돌파", en="KOSPI through 3,000"),
}


def components(table: Table) -> str:
    """Return what the index is made of, with its weights."""
    rows = [
        [
            f"`{part.name}`<br>{part.title.ko}", f"{part.formula.ko}<br>{part.formula.en}", str(part.window),
            f"{weight:g}", f"`{part.inputs}`",
        ]
        for part, weight in zip(COMPONENTS, FearGreedSettings().weights, strict=True)
    ]  # fmt: skip
    return table(["구성 요소 / component", "값 / raw number", "창(일) / days", "가중치 / weight", "표 / tables"], rows)


def bands(table: Table) -> str:
    """Return the words of the levels."""
    edges = (0, 25, 45, 55, 75, 100)
    rows = []
    for low, high in pairwise(edges):
        word = word_of((low + high) / 2)
        rows.append([f"{low}-{high}", word.ko, word.en])
    return table(["값 / value", "한국어", "English"], rows)


def windows(table: Table) -> str:
    """Return the stretches of stress and of calm."""
    rows = []
    for told in recorded()["windows"]:
        name = _NAMES[told["name"]]
        rows.append(
            [
                f"{told['first']} ~ {told['last']}", f"{name.ko}<br>{name.en}", f"{told['kospi_pct']:+.1f} %",
                f"**{told['mean']:.1f}** ({told['low']:.1f} ~ {told['high']:.1f})", f"{told['cnn']:.1f}",
                ", ".join(f"`{each}`" for each in told["missing"]),
            ]
        )  # fmt: skip
    head = [
        "기간 / days",
        "무슨 때 / what",
        "KOSPI",
        "지수: 평균 (범위) / index: mean (range)",
        "CNN",
        "빠진 것 / missing",
    ]
    return table(head, rows)


def ties(table: Table) -> str:
    """Return the correlations with CNN's index and with VIX."""
    rows = [
        [
            told["span"], str(told["days"]), f"{told['mean']:.1f}", f"{told['cnn']:+.2f}", f"{told['vix_1d']:+.2f}",
            f"{told['vix_20d']:+.2f}",
        ]
        for told in recorded()["ties"]
    ]  # fmt: skip
    head = [
        "기간 / span",
        "거래일 / days",
        "평균 / mean",
        "CNN 수준 / level",
        "VIX 1일 변화 / change",
        "VIX 20일 변화 / change",
    ]
    return table(head, rows)


def mood_tables(page: str, table: Table) -> tuple[tuple[str, str, Callable[[], str]], ...]:
    """Return the tables of the page as ``page_tables`` lists them."""
    told = {"mood-components": components, "mood-bands": bands, "mood-windows": windows, "mood-ties": ties}
    return tuple((page, name, partial(make, table)) for name, make in told.items())
