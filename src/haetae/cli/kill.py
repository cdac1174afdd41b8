"""``haetae kill``: stop the desk, let it only reduce, or release it; works where the desk itself does not."""

from __future__ import annotations

import asyncio
import dataclasses
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.domain.events import OperatorState
    from haetae.wiring.killing import Outcome

DESK = Path("data/paper")
Desk = Annotated[Path, typer.Option("--out", help=hint("데스크 폴더", "folder of the desk"))]
_TOLD = {
    "halt": Text(ko="멈춤: 새 주문 없음, 미체결 취소", en="halt: nothing new goes out, open orders are cancelled"),
    "reduce_only": Text(ko="축소만: 매수 없음", en="reduce only: nothing is bought"),
    "active": Text(ko="해제: 거래합니다", en="released: the desk trades"),
}
"""By the value of ``domain.events.OperatorState``."""
_WORDS = {"해제", "release"}


def kill(
    halt: Annotated[bool, typer.Option("--halt", help=hint("모두 멈춤 (기본)", "stop everything; default"))] = False,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help=hint("줄이기만", "only reduce"))] = False,
    release: Annotated[bool, typer.Option("--release", help=hint("해제", "release"))] = False,
    yes_release: Annotated[
        list[str] | None,
        typer.Option(
            "--yes-release",
            metavar="NAME",
            help=hint(
                "묻지 않고 이 이름으로 해제; 실거래는 서로 다른 두 이름", "release under this name; live needs two"
            ),
        ),
    ] = None,
    direct: Annotated[
        bool, typer.Option("--direct", help=hint("증권사에서도 바로 취소", "cancel at the broker in any case"))
    ] = False,
    why: Annotated[str, typer.Option("--why", help=hint("이유", "the reason"))] = "",
    out: Desk = DESK,
    account: AccountFolder = ACCOUNT,
    json_file: JSON = None,
) -> None:
    """Write the order into the desk's folder; where no desk follows within a second, cancel at the broker."""
    check_target(json_file)
    state = _wanted(halt=halt, reduce_only=reduce_only, release=release)
    people = _people(state.value, yes_release or [], _needs_two(out))
    from haetae.wiring.killing import connection_of
    from haetae.wiring.killing import kill as press

    _need_folder(out)
    outcome = asyncio.run(
        press(
            out,
            state,
            people=people,
            why=why or f"haetae kill {state.value}",
            say=lambda text: print(say(text), flush=True),
            connection=connection_of(account, os.environ),
            direct=direct,
        )
    )
    code = _tell(outcome, out)
    write_record(json_file, {**dataclasses.asdict(outcome), "done": code == 0})
    if code:
        raise typer.Exit(code)


def _wanted(*, halt: bool, reduce_only: bool, release: bool) -> OperatorState:
    from haetae.domain.events import OperatorState

    asked = [
        (OperatorState.HALT, halt),
        (OperatorState.REDUCE_ONLY, reduce_only),
        (OperatorState.ACTIVE, release),
    ]
    wanted = [state for state, given in asked if given]
    if len(wanted) > 1:
        raise ConfigError(
            Text(ko="하나만 고르세요", en="choose one"),
            expected="--halt | --reduce-only | --release",
            found=", ".join(state.value for state in wanted),
            next_step="haetae kill --halt",
        )
    return wanted[0] if wanted else OperatorState.HALT


def _needs_two(out: Path) -> bool:
    """Whether the folder's desk trades real money."""
    from haetae.wiring.desk_folder import read_facts
    from haetae.wiring.heartbeat import read

    sign = read(out)
    return sign.live if sign is not None else read_facts(out).get("mode") == "live"


def _people(state: str, given: list[str], needs_two: bool) -> tuple[str, ...]:
    """Return under whose names the order is given; a release is confirmed a second time."""
    if state != "active":
        return (getpass.getuser(),)
    names = tuple(dict.fromkeys(name.strip() for name in given if name.strip()))
    if names:
        if needs_two and len({name.casefold() for name in names}) < 2:
            said = Text(
                ko=f"{names[0]}의 해제는 적혔습니다; 10분 안에 다른 사람이 한 번 더 해야 풀립니다",
                en=f"{names[0]} has released; another person must within ten minutes",
            )
            print(say(said))
        return names
    if sys.stdin.isatty() and input(say(Text(ko='풀려면 "해제"라고 적으세요: ', en='type "release": '))) in _WORDS:
        return (getpass.getuser(),)
    raise ConfigError(
        Text(ko="해제는 두 번 확인합니다", en="a release is confirmed twice"),
        expected=Text(ko='"해제" 라고 적거나 --yes-release 이름', en='the word "release", or --yes-release NAME'),
        found=Text(ko="확인 없음", en="no confirmation").en,
        next_step="haetae kill --release --yes-release NAME",
    )


def _need_folder(out: Path) -> None:
    if not out.is_dir():
        raise ConfigError(
            Text(ko=f"데스크 폴더가 없습니다: {out}", en=f"there is no desk folder {out}"),
            expected=Text(ko="`haetae trade` 가 쓰는 폴더", en="the folder `haetae trade` works in"),
            found=str(out),
            next_step=Text(ko="--out 으로 폴더를 주세요", en="give the folder with --out"),
        )


def _tell(outcome: Outcome, out: Path) -> int:
    """Print what came of it; returns the exit code: 0 in force, 1 something may still be open."""
    from haetae.wiring.heartbeat import FILE, read
    from haetae.wiring.operators import FILE as WISHES

    print(f"{say(_TOLD[outcome.state])} · {out / WISHES}")
    if outcome.taken_by:
        taken = outcome.taken_by
        print(say(Text(ko=f"데스크(프로세스 {taken})가 받았습니다", en=f"taken by the desk (process {taken})")))
        return 0
    nobody = Text(ko="도는 데스크가 없습니다; 다음 시작부터 따릅니다", en="no desk runs; the next start follows it")
    print(say(nobody))
    if outcome.state != "halt":
        return 0 if outcome.written else 1
    if outcome.asked_broker and not outcome.fault:
        done, left = len(outcome.cancelled), len(outcome.open_left)
        print(
            say(Text(ko=f"증권사에서 {done}건 취소, 남은 {left}건", en=f"{done} cancelled at the broker, {left} left"))
        )
        return 1 if left else 0
    print(say(Text(ko=f"증권사에서 취소하지 못했습니다: {outcome.fault}", en=f"not cancelled there: {outcome.fault}")))
    was_running = (out / FILE).exists() and read(out) is not None
    return 1 if was_running or outcome.asked_broker or not outcome.written else 0
