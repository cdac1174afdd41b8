"""The proofs pass what keeps its word and find each planted breach by the feature's name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from haetae.domain.learning import FeatureSpec
from haetae.features import catalogue, proofs
from haetae.features.proofs import Finding, Proof
from haetae.features.sets import FeatureSet, FloatArray, Grain, Inputs, State
from haetae.wiring.feature_markets import random_market


def _spec(name: str, look_back: int, *inputs: str) -> FeatureSpec:
    return FeatureSpec(name, 1, inputs or ("close",), look_back, "session close", "log return", "nan until filled")


def _planted(*specs: FeatureSpec, fold: object) -> FeatureSet:
    return FeatureSet("planted", Grain.DAILY, specs, lambda count: np.zeros((count, 6)), fold)  # type: ignore[arg-type]


def _closes(state: State, inputs: Inputs) -> tuple[State, np.ndarray]:
    """Return the state after the rows (the last five closes) and all closes with those before."""
    known = np.vstack([state[:, 1:].T, inputs.panel.close.astype(float)])
    after = state.copy()
    after[:, 1:] = known[-5:].T
    return after, known


def _returns(known: np.ndarray, rows: int, days: int) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.log(known[-rows:] / known[-rows - days : len(known) - days])
    return np.where(np.isfinite(moved), moved, np.nan).astype(np.float32)


def _honest(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    after, known = _closes(state, inputs)
    return after, _returns(known, len(inputs), 3)[:, :, None]


def _peeks(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    after, known = _closes(state, inputs)
    values = _returns(known, len(inputs), 3)
    return after, np.vstack([values[1:], values[-1:]])[:, :, None]


def _forgets_its_state(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    after, known = _closes(state, inputs)
    after[:, 1:4] = 0.0
    return after, _returns(known, len(inputs), 3)[:, :, None]


def _nothing(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    return state.copy(), np.full((*inputs.panel.close.shape, 1), np.nan, np.float32)


def _prove(feature_set: FeatureSet, *, complete: bool = True, bare: bool = False) -> tuple[Finding, ...]:
    dice = np.random.default_rng(5)
    market = random_market(feature_set, dice)
    if bare:
        market = dataclasses.replace(market, flows=None, sectors=None)
    return proofs.prove(feature_set, market, [20, 40], dice, forgets=feature_set.specs, complete=complete)


def test_what_keeps_its_word_passes() -> None:
    assert _prove(_planted(_spec("ret_3", 3), fold=_honest)) == ()


@pytest.mark.parametrize(
    ("look_back", "fold", "broken"),
    [
        (3, _peeks, Proof.LOOK_AHEAD),
        (3, _forgets_its_state, Proof.STEP),
        (5, _honest, Proof.UNFILLED),
        (2, _honest, Proof.FILLED),
        (2, _honest, Proof.OLDER),
        (3, _nothing, Proof.BLANK),
    ],
)
def test_a_planted_breach_is_found_by_name(look_back: int, fold: object, broken: Proof) -> None:
    found = _prove(_planted(_spec("planted", look_back), fold=fold))
    assert broken in {each.proof for each in found}
    assert {each.feature for each in found} == {"planted"}
    assert not any(each.excused for each in found)


def test_a_column_without_its_input_is_told_and_excused() -> None:
    lacks = _planted(_spec("from_flows", 3, "foreign_won"), fold=_nothing)
    (found,) = _prove(lacks, complete=False, bare=True)
    assert (found.proof, found.excused) == (Proof.BLANK, True)


@pytest.mark.parametrize("name", sorted(catalogue.SETS))
def test_every_set_of_the_catalogue_keeps_its_word(name: str) -> None:
    chosen, dice = catalogue.SETS[name], np.random.default_rng(11)
    market = random_market(chosen, dice)
    row = len(market) - 20
    assert proofs.prove(chosen, market, [row], dice, forgets=catalogue.forgets(chosen), complete=True) == ()
