"""``haetae serve``: the service and the dashboard over one folder; ``haetae token``: who may ask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import kst_text

if TYPE_CHECKING:
    from haetae.service.tokens import TokenBook

FOLDERS = (Path("data/paper"), Path("data/demo"))
JOURNAL = "journal.db"
Folder = Annotated[
    Path | None,
    typer.Option("--out", help=hint("데스크나 데모의 폴더 (data/paper, data/demo)", "folder of a desk or a demo")),
]
tokens = typer.Typer(
    no_args_is_help=True, help=hint("서비스 접속 토큰을 만들고 거둡니다.", "Make and revoke tokens of the service.")
)


class RoleName(StrEnum):
    """What a token may do."""

    VIEWER = "viewer"
    TRADER = "trader"
    ADMIN = "admin"


def folder_of(out: Path | None) -> Path:
    """Return the folder to show: the given one, or the first usual one that holds a journal."""
    tried = (out,) if out is not None else FOLDERS
    for path in tried:
        if (path / JOURNAL).is_file():
            return path
    raise ConfigError(
        Text(ko="보여 줄 일지가 없습니다", en="there is no journal to show"),
        expected=Text(ko=f"{JOURNAL} 이 든 폴더", en=f"a folder with {JOURNAL}"),
        found=", ".join(str(path) for path in tried),
        next_step=Text(ko="먼저 `haetae demo`, 또는 --out 으로 폴더", en="first `haetae demo`, or give --out"),
    )


def _book(folder: Path) -> TokenBook:
    from haetae.service.tokens import FILE, TokenBook
    from haetae.wiring.clocks import SystemClock

    return TokenBook(folder / FILE, SystemClock())


def serve(
    out: Folder = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help=hint("서비스 포트, 0은 아무거나", "port, 0 for any"))
    ] = 8710,
    dashboard_port: Annotated[
        int, typer.Option(min=1, max=65535, help=hint("대시보드 포트", "port of the dashboard"))
    ] = 8711,
    dashboard: Annotated[bool, typer.Option(help=hint("대시보드도 켭니다", "start the dashboard too"))] = True,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help=hint("주소와 토큰 (0600)", "addresses and token (0600)")),
    ] = None,
) -> None:
    """Serve one folder on loopback until interrupted; prints the addresses and a viewer's token."""
    show(folder_of(out), port=port, dashboard_port=dashboard_port if dashboard else 0, json_file=json_file)


def show(folder: Path, *, port: int, dashboard_port: int, json_file: Path | None) -> None:
    """Serve a folder; ``dashboard_port`` 0 starts no dashboard."""
    from haetae.service import serving
    from haetae.service.settings import ServiceSettings
    from haetae.service.tokens import Role
    from haetae.wiring.views.views import Views

    serving.require_libraries("fastapi", "uvicorn", *(("streamlit",) if dashboard_port else ()))
    settings = ServiceSettings(port=port)
    book = _book(folder)
    door = serving.listen(settings)
    secret, token = book.new(Role.VIEWER, label="haetae serve", days=settings.viewer_days)
    child: subprocess.Popen[bytes] | None = None
    signal.signal(signal.SIGTERM, _end)
    try:
        address = f"http://{settings.host}:{door.getsockname()[1]}"
        told = {"service": address, "token": secret, "folder": str(folder), "pid": os.getpid()}
        if dashboard_port:
            child = _dashboard(address, secret, dashboard_port)
            told["dashboard"] = f"http://127.0.0.1:{dashboard_port}"
        _tell(told, json_file)
        serving.run(Views(folder), book, settings, door)
    except KeyboardInterrupt:
        print(hint("껐습니다.", "Stopped."))
    finally:
        if child is not None:
            child.terminate()
            child.wait(timeout=10)
        door.close()
        book.revoke(token.token_id)


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _dashboard(address: str, secret: str, port: int) -> subprocess.Popen[bytes]:
    from haetae.wiring import dashboards

    environment = dashboards.environment(os.environ, service_url=address, token=secret)
    return subprocess.Popen(dashboards.command(port), env=environment, stdout=subprocess.DEVNULL)


def _tell(told: dict[str, Any], json_file: Path | None) -> None:
    if json_file is not None:
        json_file.unlink(missing_ok=True)
        handle = os.open(json_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file)
    if "dashboard" in told:
        print(f"{hint('대시보드', 'dashboard')}: {told['dashboard']}")
    print(f"{hint('서비스', 'service')}: {told['service']}/v1/health")
    print(f"{hint('보기 토큰 (하루)', 'viewer token (one day)')}: {told['token']}")
    print(
        hint(
            "명령은 `haetae token new --role trader` 토큰으로. 끝내기: Ctrl+C",
            "commands need a token of `haetae token new --role trader`. Stop with Ctrl+C",
        ),
        flush=True,
    )


@tokens.command(help=hint("토큰을 만들어 한 번만 보입니다.", "Make a token and show it once."))
def new(
    role: Annotated[RoleName, typer.Option(help=hint("권한", "what it may do"))] = RoleName.VIEWER,
    label: Annotated[str, typer.Option(help=hint("누구의 것인지", "whose it is"))] = "",
    days: Annotated[int, typer.Option(min=0, max=3650, help=hint("기한, 0은 없음", "days it lives, 0 for ever"))] = 30,
    out: Folder = None,
) -> None:
    """Make a token; only its hash is kept."""
    from haetae.service.tokens import Role

    secret, made = _book(folder_of(out)).new(Role[role.name], label=label[:60], days=days)
    until = kst_text(made.expires_at) if made.expires_at else "-"
    print(secret)
    print(
        say(
            Text(
                ko=f"{made.token_id} · {made.role} · {until} 까지. 다시 볼 수 없습니다.",
                en=f"{made.token_id} · {made.role} · until {until}. It is not shown again.",
            )
        ),
        file=sys.stderr,
    )


@tokens.command(name="list", help=hint("토큰 목록 (비밀 없이).", "List tokens, without secrets."))
def listing(out: Folder = None) -> None:
    """List the tokens of a folder."""
    for each in _book(folder_of(out)).tokens():
        until = kst_text(each.expires_at) if each.expires_at else "-"
        print(f"{each.token_id}  {each.role:<7}  {until}  {each.label}")


@tokens.command(help=hint("토큰을 거둡니다.", "Revoke a token."))
def revoke(token_id: str, out: Folder = None) -> None:
    """Forget one token at once."""
    _book(folder_of(out)).revoke(token_id)
    print(say(Text(ko=f"{token_id} 을(를) 거두었습니다.", en=f"{token_id} is revoked.")))
