"""``haetae deploy push|activate|rollback|status``: releases on a host by SSH."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

if TYPE_CHECKING:
    from haetae.wiring.clouds import Host, Running

nouns = typer.Typer(no_args_is_help=True, help=hint("서버에 판 올리기 (SSH)", "Releases on a host (SSH)"))

Address: TypeAlias = Annotated[str, typer.Option("--host", help=hint("user@서버 또는 ssh 설정의 이름", "as for ssh"))]
Root: TypeAlias = Annotated[str, typer.Option(help=hint("서버의 폴더", "folder on the host"))]
Ssh: TypeAlias = Annotated[
    list[str] | None, typer.Option("--ssh", metavar="KEY=VALUE", help="ssh -o KEY=VALUE (Port, IdentityFile, …)")
]
Restart: TypeAlias = Annotated[str | None, typer.Option(help=hint("다시 켜는 명령", "command that restarts"))]
Health: TypeAlias = Annotated[str | None, typer.Option(help=hint("살아 있는지 묻는 명령", "command that asks"))]
Tries: TypeAlias = Annotated[int, typer.Option(min=1, help=hint("묻는 횟수 (3초마다)", "times to ask, every 3 s"))]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help=hint("장중에도", "even in market hours"))]


def _host(address: str, root: str, ssh: list[str] | None) -> Host:
    from haetae.wiring.clouds import Host

    return Host(address, root, tuple(word for each in ssh or () for word in ("-o", each)))


def _running(restart: str | None, health: str | None, tries: int) -> Running:
    from haetae.wiring.clouds import Running

    plain = Running(tries=tries)
    return dataclasses.replace(plain, restart=restart or plain.restart, health=health or plain.health)


def _allowed(force: bool) -> None:
    from haetae.wiring.clouds import refuse_market_hours

    if not force:
        refuse_market_hours()


@nouns.command("push", help=hint("마지막 커밋을 서버에 올립니다. 도는 것은 그대로.", "Bring the last commit there."))
def push(
    host: Address,
    root: Root = "/opt/haetae",
    ssh: Ssh = None,
    release: Annotated[str | None, typer.Option(help=hint("판 이름", "name of the release"))] = None,
    checkout: Annotated[Path | None, typer.Option(help=hint("체크아웃", "the checkout"))] = None,
    setup: Annotated[str | None, typer.Option(help=hint("환경을 만드는 명령", "command that prepares"))] = None,
) -> None:
    """Bring the last commit to the host; what runs there goes on running."""
    from haetae.wiring.clouds import CHECKOUT, archive

    version, packed = archive(checkout or CHECKOUT)
    version = release or version
    print(say(Text(ko=f"{version} 올리는 중 ({len(packed) >> 10:,} KiB)", en=f"pushing {version}")), flush=True)
    _host(host, root, ssh).push(version, packed, setup=setup or "-")
    print(say(Text(ko=f"다음: haetae deploy activate {version}", en=f"next: haetae deploy activate {version}")))


@nouns.command("activate", help=hint("그 판을 켭니다. 아프면 스스로 되돌립니다.", "Switch; unwell ones are undone."))
def activate(
    version: Annotated[str, typer.Argument(help=hint("판 이름", "name of the release"))],
    host: Address,
    root: Root = "/opt/haetae",
    ssh: Ssh = None,
    restart: Restart = None,
    health: Health = None,
    tries: Tries = 10,
    force: Force = False,
) -> None:
    """Make a release the one that runs."""
    _allowed(force)
    _host(host, root, ssh).activate(version, _running(restart, health, tries))
    print(say(Text(ko=f"{version} 이 돌고 있습니다", en=f"{version} runs")))


@nouns.command("rollback", help=hint("바로 전 판으로 되돌립니다.", "Go back to the release before."))
def rollback(
    host: Address,
    root: Root = "/opt/haetae",
    ssh: Ssh = None,
    restart: Restart = None,
    health: Health = None,
    tries: Tries = 10,
    force: Force = False,
) -> None:
    """Make the release that ran before the one that runs."""
    _allowed(force)
    there, running = _host(host, root, ssh), _running(restart, health, tries)
    there.rollback(running)
    now = there.status(running).current
    print(say(Text(ko=f"{now} 이 돌고 있습니다", en=f"{now} runs")))


@nouns.command("status", help=hint("서버에 무엇이 있고 무엇이 도는지 봅니다.", "Show what is there and what runs."))
def status(
    host: Address, root: Root = "/opt/haetae", ssh: Ssh = None, health: Health = None, json_file: JSON = None
) -> None:
    """Show the releases of a host, which one runs, how it is, and what happened last."""
    check_target(json_file)
    state = _host(host, root, ssh).status(_running(None, health, 1))
    for each in state.releases:
        mark = "→" if each == state.current else "←" if each == state.previous else " "
        print(f"{mark} {each}")
    print(f"{say(Text(ko='상태', en='health'))}: {state.health or '-'}")
    for line in state.log:
        print(f"  {line}")
    write_record(json_file, dataclasses.asdict(state))
