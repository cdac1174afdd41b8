"""Whether features of late look as they did: PSI and KS of each, between a reference window and a recent one.

PSI is the sum over ten bins (tenths of the reference) of (recent share - reference share) x log of their ratio; KS is
the largest distance of the two distribution functions. Cells of a day hang together and days do too, so p-values of
hundreds of thousands of cells say nothing: the verdict goes by size. A feature of the whole market has one value a
day; what chance alone gives so few values is allowed for.
Not here: drift of a model's scores (``ml``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.sets import FloatArray

BINS: Final = 10
PSI_WATCH: Final = 0.10
"""Below it a distribution counts as the same. Source: the convention of credit scoring (Siddiqi 2006)."""
PSI_SHIFTED: Final = 0.25
"""From here on it counts as another one; same source."""
KS_WATCH: Final = 0.10
KS_SHIFTED: Final = 0.20
"""A fifth of the cells lie elsewhere; a shift of half a standard deviation of a normal gives 0.197."""
MISSING_WATCH: Final = 0.10
"""A tenth of the cells lost or won their value: an input began or ended."""
_KS_LEVEL: Final = 1.63
"""KS of equal distributions exceeds 1.63 x sqrt(1/n + 1/m) once in a hundred. Source: Smirnov's limit law."""
_PRIOR: Final = 0.5
"""Added to the count of every bin (Jeffreys), so that an empty one has a logarithm and few days shout less."""
_MOST_CELLS: Final = 100_000
"""More change the third digit and cost time."""


class Verdict(Enum):
    """What to do about a feature."""

    SHIFTED = "shifted"
    WATCH = "watch"
    STABLE = "stable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a feature moved; ``chance`` is the PSI that equal distributions give on so few days."""

    feature: str
    psi: float
    chance: float
    ks: float
    missing_before: float
    missing_now: float
    verdict: Verdict


def drift(specs: Sequence[FeatureSpec], reference: FloatArray, recent: FloatArray) -> tuple[Drift, ...]:
    """Return the drift of every feature, worst first.

    Parameters
    ----------
    reference, recent : (n_days, n_symbols, n_features) float32
        Values of two windows; the order of the symbols does not matter.
    """
    found = [_of(spec.name, reference[:, :, k], recent[:, :, k]) for k, spec in enumerate(specs)]
    order = list(Verdict)
    return tuple(sorted(found, key=lambda each: (order.index(each.verdict), -each.psi, -each.ks, each.feature)))


def _of(name: str, reference: FloatArray, recent: FloatArray) -> Drift:
    lost, lost_now = float(np.isnan(reference).mean()), float(np.isnan(recent).mean())
    market = _same_for_all(reference) and _same_for_all(recent)
    before, now = (_cells(_one_a_day(block) if market else block) for block in (reference, recent))
    if not len(before) or not len(now):
        return Drift(name, np.nan, np.nan, np.nan, lost, lost_now, Verdict.UNKNOWN)
    each = 1.0 / len(before) + 1.0 / len(now) if market else 0.0
    chance, ks_chance = (BINS - 1) * each, _KS_LEVEL * np.sqrt(each)
    from scipy.stats import ks_2samp  # half a second that only this comparison needs

    psi, ks = _psi(before, now), float(ks_2samp(before, now, method="asymp").statistic)
    if psi - chance >= PSI_SHIFTED or ks >= max(KS_SHIFTED, ks_chance):
        verdict = Verdict.SHIFTED
    elif psi - chance >= PSI_WATCH or ks >= max(KS_WATCH, ks_chance) or abs(lost - lost_now) >= MISSING_WATCH:
        verdict = Verdict.WATCH
    else:
        verdict = Verdict.STABLE
    return Drift(name, psi, chance, ks, lost, lost_now, verdict)


def _one_a_day(block: FloatArray) -> FloatArray:
    return np.where(np.isnan(block).all(axis=1), np.nan, np.nanmax(block, axis=1, initial=-np.inf))


def _same_for_all(block: FloatArray) -> bool:
    """Tell a feature of the market: one value a day, so a window has as many samples as days."""
    spread = np.nanmax(block, axis=1, initial=-np.inf) - np.nanmin(block, axis=1, initial=np.inf)
    return bool((spread <= 0.0).all())


def _cells(block: FloatArray) -> NDArray[np.float64]:
    known = block[~np.isnan(block)].astype(np.float64)
    return known[:: max(len(known) // _MOST_CELLS, 1)]


def _psi(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    edges = np.unique(np.quantile(before, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    shares = []
    for cells in (before, now):
        counts = np.bincount(np.searchsorted(edges, cells, side="left"), minlength=len(edges) + 1)
        shares.append((counts + _PRIOR) / (len(cells) + _PRIOR * len(counts)))
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
