"""``haetae trade paper|arm|live``: trading days, with play money first; real money only through every lock."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.adopting import adopt
from haetae.cli.claiming import claim
from haetae.cli.demo import ConsoleScreen, won
from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.kill import DESK, Desk
from haetae.cli.options import BASE, JSON, given, read_day
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.wiring.venues import TradeSettings

nouns = typer.Typer(no_args_is_help=True, help=hint("거래일", "Trading days"))
LIVE_DESK = Path("data/live")
Source = Annotated[
    Path | None,
    typer.Option("--from", help=hint("레이크와 모델을 가져올 폴더", "folder to begin from (lake, models)")),
]
Files = Annotated[
    list[Path] | None, typer.Option("--config", metavar="FILE", help=hint("설정 파일", "settings; later wins"))
]
Faults = Annotated[
    Path | None,
    typer.Option("--faults", metavar="FILE", help=hint("장애 스크립트 (에뮬레이터)", "a script of faults (emulator)")),
]
Sessions = Annotated[int, typer.Option(min=0, help=hint("거래일 수, 0 은 계속", "trading days; 0 is for ever"))]


@nouns.command("paper", help=hint("모의투자나 에뮬레이터에서 거래합니다.", "Trade on the mock domain or an emulator."))
def paper(
    out: Desk = DESK,
    from_: Source = None,
    emulator: Annotated[
        bool, typer.Option("--emulator", help=hint("에뮬레이터를 띄워 한 걸음씩", "start an emulator, in lockstep"))
    ] = False,
    control: Annotated[
        str, typer.Option(help=hint("떠 있는 에뮬레이터의 control 주소", "control address of a running emulator"))
    ] = "",
    sessions: Sessions = 1,
    faults: Faults = None,
    strategy: Annotated[
        str,
        typer.Option(help=hint("모델 대신 결정할 전략 (이름 또는 파일.py)", "a strategy in place of the model")),
    ] = "",
    parameters: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=hint("전략의 매개변수", "its parameters"))
    ] = None,
    account: AccountFolder = ACCOUNT,
    config: Files = None,
    json_file: JSON = None,
) -> None:
    """Trade with play money: pre-open, session, collection after the close, review."""
    from haetae.wiring.venues import TradeSettings

    files = _layers("paper.toml", config)
    settings = TradeSettings(
        out, from_, account, files, emulator, control, sessions, strategy=strategy, parameters=given(parameters)
    )
    if faults is not None:
        _trade_under_faults(settings, faults, json_file)
    else:
        _trade(settings, json_file)


@nouns.command("plan", help=hint("하루의 단계와 시각을 보입니다.", "Show the steps of a day and their times."))
def plan(
    day: Annotated[str | None, typer.Option("--day", help=hint("거래일, 예: 2026-11-23", "e.g. 2026-11-23"))] = None,
    json_file: JSON = None,
) -> None:
    """Show what a day does when; today, or the next trading day."""
    check_target(json_file)
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.plans import plan_of

    found = plan_of(read_day(day, "--day"), SystemClock().now())
    marks = {"waits": "  ", "late": " !", "passed": " ·"}
    print(say(Text(ko=f"{found['day']} 거래일", en=f"trading day {found['day']}")))
    for step in found["steps"]:
        title = Text(ko=step["ko"], en=step["en"])
        print(f"{step['kst']}{marks[step['now']]} {step['name']:<16} {say(title)}")
    rule = Text(ko="늦게 시작하면: ! 지금 합니다, · 지나갑니다", en="a late start: ! is done now, · is passed over")
    print(say(rule))
    write_record(json_file, found)


@nouns.command(
    "promote", help=hint("지금의 코드와 설정을 실거래용으로 승인합니다.", "Approve what runs for real money.")
)
def promote(
    by: Annotated[list[str], typer.Option("--by", metavar="NAME", help=hint("승인하는 사람, 둘", "who approves; two"))],
    out: Desk = LIVE_DESK,
    config: Files = None,
) -> None:
    """Write the hash of code, settings and schema under two names; the first day after it trades small."""
    from haetae.domain.units import day_of
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.plans import promote_desk

    found = promote_desk(out, _layers("live.toml", config), os.environ, day_of(SystemClock().now()), by)
    people = ", ".join(found.people)
    print(say(Text(ko=f"승인됨 {found.running} ({people})", en=f"promoted {found.running} ({people})")))


@nouns.command("arm", help=hint("오늘 하루의 실거래 서명을 만듭니다.", "Sign real trading for today."))
def arm(
    account: AccountFolder = ACCOUNT,
    account_number: Annotated[
        str, typer.Option("--account-number", help=hint("계좌 앞 8자리", "the account's eight digits"))
    ] = "",
) -> None:
    """Ask for the account's number and write a token that is good today only."""
    from haetae.domain.units import day_of
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.livegate import arm as sign

    typed = account_number or getpass.getpass(say(Text(ko="계좌번호 앞 8자리: ", en="account, eight digits: ")))
    path = sign(account, os.environ, day_of(SystemClock().now()), typed, _layers("live.toml", None))
    print(say(Text(ko=f"오늘 하루만 유효: {path}", en=f"good for today only: {path}")))


@nouns.command("live", help=hint("실전 계좌로 거래합니다 (이중 확인).", "Trade real money (every lock open)."))
def live(
    out: Desk = LIVE_DESK,
    from_: Source = None,
    account: AccountFolder = ACCOUNT,
    config: Files = None,
    yes: Annotated[
        bool, typer.Option("--i-accept-losses", help=hint("잃을 수 있음을 압니다", "I know that I may lose"))
    ] = False,
) -> None:
    """Trade one day with real money; the desk starts halted, and a person releases it."""
    if not yes:
        raise ConfigError(
            Text(ko="실거래는 두 번 확인합니다", en="real trading is confirmed twice"),
            expected="--i-accept-losses",
            found=Text(ko="확인 없음", en="no confirmation").en,
            next_step=Text(ko="CheckList.md 6장", en="chapter 6 of CheckList.md"),
        )
    from haetae.wiring.venues import TradeSettings

    _trade(TradeSettings(out, from_, account, _layers("live.toml", config), live=True), None)


nouns.command("adopt", help=hint("손으로 산 종목을 장부에 넣습니다.", "Take a trade by hand into the books."))(adopt)
nouns.command("claim", help=hint("결과를 모르는 주문이 어느 것인지 말합니다.", "Say which order a lost one is."))(claim)


def _layers(name: str, given: list[Path] | None) -> tuple[Path, ...]:
    """Return the settings files in order: base, the mode's own, those given."""
    own = [path for path in (BASE, BASE.with_name(name)) if path.is_file()]
    return (*own, *(given or []))


def _trade(settings: TradeSettings, json_file: Path | None) -> None:
    check_target(json_file)
    import asyncio

    from rich.console import Console

    from haetae.wiring.logs import logging_to
    from haetae.wiring.trading_days import trade

    settings.out.mkdir(parents=True, exist_ok=True)
    screen = ConsoleScreen(Console())
    try:
        with logging_to(settings.out / "haetae.log"):
            facts = asyncio.run(trade(settings, os.environ, screen))
    finally:
        screen.close()
    for line in _closing(facts):
        print(line)
    write_record(json_file, facts)


def _trade_under_faults(settings: TradeSettings, faults: Path, json_file: Path | None) -> None:
    """Trade in a process of its own that the script may kill, on an emulator that outlives it."""
    check_target(json_file)
    import asyncio

    from rich.console import Console

    from haetae.wiring.weeks import trade_under_faults

    settings.out.mkdir(parents=True, exist_ok=True)
    screen = ConsoleScreen(Console())
    try:
        facts = asyncio.run(trade_under_faults(settings, faults, os.environ, screen))
    finally:
        screen.close()
    for line in _closing(facts):
        print(line)
    write_record(json_file, facts)
    if not facts["week"]["agrees"]:
        raise typer.Exit(1)


def _closing(facts: dict[str, Any]) -> list[str]:
    day = facts["sessions"][-1]
    made = sum(day["decisions"].values())
    who = ", ".join(f"{name} {count}" for name, count in day["deciders"].items()) or "-"
    agreed = day["reconciled"]
    sent, filled, profit = day["orders"], day["fills"], won(day["profit"])
    lines = [
        Text(
            ko=f"{day['day']}: 결정 {made:,} → 주문 {sent:,} → 체결 {filled:,} · 손익 {profit}",
            en=f"{day['day']}: {made:,} decisions, {sent:,} orders, {filled:,} fills · {profit}",
        ),
        Text(ko=f"판단: {who}", en=f"deciders: {who}"),
        Text(
            ko=f"계좌 대사: {'일치' if agreed else '불일치!'} · 탈출 {day['escape']['level']}",
            en=f"reconciled: {'yes' if agreed else 'NO!'} · escape {day['escape']['level']}",
        ),
    ]
    if "reconciliation" in facts:
        sides = facts["reconciliation"]
        equal = sides["journal"] == sides["emulator"]
        lines.append(
            Text(
                ko=f"저널과 에뮬레이터 원장: {'원 단위까지 일치' if equal else '불일치!'}",
                en=f"journal and emulator ledger: {'equal to the won' if equal else 'DIFFERENT!'}",
            )
        )
    return [say(line) for line in lines]
