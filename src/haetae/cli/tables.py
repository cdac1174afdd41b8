"""Figures side by side, the first column text and the others numbers; Korean letters count as two columns wide."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from haetae.cli.text import say
from haetae.domain.errors import Text

_PLAIN_WIDTH = 120
"""Columns where there is no terminal to ask: files and pipes do not wrap at 80."""


def print_table(title: Text, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout."""
    table = Table(title=say(title), title_justify="left", pad_edge=False)
    for place, name in enumerate(head):
        table.add_column(name, justify="left" if place == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(table)
