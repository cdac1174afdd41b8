"""What the demo tells while it runs; faces draw it, tests record it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from haetae.domain.errors import Text


class Screen(Protocol):
    """Somebody who watches the demo."""

    def stage(self, number: int, total: int, title: Text) -> None:
        """A stage begins."""
        ...

    def progress(self, label: Text, done: int, total: int) -> None:
        """Work inside the stage moved on; ``done == total`` ends the bar."""
        ...

    def say(self, text: Text) -> None:
        """Something worth a line."""
        ...

    def table(self, title: Text, head: Sequence[Text], rows: Sequence[Sequence[str]]) -> None:
        """Figures side by side."""
        ...


class Silent:
    """Nobody watches."""

    def stage(self, number: int, total: int, title: Text) -> None:
        """Ignore."""

    def progress(self, label: Text, done: int, total: int) -> None:
        """Ignore."""

    def say(self, text: Text) -> None:
        """Ignore."""

    def table(self, title: Text, head: Sequence[Text], rows: Sequence[Sequence[str]]) -> None:
        """Ignore."""
