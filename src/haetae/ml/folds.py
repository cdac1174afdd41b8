"""Walk-forward folds, purged by when labels end and separated by an embargo.

The law: a model that predicts the row ``t`` was fitted on labels that were all known at least
``embargo_rows`` before the first test row of its fold. Training rows always lie before test rows;
test windows tile the rows from the first test row on, each row once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.domain.market import Int64Array
from haetae.ml.settings import WalkForwardSettings


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows to fit on (ascending) and the window ``first_test <= row < last_test`` to predict."""

    train: Int64Array
    first_test: int
    last_test: int


def walk_forward(end_row: Int64Array, first_test: int, settings: WalkForwardSettings) -> tuple[Fold, ...]:
    """Return the folds from ``first_test`` to the last row.

    Parameters
    ----------
    end_row : (n_days,) int64
        Row on which the label of each day is known (``Labels.end_row``); any values are allowed.
    first_test : int
        Row of the first prediction.

    Folds with fewer than ``min_train_rows`` usable training rows are left out, so the first
    prediction may come later than asked for.
    """
    days = len(end_row)
    rows = np.arange(days, dtype=np.int64)
    folds = []
    for start in range(first_test, days, settings.test_rows):
        known = (rows < start) & (end_row + settings.embargo_rows <= start)
        train = rows[known & (rows >= start - settings.train_rows)]
        if len(train) >= settings.min_train_rows:
            folds.append(Fold(train, start, min(start + settings.test_rows, days)))
    return tuple(folds)
