"""Named points of dangerous sequences, passed by whoever walks them; a crash test ends the process at one."""

from __future__ import annotations

from collections.abc import Callable

Passing = Callable[[str], None]
"""Told the name of each dangerous point that is passed (``journal.before_commit``, ``order.after_send`` …).

The product passes one that does nothing; a crash test passes one that ends the process at a chosen point.
"""


def pass_by(point: str) -> None:
    """Pass a named point without doing anything: the product's own ``Passing``."""
