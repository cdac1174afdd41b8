"""``haetae collect …``: the market into the lake, complete, checked, resumable."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.options import BASE, JSON, LAKE, REGION, Endpoint, LakeAddress, Region, read_day
from haetae.cli.progress import Report, watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    import datetime as dt

    from haetae.collector.jobs import JobReport
    from haetae.collector.live import SessionReport
    from haetae.wiring.collecting import Names, Where

nouns = typer.Typer(
    no_args_is_help=True,
    help=hint(
        "시장 데이터를 레이크로 모읍니다. 같은 명령을 다시 실행하면 빠진 것만 이어서 받습니다.",
        "Collect market data into the lake; the same command again asks only for what is missing.",
    ),
)

From = Annotated[str | None, typer.Option("--from", metavar="DAY", help=hint("첫날", "first day"))]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help=hint("마지막 날 (기본: 오늘)", "last day (today)"))]
Symbols = Annotated[str, typer.Option(help=hint("종목 코드, 쉼표로", "codes, comma separated"))]
Universe = Annotated[
    Path | None, typer.Option(metavar="FILE", help=hint("종목 50개가 적힌 파일", "file that holds the fifty codes"))
]
Top = Annotated[int, typer.Option(min=0, help=hint("시가총액 상위 N종목", "the N largest names"))]
ControlUrl = Annotated[
    str,
    typer.Option("--control", metavar="URL", help=hint("떠 있는 에뮬레이터의 control 주소", "control of an emulator")),
]
Files = Annotated[
    list[Path] | None, typer.Option("--config", metavar="FILE", help=hint("설정 파일", "settings; later wins"))
]
Verb: TypeAlias = Callable[..., None]

_ABOUT = {
    "master": Text(ko="종목 목록과 상태 표시", en="list of names with their flags"),
    "daily": Text(ko="일봉 (원주가)", en="daily bars, raw prices"),
    "weekly": Text(ko="주봉", en="weekly bars"),
    "monthly": Text(ko="월봉", en="monthly bars"),
    "minute": Text(ko="분봉 (종목을 골라야 합니다)", en="minute bars of chosen names"),
    "index": Text(ko="지수 일봉", en="index bars"),
    "etf-nav": Text(ko="ETF 순자산가치", en="NAVs of ETFs"),
    "flows": Text(ko="외국인·기관·개인 순매수", en="net purchases by investor"),
    "fundamentals": Text(ko="재무제표와 비율", en="statements and ratios"),
    "status": Text(ko="종목 상태와 변동성완화장치", en="status of names and interruptions"),
    "holidays": Text(ko="휴장일 (하루 한 번)", en="holidays (once a day)"),
    "rankings": Text(ko="순위표", en="leader boards"),
    "news": Text(ko="시황·공시 제목", en="headlines"),
    "actions": Text(ko="액면분할·증자·합병·배당", en="splits, issues, mergers, dividends"),
}


def _verb(kind: str) -> Verb:
    def run(
        lake: LakeAddress = str(LAKE),
        from_: From = None,
        to: To = None,
        symbols: Symbols = "",
        universe: Universe = None,
        top: Top = 0,
        account: AccountFolder = ACCOUNT,
        control: ControlUrl = "",
        config: Files = None,
        region: Region = REGION,
        endpoint_url: Endpoint = None,
        json_file: JSON = None,
    ) -> None:
        at, where = (lake, region, endpoint_url), _where(account, config, control)
        _collect(kind, at, (from_, to), _names(symbols, universe, top), where, json_file)

    run.__doc__ = f"Collect {_ABOUT[kind].en}."
    return run


for _kind, _text in _ABOUT.items():
    nouns.command(_kind, help=hint(f"{_text.ko}를 모읍니다.", f"Collect {_text.en}."))(_verb(_kind))


@nouns.command("backfill", help=hint("지난 기간을 채웁니다.", "Fill a range of past days."))
def backfill(
    kind: Annotated[str, typer.Option(help="daily, weekly, monthly, minute, index, etf-nav, flows")],
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help=hint("첫날", "first day"))],
    to: To = None,
    lake: LakeAddress = str(LAKE),
    symbols: Symbols = "",
    universe: Universe = None,
    top: Top = 0,
    account: AccountFolder = ACCOUNT,
    control: ControlUrl = "",
    config: Files = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Fill a range of days; the closing table compares calls and time with the fewest there could be."""
    from haetae.wiring.collecting import RANGED

    if kind not in RANGED:
        raise ConfigError(
            Text(ko="기간을 채울 수 없는 종류입니다", en="a kind without a history to fill"),
            expected=", ".join(sorted(RANGED)),
            found=kind,
            next_step="--kind minute",
        )
    at, where = (lake, region, endpoint_url), _where(account, config, control)
    _collect(kind, at, (from_, to), _names(symbols, universe, top), where, json_file)


@nouns.command("live", help=hint("장중의 분봉을 모으고 마감 뒤 대조합니다.", "Collect running sessions, repair after."))
def live(
    lake: LakeAddress = str(LAKE),
    symbols: Symbols = "",
    universe: Universe = None,
    top: Top = 0,
    sessions: Annotated[int, typer.Option(min=0, help=hint("거래일 수, 0 은 계속", "sessions; 0 is for ever"))] = 0,
    account: AccountFolder = ACCOUNT,
    control: ControlUrl = "",
    config: Files = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Write minutes as they end, and compare the whole session with the history after the close."""
    check_target(json_file)
    import asyncio

    from haetae.wiring.collecting import connected
    from haetae.wiring.collecting_live import collect_live
    from haetae.wiring.lakes import LakeAt, open_lake

    opened = open_lake(LakeAt(lake, region, endpoint_url), by="haetae collect live")
    reports: list[SessionReport] = []

    def tell(report: SessionReport) -> None:
        reports.append(report)
        line = Text(
            ko=f"{report.day}: 분 {report.slices:,} · 행 {report.rows:,} · 끊김 {report.breaks} · "
            f"복구 {report.repair.repairs:,} · 결측 {report.repair.gaps:,}",
            en=f"{report.day}: {report.slices:,} minutes, {report.rows:,} rows, {report.breaks} breaks, "
            f"{report.repair.repairs:,} repaired, {report.repair.gaps:,} missing",
        )
        print(say(line), flush=True)

    def greet(day: dt.date) -> None:
        print(say(Text(ko=f"{day} 장을 기다립니다", en=f"waiting for the session of {day}")), flush=True)

    async def work(report: Report) -> None:
        async with connected(_where(account, config, control), os.environ) as connection:
            chosen = _names(symbols, universe, top)
            await collect_live(connection, opened, chosen, sessions, report, tell, greet)

    with watching() as report, _logged(lake):
        asyncio.run(work(report))
    write_record(json_file, {"sessions": [dataclasses.asdict(each) for each in reports]})


def _names(symbols: str, universe: Path | None, top: int) -> Names:
    from haetae.wiring.collecting import Names

    codes = tuple(code.strip() for code in symbols.split(",") if code.strip())
    chosen = [name for name, given in (("--symbols", codes), ("--universe", universe), ("--top", top)) if given]
    if len(chosen) > 1:
        raise ConfigError(
            Text(ko="종목은 한 가지 방법으로만 고릅니다", en="names are chosen in one way"),
            expected="--symbols | --universe | --top",
            found=", ".join(chosen),
            next_step=chosen[0],
        )
    return Names(codes, universe, top)


def _where(account: Path, config: list[Path] | None, control: str) -> Where:
    from haetae.wiring.collecting import Where

    return Where(account, (*([BASE] if BASE.is_file() else []), *(config or [])), control)


def _collect(
    kind: str,
    at: tuple[str, str, str | None],
    days: tuple[str | None, str | None],
    names: Names,
    where: Where,
    json_file: Path | None,
) -> None:
    start, end = read_day(days[0], "--from"), read_day(days[1], "--to")
    check_target(json_file)
    import asyncio

    from haetae.wiring.collecting import collect, connected, refuse_gaps
    from haetae.wiring.lakes import LakeAt, open_lake

    opened = open_lake(LakeAt(*at), by=f"haetae collect {kind}")

    async def work(report: Report) -> tuple[JobReport, ...]:
        async with connected(where, os.environ) as connection:
            return await collect(connection, opened, kind, names, (start, end), report)

    with watching() as report, _logged(at[0]):
        reports = asyncio.run(work(report))
    _closing(reports)
    write_record(json_file, _facts(kind, reports))
    refuse_gaps(reports)


@contextmanager
def _logged(lake: str) -> Iterator[None]:
    """Keep what happens on the way in a file beside the lake; the terminal shows progress and the result.

    For a lake in a bucket the file lies where lakes of this machine do.
    """
    from haetae.wiring.logs import logging_to

    beside = (LAKE if lake.startswith("s3://") else Path(lake)).parent
    beside.mkdir(parents=True, exist_ok=True)
    with logging_to(beside / "collect.log"):
        yield


def _closing(reports: Sequence[JobReport]) -> None:
    head = [
        say(Text(ko=ko, en=en))
        for ko, en in (
            ("표", "table"), ("행", "rows"), ("결측", "gaps"), ("복구", "repairs"), ("없음", "absent"),
            ("호출", "calls"), ("최소", "fewest"), ("초", "seconds"), ("최소 초", "fewest s"), ("초당", "a second"),
        )
    ]  # fmt: skip
    rows = [
        [
            each.job, f"{each.rows:,}", f"{each.gaps:,}", f"{each.repairs:,}", f"{each.absent:,}", f"{each.calls:,}",
            f"{each.least_calls:,}", f"{each.seconds:,.1f}", f"{each.least_seconds:,.1f}", f"{each.rate:,.2f}",
        ]
        for each in reports
    ]  # fmt: skip
    print_table(Text(ko="수집 결과", en="what was collected"), head, rows)


def _facts(kind: str, reports: Sequence[JobReport]) -> dict[str, Any]:
    jobs = [{**dataclasses.asdict(each), "rate": each.rate} for each in reports]
    total = {
        name: sum(job[name] for job in jobs)
        for name in ("rows", "gaps", "repairs", "absent", "calls", "least_calls", "seconds", "least_seconds")
    }
    rate = total["calls"] / total["seconds"] if total["seconds"] > 0 else 0.0
    return {"kind": kind, **total, "rate": rate, "jobs": jobs}
