"""Daily features of each symbol from its bars, an index, flows and sectors; the columns the rankers learn from.

A fold over days (``SET``): batch and live are the same numbers, to the last bit, also from a saved state. Every value
of day ``t`` is known after its close, those of flows in the evening (``FeatureSpec.known_at``). Windows use at most
the last ``LOOK_BACK + 1`` rows and are summed anew each day, so the last row of a short panel equals the same row of
a long one to the last bit: the live side builds the newest row from a year of bars and gets the number research saw.
The averages of ``days.recursive`` alone remember the first bar (``windowed`` tells which).

Only ratios of prices are used: adjusted prices change level when a later split is applied, their returns do not. A
day without trade is a flat day with volume 0. NaN until a look-back is filled, and where an input is missing.

Here: the face. Not here: the families (``days``), ranks over all symbols and scaling (``ml``), the mood of the market
(``feargreed``).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from haetae.domain.learning import FeatureSpec
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.features import specs as specs_of
from haetae.features.days import fold, tape
from haetae.features.sets import FeatureSet, Float64Array, FloatArray, Flows, Grain, Inputs

LOOK_BACK: Final = tape.PAST
"""Days before the newest that the longest feature reads: a trading year."""

SPECS: Final[tuple[FeatureSpec, ...]] = fold.SPECS
NAMES: Final[tuple[str, ...]] = tuple(spec.name for spec in SPECS)

SET: Final = FeatureSet("daily", Grain.DAILY, SPECS, tape.start, fold.fold)


def specs() -> tuple[FeatureSpec, ...]:
    """Return the declarations in column order."""
    return SPECS


def feature_hash() -> str:
    """Return the hash of this feature set; models carry it and are refused where it differs."""
    return SET.hash


def windowed() -> tuple[str, ...]:
    """Return the features that bars older than their look-back do not move."""
    return tuple(spec.name for spec in SPECS if specs_of.windowed(spec))


def index_points(index_close: Int64Array | None) -> Float64Array | None:
    """Return index levels in points from closes x 100, NaN for a missing day (0); None stays None."""
    if index_close is None:
        return None
    points = index_close.astype(np.float64) / 100.0
    points[points <= 0.0] = np.nan
    return points


def index_return(panel: Panel, index_close: Int64Array | None) -> Float64Array:
    """Return the daily log return of the index on the panel's days; NaN where a close is missing, 0 on the first.

    ``index_close`` is ``(n_days,)`` points x 100 with 0 for a missing day, or None for the equal-weight
    market of the panel itself over the symbols that traded.
    """
    return fold.reference(Inputs(panel, index_close=index_points(index_close)))


def build(
    panel: Panel,
    index_close: Int64Array | None = None,
    *,
    flows: Flows | None = None,
    sectors: Int64Array | None = None,
) -> FloatArray:
    """Return daily features, ``(n_days, n_symbols, n_features)`` float32 in the order of ``NAMES``.

    Parameters
    ----------
    panel : Panel
        Daily bars, one row a trading day; prices may be adjusted.
    index_close : (n_days,) int64, points x 100, or None
        0 for a missing day, whose windows are NaN; None takes the equal-weight market of the panel itself.
    flows : Flows, optional
        Who bought; without them the features of flows are NaN.
    sectors : (n_symbols,) int64, optional
        Number of each symbol's sector, -1 where unknown; without them the ranks in the sector are NaN.
    """
    return SET.batch(Inputs(panel, index_close=index_points(index_close), flows=flows, sectors=sectors))
