"""From feature blocks to the rows a ranker sees: ranks within the day, among eligible symbols.

By default every feature is replaced by its rank among the eligible symbols of the same day, from
-0.5 to 0.5 (ties share their mean rank, NaN stays NaN). So nothing is fitted, and one day says
nothing of another; scalers that are fitted are in ``transforms``. The label is always ranked.
``ranked_day`` is the same for the newest day alone: the live side and research share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.ml.labels import Labels

FloatArray = NDArray[np.float32]
InputsOf = Callable[[FloatArray, BoolArray], FloatArray]
"""``(n_symbols, n_features)`` features and ``(n_symbols,)`` eligibility to ``(n_eligible, n_features)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Eligible (day, symbol) pairs in order of day, then column.

    Attributes
    ----------
    bounds : (n_days + 1,) int64
        Samples ``bounds[t]:bounds[t + 1]`` belong to day ``t``.
    column : (n_samples,) int32
        Panel column of each sample.
    inputs : (n_samples, n_features) float32
        Ranks within the day.
    target : (n_samples,) float32
        Rank of the label within the day, NaN where there is no label.
    outcome : (n_samples,) float32
        The label itself: the forward return.
    """

    bounds: Int64Array
    column: NDArray[np.int32]
    inputs: FloatArray
    target: FloatArray
    outcome: FloatArray
    end_row: Int64Array
    n_symbols: int

    def of(self, rows: Int64Array) -> Int64Array:
        """Return the sample numbers of the given days, in their order."""
        parts = [np.arange(self.bounds[t], self.bounds[t + 1]) for t in rows]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def day_of(self, samples: Int64Array) -> Int64Array:
        """Return the day (row of the panel) of each sample number."""
        return np.searchsorted(self.bounds, samples, side="right") - 1

    def grid(self, values: FloatArray) -> FloatArray:
        """Return one value per sample as ``(n_days, n_symbols)`` with NaN elsewhere."""
        days = len(self.bounds) - 1
        block = np.full((days, self.n_symbols), np.nan, dtype=np.float32)
        row = np.repeat(np.arange(days), np.diff(self.bounds))
        block[row, self.column] = values
        return block


@njit(cache=True)
def rank_into(values: FloatArray, out: FloatArray) -> None:
    """Write ``ranks`` of the values into ``out``; for compiled callers."""
    count = 0
    for v in values:
        if not np.isnan(v):
            count += 1
    known = np.empty(count, dtype=np.int64)
    sample = np.empty(count, dtype=np.float32)
    k = 0
    for i in range(len(values)):
        out[i] = np.nan
        if not np.isnan(values[i]):
            known[k] = i
            sample[k] = values[i]
            k += 1
    if count == 0:
        return
    order = np.argsort(sample)
    first = 0
    while first < count:
        last = first
        while last + 1 < count and sample[order[last + 1]] == sample[order[first]]:
            last += 1
        middle = (first + last) / 2.0
        place = middle / (count - 1.0) - 0.5 if count > 1 else 0.0
        for j in range(first, last + 1):
            out[known[order[j]]] = place
        first = last + 1


def ranks(values: FloatArray) -> FloatArray:
    """Return ranks of one day's values from -0.5 to 0.5; ties share their mean, NaN stays NaN."""
    out = np.empty(len(values), dtype=np.float32)
    rank_into(np.ascontiguousarray(values, dtype=np.float32), out)
    return out


def ranked_day(features: FloatArray, eligible: BoolArray) -> FloatArray:
    """Return the inputs of one day: ``(n_eligible, n_features)`` float32, in column order.

    Parameters
    ----------
    features : (n_symbols, n_features) float32
    eligible : (n_symbols,) bool
    """
    chosen = features[eligible]
    inputs = np.empty(chosen.shape, dtype=np.float32)
    for f in range(chosen.shape[1]):
        inputs[:, f] = ranks(chosen[:, f])
    return inputs


def build(features: FloatArray, eligible: BoolArray, labels: Labels, inputs_of: InputsOf = ranked_day) -> Samples:
    """Return the samples of a block of days.

    Parameters
    ----------
    features : (n_days, n_symbols, n_features) float32
    eligible : (n_days, n_symbols) bool
        Who takes part in each day's ranking; must be known after the close of the day.
    inputs_of : callable
        Features and eligibility of one day to its inputs; ranks of the day, or a fitted transform.
    """
    days, n_symbols, width = features.shape
    counts = eligible.sum(axis=1)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    inputs = np.empty((int(bounds[-1]), width), dtype=np.float32)
    target = np.empty(int(bounds[-1]), dtype=np.float32)
    outcome = np.empty(int(bounds[-1]), dtype=np.float32)
    column = np.empty(int(bounds[-1]), dtype=np.int32)
    for t in range(days):
        part = slice(int(bounds[t]), int(bounds[t + 1]))
        inputs[part] = inputs_of(features[t], eligible[t])
        outcome[part] = labels.values[t][eligible[t]]
        target[part] = ranks(outcome[part])
        column[part] = np.flatnonzero(eligible[t])
    return Samples(bounds, column, inputs, target, outcome, labels.end_row, n_symbols)
