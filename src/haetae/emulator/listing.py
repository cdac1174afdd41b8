"""Who is listed on the synthetic exchange: names, codes, kinds, flags and risk figures.

Names and figures are invented; only 005930, 000660 and 069500 carry the names every client expects.
Not here: prices (``market``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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
_LIQUIDATION_SESSIONS = 7
"""A name in 정리매매 trades seven sessions more and then leaves the list (KRX)."""
_SESSIONS_PER_LISTING = 8
"""One new listing in so many sessions that the clock runs through."""
_FUNDS = (
    ("KODEX 200", 1.0),
    ("해태 200", 1.0),
    ("해태 인버스", -1.0),
    ("해태 레버리지", 2.0),
    ("해태 국고채10년", -0.05),
    ("해태 반도체", 1.3),
    ("해태 고배당", 0.8),
    ("해태 미국대형주", 0.4),
)
_NOTES = (("해태 인버스 2X ETN", -2.0), ("해태 레버리지 ETN", 2.0), ("해태 원자재 ETN", 0.2))
_BANDS = {
    9: 900_000.0,
    10: 1_400_000.0,
    11: 330_000.0,
    12: 110_000.0,
    13: 33_000.0,
    14: 11_000.0,
    15: 3_300.0,
    16: 1_700.0,
}
"""First closes of some large names, so that every band of the tick table is traded in every market."""
_ANCHORS = {0: ("005930", "삼성전자", "0013", 71_000.0), 1: ("000660", "SK하이닉스", "0013", 182_000.0)}


@dataclass(frozen=True, slots=True)
class Listed:
    """One name with the figures its price process is drawn from.

    ``beta`` loads the market factor, ``sigma`` is the daily own volatility, ``price`` and ``cap``
    the first close and the market value in won, ``turn`` the share of it that trades on a day.
    ``listed_row`` is the first session on which it trades (0: before the history), ``parent`` the code of
    the common share that a preferred share follows, ``halted`` sessions as ``(first, last)`` rows, ``gone_row``
    the first session on which it is not listed any more (0: none).
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
    gone_row: int = 0


def draw_listing(generator: np.random.Generator, count: int, sessions: int, live: int) -> tuple[Listed, ...]:
    """Return ``count`` listed names, sorted by code, for a history of ``sessions`` rows and ``live`` ones after it.

    Of 240 about 121 are KOSPI and 81 KOSDAQ commons; the rest preferred, ETF, ETN, SPAC and REIT. Some commons
    are administrative, halted, warned, liquidating (and leave the list) or newly listed.
    """
    kinds = _kinds(count)
    codes = _codes(generator, count)
    names: list[Listed] = []
    kospi_commons: list[Listed] = []
    for place, (market, kind) in enumerate(kinds):
        drawn = _draw_common(generator, place, market, codes[place])
        number = len([name for name in names if name.kind is kind])
        listed = _shaped(generator, drawn, kind, number, kospi_commons)
        names.append(listed)
        if kind is Kind.COMMON and market is Market.KOSPI:
            kospi_commons.append(listed)
    return tuple(sorted(_afflict(generator, names, sessions, live), key=lambda item: item.symbol))


def _draw_common(generator: np.random.Generator, place: int, market: Market, code: str) -> Listed:
    rank = place + 1
    sector = SECTORS[int(generator.integers(len(SECTORS)))]
    name = f"{_HEADS[place % len(_HEADS)]}{_tail(generator, sector)}"
    if place >= 2 * len(_HEADS):
        name = f"{_HEADS[(place * 7 + 3) % len(_HEADS)]}{name}"
    cap = 4e14 * rank**-1.1 * float(generator.lognormal(0, 0.35))
    price = float(np.clip(generator.lognormal(10.3, 1.1), 1_500, 900_000))
    beta = float(np.clip(generator.normal(1.15 if market is Market.KOSDAQ else 0.95, 0.3), 0.2, 2.0))
    sigma = float(np.clip(generator.lognormal(np.log(0.020), 0.32), 0.009, 0.045))
    turn = float(np.clip(generator.lognormal(np.log(0.002 * rank**0.25), 0.5), 0.0008, 0.03))
    if place in _BANDS:
        price, sigma = _BANDS[place], min(sigma, 0.014)
    if place in _ANCHORS:
        code, name, sector, price = _ANCHORS[place]
        sigma = min(sigma, 0.016)
    return Listed(code, name, market, Kind.COMMON, sector, beta, sigma, price, cap, turn, frozenset(), 0, None)


def _shaped(
    generator: np.random.Generator, drawn: Listed, kind: Kind, number: int, commons: Sequence[Listed]
) -> Listed:
    """Give a drawn name the figures of its kind; ``number`` counts the names of the kind before it."""
    match kind:
        case Kind.PREFERRED:
            common = commons[number * 2]
            return replace(
                drawn, symbol=f"{common.symbol[:5]}5", name=f"{common.name}우", kind=kind, sector=common.sector,
                parent=common.symbol, price=common.price * 0.75, cap=common.cap * 0.1, sigma=0.006,
            )  # fmt: skip
        case Kind.ETF:
            name, beta = _FUNDS[number % len(_FUNDS)]
            name = name if number < len(_FUNDS) else f"{name} {number // len(_FUNDS) + 1}호"
            return replace(
                drawn, symbol="069500" if number == 0 else drawn.symbol, name=name, kind=kind, sector="", beta=beta,
                sigma=0.002, cap=2e12 / (number + 1), turn=0.02, price=float(generator.uniform(8_000, 60_000)),
            )  # fmt: skip
        case Kind.ETN:
            name, beta = _NOTES[number % len(_NOTES)]
            name = name if number < len(_NOTES) else f"{name} {number // len(_NOTES) + 1}호"
            return replace(
                drawn, symbol=f"5{20_001 + number:05d}", name=name, kind=kind, sector="", beta=beta, sigma=0.004,
                cap=1e11 / (number + 1), turn=0.01, price=float(generator.uniform(6_000, 25_000)),
            )  # fmt: skip
        case Kind.SPAC:
            return replace(
                drawn, name=f"해태스팩{number + 1}호", kind=kind, sector="", sigma=0.003, beta=0.03, price=2_050.0,
                cap=1.2e10,
            )  # fmt: skip
        case Kind.REIT:
            return replace(
                drawn, name=f"{drawn.name[:2]}리츠", kind=kind, sigma=0.006, beta=0.3, cap=4e11,
                price=float(generator.uniform(3_000, 9_000)),
            )  # fmt: skip
        case _:
            return drawn


def _kinds(count: int) -> list[tuple[Market, Kind]]:
    extras = [
        (Market.KOSPI, Kind.PREFERRED, 0.035),
        (Market.KOSPI, Kind.ETF, 0.065),
        (Market.KOSPI, Kind.ETN, 0.017),
        (Market.KOSDAQ, Kind.SPAC, 0.02),
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


def _afflict(generator: np.random.Generator, names: list[Listed], sessions: int, live: int) -> list[Listed]:
    """Give some small commons the troubles a universe must see: flags, halts, short histories, an end."""
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
        gone = sessions + _LIQUIDATION_SESSIONS if "liquidation" in flags else 0
        out[place] = replace(out[place], flags=flags, halted=halts, gone_row=gone)
    rest = order[len(troubles) :]
    for place in rest[:4]:
        out[place] = replace(out[place], listed_row=max(0, sessions - int(generator.integers(8, 90))))
    for place in rest[4:8]:
        first = int(generator.integers(1, max(2, sessions - 30)))
        out[place] = replace(out[place], halted=((first, first + int(generator.integers(0, 6))),))
    for number, place in enumerate(rest[8 : 8 + live // _SESSIONS_PER_LISTING]):
        row = sessions + number * _SESSIONS_PER_LISTING + int(generator.integers(2, _SESSIONS_PER_LISTING))
        out[place] = replace(out[place], listed_row=row)
    return out


def column_array(listing: tuple[Listed, ...], field: str) -> NDArray[np.float64]:
    """Return one numeric figure of all names, shape ``(n_symbols,)``."""
    return np.array([float(getattr(item, field)) for item in listing])
