"""Is a model still where it was trained: population stability of inputs and scores, and a rolling rank IC.

The population stability index compares shares of ten cells cut by the training window's own tenths; a cell of its
own holds what is missing. Usual readings: below 0.1 still, above 0.25 moved (Siddiqi, 2006).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

WATCH: Final = 0.1
MOVED: Final = 0.25
_CELLS: Final = 10
_LEAST_SHARE: Final = 1e-4
"""Empty cells count as one in ten thousand, so that the index stays finite."""
ROLLING: Final = 60
"""Sessions of the rolling rank IC: a quarter."""
ALARM_ERRORS: Final = 3.0
"""Standard errors below the validation mean at which the alarm sounds; about one false alarm in 700 quarters."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The training window's cuts and shares of each column; plain numbers that travel with a model."""

    names: tuple[str, ...]
    cuts: Float64Array
    shares: Float64Array

    def psi(self, values: FloatArray) -> dict[str, float]:
        """Return the index of each column of ``(n_rows, n_columns)`` new values; 0 is no change at all."""
        found = {}
        for f, name in enumerate(self.names):
            now = np.maximum(_shares(values[:, f], self.cuts[f]), _LEAST_SHARE)
            then = np.maximum(self.shares[f], _LEAST_SHARE)
            found[name] = float(((now - then) * np.log(now / then)).sum())
        return found

    def as_json(self) -> dict[str, Any]:
        """Return plain values; ``reference_from`` gives the same reference."""
        return {"names": list(self.names), "cuts": self.cuts.tolist(), "shares": self.shares.tolist()}


def reference(values: FloatArray, names: Sequence[str]) -> Reference:
    """Return the reference of ``(n_rows, n_columns)`` values of the training window."""
    inner = np.linspace(0.0, 1.0, _CELLS + 1)[1:-1]
    cuts = np.nanquantile(values.astype(np.float64), inner, axis=0).T
    return Reference(tuple(names), cuts, np.stack([_shares(values[:, f], cuts[f]) for f in range(values.shape[1])]))


def reference_from(told: Mapping[str, Any]) -> Reference:
    """Return the reference of ``as_json``."""
    return Reference(tuple(told["names"]), np.array(told["cuts"]), np.array(told["shares"]))


def _shares(values: NDArray[Any], cuts: Float64Array) -> Float64Array:
    cell = np.searchsorted(cuts, values.astype(np.float64), side="left")
    cell[~np.isfinite(values)] = len(cuts) + 1
    return np.bincount(cell, minlength=len(cuts) + 2) / max(len(values), 1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whether the rolling rank IC has left what validation promised.

    ``floor`` is the validation mean less ``ALARM_ERRORS`` errors of a mean over ``ROLLING`` sessions, widened by the
    overlap of the labels; ``first_row`` the first row at which the rolling mean was below it, -1 if never.
    """

    floor: float
    lowest: float
    newest: float
    first_row: int

    @property
    def sounds(self) -> bool:
        """Whether the alarm sounded at any row."""
        return self.first_row >= 0

    def as_json(self) -> dict[str, Any]:
        """Return plain values with NaN as null."""
        plain = {k: v if math.isfinite(v) else None for k, v in asdict(self).items()}
        return {**plain, "sounds": self.sounds}


def rolling_ic(daily: Float64Array, sessions: int = ROLLING) -> Float64Array:
    """Return the mean of the last ``sessions`` known values at each row; NaN until there are so many."""
    result = np.full(len(daily), np.nan)
    rows = np.flatnonzero(np.isfinite(daily))
    if len(rows) >= sessions:
        sums = np.cumsum(np.concatenate([[0.0], daily[rows]]))
        result[rows[sessions - 1 :]] = (sums[sessions:] - sums[:-sessions]) / sessions
    return result


def alarm(validation: Float64Array, daily: Float64Array, horizon: int, sessions: int = ROLLING) -> Alarm:
    """Return the alarm over daily rank ICs after the validation window.

    Parameters
    ----------
    validation, daily : (n_days,) float64
        Rank IC of each day, NaN where there is none.
    horizon : int
        Sessions of the label; neighbouring ICs share so many, which makes a rolling mean restless.
    """
    known = validation[np.isfinite(validation)]
    error = float(known.std()) * math.sqrt(horizon / sessions) if len(known) else math.nan
    floor = float(known.mean()) - ALARM_ERRORS * error if len(known) else math.nan
    rolled = rolling_ic(daily, sessions)
    seen = rolled[np.isfinite(rolled)]
    below = np.flatnonzero(rolled < floor)
    return Alarm(
        floor,
        float(seen.min()) if len(seen) else math.nan,
        float(seen[-1]) if len(seen) else math.nan,
        int(below[0]) if len(below) else -1,
    )
