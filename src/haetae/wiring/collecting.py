"""Collection on its own: which market answers, which names, which days; one job or a running session.

A source is the broker behind an account's keys, or an emulator that runs (its control port tells clock and addresses).
The connection is for reading: it cannot place an order, whatever keys it holds.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from haetae.collector.collector import Collector
from haetae.collector.jobs import JobReport, Progress
from haetae.collector.reference import CALENDAR_DAYS
from haetae.collector.settings import CollectorSettings
from haetae.config import load
from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.market import Instrument, Kind
from haetae.domain.units import Symbol, day_of
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings, Secret, is_loopback
from haetae.kis.source import KisSource
from haetae.kis.stream import KisStream
from haetae.kis.wire.operations import Mode
from haetae.ports import BarLake, Clock
from haetae.universe.settings import UniverseSettings
from haetae.wiring import accounts
from haetae.wiring.child import Control
from haetae.wiring.clocks import ScaledClock, SystemClock
from haetae.wiring.dice import process_dice

KINDS = (
    "master", "daily", "weekly", "monthly", "minute", "index", "etf-nav", "flows", "fundamentals", "status", "holidays",
    "rankings", "news", "actions",
)  # fmt: skip
"""What can be collected."""
RANGED = frozenset({"daily", "weekly", "monthly", "minute", "index", "etf-nav", "flows"})
"""What has a history to fill."""
_CODE = re.compile(r"[0-9A-Z]{6}")


@dataclass(frozen=True, slots=True)
class Where:
    """Which market answers: an account's folder, or the control address of an emulator that runs."""

    account: Path = accounts.FOLDER
    files: tuple[Path, ...] = ()
    control: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Which names are meant: codes, a file that holds a universe, or the largest by market value; none means all."""

    symbols: tuple[Symbol, ...] = ()
    universe: Path | None = None
    top: int = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """An open way to a market; ``stream`` connects nothing before somebody wants prices."""

    kis: KisSettings
    clock: Clock
    rest: KisRest
    source: KisSource
    stream: KisStream
    settings: CollectorSettings

    @property
    def today(self) -> dt.date:
        """The day of the market's clock."""
        return day_of(self.clock.now())


@asynccontextmanager
async def connected(where: Where, env: Mapping[str, str]) -> AsyncIterator[Connection]:
    """Open a connection for reading while the context lasts."""
    async with aiohttp.ClientSession() as http:
        kis, clock, settings = await _found(where, env, http)
        async with KisRest(kis, clock, process_dice("kis.rest")) as rest:
            chosen = replace(settings, calls_per_second=rest.calls_per_second)
            stream = KisStream(kis, clock, rest.approval_key, process_dice("kis.stream"))
            yield Connection(kis, clock, rest, KisSource(rest, clock), stream, chosen)


async def _found(
    where: Where, env: Mapping[str, str], http: aiohttp.ClientSession
) -> tuple[KisSettings, Clock, CollectorSettings]:
    if not where.control:
        found, kis = accounts.read_account(where.account, env, files=where.files, reading=True)
        if is_loopback(kis.rest_url):
            raise ConfigError(
                Text(ko="에뮬레이터의 시계를 알 수 없습니다", en="the emulator's clock is not known"),
                expected=Text(ko="에뮬레이터가 알린 control 주소", en="the control address the emulator told"),
                found=kis.rest_url,
                next_step="--control http://127.0.0.1:…",
            )
        return kis, SystemClock(), found.collector
    if not is_loopback(where.control):
        raise ConfigError(
            Text(ko="제어 포트는 이 컴퓨터에만 있습니다", en="a control port is on this machine only"),
            expected="http://127.0.0.1:…",
            found=where.control,
            next_step="haetae emulator run",
        )
    try:
        state = await Control(where.control.rstrip("/"), http).state()
    except aiohttp.ClientConnectionError as fault:
        raise ConfigError(
            Text(ko="에뮬레이터가 대답하지 않습니다", en="no emulator answers"),
            expected=Text(ko="떠 있는 에뮬레이터의 제어 주소", en="the control address of a running emulator"),
            found=f"{where.control}: {fault}",
            next_step="haetae emulator run",
        ) from None
    speed = float(state["speed"])
    if speed <= 0:
        raise ConfigError(
            Text(ko="에뮬레이터의 시계가 서 있습니다", en="the emulator's clock stands still"),
            expected=Text(ko="흐르는 시계", en="a clock that runs"),
            found="speed 0",
            next_step="haetae emulator run --speed 10",
        )
    clock = ScaledClock(start=int(state["now"]), wall_start=SystemClock().now(), speed=speed)
    others = {name: value for name, value in env.items() if not name.startswith("HAETAE_KIS__")}
    settings = load([path for path in where.files if path.is_file()], others).collector
    return _guest(state["addresses"], where.control), clock, settings


def _guest(addresses: Mapping[str, str], control: str) -> KisSettings:
    """Return settings with keys made up for this emulator: it takes any well-formed pair, the real service none."""
    key = hashlib.sha256(f"collect:{control}".encode()).hexdigest()
    return KisSettings(
        rest_url=str(addresses["rest_real"]),
        ws_url=str(addresses["ws_real"]),
        app_key=("PSCOLLECT" + key)[:36],
        app_secret=Secret((key * 3)[:180]),
        account="50099999",
        mode=Mode.REAL,
        hts_id="haetae",
        read_only=True,
        token_file=Path(tempfile.gettempdir()) / f"haetae-{os.getuid()}" / f"{key[:16]}.json",
    )


def read_universe(path: Path, size: int) -> tuple[Symbol, ...]:
    """Return the codes of a universe file: JSON (a list, or an object with ``universe``) or one code a line.

    Raises ``ConfigError`` for another count than ``size``, a code that comes twice, and what is no code.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _no_universe(path, f"{type(fault).__name__}", size) from fault
    if text.lstrip().startswith(("[", "{")):
        try:
            given = json.loads(text)
        except ValueError as fault:
            raise _no_universe(path, f"JSON: {fault}", size) from fault
        codes = given.get("universe") if isinstance(given, dict) else given
        codes = [str(code) for code in codes] if isinstance(codes, list) else []
    else:
        codes = [line.split(",")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]
    strays = [code for code in codes if not _CODE.fullmatch(code)]
    if strays:
        raise _no_universe(path, f"no codes: {', '.join(strays[:3])}", size)
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise _no_universe(path, f"twice: {', '.join(twice[:3])}", size)
    if len(codes) != size:
        raise _no_universe(path, f"{len(codes)} codes", size)
    return tuple(codes)


def _no_universe(path: Path, found: str, size: int) -> ConfigError:
    return ConfigError(
        Text(ko=f"유니버스 파일을 쓸 수 없습니다: {path}", en=f"the universe file cannot be used: {path}"),
        expected=Text(ko=f"서로 다른 종목 코드 {size}개", en=f"{size} different codes"),
        found=found,
        next_step=Text(ko="파일을 고치거나 --symbols 로 직접 고르세요", en="mend it, or choose with --symbols"),
    )


def check_days(start: dt.date, end: dt.date, today: dt.date) -> None:
    """Refuse a range that ends before it begins or reaches beyond today."""
    if start <= end <= today:
        return
    raise ConfigError(
        Text(ko="기간이 잘못되었습니다", en="the range of days is wrong"),
        expected=Text(ko=f"시작 ≤ 끝 ≤ {today} (시장의 오늘)", en=f"from ≤ to ≤ {today} (the market's today)"),
        found=f"{start} … {end}",
        next_step=f"--from {min(start, today)} --to {today}",
    )


async def choose(collector: Collector, kind: str, names: Names) -> tuple[list[Symbol], dict[Symbol, dt.date]]:
    """Return the codes that are meant for a kind, sorted as given, and the listing day of each.

    Codes that are not listed are refused; without a choice a kind takes all the names it is about, except minutes,
    of which nobody wants the whole market by mistake.
    """
    listing, _ = await collector.listing()
    known = {item.symbol: item for item in listing}
    given: Sequence[Symbol] = names.symbols
    if names.universe is not None:
        given = read_universe(names.universe, UniverseSettings().size)
    strays = [symbol for symbol in given if symbol not in known]
    if strays:
        raise ConfigError(
            Text(ko="상장되지 않은 종목이 있습니다", en="some codes are not listed"),
            expected=Text(ko=f"상장 {len(known):,}종목 가운데", en=f"codes of the {len(known):,} listed names"),
            found=", ".join(strays[:5]),
            next_step=Text(ko="코드를 확인하세요", en="check the codes"),
        )
    if not given:
        about = _about(kind, listing)
        if names.top:
            about = sorted(about, key=lambda item: (-item.base_price * item.shares_outstanding, item.symbol))[
                : names.top
            ]
        elif kind in {"minute", "live"}:
            raise ConfigError(
                Text(ko="어느 종목의 분봉인지 정해야 합니다", en="say whose minutes are meant"),
                expected="--symbols, --universe, --top",
                found=Text(ko="고르지 않음", en="no choice").en,
                next_step="--top 50",
            )
        given = [item.symbol for item in about]
    return list(given), {symbol: known[symbol].listed_on for symbol in given}


def _about(kind: str, listing: Sequence[Instrument]) -> list[Instrument]:
    if kind == "etf-nav":
        return [item for item in listing if item.kind is Kind.ETF]
    if kind in {"fundamentals", "minute", "live"}:
        return [item for item in listing if item.kind is Kind.COMMON]
    return list(listing)


Job = Callable[[Collector, list[Symbol], dict[Symbol, dt.date], dt.date, dt.date], Awaitable[tuple[JobReport, ...]]]


async def _one(report: Awaitable[JobReport]) -> tuple[JobReport, ...]:
    return (await report,)


async def _indices(collector: Collector, start: dt.date, end: dt.date) -> tuple[JobReport, ...]:
    return await collector.index(start, end), await collector.index_minutes()


_JOBS: Mapping[str, Job] = {
    "daily": lambda c, names, listed, a, b: _one(c.daily(names, a, b, listed=listed)),
    "weekly": lambda c, names, listed, a, b: _one(c.period("weekly", names, a, b, listed=listed)),
    "monthly": lambda c, names, listed, a, b: _one(c.period("monthly", names, a, b, listed=listed)),
    "minute": lambda c, names, listed, a, b: _one(c.minute(names, a, b, listed=listed)),
    "index": lambda c, names, listed, a, b: _indices(c, a, b),
    "etf-nav": lambda c, names, listed, a, b: _one(c.navs(names, a, b)),
    "flows": lambda c, names, listed, a, b: c.flows(names, a, b),
    "fundamentals": lambda c, names, listed, a, b: _one(c.fundamentals(names)),
    "status": lambda c, names, listed, a, b: c.status(names, b),
    "holidays": lambda c, names, listed, a, b: _one(c.holidays(a, b)),
    "rankings": lambda c, names, listed, a, b: _one(c.rankings()),
    "news": lambda c, names, listed, a, b: _one(c.news(a, b)),
    "actions": lambda c, names, listed, a, b: _one(c.corporate_actions(a, b)),
}
_NAMELESS = frozenset({"index", "holidays", "rankings", "news", "actions"})


async def collect(
    connection: Connection,
    lake: BarLake,
    kind: str,
    names: Names,
    days: tuple[dt.date | None, dt.date | None],
    progress: Progress,
) -> tuple[JobReport, ...]:
    """Run one kind of collection; ``days`` default to what is useful for the kind, up to the market's today."""
    today = connection.today
    end = days[1] or (today + dt.timedelta(days=_AHEAD[kind]) if kind in _AHEAD else today)
    start = days[0] or today - dt.timedelta(days=_BACK.get(kind, 0))
    if kind not in _AHEAD:
        check_days(start, end, today)
    collector = Collector(connection.source, lake, connection.clock, connection.settings, progress)
    if kind == "master":
        _, reports = await collector.listing()
        return reports
    symbols: list[Symbol] = []
    listed: dict[Symbol, dt.date] = {}
    if kind not in _NAMELESS:
        symbols, listed = await choose(collector, kind, names)
    return await _JOBS[kind](collector, symbols, listed, start, end)


_BACK = {"daily": 730, "weekly": 1_825, "monthly": 3_650, "index": 730, "etf-nav": 365, "flows": 90}
"""Days a kind goes back when no start is given; the others begin today."""
_AHEAD = {"holidays": CALENDAR_DAYS - 1, "actions": 90}
"""Kinds that look ahead, and how far by default."""


def refuse_gaps(reports: Sequence[JobReport]) -> None:
    """Raise ``DataError`` where something the source may have is still missing."""
    failures = [failure for report in reports for failure in report.failures]
    if not failures:
        return
    first = failures[0]
    raise DataError(
        Text(ko=f"{len(failures)}건을 수집하지 못했습니다", en=f"{len(failures)} items could not be collected"),
        expected=Text(ko="빠짐없는 수집", en="everything that was asked for"),
        found=f"{first.job} {first.symbol}: {first.detail}",
        next_step=Text(ko="같은 명령을 다시 실행하면 이어서 수집합니다", en="run again; it goes on where it stopped"),
    )
