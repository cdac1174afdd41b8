"""How good scores are, in every way the report shows: on the learned set and in the universe, raw and neutral.

Nothing is chosen by these figures. Not here: the measures (``ml.quality``), pictures of them (``pictures``).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.domain.panel import Panel
from haetae.ml import quality, quality_decay, quality_deciles, quality_groups
from haetae.ml.labels import forward_returns
from haetae.research.settings import ResearchSettings

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]
ROLLING = 63
"""Sessions of the rolling mean: a quarter."""
_EVERY = 5
"""Points of the rolling picture: one a week."""
_FEWEST_IN_SECTOR = 20
"""Names a sector needs on average to be shown: a rank correlation of fewer is mostly noise."""


@dataclass(frozen=True, eq=False)
class Judge:
    """Measures scores against what followed; rows before ``first_row`` are left out.

    Attributes
    ----------
    outcomes, low_volatility, size : (n_days, n_symbols) float32
        Forward returns of the horizon, the low-volatility score, and what thirds by size are taken by.
    everyone, universe : (n_days, n_symbols) bool
        The learned set, and its part that may be held.
    sectors : sequence of str
        Of each symbol, empty where unknown.
    """

    panel: Panel
    outcomes: FloatArray
    low_volatility: FloatArray
    size: FloatArray
    everyone: BoolArray
    universe: BoolArray
    sectors: tuple[str, ...]
    first_row: int
    settings: ResearchSettings

    def figures(self, scores: FloatArray) -> dict[str, Any]:
        """Return rank IC, by year too, and the spread of best and worst, as JSON values."""
        horizon = self.settings.horizon_sessions
        everyone, inside = self._among(scores, self.everyone), self._among(scores, self.universe)
        daily_all, neutral_all = self._daily(everyone)
        daily_inside, neutral_inside = self._daily(inside)
        years = self._days() // 10_000
        return {
            "all": quality.summary(daily_all, horizon, neutral_all).as_json(),
            "universe": quality.summary(daily_inside, horizon, neutral_inside).as_json(),
            "decile": self._spread(everyone, 0.1),
            "universe_fifth": self._spread(inside, 0.2),
            "years": {
                str(year): quality.summary(daily_all[years == year], horizon, neutral_all[years == year]).as_json()
                for year in np.unique(years)
            },
            "rolling": self._rolling(daily_all, neutral_all),
        }

    def control(self, scores: FloatArray) -> dict[str, Any]:
        """Return what is asked of a control: its rank IC and spread."""
        horizon, everyone = self.settings.horizon_sessions, self._among(scores, self.everyone)
        inside = self._among(scores, self.universe)
        return {
            "all": quality.rank_quality(everyone, self._outcomes(), horizon).as_json(),
            "universe": quality.rank_quality(inside, self._outcomes(), horizon).as_json(),
            "decile": self._spread(everyone, 0.1),
        }

    def closely(self, scores: FloatArray) -> dict[str, Any]:
        """Return what takes longer: tenths, decay over horizons, thirds by size, sectors, how the score changes."""
        horizon, everyone = self.settings.horizon_sessions, self._among(scores, self.everyone)
        outcomes, low = self._outcomes(), self.low_volatility[self.first_row :]
        spread = quality_deciles.spread_periods(
            everyone, outcomes, horizon, round_trip_bp=self.settings.round_trip_bp, share=0.1
        )
        groups = {"sizes": self._thirds, "sectors": self._sectors}
        return {
            "deciles": quality_deciles.decile_table(everyone, outcomes, horizon).as_json(),
            "decay": _told(quality_decay.ic_decay(everyone, self._horizons, low)),
            **{
                name: _told(quality_groups.by_group(everyone, outcomes, members, horizon, low))
                for name, members in groups.items()
            },
            "stability": quality_decay.stability(everyone, horizon).as_json(),
            "periods": {
                "days": self._days()[spread.rows].tolist(),
                "gross": np.cumsum(spread.long).round(5).tolist(),
                "net": np.cumsum(spread.long_net).round(5).tolist(),
                "turnover": spread.long_replaced.round(4).tolist(),
            },
        }

    def decay(self, scores: FloatArray) -> dict[str, Any]:
        """Return the rank IC over horizons alone."""
        return _told(quality_decay.ic_decay(self._among(scores, self.everyone), self._horizons))

    @functools.cached_property
    def _horizons(self) -> dict[int, FloatArray]:
        longest = len(self.panel) - self.first_row - 2
        return {
            horizon: forward_returns(self.panel, horizon).values[self.first_row :]
            for horizon in quality_decay.HORIZONS
            if horizon < longest
        }

    @functools.cached_property
    def _thirds(self) -> dict[str, BoolArray]:
        return quality_groups.size_thirds(self.size[self.first_row :], self.everyone[self.first_row :])

    @functools.cached_property
    def _sectors(self) -> dict[str, BoolArray]:
        taking_part = self.everyone[self.first_row :].mean(axis=0)
        groups = quality_groups.sector_groups(self.sectors)
        return {name: who for name, who in groups.items() if taking_part[who].sum() >= _FEWEST_IN_SECTOR}

    def _days(self) -> NDArray[np.int32]:
        return self.panel.days[self.first_row :]

    def _outcomes(self) -> FloatArray:
        return self.outcomes[self.first_row :]

    def _among(self, scores: FloatArray, who: BoolArray) -> FloatArray:
        return np.where(who[self.first_row :], scores[self.first_row :], np.float32(np.nan))

    def _daily(self, scores: FloatArray) -> tuple[Float64Array, Float64Array]:
        raw = quality.daily_ic(scores, self._outcomes())
        return raw, quality.daily_ic(scores, self._outcomes(), self.low_volatility[self.first_row :])

    def _rolling(self, raw: Float64Array, neutral: Float64Array) -> dict[str, list[Any]]:
        known = np.flatnonzero(np.isfinite(raw))
        window = min(ROLLING, max(len(known) // 2, 1))
        ends = list(range(window, len(known) + 1, _EVERY))
        told = {"days": self._days()[known[np.array(ends, dtype=np.int64) - 1]].tolist() if ends else []}
        for name, values in (("raw", raw[known]), ("neutral", np.nan_to_num(neutral[known]))):
            told[name] = [round(float(values[end - window : end].mean()), 5) for end in ends]
        return told

    def _spread(self, scores: FloatArray, share: float) -> dict[str, float | None]:
        spread = quality_deciles.decile_spread(
            scores,
            self._outcomes(),
            self.settings.horizon_sessions,
            round_trip_bp=self.settings.round_trip_bp,
            share=share,
        )
        return spread.as_json()


def _told(found: Mapping[Any, quality.RankQuality]) -> dict[str, Any]:
    return {str(name): one.as_json() for name, one in found.items()}


def best_of(found: Mapping[str, Mapping[str, Any]], part: str, name: str) -> float | None:
    """Return the largest of one figure over several scores, None where none has it."""
    known = [value for one in found.values() if (value := one[part][name]) is not None]
    return max(known) if known else None
