"""From ranks to members: former members inside the buffer first, then the best, no sector beyond its cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haetae.domain.learning import Exclusion
from haetae.domain.units import Symbol
from haetae.universe.settings import UniverseSettings


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen, in the order of choosing, and who was passed over because a sector was full."""

    chosen: tuple[Symbol, ...]
    crowded: tuple[Symbol, ...]


def choose(
    ranked: Sequence[Symbol], sectors: Mapping[Symbol, str], members: frozenset[Symbol], settings: UniverseSettings
) -> Choice:
    """Return the members; fewer than ``settings.size`` where the candidates do not suffice.

    A former member stays while it ranks within ``size + buffer``. A sector that is not known counts against no cap.
    """
    reach = settings.size + settings.buffer
    staying = [symbol for symbol in ranked[:reach] if symbol in members]
    stay = set(staying)
    chosen: list[Symbol] = []
    crowded: list[Symbol] = []
    counts: dict[str, int] = {}
    for symbol in staying + [symbol for symbol in ranked if symbol not in stay]:
        if len(chosen) == settings.size:
            break
        sector = sectors[symbol]
        if sector and counts.get(sector, 0) >= settings.sector_cap:
            crowded.append(symbol)
            continue
        counts[sector] = counts.get(sector, 0) + 1
        chosen.append(symbol)
    return Choice(tuple(chosen), tuple(crowded))


def passed_over(
    ranked: Sequence[Symbol],
    totals: Mapping[Symbol, float],
    sectors: Mapping[Symbol, str],
    choice: Choice,
    settings: UniverseSettings,
) -> list[Exclusion]:
    """Return why each candidate that was not chosen was not."""
    taken, full = set(choice.chosen), set(choice.crowded)
    found = []
    for place, symbol in enumerate(ranked, start=1):
        if symbol in full:
            detail = (
                f"place {place} of {len(ranked)}, but {settings.sector_cap} names of sector {sectors[symbol]} are in"
            )
            found.append(Exclusion(symbol, "sector.full", detail))
        elif symbol not in taken:
            detail = f"place {place} of {len(ranked)}, score {totals[symbol]:.3f}"
            found.append(Exclusion(symbol, "rank.below_cut", detail))
    return found
