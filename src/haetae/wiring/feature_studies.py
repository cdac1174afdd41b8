"""Feature sets judged: proven on a market, and compared between two windows of a lake.

Here: what ``haetae features check`` and ``features drift`` do. Not here: the proofs and measures themselves
(``features.proofs``, ``features.drift``), the markets (``feature_markets``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.units import day_from, yyyymmdd
from haetae.features.catalogue import forgets
from haetae.features.drift import Drift, drift
from haetae.features.proofs import Finding, Proof, prove
from haetae.features.refusals import refuse_duplicates, refuse_short_history
from haetae.features.sets import FeatureSet, FloatArray, Grain
from haetae.store.lake import Lake
from haetae.wiring.dice import rng
from haetae.wiring.feature_markets import random_market, sampled
from haetae.wiring.feature_rows import rows_of

Told = Callable[[Text, int, int], None]

_DAYS_PER_WINDOW = 250
"""Of a longer window so many days are taken, evenly: a year of days tells a distribution, and memory stays flat."""
_ROWS_PER_DAY = 8
"""Of the minutes of a day so many, evenly: neighbours hardly differ."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What the proofs found on a set, and on what they were made."""

    feature_set: FeatureSet
    rows: int
    symbols: int
    first_day: dt.date
    last_day: dt.date
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that no missing input excuses."""
        return tuple(each for each in self.findings if not each.excused)

    def failed(self, proof: Proof) -> tuple[Finding, ...]:
        """Return what one proof found."""
        return tuple(each for each in self.findings if each.proof is proof)


def prove_set(
    feature_set: FeatureSet,
    lake: Lake | None,
    *,
    seed: int,
    places: int,
    names: int,
    until: dt.date | None = None,
    told: Told | None = None,
) -> Proven:
    """Prove a set on the newest rows of some names of a lake, or on random bars where there is none.

    ``places`` is the number of rows at which future and past are replaced.
    """
    dice = rng(seed, f"features {feature_set.name}")
    if lake is None:
        inputs = random_market(feature_set, dice)
    else:
        inputs = sampled(lake, feature_set, dice, names=names, until=until)
    refuse_duplicates(inputs.panel)
    refuse_short_history(feature_set, len(inputs))
    first = min(feature_set.look_back + 1, len(inputs) - 2)
    rows = np.unique(np.linspace(first, len(inputs) - 2, places).astype(int)).tolist()
    label = Text(ko=f"증명 {feature_set.name}", en=f"proving {feature_set.name}")
    findings = prove(
        feature_set,
        inputs,
        rows,
        dice,
        forgets=forgets(feature_set),
        complete=lake is None,
        told=None if told is None else lambda done, total: told(label, done, total),
    )
    days = inputs.panel.days
    first_day, last_day = day_from(int(days[0])), day_from(int(days[-1]))
    return Proven(feature_set, len(inputs), len(inputs.panel.symbols), first_day, last_day, findings)


def drift_of(
    lake: Lake,
    feature_set: FeatureSet,
    reference: tuple[dt.date, dt.date],
    recent: tuple[dt.date, dt.date],
    *,
    told: Told | None = None,
) -> tuple[Drift, ...]:
    """Return the drift of each feature between two windows of a lake, worst first.

    The set is folded from the first bar, so that the values of a window are those that research and trading saw.
    """
    if reference[1] >= recent[0]:
        raise ConfigError(
            Text(
                ko="기준 구간이 최근 구간보다 앞서야 합니다", en="the reference window must end before the recent one"
            ),
            expected="--reference A:B --recent C:D, B < C",
            found=f"{reference[0]}:{reference[1]} · {recent[0]}:{recent[1]}",
            next_step="--reference 2021-01-01:2021-12-31 --recent 2022-01-01:2022-03-31",
        )
    rows = rows_of(lake, feature_set.grain, recent[1])
    refuse_short_history(feature_set, rows.count)
    state = feature_set.start(len(rows.symbols))
    windows: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    label = Text(ko=f"변화 {feature_set.name}", en=f"drift of {feature_set.name}")
    for done, inputs in enumerate(rows.inputs(), start=1):
        refuse_duplicates(inputs.panel)
        state, values = feature_set.fold(state, inputs)
        for kept, (first, last) in zip(windows, (reference, recent), strict=True):
            inside = (inputs.panel.days >= yyyymmdd(first)) & (inputs.panel.days <= yyyymmdd(last))
            kept.append(values[_thinned(np.flatnonzero(inside), feature_set.grain)])
        if told:
            told(label, done, len(rows.chunks))
    before, now = (_even(kept, feature_set.grain) for kept in windows)
    for block, (first, last) in ((before, reference), (now, recent)):
        if not len(block):
            raise DataError(
                Text(ko="그 구간에 봉이 없습니다", en="there are no bars in that window"),
                expected=f"{rows.chunks[0][0]} ~ {rows.chunks[-1][1]}",
                found=f"{first}:{last}",
                next_step=f"haetae lake show --lake {lake.address}",
            )
    return drift(feature_set.specs, before, now)


def _thinned(rows: np.ndarray, grain: Grain) -> np.ndarray:
    return rows if grain is Grain.DAILY else rows[:: max(381 // _ROWS_PER_DAY, 1)]


def _even(kept: Sequence[FloatArray], grain: Grain) -> FloatArray:
    whole = np.concatenate(list(kept))
    most = _DAYS_PER_WINDOW * (1 if grain is Grain.DAILY else _ROWS_PER_DAY)
    return whole if len(whole) <= most else whole[np.linspace(0, len(whole) - 1, most).astype(int)]


def window(text: str, option: str) -> tuple[dt.date, dt.date]:
    """Return the days that ``A:B`` names, both included; anything else is a ``ConfigError``."""
    first, colon, last = text.partition(":")
    try:
        days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    except ValueError:
        days = None
    if not colon or days is None or days[0] > days[1]:
        raise ConfigError(
            Text(ko="구간을 읽을 수 없습니다", en="a window cannot be read"),
            expected="A:B (2022-01-01:2022-12-31)",
            found=text,
            next_step=f"{option} 2022-01-01:2022-12-31",
        )
    return days
