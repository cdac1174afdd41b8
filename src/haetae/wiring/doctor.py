"""Is everything in place for a trading day: each check one line, ok, warn or fail, with the next step.

Nothing is changed and no token is issued (the broker tells the owner of each): hosts are reached by a
TCP connect only. Without an account the checks of the account warn; the demo needs none.
"""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.units import NS_PER_SECOND, Instant, day_of
from haetae.kis.settings import KisSettings, is_loopback
from haetae.krx.calendar import previous_trading_day
from haetae.krx.closures import LAST_YEAR
from haetae.krx.refresh import compare
from haetae.ports.tables import daily_table
from haetae.registry.registry import Registry
from haetae.store.lake import Lake
from haetae.wiring import accounts, journal_places, journals
from haetae.wiring.clocks import SystemClock

CONNECT_S = 3.0
"""A broker that does not answer a connect in three seconds would not answer an order."""
SKEW_WARN_S, SKEW_FAIL_S = 2.0, 10.0
"""Orders of unknown fate are looked for within a clock difference of two seconds."""
FREE_WARN_GB, FREE_FAIL_GB = 5.0, 1.0
"""A year of minutes of fifty names is about 2 GB; below one a day's journal may not fit."""
CALENDAR_SOON_DAYS, CALENDAR_STALE_DAYS, CALENDAR_END_DAYS = 7, 7, 60
"""Within a week there is no time left to mend a calendar; the exchange tells a year's closing days in December."""
_GB = 1_000_000_000


class Level(Enum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One check: what, how it came out, what was found, what to do."""

    name: Text
    level: Level
    found: Text
    next_step: Text | None = None


def examine(account: Path, desk: Path, env: Mapping[str, str], now: Instant) -> tuple[Line, ...]:
    """Return the lines of every check, in the order in which a day would fail."""
    lines: list[Line] = []
    kis = _account(account, env, lines)
    if kis is not None:
        lines += _hosts(kis)
        lines.append(_clock(kis))
    lines.append(_disk(desk))
    lines.append(_held(Text(ko="레이크", en="lake"), lambda: _lake(desk / "lake", now)))
    lines.append(_held(Text(ko="거래일 달력", en="calendar"), lambda: _calendar(desk / "lake", day_of(now))))
    lines.append(_held(Text(ko="모델", en="models"), lambda: _models(desk / "models")))
    lines.append(_held(Text(ko="저널", en="journal"), lambda: _journal(desk / "journal.db")))
    lines.append(_model_of_language(env))
    return tuple(lines)


def _account(folder: Path, env: Mapping[str, str], lines: list[Line]) -> KisSettings | None:
    name = Text(ko="계좌와 키", en="account and keys")
    try:
        _, kis = accounts.read_account(folder, env)
    except HaetaeError as fault:
        lines.append(Line(name, Level.FAIL, _text(fault.message), _text(fault.next_step)))
        return None
    where = "emulator" if is_loopback(kis.rest_url) else kis.mode.value
    lines.append(Line(name, Level.OK, Text(ko=f"{where}, 비밀 0600", en=f"{where}, secrets 0600")))
    if not kis.hts_id:
        found = Text(ko="없음: 체결은 조회로만 압니다", en="none: fills are known by polling alone")
        step = Text(ko="kis_devlp.yaml 의 my_htsid", en="my_htsid of kis_devlp.yaml")
        lines.append(Line(Text(ko="HTS ID", en="HTS id"), Level.WARN, found, step))
    return kis


def _hosts(kis: KisSettings) -> list[Line]:
    found = []
    for label, url in (("REST", kis.rest_url), ("WebSocket", kis.ws_url)):
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
        try:
            with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_S):
                found.append(Line(Text(ko=label, en=label), Level.OK, Text(ko=url, en=url)))
        except OSError as fault:
            step = Text(ko="네트워크와 방화벽, 에뮬레이터라면 켜져 있는지", en="network and firewall; is it running?")
            said = f"{url}: {fault.strerror or fault}"
            found.append(Line(Text(ko=label, en=label), Level.FAIL, Text(ko=said, en=said), step))
    return found


def _clock(kis: KisSettings) -> Line:
    name = Text(ko="시계", en="clock")
    if is_loopback(kis.rest_url):
        return Line(name, Level.OK, Text(ko="에뮬레이터의 시계를 씁니다", en="the emulator's clock rules"))
    try:
        request = urllib.request.Request(kis.rest_url, method="HEAD")  # noqa: S310
        with urllib.request.urlopen(request, timeout=CONNECT_S) as answer:  # noqa: S310
            said = answer.headers.get("Date", "")
    except URLError as fault:
        said = getattr(fault, "headers", {}).get("Date", "") if getattr(fault, "headers", None) else ""
    except OSError:
        said = ""
    if not said:
        return Line(
            name,
            Level.WARN,
            Text(ko="서버 시각을 알 수 없습니다", en="the server does not tell its time"),
            Text(ko="NTP 로 시계를 맞추세요", en="keep the clock by NTP"),
        )
    skew = abs(SystemClock().now() / NS_PER_SECOND - parsedate_to_datetime(said).timestamp())
    level = Level.OK if skew <= SKEW_WARN_S else Level.WARN if skew <= SKEW_FAIL_S else Level.FAIL
    step = None if level is Level.OK else Text(ko="NTP 로 시계를 맞추세요", en="keep the clock by NTP")
    return Line(name, level, Text(ko=f"서버와 {skew:.0f}초 차이", en=f"{skew:.0f} s from the server"), step)


def _disk(folder: Path) -> Line:
    place = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free / _GB
    level = Level.OK if free >= FREE_WARN_GB else Level.WARN if free >= FREE_FAIL_GB else Level.FAIL
    step = None if level is Level.OK else Text(ko="공간을 비우세요", en="free some space")
    return Line(Text(ko="디스크", en="disk"), level, Text(ko=f"남은 {free:.1f} GB", en=f"{free:.1f} GB free"), step)


def _held(name: Text, look: Callable[[], tuple[Level, Text, Text | None]]) -> Line:
    try:
        return Line(name, *look())
    except HaetaeError as fault:
        return Line(name, Level.FAIL, _text(fault.message), _text(fault.next_step))


def _lake(path: Path, now: Instant) -> tuple[Level, Text, Text | None]:
    tables = {table.table: table for table in Lake(path).describe()} if path.is_dir() else {}
    step = Text(ko="`haetae demo` 또는 수집·가져오기", en="`haetae demo`, or collect or import")
    name = daily_table({table: info.version for table, info in tables.items()})
    last = tables[name].last_day if name in tables else None
    if last is None:
        return Level.FAIL, Text(ko=f"일봉 없음: {path}", en=f"no daily bars: {path}"), step
    wanted = previous_trading_day(day_of(now))
    said = Text(ko=f"일봉 {last} 까지", en=f"daily bars to {last}")
    if name != "daily":
        said = Text(ko=f"수정주가 일봉만 {last} 까지", en=f"adjusted daily bars only, to {last}")
    if last < wanted:
        return (
            Level.WARN,
            said,
            Text(ko=f"{wanted} 까지는 개장 전에 수집합니다", en=f"{wanted} is collected before the open"),
        )
    return Level.OK, said, None


def _calendar(path: Path, today: dt.date) -> tuple[Level, Text, Text | None]:
    """Compare the calendar with what the broker last said of the coming days."""
    ask = Text(ko="`haetae collect holidays`", en="`haetae collect holidays`")
    if (dt.date(LAST_YEAR, 12, 31) - today).days < CALENDAR_END_DAYS:
        said = Text(ko=f"달력이 {LAST_YEAR}년에서 끝납니다", en=f"the calendar ends with {LAST_YEAR}")
        return (
            Level.WARN,
            said,
            Text(ko="휴장일이 더해진 새 판을 설치하세요", en="install a release that has the next year"),
        )
    rows = Lake(path).read("holidays", start=today).to_pylist() if path.is_dir() else []
    if not rows:
        said = Text(ko="브로커의 휴장일 조회와 아직 견주지 않음", en="not compared with the broker's holiday call yet")
        return Level.WARN, said, ask
    rows.sort(key=lambda row: row["as_of"])
    found = compare((row["day"], row["open"]) for row in rows)
    if found.differing:
        listed = ", ".join(str(day) for day in found.differing[:5])
        said = Text(ko=f"브로커와 다른 날: {listed}", en=f"the broker says otherwise of {listed}")
        step = Text(
            ko="거래소 공지를 보고 haetae/krx/closures.py 를 고치기 전에는 그날 거래하지 마세요",
            en="do not trade that day before haetae/krx/closures.py agrees with the exchange's notice",
        )
        soon = (found.differing[0] - today).days <= CALENDAR_SOON_DAYS
        return Level.FAIL if soon else Level.WARN, said, step
    asked, until = rows[-1]["as_of"], max(row["day"] for row in rows)
    said = Text(ko=f"브로커와 같음 ({asked} 조회, {until} 까지)", en=f"as the broker says ({asked}, to {until})")
    return (Level.OK, said, None) if (today - asked).days <= CALENDAR_STALE_DAYS else (Level.WARN, said, ask)


def _models(path: Path) -> tuple[Level, Text, Text | None]:
    registry = Registry(path)
    names = {kind: registry.champion(kind) for kind in ("policy", "ranker")}
    missing = [kind for kind, card in names.items() if card is None]
    if missing:
        listed = ", ".join(missing)
        step = Text(ko="`haetae model promote 이름`", en="`haetae model promote NAME`")
        return Level.FAIL, Text(ko=f"맡은 모델 없음: {listed}", en=f"none in charge: {listed}"), step
    for card in names.values():
        registry.get(card.model_id if card else "")
    told = ", ".join(card.model_id for card in names.values() if card)
    return Level.OK, Text(ko=told, en=told), None


def _journal(path: Path) -> tuple[Level, Text, Text | None]:
    if not journal_places.begun(path):
        return Level.OK, Text(ko="아직 없음 (첫 거래일에 생깁니다)", en="none yet; the first day makes it"), None
    found = journals.verify(path)
    return (
        Level.OK,
        Text(ko=f"사슬 이상 없음, {found.entries:,}건", en=f"the chain holds, {found.entries:,} entries"),
        None,
    )


def _model_of_language(env: Mapping[str, str]) -> Line:
    name = Text(ko="언어 모델", en="language model")
    if env.get("HAETAE_LLM_BASE_URL") and env.get("HAETAE_LLM_MODEL"):
        said = f"{env['HAETAE_LLM_MODEL']} ({urlsplit(env['HAETAE_LLM_BASE_URL']).hostname})"
        return Line(name, Level.OK, Text(ko=said, en=said))
    return Line(name, Level.OK, Text(ko="없음: 오프라인 규칙 (AI 아님)", en="none: offline rules (not AI)"))


def _text(said: str | Text) -> Text:
    return said if isinstance(said, Text) else Text(ko=said, en=said)
