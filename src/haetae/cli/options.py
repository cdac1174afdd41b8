"""Options that mean the same in every verb."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from haetae.cli.text import hint

JSON: TypeAlias = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help=hint("같은 사실을 JSON 파일로", "the same facts as a JSON file")),
]
