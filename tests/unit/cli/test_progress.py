"""Progress: silent when short, lines off a terminal, a bar on one."""

from __future__ import annotations

import io

from rich.console import Console

from haetae.cli.progress import PATIENCE_S, Watcher


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def watcher(*, terminal: bool) -> tuple[Watcher, Seconds, io.StringIO]:
    out, seconds = io.StringIO(), Seconds()
    return Watcher(Console(file=out, force_terminal=terminal, width=80), seconds), seconds, out


def test_short_work_shows_nothing() -> None:
    watch, seconds, out = watcher(terminal=False)
    for done in range(1, 11):
        seconds.now += PATIENCE_S / 20
        watch.report("files", done, 10)
    assert out.getvalue() == ""


def test_long_work_off_a_terminal_is_a_line_per_tenth() -> None:
    watch, seconds, out = watcher(terminal=False)
    for done in range(1, 1001):
        seconds.now += 1.0
        watch.report("files", done, 1000)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1] == "files 1,000/1,000"


def test_a_terminal_gets_a_bar_that_leaves() -> None:
    watch, seconds, out = watcher(terminal=True)
    for done in (1, 5, 9):
        seconds.now += PATIENCE_S
        watch.report("files", done, 10)
    watch.close()
    assert "files" in out.getvalue()
    assert "9/10" in out.getvalue()


def test_nothing_to_do_is_not_an_error() -> None:
    watch, _, out = watcher(terminal=False)
    watch.report("files", 0, 0)
    assert out.getvalue() == ""
