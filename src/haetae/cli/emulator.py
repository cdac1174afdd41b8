"""``haetae emulator run``: a KIS-shaped server on loopback, for this desk or for any other client.

Not here: the scripts of its faults (``emulator_faults``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli import emulator_faults
from haetae.cli.faults import INTERRUPTED_EXIT
from haetae.cli.options import Config, read_day, read_settings
from haetae.cli.text import hint
from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Instant, instant_at

if TYPE_CHECKING:
    from haetae.emulator.settings import EmulatorSettings

nouns = typer.Typer(no_args_is_help=True, help=hint("KIS 에뮬레이터", "The KIS emulator"))
nouns.add_typer(emulator_faults.nouns, name="faults")

_LONGEST_PORT = 65_535
MOST_SPEED = 100_000.0
"""A year in five minutes: no machine gets that far."""
MOST_LISTED = 4_000
"""More than the exchange lists; a synthetic market of this size still fits in memory."""


class TokenClock(StrEnum):
    """Whose clock the expiry of a token is told on: that of foreign programs, or that of programs in step."""

    WALL = "wall"
    MARKET = "market"


def instant_of(text: str) -> Instant:
    """Return the instant of ``2026-11-23T08:30`` (KST) or of a count of nanoseconds."""
    if text.isdigit() and len(text) > len("20261123083000"):
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            Text(ko="시각이 아닙니다", en="not an instant"),
            expected="2026-11-23T08:30 (KST)",
            found=text,
            next_step="--clock 2026-11-23T08:30",
        ) from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.timezone(dt.timedelta(hours=9)))
    return instant_at(moment.date(), moment.hour * 10_000 + moment.minute * 100 + moment.second)


def with_flags(settings: EmulatorSettings, flags: Mapping[str, Any], market: Mapping[str, Any]) -> EmulatorSettings:
    """Return the settings with what was given on the command line; ``None`` was not given."""
    above = {name: value for name, value in market.items() if value is not None}
    given = {name: value for name, value in flags.items() if value is not None}
    return dataclasses.replace(settings, market=dataclasses.replace(settings.market, **above), **given)


def _show(ready: Mapping[str, object]) -> None:
    print(json.dumps(dict(ready)), flush=True)


_PORTS = ("rest_real", "rest_mock", "ws_real", "ws_mock", "control")
"""The ports in the order ``--port-base`` counts them."""


def _port(name: str, ko: str, en: str) -> Any:
    return typer.Option(f"--{name}", min=0, max=_LONGEST_PORT, metavar="PORT", help=hint(ko, en))


def _former(name: str) -> Any:
    """Return the option under the name it had before."""
    return typer.Option(f"--{name}", min=0, max=_LONGEST_PORT, hidden=True)


def chosen_ports(
    base: int | None, given: Mapping[str, int | None], former: Mapping[str, int | None], *, free: bool
) -> dict[str, int | None]:
    """Return the port of each door; what is named wins over a base, and a base over free ports."""
    ports: dict[str, int | None] = {}
    for place, name in enumerate(_PORTS):
        named = given[name] if given[name] is not None else former[name]
        fallback = base + place if base is not None else 0 if free else None
        ports[f"{name}_port"] = named if named is not None else fallback
    return ports


@nouns.command("run", help=hint("에뮬레이터를 띄우고 주소를 JSON 한 줄로 알립니다.", "Serve; a JSON line tells where."))
def run(
    rest_real: Annotated[
        int | None, _port("rest-real", "실전 REST 포트, 0 은 빈 포트", "real REST; 0: a free one")
    ] = None,
    rest_mock: Annotated[int | None, _port("rest-mock", "모의 REST 포트", "mock REST")] = None,
    ws_real: Annotated[int | None, _port("ws-real", "실전 웹소켓 포트", "real WebSocket")] = None,
    ws_mock: Annotated[int | None, _port("ws-mock", "모의 웹소켓 포트", "mock WebSocket")] = None,
    control: Annotated[int | None, _port("control", "제어 포트", "control")] = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_LONGEST_PORT - len(_PORTS) + 1,
            metavar="PORT",
            help=hint("다섯 포트를 여기부터 차례로", "all five ports from here on"),
        ),
    ] = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help=hint("모든 포트를 빈 것으로", "free ports everywhere"))
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, help=hint("가상 시장의 씨앗", "seed of the market"))] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.0, max=MOST_SPEED, help=hint("시장 초/실제 초; 0 은 멈춤", "seconds per second; 0 stands")),
    ] = None,
    clock: Annotated[
        str | None, typer.Option(metavar="START", help=hint("시작 시각 (KST)", "clock at the start (KST)"))
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="DIR", help=hint("이 레이크의 봉을 재생", "replay the bars of a lake"))
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help=hint("장애 스크립트 (TOML)", "script of faults (TOML)"))
    ] = None,
    trade_fields: Annotated[int | None, typer.Option(min=46, max=47, help="46 | 47")] = None,
    notice_fields: Annotated[int | None, typer.Option(help="23 | 26")] = None,
    mock_trade_fields: Annotated[
        int | None, typer.Option(min=46, max=47, help=hint("모의만 다르게", "where the mock differs"))
    ] = None,
    mock_notice_fields: Annotated[
        int | None, typer.Option(help=hint("모의만 다르게", "where the mock differs"))
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help=hint("허용할 앱 키 JSON", "JSON of allowed app keys"))
    ] = None,
    tls: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=hint("REST 를 HTTPS 로; 인증서를 여기에", "REST over HTTPS; certificates here")
        ),
    ] = None,
    listed: Annotated[
        int | None, typer.Option(min=120, max=MOST_LISTED, help=hint("상장 종목 수", "names on the list"))
    ] = None,
    history: Annotated[int | None, typer.Option(min=30, help=hint("과거 거래일 수", "sessions of history"))] = None,
    sessions: Annotated[int | None, typer.Option(min=1, help=hint("열 수 있는 거래일 수", "live sessions"))] = None,
    first_day: Annotated[str | None, typer.Option(help=hint("첫 거래일", "first live session"))] = None,
    cash: Annotated[
        int | None, typer.Option(min=0, help=hint("새 계좌의 현금 (원)", "cash of an account, won"))
    ] = None,
    rest_real_port: Annotated[int | None, _former("rest-real-port")] = None,
    rest_mock_port: Annotated[int | None, _former("rest-mock-port")] = None,
    ws_real_port: Annotated[int | None, _former("ws-real-port")] = None,
    ws_mock_port: Annotated[int | None, _former("ws-mock-port")] = None,
    control_port: Annotated[int | None, _former("control-port")] = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help=hint("부모가 끝나면 끝냄", "end when the parent ends"))
    ] = False,
    token_clock: Annotated[
        TokenClock, typer.Option(help=hint("토큰 만료를 알리는 시계", "the clock that a token's expiry is told on"))
    ] = TokenClock.WALL,
    config: Config = None,
) -> None:
    """Serve until Ctrl-C (exit 130) or SIGTERM (exit 0)."""
    _refuse_fields("--notice-fields", notice_fields)
    _refuse_fields("--mock-notice-fields", mock_notice_fields)
    given = {"rest_real": rest_real, "rest_mock": rest_mock, "ws_real": ws_real, "ws_mock": ws_mock, "control": control}
    former = dict(zip(_PORTS, (rest_real_port, rest_mock_port, ws_real_port, ws_mock_port, control_port), strict=True))
    market = {
        "seed": seed,
        "listed": listed,
        "history_sessions": history,
        "live_sessions": sessions,
        "first_live_day": read_day(first_day, "--first-day"),
    }
    flags: dict[str, Any] = {
        **chosen_ports(port_base, given, former, free=free_ports),
        "start": None if clock is None else instant_of(clock),
        "speed": speed,
        "replay": replay,
        "faults": faults,
        "tls": tls,
        "initial_cash": cash,
        "keys_file": keys,
        "trade_fields": trade_fields,
        "notice_fields": notice_fields,
        "mock_trade_fields": mock_trade_fields,
        "mock_notice_fields": mock_notice_fields,
    }
    import asyncio

    from haetae.wiring.emulators import Ending, run_emulator

    settings = with_flags(read_settings(config).emulator, flags, market)
    on_wall = token_clock is TokenClock.WALL
    ending = asyncio.run(run_emulator(settings, _show, with_parent=with_parent, wall_tokens=on_wall))
    if ending is Ending.INTERRUPTED:
        raise typer.Exit(INTERRUPTED_EXIT)


def _refuse_fields(option: str, value: int | None) -> None:
    if value not in (None, 23, 26):
        raise ConfigError(
            Text(ko="모르는 체결통보 형식입니다", en="unknown form of notices"),
            expected="23, 26",
            found=str(value),
            next_step=f"{option} 26",
        )
