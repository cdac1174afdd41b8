"""``haetae emulator run``: a KIS-shaped server on loopback, for this desk or for any other client."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.faults import INTERRUPTED_EXIT
from haetae.cli.options import Config, read_day, read_settings
from haetae.cli.text import hint
from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Instant, instant_at

if TYPE_CHECKING:
    from haetae.emulator.settings import EmulatorSettings

nouns = typer.Typer(no_args_is_help=True, help=hint("KIS 에뮬레이터", "The KIS emulator"))

_LONGEST_PORT = 65_535
MOST_LISTED = 4_000
"""More than the exchange lists; a synthetic market of this size still fits in memory."""


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
    return instant_at(moment.date(), moment.hour * 10_000 + moment.minute * 100 + moment.second)


def with_flags(settings: EmulatorSettings, flags: Mapping[str, Any], market: Mapping[str, Any]) -> EmulatorSettings:
    """Return the settings with what was given on the command line; ``None`` was not given."""
    above = {name: value for name, value in market.items() if value is not None}
    given = {name: value for name, value in flags.items() if value is not None}
    return dataclasses.replace(settings, market=dataclasses.replace(settings.market, **above), **given)


def _show(ready: Mapping[str, object]) -> None:
    print(json.dumps(dict(ready)), flush=True)


Port = Annotated[int | None, typer.Option(min=0, max=_LONGEST_PORT, help=hint("0 은 빈 포트", "0 takes a free one"))]


@nouns.command("run", help=hint("에뮬레이터를 띄우고 주소를 JSON 한 줄로 알립니다.", "Serve; a JSON line tells where."))
def run(
    seed: Annotated[int | None, typer.Option(min=0, help=hint("가상 시장의 씨앗", "seed of the market"))] = None,
    listed: Annotated[
        int | None, typer.Option(min=120, max=MOST_LISTED, help=hint("상장 종목 수", "names on the list"))
    ] = None,
    history: Annotated[int | None, typer.Option(min=30, help=hint("과거 거래일 수", "sessions of history"))] = None,
    sessions: Annotated[int | None, typer.Option(min=1, help=hint("열 수 있는 거래일 수", "live sessions"))] = None,
    first_day: Annotated[str | None, typer.Option(help=hint("첫 거래일", "first live session"))] = None,
    clock: Annotated[str | None, typer.Option(help=hint("시작 시각 (KST)", "clock at the start (KST)"))] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.0, help=hint("시장 초/실제 초; 0 은 멈춤", "seconds per second; 0 stands"))
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help=hint("이 레이크의 일봉을 재생", "replay the bars of a lake"))
    ] = None,
    cash: Annotated[
        int | None, typer.Option(min=0, help=hint("새 계좌의 현금 (원)", "cash of an account, won"))
    ] = None,
    keys: Annotated[Path | None, typer.Option(help=hint("허용할 앱 키 JSON", "JSON of allowed app keys"))] = None,
    trade_fields: Annotated[int | None, typer.Option(min=46, max=47, help="46 | 47")] = None,
    notice_fields: Annotated[int | None, typer.Option(help="23 | 26")] = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help=hint("모든 포트를 빈 것으로", "free ports everywhere"))
    ] = False,
    rest_real_port: Port = None,
    rest_mock_port: Port = None,
    ws_real_port: Port = None,
    ws_mock_port: Port = None,
    control_port: Port = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help=hint("부모가 끝나면 끝냄", "end when the parent ends"))
    ] = False,
    config: Config = None,
) -> None:
    """Serve until Ctrl-C (exit 130) or SIGTERM (exit 0)."""
    if notice_fields not in (None, 23, 26):
        raise ConfigError(
            Text(ko="모르는 체결통보 형식입니다", en="unknown form of notices"),
            expected="23, 26",
            found=str(notice_fields),
            next_step="--notice-fields 26",
        )
    ports: dict[str, int | None] = {
        "rest_real_port": rest_real_port,
        "rest_mock_port": rest_mock_port,
        "ws_real_port": ws_real_port,
        "ws_mock_port": ws_mock_port,
        "control_port": control_port,
    }
    if free_ports:
        ports = {name: 0 if port is None else port for name, port in ports.items()}
    market = {
        "seed": seed,
        "listed": listed,
        "history_sessions": history,
        "live_sessions": sessions,
        "first_live_day": read_day(first_day, "--first-day"),
    }
    flags: dict[str, Any] = {
        **ports,
        "start": None if clock is None else instant_of(clock),
        "speed": speed,
        "replay": replay,
        "initial_cash": cash,
        "keys_file": keys,
        "trade_fields": trade_fields,
        "notice_fields": notice_fields,
    }
    import asyncio

    from haetae.wiring.emulators import Ending, run_emulator

    settings = with_flags(read_settings(config).emulator, flags, market)
    if asyncio.run(run_emulator(settings, _show, with_parent=with_parent)) is Ending.INTERRUPTED:
        raise typer.Exit(INTERRUPTED_EXIT)
