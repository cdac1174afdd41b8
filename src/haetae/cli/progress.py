"""How far work is: a bar with the time left on a terminal, a line per tenth elsewhere, nothing for short work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console

from haetae.cli.text import say
from haetae.domain.errors import Text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Report: TypeAlias = Callable[[str | Text, int, int], None]
"""Called as ``(label, done, total)``; ``done == total`` ends the label's bar."""

PATIENCE_S = 2.0
"""Shorter work shows nothing: a bar that flashes by only disturbs."""


class Watcher:
    """Draws the newest report; ``seconds`` tells the time, so tests can drive it."""

    def __init__(self, console: Console, seconds: Callable[[], float]) -> None:
        """Draw on ``console`` after ``PATIENCE_S`` of ``seconds``."""
        self._console = console
        self._seconds = seconds
        self._label = ""
        self._began = 0.0
        self._tenth = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def report(self, label: str | Text, done: int, total: int) -> None:
        """Take one report; totals of zero are ignored."""
        if total <= 0:
            return
        name = say(label)
        if name != self._label:
            self.close()
            self._label, self._began, self._tenth = name, self._seconds(), 0
        if self._bar is None and self._seconds() - self._began < PATIENCE_S:
            return
        if self._console.is_terminal:
            self._draw(name, done, total)
        else:
            self._write(name, done, total)

    def _write(self, name: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > self._tenth:
            self._tenth = tenth
            self._console.print(f"{name} {done:,}/{total:,}", highlight=False)

    def _draw(self, name: str, done: int, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(name, total=total)
        assert self._task is not None
        self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._label = ""


@contextmanager
def watching() -> Iterator[Report]:
    """Give a report function that draws on stderr; stdout stays free for results."""
    from haetae.wiring.clocks import SystemClock

    watcher = Watcher(Console(stderr=True), SystemClock().monotonic)
    try:
        yield watcher.report
    finally:
        watcher.close()
