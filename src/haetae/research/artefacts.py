"""What a study hands to the registry: each kind's newest models as one committee, with all that speaks for it.

The card carries the out-of-sample figures by the names that promotion reads, and what made the model: code, data,
trial, costs, scaler and the window of the test. Nothing is promoted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haetae.domain.learning import ModelCard
from haetae.domain.units import day_from
from haetae.ml import artefact, committee
from haetae.research import chapters
from haetae.research.code import code_hash
from haetae.research.market import DailyMarket
from haetae.research.settings import ResearchSettings
from haetae.research.tested import family

Packed = tuple[ModelCard, Mapping[str, bytes]]


def artefacts(
    files: Mapping[str, bytes],
    learned: Mapping[str, Any],
    cards: Mapping[str, Mapping[str, float]],
    market: DailyMarket,
    settings: ResearchSettings,
    first_row: int,
    trial: str,
) -> tuple[Packed, ...]:
    """Return one artefact a kind, the leading one first.

    Parameters
    ----------
    files : mapping
        Of the stage of models: ``model.<kind>.<seed>.<file>``.
    learned, cards : mapping
        Figures of that stage, and of each kind's portfolio.
    trial : str
        Names the study in the book of trials.
    """
    days = market.panel.days
    made = []
    for kind in settings.kinds:
        provenance = {
            "code": code_hash("models"),
            "data": market.digest,
            "trial": f"{trial}:{kind.value}",
            "costs": f"{settings.round_trip_bp:g} bp a round trip",
            "scaler": "rank within the day",
            "family": family(settings.horizon_sessions),
            "test_from": day_from(int(days[first_row])).isoformat(),
            "test_to": day_from(int(days[-1])).isoformat(),
        }
        figures = chapters.metrics(learned, kind.value) | dict(cards.get(kind.value, {}))
        made.append(committee.pack(_members(files, kind.value), metrics=figures, provenance=provenance))
    return tuple(made)


def _members(files: Mapping[str, bytes], kind: str) -> list[Packed]:
    """Return the models of a kind by seed."""
    seeds: dict[int, dict[str, bytes]] = {}
    for name, content in files.items():
        parts = name.split(".", 3)
        if parts[0] == "model" and parts[1] == kind:
            seeds.setdefault(int(parts[2]), {})[parts[3]] = content
    return [(artefact.card_of(packed), packed) for _, packed in sorted(seeds.items())]
