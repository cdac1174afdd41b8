"""``haetae doctor``: every condition of a trading day, one line each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say

DEMO = Path("data/demo")


def doctor(
    account: AccountFolder = ACCOUNT,
    desk: Annotated[
        Path, typer.Option("--out", help=hint("데스크 폴더 (레이크, 모델, 저널)", "desk folder: lake, models, journal"))
    ] = DEMO,
    json_file: JSON = None,
) -> None:
    """Check keys, hosts, clock, disk, lake, models, journal; a failing line is exit code 1."""
    check_target(json_file)
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.doctor import Level, examine

    lines = examine(account, desk, os.environ, SystemClock().now())
    for line in lines:
        print(f"{line.level.value:<5} {say(line.name)}: {say(line.found)}")
        if line.next_step is not None and line.level is not Level.OK:
            print(f"      → {say(line.next_step)}")
    write_record(json_file, {line.name.en: {"level": line.level.value, "found": say(line.found)} for line in lines})
    if any(line.level is Level.FAIL for line in lines):
        raise typer.Exit(1)
