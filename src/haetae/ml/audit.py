"""Label leakage: what would make a figure out of sample a lie, looked for and refused by name.

Four ways: training rows whose labels reach into the test window; a feature that holds (part of) a label that is
not known yet; a label that is known earlier than it says; a feature that moves when the future does. The first
two look at what is learned from, the others make it again from bars changed after a day.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.ml.labels import Labels
from haetae.ml.samples import ranks

FloatArray = NDArray[np.float32]

ALIKE: Final = 0.9
"""Mean rank correlation with a label less than half known that only the label itself shows: the known half of a
five-day return explains a correlation of 0.71."""
TOO_GOOD: Final = 0.5
"""Mean rank correlation with a label wholly in the future; honest daily features stay below 0.1."""
_DAYS_SEEN: Final = 40


def check_overlap(train: Int64Array, test: Int64Array, end_row: Int64Array, embargo_rows: int = 0) -> None:
    """Refuse training rows that are test rows or whose labels, with the embargo, end after the first test row."""
    first = int(test.min())
    shared = np.intersect1d(train, test)
    late = train[(train < first) & (end_row[train] + embargo_rows > first)]
    if len(shared) or len(late):
        named = int(shared[0]) if len(shared) else int(late[0])
        raise _leakage(
            Text(
                ko=f"학습 행 {len(shared) + len(late)}개의 라벨이 시험 구간과 겹칩니다",
                en=f"the labels of {len(shared) + len(late)} training rows overlap the test window",
            ),
            f"labels that end by row {first - embargo_rows}",
            f"row {named} ends on row {int(end_row[named])}",
            Text(ko="splits.fixed_split 또는 folds.walk_forward로 나누세요", en="split by splits or folds"),
        )


def check_features(
    features: FloatArray, names: Sequence[str], labels: Labels, eligible: BoolArray, rows: Int64Array
) -> None:
    """Refuse a feature that is a label not yet known, of its own day or shifted.

    Parameters
    ----------
    features : (n_days, n_symbols, n_features) float32
    rows : (n,) int64
        Days to look at; a sample of ``_DAYS_SEEN`` spread over them is used.
    """
    seen = rows[np.unique(np.linspace(0, len(rows) - 1, num=min(_DAYS_SEEN, len(rows)), dtype=np.int64))]
    shifts = range(-(labels.horizon // 2), labels.horizon + 2)
    total = np.zeros((len(shifts), len(names)))
    counted = np.zeros(len(shifts))
    for t in seen.tolist():
        who = eligible[t]
        columns = _unit(np.stack([ranks(column) for column in features[t][who].T], axis=1))
        for k, shift in enumerate(shifts):
            if 0 <= t + shift < len(labels.values):
                target = _unit(ranks(labels.values[t + shift][who])[:, None])
                if target.any():
                    total[k] += target[:, 0] @ columns
                    counted[k] += 1
    alike = np.abs(np.divide(total, counted[:, None], out=np.zeros_like(total), where=counted[:, None] > 0))
    limits = np.array([TOO_GOOD if shift >= 0 else ALIKE for shift in shifts])
    beyond = np.where(alike > limits[:, None], alike, 0.0)
    place, worst = np.unravel_index(int(beyond.argmax()), alike.shape)
    if beyond[place, worst] > 0:
        name, shift = names[int(worst)], shifts[int(place)]
        raise _leakage(
            Text(
                ko=f"특징 {name}은 아직 알 수 없는 라벨입니다 (이동 {shift:+d})",
                en=f"feature {name} holds a label that is not known yet (shift {shift:+d})",
            ),
            f"mean rank correlation up to {limits[place]}",
            f"{alike[place, worst]:.3f}",
            Text(
                ko=f"{name}을 그날 장 마감까지의 봉으로만 만드세요",
                en=f"make {name} from bars up to the close of its day",
            ),
        )


def _unit(columns: NDArray[Any]) -> NDArray[np.float64]:
    # Ranks are centred already; what is missing stands in the middle and adds nothing.
    filled = np.nan_to_num(columns.astype(np.float64), nan=0.0)
    length = np.sqrt((filled**2).sum(axis=0))
    return np.divide(filled, length, out=np.zeros_like(filled), where=length > 0)


def changed_after(panel: Panel, row: int) -> Panel:
    """Return the panel with every bar after ``row`` changed: prices by two factors in turn, volumes, trading."""
    factor = np.where(np.arange(len(panel.symbols)) % 2 == 0, 2, 3)[None, :]
    late = (np.arange(len(panel)) > row)[:, None]

    def other(block: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(late, block * times, block)

    return dataclasses.replace(
        panel,
        open=other(panel.open, factor),
        high=other(panel.high, factor * 2),
        low=other(panel.low, factor),
        close=other(panel.close, factor + (np.arange(len(panel)) % 2)[:, None]),
        volume=other(panel.volume, factor * 5),
    )


def check_known_at(
    make: Callable[[Panel], NDArray[Any]],
    panel: Panel,
    known_row: Int64Array,
    rows: Sequence[int],
    names: Sequence[str],
) -> None:
    """Refuse what moves although it is said to be known: made again from bars changed after each of ``rows``.

    Parameters
    ----------
    make : callable
        Panel to ``(n_days, ...)`` values; the last axis has ``names``, or the values are one thing of one name.
    known_row : (n_days,) int64
        Row by which the values of each day are said to be known.
    """
    whole = make(panel)
    for row in rows:
        later = make(changed_after(panel, row))
        known = known_row <= row
        same = (whole[known] == later[known]) | (np.isnan(whole[known]) & np.isnan(later[known]))
        if same.all():
            continue
        day, *place = (int(each) for each in np.argwhere(~same)[0])
        name = names[place[-1]] if len(names) > 1 else names[0]
        at = int(np.flatnonzero(known)[day])
        raise _leakage(
            Text(
                ko=f"{name}이(가) {day_from(int(panel.days[at]))}에 이미 그 뒤의 봉을 알고 있습니다",
                en=f"{name} of {day_from(int(panel.days[at]))} already knows bars after it",
            ),
            f"values known by row {int(known_row[at])} that no later bar changes",
            f"changed by bars after row {row}",
            Text(ko=f"{name}을(를) 언제 아는지 바로잡으세요", en=f"mend when {name} is known"),
        )


def _leakage(what: Text, expected: str, found: str, next_step: Text) -> DataError:
    return DataError(
        Text(ko=f"라벨 누수: {what.ko}", en=f"label leakage: {what.en}"),
        expected=expected,
        found=found,
        next_step=next_step,
    )
