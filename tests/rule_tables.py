"""Tables of ``docs/market-rules.md``: every dated row of ``haetae.krx`` with its source, as people read it."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from haetae.domain.market import Kind, Market
from haetae.domain.units import day_from
from haetae.krx import afterhours, closures, costs, hours, interruptions, limits, lots, nxt, settlement, ticks
from haetae.krx.afterhours import Anchor, OffHoursRow
from haetae.krx.dated import Dated
from haetae.krx.nxt import NxtAnchor
from haetae.krx.ticks import Bands

ERRORS = Path(__file__).parent / "golden/krx/xkrx_errors.csv"
KNOWN_TO = dt.date(2027, 12, 31)
WEEKDAYS = "월화수목금토일"
KINDS = {
    Kind.COMMON: "보통주", Kind.PREFERRED: "우선주", Kind.ETF: "ETF", Kind.ETN: "ETN", Kind.SPAC: "스팩",
    Kind.REIT: "리츠", Kind.OTHER: "기타",
}  # fmt: skip
Table = tuple[list[str], list[list[str]]]


def days(row: Dated) -> str:
    """Return the days on which a row holds; an end that is only how far the table knows stands in brackets."""
    last = f"({row.last_day})" if row.last_day == KNOWN_TO else str(row.last_day)
    return f"{row.first_day} ~ {last}"


def percent(parts: int, of: int) -> str:
    """Return a rate as percent, without trailing zeros."""
    text = f"{Decimal(parts * 100) / of:.7f}".rstrip("0").rstrip(".")
    return f"{text} %"


def ppb(rate: int) -> str:
    return percent(rate, 1_000_000_000)


def bp(rate: int) -> str:
    return percent(rate, 10_000) if rate else "-"


def clock(hhmmss: int) -> str:
    text = f"{hhmmss // 10_000:02d}:{hhmmss // 100 % 100:02d}"
    return f"{text}:{hhmmss % 100:02d}" if hhmmss % 100 else text


def markets(of: Collection[Market]) -> str:
    return ", ".join(market.value for market in Market if market in of)


def kinds(of: Collection[Kind]) -> str:
    return "주식" if of == ticks.SHARES else ", ".join(KINDS[kind] for kind in Kind if kind in of)


def bands(rows: Bands) -> str:
    told, low = [], 0
    for bound, size in rows:
        told.append(f"{low:,} 이상 {size:,}원" if bound == ticks.TOP else f"{bound:,} 미만 {size:,}원")
        low = bound
    return " · ".join(told) if len(told) > 1 else f"가격과 무관하게 {rows[0][1]:,}원"


def _ticks() -> Table:
    rows = [
        [days(row), markets(row.markets), kinds(row.kinds), bands(row.bands), row.source] for row in ticks.TICK_ROWS
    ]
    return ["기간 / days", "시장", "종류", "호가단위 / ticks", "출처 / source"], rows


def _limits() -> Table:
    rows = [[days(row), markets(row.markets), f"±{bp(row.limit_bp)}", row.source] for row in limits.LIMIT_ROWS]
    return ["기간 / days", "시장", "기준가 대비 / limit", "출처 / source"], rows


def _listing() -> Table:
    rows = [[days(row), f"{bp(row.lower_bp)} ~ {bp(row.upper_bp)}", row.source] for row in limits.LISTING_DAY_ROWS]
    return ["기간 / days", "공모가 대비 / of the offer", "출처 / source"], rows


def _lots() -> Table:
    rows = []
    for row in lots.LOT_ROWS:
        told = f"{row.lot}주"
        if row.dear_from:
            told += f", 기준가 {row.dear_from:,}원 이상 {row.dear_lot}주"
        rows.append([days(row), markets(row.markets), kinds(row.kinds), told, row.source])
    return ["기간 / days", "시장", "종류", "매매수량단위 / lot", "출처 / source"], rows


def _hours() -> Table:
    rows = [
        [
            days(row),
            f"{clock(row.opens)} ~ {clock(row.closes)}",
            f"개장 {row.entry_min}분 전",
            f"{row.call_min}분",
            row.source,
        ]
        for row in hours.HOURS_ROWS
    ]
    return [
        "기간 / days",
        "정규장 / session",
        "주문 접수 / orders from",
        "종가 단일가 / closing auction",
        "출처 / source",
    ], rows


OFF = {"before_open": "장전 시간외 종가", "after_close": "장후 시간외 종가", "single_price": "시간외 단일가",
       "aftermarket": "애프터마켓"}  # fmt: skip


def _window(row: OffHoursRow) -> str:
    base = "개장" if row.anchor is Anchor.OPEN else "마감"
    end = clock(row.until) if row.until else f"{base} {row.to_min:+d}분"
    return f"{base} {row.from_min:+d}분 ~ {end}"


def _off_hours() -> Table:
    rows = []
    for row in afterhours.OFF_HOURS_ROWS:
        price = f"종가 ±{bp(row.limit_bp)}" if row.limit_bp else "종가로만"
        every = f"{row.every_min}분마다" if row.every_min else "즉시"
        rows.append(
            [days(row), OFF[row.hours.value], _window(row), price, every, kinds(row.without) or "-", row.source]
        )
    return ["기간 / days", "시장 / market", "시간 / hours", "가격", "체결", "제외", "출처 / source"], rows


NXT = {"pre": "프리마켓", "main": "메인마켓", "after_call": "애프터마켓 시가단일가", "after": "애프터마켓"}


def _edge(anchor: NxtAnchor, edge: int) -> str:
    if anchor is NxtAnchor.CLOCK:
        return clock(edge)
    base = "KRX 개장" if anchor is NxtAnchor.OPEN else "KRX 마감"
    if not edge:
        return base
    return f"{base} {edge // 60:+d}분" if edge % 60 == 0 else f"{base} {edge:+d}초"


def _nxt() -> Table:
    rows = []
    for row in nxt.NXT_ROWS:
        span = f"{_edge(row.from_anchor, row.from_edge)} ~ {_edge(row.to_anchor, row.to_edge)}"
        rows.append([days(row), NXT[row.market.value], span, "열림" if row.on_late_days else "쉼", row.source])
    return ["기간 / days", "시장 / market", "시간 / hours", "늦은 개장일 / late days", "출처 / source"], rows


def _caps() -> Table:
    rows = [[days(row), f"{row.all_names_pct} %", f"{row.one_name_pct} %", row.source] for row in nxt.NXT_CAP_ROWS]
    return ["기간 / days", "전체 / all names", "한 종목 / one name", "출처 / source"], rows


def _vi() -> Table:
    def rates(of: interruptions.DynamicRates) -> str:
        return f"{bp(of.continuous)} / {bp(of.closing)} / {bp(of.evening)}"

    rows = [
        [days(row), bp(row.static_bp), rates(row.narrow), rates(row.wide), f"{row.call_s}초 + 최대 {row.random_s}초",
         "있음" if row.on_listing_day else "없음", row.source]
        for row in interruptions.VI_ROWS
    ]  # fmt: skip
    head = [
        "기간 / days",
        "정적",
        "동적, 좁은 폭 (접속/종가/저녁)",
        "동적, 넓은 폭",
        "단일가",
        "상장일",
        "출처 / source",
    ]
    return head, rows


def _breakers() -> Table:
    rows = []
    for row in interruptions.BREAKER_ROWS:
        levels = []
        for place, level in enumerate(row.levels, 1):
            further = f", 앞 단계보다 {bp(level.further_bp)} 더" if level.further_bp else ""
            then = f"{level.halt_min}분 중단, {level.auction_min}분 단일가" if level.halt_min else "장 종료"
            levels.append(f"{place}단계 -{bp(level.fall_bp)}{further}: {then}")
        rows.append(
            [days(row), "<br>".join(levels), f"{row.lasts_s}초", f"마감 {row.guard_min}분 전부터 없음", row.source]
        )
    return ["기간 / days", "단계 / levels", "지속", "제한", "출처 / source"], rows


def _sidecars() -> Table:
    rows = [
        [days(row), row.market.value, f"±{bp(row.move_bp)}", f"±{bp(row.index_bp)}" if row.index_bp else "-",
         f"{row.lasts_s}초", f"{row.wait_min}분", row.source]
        for row in interruptions.SIDECAR_ROWS
    ]  # fmt: skip
    return ["기간 / days", "시장", "선물 / future", "지수 / index", "지속", "프로그램호가 정지", "출처 / source"], rows


FLAGS = {"liquidation": "정리매매", "short_overheated": "단기과열", "": "모든 종목"}


def _periodic() -> Table:
    rows = [
        [days(row), markets(row.markets), FLAGS[row.flag], f"{row.every_min}분마다 단일가", row.source]
        for row in interruptions.PERIODIC_ROWS
    ]
    rows += [
        [days(row), "모두", "정지 뒤 재개", f"{row.auction_min}분 단일가", row.source]
        for row in interruptions.REOPENING_ROWS
    ]
    return ["기간 / days", "시장", "누구 / which names", "어떻게", "출처 / source"], rows


def _sale_tax() -> Table:
    rows = [
        [days(row), row.market.value, ppb(row.total_ppb), ppb(row.transfer_ppb), ppb(row.rural_ppb), str(row.in_force),
         row.source]
        for row in costs.SALE_TAX_ROWS
    ]  # fmt: skip
    head = [
        "매매일 / trade days",
        "시장",
        "합계 / total",
        "증권거래세",
        "농어촌특별세",
        "시행일 (결제)",
        "출처 / source",
    ]
    return head, rows


def _exempt() -> Table:
    return ["기간 / days", "면제 / exempt", "출처 / source"], [
        [days(row), row.what, row.source] for row in costs.EXEMPT_ROWS
    ]


def _other_costs() -> Table:
    rows = [[days(row), f"수수료 ({row.channel})", ppb(row.rate_ppb), row.source] for row in costs.FEE_ROWS]
    rows += [[days(row), "현금배당 원천징수", ppb(row.rate_ppb), row.source] for row in costs.DIVIDEND_TAX_ROWS]
    return ["기간 / days", "무엇 / what", "율 / rate", "출처 / source"], rows


def _settlement() -> Table:
    rows = [[days(row), f"T+{row.sessions} 거래일", row.source] for row in settlement.SETTLEMENT_ROWS]
    return ["매매일 / trade days", "결제 / settlement", "출처 / source"], rows


def _named(day: dt.date) -> str:
    return f"{day} ({WEEKDAYS[day.weekday()]})"


def _closures() -> Table:
    rows = [[_named(day_from(row.day)), row.reason, row.source] for row in closures.CLOSURES]
    return ["휴장일 / closed", "사유 / why", "출처 / source"], rows


def _other_hours() -> Table:
    rows = [
        [_named(day_from(row.day)), f"{clock(row.opens)} ~ {clock(row.closes)}", row.source]
        for row in closures.OTHER_HOURS
    ]
    return ["날 / day", "정규장 / session", "출처 / source"], rows


def _xkrx() -> Table:
    with ERRORS.open(encoding="utf-8") as file:
        rows = [[row["day"], row["xkrx"], row["really"], row["why"], row["upstream"]] for row in csv.DictReader(file)]
    return ["날 / day", "패키지 / package", "실제 / really", "사유 / why", "상류 / upstream"], rows


RULES: tuple[tuple[str, Callable[[], Table]], ...] = (
    ("ticks", _ticks), ("limits", _limits), ("listing", _listing), ("lots", _lots), ("hours", _hours),
    ("off-hours", _off_hours), ("nxt", _nxt), ("nxt-caps", _caps), ("vi", _vi), ("breakers", _breakers),
    ("sidecars", _sidecars), ("periodic", _periodic), ("sale-tax", _sale_tax), ("exempt", _exempt),
    ("other-costs", _other_costs), ("settlement", _settlement), ("other-hours", _other_hours),
    ("closures", _closures), ("xkrx-errors", _xkrx),
)  # fmt: skip
"""Name between the marks of the page, and the table of that name."""


def rule_tables(
    page: str, table: Callable[[Sequence[str], Iterable[Sequence[str]]], str]
) -> tuple[tuple[str, str, Callable[[], str]], ...]:
    """Return page, name and teller of every table of the rules."""

    def told(of: Callable[[], Table]) -> Callable[[], str]:
        return lambda: table(*of())

    return tuple((page, name, told(of)) for name, of in RULES)
