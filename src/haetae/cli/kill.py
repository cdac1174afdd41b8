"""``haetae kill``: stop the desk, let it only reduce, or release it."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

DESK = Path("data/paper")
Desk = Annotated[Path, typer.Option("--out", help=hint("데스크 폴더", "folder of the desk"))]
_TOLD = {
    "halt": Text(ko="멈춤: 새 주문 없음, 미체결 취소", en="halt: nothing new goes out, open orders are cancelled"),
    "reduce_only": Text(ko="축소만: 매수 없음", en="reduce only: nothing is bought"),
    "active": Text(ko="해제: 거래합니다", en="released: the desk trades"),
}
"""By the value of ``domain.events.OperatorState``."""


def kill(
    halt: Annotated[bool, typer.Option("--halt", help=hint("모두 멈춤 (기본)", "stop everything; default"))] = False,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help=hint("줄이기만", "only reduce"))] = False,
    release: Annotated[bool, typer.Option("--release", help=hint("해제", "release"))] = False,
    why: Annotated[str, typer.Option("--why", help=hint("이유", "the reason"))] = "",
    out: Desk = DESK,
) -> None:
    """Write the order into the desk's folder; a running desk follows within a second."""
    from haetae.domain.events import OperatorState
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.operators import FILE, give

    wanted = [
        state
        for state, given in (
            (OperatorState.HALT, halt),
            (OperatorState.REDUCE_ONLY, reduce_only),
            (OperatorState.ACTIVE, release),
        )
        if given
    ]
    if len(wanted) > 1:
        raise ConfigError(
            Text(ko="하나만 고르세요", en="choose one"),
            expected="--halt | --reduce-only | --release",
            found=", ".join(state.value for state in wanted),
            next_step="haetae kill --halt",
        )
    state = wanted[0] if wanted else OperatorState.HALT
    give(out, state, who=getpass.getuser(), why=why or f"haetae kill {state.value}", clock=SystemClock())
    print(f"{say(_TOLD[state.value])} · {out / FILE}")
