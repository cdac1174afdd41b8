"""The checks before the open: everything a day stands on, each one line, failing closed, with what to do.

Three ends of a check: ``STOP`` (the day is not begun), ``HALT`` (it begins halted, and a person releases it), ``WARN``
(told, the day goes on). What cannot be looked at counts as failed, save where a broker's domain does not serve the
question and the money is play money: then it warns.

Here: the checks and their judgement. Not here: what the desk compares all day long (``guards``, reconciliation).
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from haetae.domain.errors import ConfigError, HaetaeError, Text
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.kis.broker import KisBroker
from haetae.kis.rest import KisRest
from haetae.kis.source import KisSource
from haetae.kis.wire.calls import prices
from haetae.kis.wire.operations import MULTPRICE_SLOTS
from haetae.krx import is_trading_day
from haetae.live import LiveSettings
from haetae.ports import Clock, Journal
from haetae.store.lake import Lake

BASE_JUMP = (0.7, 1.3)
"""Base price by the close before: outside, a corporate action is not worked into what the desk knows (B12)."""
_PPM = 1_000_000
_MS_HALT, _MS_STOP = 500.0, 2_000.0


class End(IntEnum):
    """How a check ends, the worst last."""

    OK = 0
    WARN = 1
    HALT = 2
    STOP = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list."""

    name: str
    title: Text
    end: End
    found: Text
    step: Text | None = None


@dataclass(slots=True)
class Morning:
    """What the checks found, and what the desk is to know of it.

    ``base_prices`` are the broker's 기준가 of the day where it told them; ``frozen`` the names whose base price jumped.
    """

    checks: list[Check] = field(default_factory=list)
    base_prices: dict[Symbol, Won] = field(default_factory=dict)
    frozen: set[Symbol] = field(default_factory=set)

    def add(self, name: str, title: Text, end: End, found: Text, step: Text | None = None) -> None:
        """Add one line."""
        self.checks.append(Check(name, title, end, found, step if end is not End.OK else None))

    @property
    def worst(self) -> End:
        """The worst end of all."""
        return max((check.end for check in self.checks), default=End.OK)

    def failing(self, least: End = End.WARN) -> list[Check]:
        """Return what ended at least so badly."""
        return [check for check in self.checks if check.end >= least]

    def refusal(self) -> ConfigError:
        """Return the error that lists everything the day cannot begin with."""
        wrong = self.failing(End.STOP)
        return ConfigError(
            Text(
                ko="개장 전 점검이 거래를 막았습니다: " + ", ".join(check.title.ko for check in wrong),
                en="checks before the open forbid trading: " + ", ".join(check.title.en for check in wrong),
            ),
            expected=Text(ko="모든 점검 통과", en="every check passed"),
            found="; ".join(f"{check.name}: {check.found}" for check in wrong),
            next_step=next((check.step for check in wrong if check.step is not None), ""),
        )


def _text(ko: str, en: str = "") -> Text:
    return Text(ko=ko, en=en or ko)


def check_disk(morning: Morning, folder: Path, settings: LiveSettings) -> None:
    """Free space of the disk the journal lies on."""
    usage = shutil.disk_usage(folder)
    ppm = usage.free * _PPM // usage.total
    end = End.OK if ppm >= settings.disk_warn_ppm else End.WARN if ppm >= settings.disk_halt_ppm else End.HALT
    found = _text(f"남은 공간 {ppm / 10_000:.0f} %", f"{ppm / 10_000:.0f} % free")
    morning.add("disk", _text("디스크", "disk"), end, found, _text("공간을 비우세요", "free some space"))


def check_journal(morning: Morning, journal: Journal) -> None:
    """The whole hash chain."""
    title, step = _text("저널", "journal"), _text("docs/runbooks/restore-from-backup.md")
    try:
        count = journal.verify()
    except HaetaeError as fault:
        morning.add("journal", title, End.STOP, _text(f"{fault.message}: {fault.found}"), step)
    else:
        morning.add("journal", title, End.OK, _text(f"사슬 이상 없음 {count:,}건", f"the chain holds, {count:,}"))


def check_holiday(morning: Morning, lake: Lake, day: dt.date, *, told: bool | None, live: bool) -> None:
    """What the broker says of the day beside our calendar; a disagreement is a closed day."""
    title = _text("휴장일", "holiday")
    if told is None:
        rows = lake.read("holidays", start=day, end=day).to_pylist() if "holidays" in lake.versions() else []
        told = bool(max(rows, key=lambda row: row["as_of"])["open"]) if rows else None
    step = _text(
        "거래소 공지를 확인하세요: haetae collect holidays", "read the exchange's notice: haetae collect holidays"
    )
    if told is None:
        end = End.STOP if live else End.WARN
        morning.add("holiday", title, end, _text("증권사에 물어보지 못함", "the broker was not asked"), step)
    elif told is not is_trading_day(day):
        found = _text(f"증권사는 {'개장' if told else '휴장'}", f"the broker says {'open' if told else 'closed'}")
        morning.add("holiday", title, End.STOP, found, step)
    else:
        morning.add("holiday", title, End.OK, _text("달력과 같음", "as in our calendar"))


def check_universe(morning: Morning, chosen: Sequence[Symbol], listed: Sequence[Symbol], size: int) -> None:
    """Exactly so many different names, each of them listed (D04)."""
    known, unique = set(listed), set(chosen)
    unknown = sorted(unique - known)
    right = len(chosen) == size == len(unique) and not unknown
    found = f"{len(chosen)} / {size}" + (f", unknown {', '.join(unknown[:5])}" if unknown else "")
    found += ", twice" if len(unique) != len(chosen) else ""
    step = _text("haetae universe select, haetae lake check")
    morning.add("universe", _text("종목", "universe"), End.OK if right else End.STOP, _text(found), step)


def check_bases(morning: Morning, closes: Mapping[Symbol, Won], told: Mapping[Symbol, Won] | None) -> None:
    """Today's base prices beside the closes before; a name that jumped is not bought today."""
    title, step = _text("기준가", "base prices"), _text("권리락·분할 공시를 확인하세요", "look for a corporate action")
    if told is None:
        morning.add("bases", title, End.WARN, _text("증권사가 알려 주지 않음", "the broker does not tell them"), step)
        return
    low, high = BASE_JUMP
    morning.base_prices = {symbol: base for symbol, base in told.items() if symbol in closes and base > 0}
    morning.frozen = {s for s, base in morning.base_prices.items() if not low <= base / closes[s] <= high}
    silent = set(closes) - set(morning.base_prices)
    morning.frozen |= silent
    names = ", ".join(sorted(morning.frozen)[:5])
    found = _text(f"멈춘 종목 {names}", f"not bought today: {names}") if names else _text(f"{len(told)}")
    morning.add("bases", title, End.WARN if names else End.OK, found, step)


def check_positions(morning: Morning, held: Mapping[Symbol, Shares] | None, ours: Mapping[Symbol, Shares]) -> None:
    """The broker's holdings beside our books."""
    title, step = _text("보유 대사", "positions"), _text("docs/runbooks/stuck-order.md")
    if held is None:
        morning.add("positions", title, End.STOP, _text("읽지 못함", "not read"), step)
        return
    differing = sorted(s for s in {*held, *ours} if held.get(s, 0) != ours.get(s, 0))
    found = _text(f"다른 종목: {', '.join(differing[:5])}", f"differing: {', '.join(differing[:5])}")
    same = _text(f"같음, {len(held)}종목", f"equal, {len(held)} names")
    morning.add("positions", title, End.HALT if differing else End.OK, found if differing else same, step)


def check_clock(morning: Morning, skew_s: float | None, *, watched: bool) -> None:
    """Our clock beside the broker's."""
    title, step = _text("시계", "clock"), _text("NTP로 맞추세요", "keep the clock by NTP")
    if not watched:
        morning.add("clock", title, End.OK, _text("시장의 시계를 씁니다", "the market's own clock"))
    elif skew_s is None:
        morning.add("clock", title, End.HALT, _text("서버 시각을 모름", "the server's time is not known"), step)
    else:
        off = abs(skew_s) * 1_000
        end = End.STOP if off >= _MS_STOP else End.HALT if off >= _MS_HALT else End.OK
        morning.add("clock", title, end, _text(f"{off:.0f} ms"), step)


def check_token(morning: Morning, left_s: float, now: Instant, until: Instant, fault: str) -> None:
    """A token that lives through the session."""
    title, step = _text("토큰", "token"), _text("docs/runbooks/token-lost.md")
    needed = (until - now) / 1_000_000_000
    end = End.STOP if fault or left_s < needed else End.OK
    morning.add("token", title, end, _text(fault or f"{left_s / 3600:.1f} h"), step)


async def ask_broker(rest: KisRest, clock: Clock, day: dt.date, symbols: Sequence[Symbol]) -> Answers:
    """Return what the broker says before the open; what it does not answer is None."""
    answers = Answers()
    try:
        await rest.prepare()
        answers.positions = await KisBroker(rest, None, clock).positions()
        if not rest.settings.is_mock:
            rows = (await KisSource(rest, clock).holidays(day, day)).to_pylist()
            answers.trades = bool(rows[0]["open"]) if rows else None
            answers.bases = await _bases(rest, symbols)
    except HaetaeError as fault:
        answers.fault = f"{fault} ({fault.found})"
    health = rest.health()
    answers.token_left_s, answers.skew_s = health.token_left_s, health.skew_s
    return answers


@dataclass(slots=True)
class Answers:
    """What a broker said; None where it did not."""

    positions: Mapping[Symbol, Shares] | None = None
    trades: bool | None = None
    bases: dict[Symbol, Won] | None = None
    token_left_s: float = 0.0
    skew_s: float | None = None
    fault: str = ""


async def _bases(rest: KisRest, symbols: Sequence[Symbol]) -> dict[Symbol, Won]:
    found: dict[Symbol, Won] = {}
    wanted = set(symbols)
    for first in range(0, len(symbols), MULTPRICE_SLOTS):
        reply = await rest.ask(prices.PricesNow(tuple(symbols[first : first + MULTPRICE_SLOTS])), about="base prices")
        for row in reply.raw(prices.PriceOfMany):
            symbol, base = row.get("inter_shrn_iscd", "").strip(), row.get("inter2_sdpr", "").strip()
            if symbol in wanted and base.isdecimal():
                found[symbol] = int(base)
    return found
