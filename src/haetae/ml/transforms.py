"""From the features of a day to what a ranker sees: ranks of the day, or values scaled as in training.

``DAY_RANKS`` (the default) fits nothing: one day says nothing of another. The other scalings take their
numbers from the training window alone and carry them as plain lists (``as_json``), so that the live side
applies exactly what was learnt with. Order: winsorise, fill what is missing, scale, take out the sector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.ml.samples import ranked_day

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_MAD_TO_DEVIATION: Final = 1.4826
"""Of a normal distribution: standard deviation over median absolute deviation."""
_KNOTS: Final = 201
"""Quantiles that carry a training distribution: every half per cent."""


class Scaling(Enum):
    """How values become comparable."""

    DAY_RANKS = "day-ranks"
    ROBUST_Z = "robust-z"
    RANK_GAUSS = "rank-gauss"
    WINSORISED = "winsorised"


class Missing(Enum):
    """What becomes of NaN: kept (trees have a branch for it), the training median, or the row left out."""

    KEEP = "keep"
    MEDIAN = "median"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class TransformSettings:
    """How inputs are prepared."""

    scaling: Scaling = Scaling.DAY_RANKS
    missing: Missing = Missing.KEEP
    winsor_share: float = 0.01
    """Share of the training values cut at each end; a capital reduction is no opinion. Not of ranks."""
    neutral_sectors: bool = False
    """Take each sector's mean of the day out, so that a score orders names and not sectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """A fitted transform; numbers per feature, ``knots`` ``(n_features, 201)``, all from the training window.

    ``absent`` are features whose inputs did not exist where it was fitted: NaN for everyone, whatever the policy.
    """

    settings: TransformSettings
    names: tuple[str, ...]
    low: Float64Array
    high: Float64Array
    centre: Float64Array
    spread: Float64Array
    knots: Float64Array
    absent: frozenset[str] = frozenset()

    def takes(self, features: FloatArray, eligible: BoolArray) -> BoolArray:
        """Return who has inputs: all eligible, or under ``DROP`` those without a missing feature.

        Shapes ``(..., n_symbols, n_features)`` and ``(..., n_symbols)``.
        """
        if self.settings.missing is not Missing.DROP:
            return eligible
        asked = [k for k, name in enumerate(self.names) if name not in self.absent]
        return np.asarray(eligible & np.isfinite(features[..., asked]).all(axis=-1), dtype=np.bool_)

    def day(self, features: FloatArray, eligible: BoolArray, sectors: Int64Array | None = None) -> FloatArray:
        """Return the inputs of one day, ``(n_eligible, n_features)`` float32 in column order.

        Parameters
        ----------
        features : (n_symbols, n_features) float32
        eligible : (n_symbols,) bool
            From ``takes``.
        sectors : (n_symbols,) int64, optional
            Sector numbers, -1 unknown (left as it is); needed if sectors are taken out.
        """
        values = self._scaled(features, eligible)
        if self.settings.neutral_sectors:
            if sectors is None:
                raise ConfigError(
                    Text(ko="업종을 알 수 없어 업종 중립을 할 수 없습니다", en="sectors are needed to take them out"),
                    expected="sectors of the symbols",
                    found="none",
                    next_step="haetae collect reference · neutral_sectors=False",
                )
            _take_out_sectors(values, sectors[eligible])
        return values.astype(np.float32)

    def _scaled(self, features: FloatArray, eligible: BoolArray) -> Float64Array:
        fill = self.settings.missing is Missing.MEDIAN
        if self.settings.scaling is Scaling.DAY_RANKS:
            ranked = ranked_day(features, eligible).astype(np.float64)
            return np.nan_to_num(ranked, nan=0.0) if fill else ranked
        values = np.clip(features[eligible].astype(np.float64), self.low, self.high)
        if fill:
            values = np.where(np.isnan(values), self.centre, values)
        if self.settings.scaling is Scaling.ROBUST_Z:
            return np.asarray((values - self.centre) / self.spread)
        if self.settings.scaling is Scaling.RANK_GAUSS:
            from scipy.special import ndtri  # only this scaling needs it, and every process would wait

            places = (np.arange(_KNOTS) + 0.5) / _KNOTS
            for f in range(values.shape[1]):
                known = np.isfinite(values[:, f])
                values[known, f] = ndtri(np.interp(values[known, f], self.knots[f], places))
        return values

    def as_json(self) -> dict[str, Any]:
        """Return the transform as plain values; ``from_json`` gives the same one to the last bit."""
        plain = {name: getattr(self, name).tolist() for name in ("low", "high", "centre", "spread", "knots")}
        told = {
            name: value.value if isinstance(value, Enum) else value for name, value in asdict(self.settings).items()
        }
        return {"settings": told, "names": list(self.names), "absent": sorted(self.absent), **plain}


def from_json(told: Mapping[str, Any]) -> Transform:
    """Return the transform of ``as_json``."""
    settings = TransformSettings(
        Scaling(told["settings"]["scaling"]),
        Missing(told["settings"]["missing"]),
        float(told["settings"]["winsor_share"]),
        bool(told["settings"]["neutral_sectors"]),
    )
    low, high, centre, spread = (np.array(told[name], np.float64) for name in ("low", "high", "centre", "spread"))
    knots = np.array(told["knots"], np.float64).reshape(len(low), _KNOTS if len(low) else 0)
    return Transform(settings, tuple(told["names"]), low, high, centre, spread, knots, frozenset(told["absent"]))


def fitted(
    values: FloatArray,
    names: Sequence[str],
    settings: TransformSettings | None = None,
    absent: frozenset[str] = frozenset(),
) -> Transform:
    """Return the transform of a training window.

    Parameters
    ----------
    values : (n_rows, n_features) float32
        The raw features of the eligible names of the training sessions, and of no other.
    absent : set of str
        Features whose inputs do not exist; they stay NaN and are not asked for.

    Raises
    ------
    DataError
        If another feature has no value at all in the window; it is named.
    """
    chosen = settings or TransformSettings()
    present = np.array([name not in absent for name in names])
    refuse_empty(values[:, present], [name for name in names if name not in absent])
    nothing = np.zeros(0, np.float64)
    if chosen.scaling is Scaling.DAY_RANKS:
        return Transform(chosen, tuple(names), nothing, nothing, nothing, nothing, nothing.reshape(0, 0), absent)
    known = np.where(present, values.astype(np.float64), 0.0)
    ends = np.nanquantile(known, [chosen.winsor_share, 1.0 - chosen.winsor_share], axis=0)
    cut = np.clip(known, ends[0], ends[1])
    centre = np.nanmedian(cut, axis=0)
    spread = _MAD_TO_DEVIATION * np.nanmedian(np.abs(cut - centre), axis=0)
    knots = np.nanquantile(cut, (np.arange(_KNOTS) + 0.5) / _KNOTS, axis=0).T
    # A feature that hardly varies keeps its distance from the centre as it is.
    return Transform(chosen, tuple(names), ends[0], ends[1], centre, np.where(spread > 0, spread, 1.0), knots, absent)


def refuse_empty(values: FloatArray, names: Sequence[str]) -> None:
    """Raise ``DataError`` naming the features that have no finite value in ``(n_rows, n_features)``."""
    empty = [names[f] for f in range(len(names)) if not np.isfinite(values[:, f]).any()]
    if empty:
        raise DataError(
            Text(
                ko=f"학습 구간에 값이 하나도 없는 특징: {', '.join(empty)}",
                en=f"features without a value in the training window: {', '.join(empty)}",
            ),
            expected=Text(ko="특징마다 유한한 값", en="a finite value of each feature"),
            found="NaN",
            next_step=Text(
                ko="학습 구간을 특징의 되돌아보기보다 길게 하거나 그 특징을 빼세요",
                en="begin the window later than the look-back of the feature, or leave the feature out",
            ),
        )


def _take_out_sectors(values: Float64Array, sectors: Int64Array) -> None:
    for sector in np.unique(sectors[sectors >= 0]):
        part = sectors == sector
        block = values[part]
        known = np.isfinite(block)
        counts = known.sum(axis=0)
        means = np.divide(np.where(known, block, 0.0).sum(axis=0), counts, out=np.zeros(len(counts)), where=counts > 0)
        values[part] = block - means
