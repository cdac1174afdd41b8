"""Names of models: when a returned name is the one that was asked for."""

from __future__ import annotations

import re

_SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})\Z")


def is_snapshot_of(name: str, asked: str) -> bool:
    """Whether ``name`` is ``asked`` itself or a dated snapshot of it (``gpt-4o-2024-08-06`` of ``gpt-4o``)."""
    return name == asked or (name.startswith(asked) and _SNAPSHOT.fullmatch(name[len(asked) :]) is not None)
