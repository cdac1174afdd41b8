import datetime as dt
import json

import numpy as np
import pytest

from haetae.domain.account import Book
from haetae.domain.decisions import View
from haetae.domain.errors import ModelError
from haetae.domain.units import instant_at
from haetae.policies import NetPolicy, RankPolicy
from haetae.policies.actions import ActionMap
from haetae.policies.artefact import MANIFEST_FILE, WEIGHTS_FILE, NetArtefact, from_files, to_files
from haetae.policies.network import forward, new_weights
from haetae.policies.observe import Scaler, observation_names
from haetae.portfolio import Constraints

NAMES = ("ret", "rsi", "vol")
DAY = dt.date(2026, 11, 18)


def _artefact(score_bias=3.0):
    inputs = len(observation_names(NAMES))
    weights = new_weights(inputs, 8, np.random.default_rng(1), score_bias=score_bias, log_std=-1.0)
    scaler = Scaler(np.zeros(3, np.float32), np.ones(3, np.float32))
    return NetArtefact(weights, scaler, NAMES, ActionMap(max_weight=0.2, turnover_cap=1.0), {"seed": 1})


def _view(names=NAMES, tradable=None, scores=(0, 0, 0)):
    symbols = ("000020", "005930", "035720")
    return View(
        at=instant_at(DAY, 93000),
        day=DAY,
        symbols=symbols,
        feature_names=names,
        features=np.random.default_rng(2).standard_normal((3, 3)).astype(np.float32),
        scores=np.array(scores, np.float32),
        last=np.array([1000, 70000, 50000]),
        held=np.array([0, 10, 0]),
        tradable=np.ones(3, bool) if tradable is None else np.array(tradable),
        cash=9_300_000,
        equity=10_000_000,
        fear_greed=50.0,
        book=Book(cash=9_300_000, deposits=10_000_000),
    )


def test_an_artefact_survives_its_files_bit_for_bit_and_the_bytes_repeat():
    artefact = _artefact()
    files = to_files(artefact)
    assert files == to_files(artefact)
    back = from_files(files, NAMES)
    assert all(back.weights[k].tobytes() == v.tobytes() for k, v in artefact.weights.items())
    assert back.limits == artefact.limits and back.provenance == {"seed": 1}


def test_a_proposal_repeats_and_leaves_out_what_cannot_be_traded():
    policy = NetPolicy.from_files(to_files(_artefact()))
    first, second = policy.propose(_view()), policy.propose(_view())
    assert first == second
    assert set(first.targets) == {"000020", "005930", "035720"}
    assert all(0 < w <= 0.2 for w in first.targets.values())
    assert "000020" not in policy.propose(_view(tradable=[False, True, True])).targets
    assert policy.policy_id.startswith("net-")


def test_the_rank_policy_holds_the_best_names_and_nothing_without_scores():
    limits = Constraints(names=1, keep_rank=1, max_weight=0.5, turnover_cap=2.0)
    policy = RankPolicy(limits, "lightgbm")
    assert policy.propose(_view()).targets == {}
    proposal = policy.propose(_view(scores=(0.1, -0.2, 0.9)))
    assert proposal.policy_id == "rank:lightgbm"
    assert proposal.targets == {"005930": 0.0, "035720": 0.5}
    assert "035720" not in policy.propose(_view(scores=(0.1, -0.2, 0.9), tradable=[True, True, False])).targets


def test_a_net_refuses_features_it_was_not_trained_on():
    policy = NetPolicy.from_files(to_files(_artefact()))
    with pytest.raises(ModelError):
        policy.propose(_view(names=("ret", "vol", "rsi")))
    with pytest.raises(ModelError):
        NetPolicy.from_files(to_files(_artefact()), expected_features=("ret",))


def test_changed_weights_or_versions_are_refused():
    files = to_files(_artefact())
    with pytest.raises(ModelError):
        from_files(files | {WEIGHTS_FILE: files[WEIGHTS_FILE][:-1] + b"x"})
    manifest = json.loads(files[MANIFEST_FILE])
    for key, value in (("observation_version", 99), ("action_version", 99), ("feature_hash", "0"), ("format", "x")):
        with pytest.raises(ModelError):
            from_files(files | {MANIFEST_FILE: json.dumps(manifest | {key: value}).encode()})
    with pytest.raises(ModelError):
        from_files({MANIFEST_FILE: files[MANIFEST_FILE]})


def test_the_net_does_not_care_about_the_order_of_symbols():
    weights = {k: v.astype(np.float64) for k, v in _artefact().weights.items()}
    rows = np.random.default_rng(4).standard_normal((2, 6, len(observation_names(NAMES))))
    order = np.random.default_rng(5).permutation(6)
    straight, mixed = forward(weights, rows), forward(weights, rows[:, order])
    assert np.allclose(straight.scores[:, order], mixed.scores)
    assert np.allclose(straight.values[:, order], mixed.values)
