"""Everything that is said of one score on one window: the same figures for models, yardsticks and controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.ml import quality_decay, quality_deciles, quality_groups
from haetae.ml.costs import CostTable
from haetae.ml.labels import Labels, forward_returns
from haetae.ml.quality import Correlation, RankQuality, daily_ic, neutral_scores, rank_quality, summary

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_SESSIONS_APART: Final = (1, 5, 20)


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Measures scores on some rows against what followed.

    Attributes
    ----------
    low_volatility, size : (n_days, n_symbols) float32
        Known after the close; ``size`` cuts the thirds.
    who : (n_days, n_symbols) bool
        Names that take part.
    rows : (n,) int64
        Days that are judged.
    decay : mapping of sessions to outcomes
        From ``decay_outcomes``; empty to leave the decay out.
    """

    days: NDArray[np.int32]
    labels: Labels
    low_volatility: FloatArray
    size: FloatArray
    who: BoolArray
    rows: Int64Array
    costs: CostTable
    sectors: Sequence[str] = ()
    decay: Mapping[int, FloatArray] = field(default_factory=dict)

    def among(self, scores: FloatArray) -> FloatArray:
        """Return the scores of those who take part on the judged days, ``(n, n_symbols)``."""
        return np.where(self.who[self.rows], scores[self.rows], np.float32(np.nan))

    def daily(self, scores: FloatArray) -> Float64Array:
        """Return the rank IC of each judged day, ``(n,)``."""
        return daily_ic(self.among(scores), self.labels.values[self.rows])

    def quality(self, scores: FloatArray) -> RankQuality:
        """Return the rank IC, raw and neutral."""
        low = self.low_volatility[self.rows]
        return rank_quality(self.among(scores), self.labels.values[self.rows], self.labels.horizon, low)

    def periods(self, scores: FloatArray) -> quality_deciles.SpreadPeriods:
        """Return the holding periods of the decile spread."""
        return quality_deciles.spread_periods(
            self.among(scores), self.labels.values[self.rows], self.labels.horizon, round_trip_bp=self._cost()
        )

    def brief(self, scores: FloatArray) -> dict[str, Any]:
        """Return the figures that every score is given."""
        inside, outcomes = self.among(scores), self.labels.values[self.rows]
        low, horizon = self.low_volatility[self.rows], self.labels.horizon
        plain = summary(
            daily_ic(inside, outcomes, correlation=Correlation.PLAIN),
            horizon,
            daily_ic(inside, outcomes, low, correlation=Correlation.PLAIN),
        )
        cost = self._cost()
        left = neutral_scores(inside, low)
        return {
            "rank_ic": rank_quality(inside, outcomes, horizon, low).as_json(),
            "ic": plain.as_json(),
            "spread": quality_deciles.decile_spread(inside, outcomes, horizon, round_trip_bp=cost).as_json(),
            "spread_neutral": quality_deciles.decile_spread(left, outcomes, horizon, round_trip_bp=cost).as_json(),
        }

    def full(self, scores: FloatArray) -> dict[str, Any]:
        """Return ``brief`` with tenths, decay, stability, years, sectors and thirds by size, each neutral too."""
        inside, outcomes = self.among(scores), self.labels.values[self.rows]
        low, horizon = self.low_volatility[self.rows], self.labels.horizon
        left = neutral_scores(inside, low)
        thirds = quality_groups.size_thirds(self.size[self.rows], self.who[self.rows])
        groups = {"size": thirds, "sector": quality_groups.sector_groups(self.sectors) if self.sectors else {}}
        later = {h: values[self.rows] for h, values in self.decay.items()}
        return {
            **self.brief(scores),
            "deciles": quality_deciles.decile_table(inside, outcomes, horizon).as_json(),
            "deciles_neutral": quality_deciles.decile_table(left, outcomes, horizon).as_json(),
            "decay": {str(h): each.as_json() for h, each in quality_decay.ic_decay(inside, later, low).items()},
            "stability": [quality_decay.stability(inside, lag).as_json() for lag in _SESSIONS_APART],
            "stability_neutral": [quality_decay.stability(left, lag).as_json() for lag in _SESSIONS_APART],
            "year": _told(quality_groups.by_year(inside, outcomes, self.days[self.rows], horizon, low)),
            **{
                name: _told(quality_groups.by_group(inside, outcomes, found, horizon, low))
                for name, found in groups.items()
            },
        }

    def _cost(self) -> Float64Array:
        return self.costs.round_trip_bp(self.days[self.rows])


def _told(found: Mapping[str, RankQuality]) -> dict[str, Any]:
    return {name: each.as_json() for name, each in found.items()}


def decay_outcomes(panel: Panel) -> dict[int, FloatArray]:
    """Return the forward returns of every horizon of the decay."""
    return {horizon: forward_returns(panel, horizon).values for horizon in quality_decay.HORIZONS}
