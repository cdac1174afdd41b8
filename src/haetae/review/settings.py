"""Settings of the review, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """How decisions are labelled and when a pattern becomes a candidate."""

    horizon_minutes: int = 60
    """An hour: the policies decide every few minutes, and most of a day still lies ahead of most decisions."""

    flat_bp: float = 5.0
    """Within 5 bp an outcome says nothing: it is less than a tick of most names."""

    round_trip_bp: float = 22.8
    """Cost of in and out for a leg that was not executed: 2 x 1.4 bp fee and 20 bp tax (2026)."""

    min_support: int = 8
    """Fewer cases are anecdotes. Promotion needs far more (60 events on 20 days); this is a candidate only."""

    min_gain_bp: float = 10.0
    """A lesson must have been worth two flat bands on average to be written down at all."""
