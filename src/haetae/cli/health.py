"""``haetae health``: may this process, image or release count as alive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say


def health(
    home: Annotated[Path | None, typer.Option(help=hint("자료 폴더", "data folder"))] = None,
    url: Annotated[str, typer.Option(help=hint("서비스 주소", "address of a service"))] = "",
    deep: Annotated[bool, typer.Option("--deep", help=hint("라이브러리까지", "the libraries too"))] = False,
    json_file: JSON = None,
) -> None:
    """Look at what must be right and exit with 1 where something is not."""
    check_target(json_file)
    from haetae.wiring.health import examine

    checks = examine(home, url, deep=deep)
    for check in checks:
        print(f"{'FAIL' if check.found else 'ok':<5} {say(check.what)}{f': {check.found}' if check.found else ''}")
    write_record(json_file, {check.name: check.found or "ok" for check in checks})
    if any(check.found for check in checks):
        raise typer.Exit(1)
