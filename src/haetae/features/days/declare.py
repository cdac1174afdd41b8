"""How a daily feature is declared, and the words its declaration uses."""

from __future__ import annotations

from typing import Final

from haetae.domain.learning import FeatureSpec

CLOSE: Final = "session close"
"""Known when the session has closed (15:30 KST)."""

PUBLISHED: Final = "flows published"
"""Known in the evening of the day, when the broker gives the day's final net purchases."""

FILLED: Final = "nan until filled"


def spec(
    name: str, inputs: str, look_back: int, unit: str, *, known_at: str = CLOSE, missing: str = FILLED
) -> FeatureSpec:
    """Return the first version of a daily feature; ``inputs`` are words, ``look_back`` is in days."""
    return FeatureSpec(name, 1, tuple(inputs.split()), look_back, known_at, unit, missing)
