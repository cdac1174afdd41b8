"""Proofs that a feature set keeps its word: no look-ahead, batch is step, look-backs are true, every column has values.

Each proof changes what must not matter and compares bits; what it finds is a ``Finding``, none means proven on the
rows at hand. Dice come as an argument. Not here: refusals (``refusals``), which market is used (``wiring``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import Text
from haetae.domain.learning import FeatureSpec
from haetae.features.refusals import blank
from haetae.features.sets import FeatureSet, FloatArray, Flows, Inputs

STEPPED = 24
"""Rows that are folded one at a time; a fold that keeps too little shows in the first."""

BARS = frozenset({"open", "high", "low", "close", "volume", "start", "market", "index"})
"""Words of inputs that every lake has; a feature of others may be without values where the lake lacks their table."""


class Proof(Enum):
    """What is proven."""

    LOOK_AHEAD = "look-ahead"
    STEP = "batch is step"
    UNFILLED = "NaN until filled"
    FILLED = "a value once filled"
    OLDER = "older bars do not matter"
    BLANK = "has values"


@dataclass(frozen=True, slots=True)
class Finding:
    """A feature that failed a proof, and where; with ``excused`` it only lacks an input of the lake."""

    proof: Proof
    feature: str
    detail: Text
    excused: bool = False


def prove(
    feature_set: FeatureSet,
    inputs: Inputs,
    rows: Sequence[int],
    dice: np.random.Generator,
    *,
    forgets: Sequence[FeatureSpec],
    complete: bool,
    told: Callable[[int, int], None] | None = None,
) -> tuple[Finding, ...]:
    """Return every feature that failed a proof.

    Parameters
    ----------
    rows : sequence of int
        Rows at which the future, and the past beyond the look-backs, are replaced by other bars.
    forgets : sequence of FeatureSpec
        The features that bars older than their look-back must not move.
    complete : bool
        The inputs lack nothing, so each feature must have a value as soon as its look-back is filled.
    """
    values = feature_set.batch(inputs)
    findings = [*_blank(feature_set, inputs, values), *_unfilled(feature_set, inputs, values, complete=complete)]
    findings += _stepped(feature_set, inputs, values)
    for done, row in enumerate(rows, start=1):
        findings += _ahead(feature_set, inputs, values, row, dice)
        findings += _older(feature_set, inputs, values, row, dice, forgets)
        if told:
            told(done, len(rows))
    first = {(each.proof, each.feature): each for each in reversed(findings)}
    return tuple(first[key] for key in dict.fromkeys((each.proof, each.feature) for each in findings))


def other_bars(inputs: Inputs, first: int, last: int, dice: np.random.Generator) -> Inputs:
    """Return the inputs with every listed cell of the rows ``first <= row < last`` replaced by another trade."""
    panel = inputs.panel
    part = slice(first, last)
    shape = panel.close[part].shape
    listed = panel.close[part] > 0
    level = panel.close[part] * np.exp(dice.normal(0.0, 0.05, shape))
    close, opens = (np.maximum(np.round(level * np.exp(dice.normal(0.0, 0.02, shape))), 1.0) for _ in range(2))
    high = np.round(np.maximum(close, opens) * np.exp(np.abs(dice.normal(0.0, 0.01, shape))))
    low = np.maximum(np.round(np.minimum(close, opens) * np.exp(-np.abs(dice.normal(0.0, 0.01, shape)))), 1.0)
    volume = np.exp(dice.normal(8.0, 1.5, shape)) + 1.0
    blocks = {"open": opens, "high": high, "low": low, "close": close, "volume": volume}

    def put(name: str) -> NDArray[np.int64]:
        block = np.array(getattr(panel, name))
        block[part] = np.where(listed, blocks[name], block[part]).astype(np.int64)
        return block

    traded = np.array(panel.traded)
    traded[part] = listed
    changed = replace(
        panel,
        open=put("open"),
        high=put("high"),
        low=put("low"),
        close=put("close"),
        volume=put("volume"),
        traded=traded,
    )

    def stirred(block: NDArray[np.float64]) -> NDArray[np.float64]:
        changed = np.array(block)
        changed[part] *= np.exp(dice.normal(0.0, 0.05, changed[part].shape))
        return changed

    points, flows, book = inputs.index_close, inputs.flows, inputs.imbalance
    return replace(
        inputs,
        panel=changed,
        index_close=None if points is None else stirred(points),
        flows=flows and Flows(stirred(flows.foreign), stirred(flows.institution), stirred(flows.individual)),
        imbalance=None if book is None else stirred(book),
    )


def _moved(before: FloatArray, after: FloatArray) -> NDArray[np.bool_]:
    """Tell cell by cell whether the bits differ; NaN is one value."""
    return (before.view(np.uint32) != after.view(np.uint32)) & ~(np.isnan(before) & np.isnan(after))


def _at(proof: Proof, feature_set: FeatureSet, inputs: Inputs, wrong: NDArray[np.bool_], first: int) -> list[Finding]:
    """Return a finding for each column of ``(n_rows, n_symbols, n_features)`` in which something is wrong."""
    found = []
    for column in np.flatnonzero(wrong.any(axis=(0, 1))):
        row, symbol = (int(place[0]) for place in np.nonzero(wrong[:, :, column]))
        day, name = int(inputs.panel.days[first + row]), inputs.panel.symbols[symbol]
        said = Text(ko=f"{name} {day} (행 {first + row})", en=f"{name} {day} (row {first + row})")
        found.append(Finding(proof, feature_set.names[int(column)], said))
    return found


def _blank(feature_set: FeatureSet, inputs: Inputs, values: FloatArray) -> Iterator[Finding]:
    lacking = any(block is None for block in (inputs.index_close, inputs.flows, inputs.sectors, inputs.imbalance))
    for spec in blank(feature_set.specs, values):
        needs = sorted(set(spec.inputs) - BARS)
        said = Text(ko=f"모두 NaN (입력 {', '.join(spec.inputs)})", en=f"all NaN (inputs {', '.join(spec.inputs)})")
        yield Finding(Proof.BLANK, spec.name, said, excused=bool(lacking and needs))


def _unfilled(feature_set: FeatureSet, inputs: Inputs, values: FloatArray, *, complete: bool) -> list[Finding]:
    listed = inputs.panel.close[0] > 0
    found = []
    for column, spec in enumerate(feature_set.specs):
        early = ~np.isnan(values[: max(spec.look_back - 1, 0), listed, column])
        if early.any():
            row = int(np.flatnonzero(early.any(axis=1))[0])
            said = Text(
                ko=f"행 {row} 에 값, 되돌아보는 길이 {spec.look_back}",
                en=f"a value in row {row}, look-back {spec.look_back}",
            )
            found.append(Finding(Proof.UNFILLED, spec.name, said))
        filled = values[spec.look_back : spec.look_back + 1, listed, column]
        if complete and len(filled) and np.isnan(filled).all():
            said = Text(ko=f"행 {spec.look_back} 에 값 없음", en=f"no value in row {spec.look_back}")
            found.append(Finding(Proof.FILLED, spec.name, said))
    return found


def _stepped(feature_set: FeatureSet, inputs: Inputs, values: FloatArray) -> list[Finding]:
    first = max(len(inputs) - STEPPED, 0)
    state, _ = feature_set.fold(feature_set.start(len(inputs.panel.symbols)), inputs.rows(0, first))
    pieces = []
    for row in range(first, len(inputs)):
        kept = np.frombuffer(state.tobytes(), dtype=state.dtype).reshape(state.shape)  # as a restart reads it
        state, one = feature_set.step(kept, inputs.rows(row, row + 1))
        pieces.append(one)
    return _at(Proof.STEP, feature_set, inputs, _moved(values[first:], np.stack(pieces)), first)


def _ahead(
    feature_set: FeatureSet, inputs: Inputs, values: FloatArray, row: int, dice: np.random.Generator
) -> list[Finding]:
    changed = feature_set.batch(other_bars(inputs, row + 1, len(inputs), dice))
    return _at(Proof.LOOK_AHEAD, feature_set, inputs, _moved(values[: row + 1], changed[: row + 1]), 0)


def _older(
    feature_set: FeatureSet,
    inputs: Inputs,
    values: FloatArray,
    row: int,
    dice: np.random.Generator,
    forgets: Sequence[FeatureSpec],
) -> list[Finding]:
    found = []
    for look_back in sorted({spec.look_back for spec in forgets}):
        first = row - look_back
        if first <= 0:
            continue
        changed = feature_set.batch(other_bars(inputs.rows(0, row + 1), 0, first, dice))[row:]
        wrong = _moved(values[row : row + 1], changed)
        wrong[:, ~inputs.panel.traded[first]] = False  # a flat bar repeats a close that was changed
        mine = {spec.name for spec in forgets if spec.look_back == look_back}
        wrong[:, :, [name not in mine for name in feature_set.names]] = False
        found += _at(Proof.OLDER, feature_set, inputs, wrong, row)
    return found
