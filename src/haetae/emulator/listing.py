"""Who is listed on the synthetic exchange: names, codes, kinds, flags and risk figures.

Names and figures are invented; only 005930, 000660 and 069500 carry the names every client expects.
Not here: prices (``market``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Kind, Market

# fmt: off
_HEADS = (
    "한별", "새롬", "가온", "누리", "다온", "라온", "마루", "바다", "사람", "아라",
    "자람", "차온", "큰솔", "태백", "하늘", "나래", "도담", "미르", "보람", "소담",
    "이든", "정안", "지온", "해든", "동해", "서원", "남강", "북악", "청호", "백산",
)
# fmt: on
_TAILS = {
    "0013": ("전자", "반도체", "디스플레이"),
    "0008": ("화학", "케미칼", "소재"),
    "0015": ("모빌리티", "자동차", "조선"),
    "0011": ("제철", "금속", "스틸"),
    "0009": ("제약", "바이오", "헬스"),
    "0021": ("금융지주", "증권", "보험"),
    "0016": ("유통", "홈쇼핑", "리테일"),
    "0018": ("건설", "엔지니어링", "산업개발"),
    "0026": ("소프트", "게임즈", "플랫폼"),
    "0017": ("에너지", "가스", "전력"),
}
SECTORS = tuple(_TAILS)
_ANCHORS = {0: ("005930", "삼성전자", "0013", 71_000.0), 1: ("000660", "SK하이닉스", "0013", 182_000.0)}


@dataclass(frozen=True, slots=True)
class Listed:
    """One name with the figures its price process is drawn from.

    ``beta`` loads the market factor, ``sigma`` is the daily own volatility, ``price`` and ``cap``
    the first close and the market value in won, ``turn`` the share of it that trades on a day.
    ``listed_row`` is the first session of the history on which it trades, ``parent`` the column of
    the common share that a preferred share follows, ``halted`` sessions as ``(first, last)`` rows.
    """

    symbol: str
    name: str
    market: Market
    kind: Kind
    sector: str
    beta: float
    sigma: float
    price: float
    cap: float
    turn: float
    flags: frozenset[str]
    listed_row: int
    listed_on: dt.date | None
    parent: str = ""
    halted: tuple[tuple[int, int], ...] = ()


def draw_listing(generator: np.random.Generator, count: int, sessions: int) -> tuple[Listed, ...]:
    """Return ``count`` listed names, sorted by code, for a history of ``sessions`` rows.

    Of 160 about 82 are KOSPI and 54 KOSDAQ commons; the rest preferred, ETF, SPAC and REIT. Some
    commons are administrative, halted, warned, liquidating or newly listed.
    """
    kinds = _kinds(count)
    codes = _codes(generator, count)
    names: list[Listed] = []
    kospi_commons: list[Listed] = []
    for place, (market, kind) in enumerate(kinds):
        rank = place + 1
        sector = SECTORS[int(generator.integers(len(SECTORS)))]
        code, name = codes[place], f"{_HEADS[place % len(_HEADS)]}{_tail(generator, sector)}"
        if place >= 2 * len(_HEADS):
            name = f"{_HEADS[(place * 7 + 3) % len(_HEADS)]}{name}"
        cap = 4e14 * rank**-1.1 * float(generator.lognormal(0, 0.35))
        price = float(np.clip(generator.lognormal(10.3, 1.1), 1_500, 900_000))
        beta = float(np.clip(generator.normal(1.15 if market is Market.KOSDAQ else 0.95, 0.3), 0.2, 2.0))
        sigma = float(np.clip(generator.lognormal(np.log(0.018), 0.35), 0.008, 0.045))
        turn = float(np.clip(generator.lognormal(np.log(0.002 * rank**0.25), 0.5), 0.0008, 0.03))
        parent = ""
        if place in _ANCHORS:
            code, name, sector, price = _ANCHORS[place]
        match kind:
            case Kind.PREFERRED:
                common = kospi_commons[len([n for n in names if n.kind is Kind.PREFERRED]) * 2]
                code, name, sector, parent = f"{common.symbol[:5]}5", f"{common.name}우", common.sector, common.symbol
                price, cap, sigma = common.price * 0.75, common.cap * 0.1, 0.006
            case Kind.ETF:
                number = len([n for n in names if n.kind is Kind.ETF])
                code, name = ("069500", "KODEX 200") if number == 0 else (code, f"해태 ETF {number}호")
                sector, sigma, cap, turn = "", 0.002, 2e12 / (number + 1), 0.02
                beta = (1.0, 1.0, -1.0, 2.0, 0.9)[number % 5]
                price = float(generator.uniform(8_000, 60_000))
            case Kind.SPAC:
                name = f"해태스팩{len([n for n in names if n.kind is Kind.SPAC]) + 1}호"
                sector, sigma, beta, price, cap = "", 0.003, 0.03, 2_050.0, 1.2e10
            case Kind.REIT:
                name, sigma, beta, cap = f"{_HEADS[place % len(_HEADS)]}리츠", 0.006, 0.3, 4e11
                price = float(generator.uniform(3_000, 9_000))
        listed = Listed(code, name, market, kind, sector, beta, sigma, price, cap, turn, frozenset(), 0, None, parent)
        names.append(listed)
        if kind is Kind.COMMON and market is Market.KOSPI:
            kospi_commons.append(listed)
    return tuple(sorted(_afflict(generator, names, sessions), key=lambda item: item.symbol))


def _kinds(count: int) -> list[tuple[Market, Kind]]:
    extras = [
        (Market.KOSPI, Kind.PREFERRED, 0.04),
        (Market.KOSPI, Kind.ETF, 0.07),
        (Market.KOSDAQ, Kind.SPAC, 0.025),
        (Market.KOSPI, Kind.REIT, 0.02),
    ]
    special = [(market, kind) for market, kind, share in extras for _ in range(max(2, round(share * count)))]
    commons = count - len(special)
    kospi = round(commons * 0.6)
    return [(Market.KOSPI, Kind.COMMON)] * kospi + [(Market.KOSDAQ, Kind.COMMON)] * (commons - kospi) + special


def _codes(generator: np.random.Generator, count: int) -> list[str]:
    taken = {5930, 660, 69500}
    numbers = [int(n) * 10 for n in generator.permutation(np.arange(120, 46_000))[: count + 3]]
    return [f"{number:06d}" for number in numbers if number not in taken][:count]


def _tail(generator: np.random.Generator, sector: str) -> str:
    tails = _TAILS[sector]
    return tails[int(generator.integers(len(tails)))]


def _afflict(generator: np.random.Generator, names: list[Listed], sessions: int) -> list[Listed]:
    """Give some small commons the troubles a universe must see: flags, halts, short histories."""
    smaller = [i for i, n in enumerate(names) if n.kind is Kind.COMMON and i >= 30]
    order = [smaller[int(k)] for k in generator.permutation(len(smaller))]
    troubles: list[frozenset[str]] = [
        *[frozenset({"administrative"})] * 4,
        frozenset({"administrative", "halted"}),
        *[frozenset({"halted"})] * 2,
        frozenset({"liquidation", "administrative"}),
        *[frozenset({"caution"})] * 2,
        frozenset({"warning"}),
        frozenset({"danger"}),
        frozenset({"unfaithful_disclosure"}),
        frozenset({"short_overheated"}),
    ]
    out = list(names)
    for place, flags in zip(order, troubles, strict=False):
        halts = ((max(0, sessions - int(generator.integers(5, 40))), 10**6),) if "halted" in flags else ()
        out[place] = replace(out[place], flags=flags, halted=halts)
    rest = order[len(troubles) :]
    for place in rest[:4]:
        out[place] = replace(out[place], listed_row=max(0, sessions - int(generator.integers(8, 90))))
    for place in rest[4:8]:
        first = int(generator.integers(1, max(2, sessions - 30)))
        out[place] = replace(out[place], halted=((first, first + int(generator.integers(0, 6))),))
    return out


def column_array(listing: tuple[Listed, ...], field: str) -> NDArray[np.float64]:
    """Return one numeric figure of all names, shape ``(n_symbols,)``."""
    return np.array([float(getattr(item, field)) for item in listing])
