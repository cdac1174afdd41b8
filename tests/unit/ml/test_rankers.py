"""Three libraries behind one face: they learn a planted signal, find none in noise, survive as text."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from catboost.utils import get_gpu_device_count

from haetae.domain.errors import ConfigError, ModelError
from haetae.ml import artefact, quality, rankers, trial, yardsticks
from haetae.ml import samples as sampling
from haetae.ml.labels import Labels, forward_returns
from haetae.ml.settings import Device, Objective, RankerKind, RankerSettings, WalkForwardSettings
from haetae.registry.registry import Registry
from random_panels import daily_panel

DAYS, NAMES = 160, 60
WALK = WalkForwardSettings(train_rows=100, min_train_rows=20, test_rows=40, embargo_rows=2, sample_every=1)


def _planted(seed: int, strength: float) -> sampling.Samples:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(DAYS, NAMES, 5)).astype(np.float32)
    signal = np.where(features[:, :, 0] > 0, features[:, :, 1], -features[:, :, 1])
    outcome = (0.02 * (strength * signal + rng.normal(size=(DAYS, NAMES)))).astype(np.float32)
    labels = Labels(outcome, np.arange(DAYS, dtype=np.int64) + 1, 1)
    return sampling.build(features, np.ones((DAYS, NAMES), dtype=bool), labels)


def _settings(kind: RankerKind, **changes: object) -> RankerSettings:
    small = RankerSettings(kind=kind, rounds=60, depth=4, min_leaf=20, learning_rate=0.1, column_share=1.0)
    return dataclasses.replace(small, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("kind", list(RankerKind))
def test_each_library_finds_a_planted_interaction_out_of_sample(kind: RankerKind, objective: Objective) -> None:
    samples = _planted(1, 0.7)
    result = trial.run(samples, 60, _settings(kind, objective=objective), WALK)
    found = quality.rank_quality(result.scores, samples.grid(samples.outcome), 1)
    assert found.mean > 0.3
    assert found.t > 5
    assert np.isnan(result.scores[:60]).all()
    importance = result.importance()
    assert importance[:2].sum() > 0.8
    assert importance.sum() == pytest.approx(1.0, abs=1e-4)


def test_shuffled_labels_leave_nothing_to_find() -> None:
    samples = _planted(2, 0.7)
    dealt = yardsticks.shuffled_within_days(samples.target, samples.bounds, np.random.default_rng(0))
    result = trial.run(samples, 60, _settings(RankerKind.LIGHTGBM), WALK, target=dealt)
    found = quality.rank_quality(result.scores, samples.grid(samples.outcome), 1)
    assert abs(found.mean) < 0.05
    assert abs(found.t) < 3


def _fit(samples: sampling.Samples, settings: RankerSettings, **more: object) -> rankers.Ranker:
    days = samples.day_of(np.arange(len(samples.column)))
    return rankers.fit(samples.inputs, samples.target, settings, days=days, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("kind", list(RankerKind))
def test_a_model_survives_its_bytes_and_its_seed_decides_it(kind: RankerKind, objective: Objective) -> None:
    samples = _planted(3, 0.7)
    settings = _settings(kind, objective=objective, rounds=20)
    model, again = _fit(samples, settings), _fit(samples, settings)
    other = _fit(samples, dataclasses.replace(settings, seed=99))
    copy = rankers.loads(kind, model.dumps())
    scores = model.predict(samples.inputs[:500])
    np.testing.assert_array_equal(copy.predict(samples.inputs[:500], n_threads=2), scores)
    np.testing.assert_array_equal(again.predict(samples.inputs[:500]), scores)
    assert (other.predict(samples.inputs[:500]) != scores).any()
    assert not model.dumps().startswith(b"\x80")
    assert again.dumps() == model.dumps()


@pytest.mark.parametrize("kind", list(RankerKind))
def test_contributions_and_parts_add_up_to_the_score(kind: RankerKind) -> None:
    samples = _planted(8, 0.7)
    model = _fit(samples, _settings(kind, rounds=30))
    rows = samples.inputs[:200].copy()
    rows[::7, 2] = np.nan
    scores = model.predict(rows)
    explained = model.contributions(rows)
    assert explained.shape == (200, 6)
    np.testing.assert_allclose(explained.sum(axis=1), scores, atol=1e-5)
    assert np.abs(explained[:, :2]).mean() > 3 * np.abs(explained[:, 2:5]).mean()
    parts = model.part(rows, 0, 12) + model.part(rows, 12, 30)
    np.testing.assert_allclose(np.diff(parts), np.diff(scores), atol=1e-5)
    shorter = model.cut(12)
    assert shorter.trees() == 12
    np.testing.assert_allclose(np.diff(shorter.predict(rows)), np.diff(model.part(rows, 0, 12)), atol=1e-5)


@pytest.mark.parametrize("kind", list(RankerKind))
def test_early_stopping_drops_the_trees_that_only_learn_noise(kind: RankerKind) -> None:
    samples, fresh = _planted(9, 0.15), _planted(10, 0.15)
    grown = _settings(kind, rounds=150, learning_rate=0.3, depth=6, min_leaf=5, early_stopping=True)
    watched = rankers.rows_of(fresh.inputs, fresh.target, fresh.day_of(np.arange(len(fresh.column))))
    kept = _fit(samples, grown, watched=watched)
    assert 0 < kept.trees() < 150
    assert _fit(samples, grown).trees() == 150
    whole = _fit(samples, dataclasses.replace(grown, early_stopping=False), watched=watched)
    ic = [
        quality.daily_ic(fresh.grid(model.predict(fresh.inputs)), fresh.grid(fresh.outcome)).mean()
        for model in (kept, whole)
    ]
    assert ic[0] > ic[1]
    assert rankers.loads(kind, kept.dumps()).trees() == kept.trees()


@pytest.mark.parametrize("kind", list(RankerKind))
def test_a_device_that_is_not_there_is_refused_with_its_remedy(kind: RankerKind) -> None:
    if kind is RankerKind.CATBOOST and get_gpu_device_count():
        pytest.skip("this machine has a GPU that CatBoost can use")
    samples = _planted(3, 0.7)
    with pytest.raises(ConfigError, match="cannot train on CUDA") as refused:
        _fit(samples, _settings(kind, device=Device.CUDA))
    assert "--device cpu" in str(refused.value.next_step)
    assert "GPU" in refused.value.message.ko


def test_lambdarank_learns_from_grades_of_each_day() -> None:
    target = np.array([np.nan, -0.5, 0.5, 0.0, -0.5, 0.5], dtype=np.float32)
    rows = rankers.rows_of(np.zeros((6, 1), np.float32), target, np.array([3, 3, 3, 3, 8, 8]))
    assert rows.sizes.tolist() == [3, 2]
    assert rows.labels(Objective.LAMBDARANK).tolist() == [0, 9, 5, 0, 9]
    assert rows.days().tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(ModelError, match="day of each row"):
        rankers.fit(
            np.zeros((6, 1), np.float32), target, _settings(RankerKind.LIGHTGBM, objective=Objective.LAMBDARANK)
        )


def test_the_future_of_a_fold_changes_none_of_its_scores() -> None:
    samples = _planted(4, 0.7)
    cut = int(samples.bounds[100])
    later = dataclasses.replace(
        samples,
        target=np.concatenate([samples.target[:cut], -samples.target[cut:]]),
        inputs=np.concatenate([samples.inputs[:cut], -samples.inputs[cut:]]),
    )
    settings = _settings(RankerKind.LIGHTGBM)
    before, after = trial.run(samples, 60, settings, WALK), trial.run(later, 60, settings, WALK)
    np.testing.assert_array_equal(before.scores[:100], after.scores[:100])
    assert (before.scores[100:] != after.scores[100:]).any()


def _packed(**changes: object) -> tuple[object, dict[str, bytes]]:
    samples = _planted(5, 0.7)
    settings = _settings(RankerKind.XGBOOST)
    model, rows = trial.newest(samples, settings, WALK)
    assert rows.max() == DAYS - 2
    return artefact.pack(
        model,
        settings,
        ["a", "b", "c", "d", "e"],
        "0123456789abcdef",
        train_from=dt.date(2021, 1, 4),
        train_to=dt.date(2021, 6, 30),
        horizon=1,
        metrics={"rank_ic": 0.1},
    )


def test_an_artefact_is_the_same_for_the_same_fit_and_opens_again() -> None:
    card, files = _packed()
    again, _ = _packed()
    assert card == again
    assert set(files) == {"model.json", "manifest.json"} == set(card.files)
    model = artefact.unpack(card, files, "0123456789abcdef")
    assert model.kind is RankerKind.XGBOOST


def test_an_artefact_with_other_features_or_bytes_is_refused() -> None:
    card, files = _packed()
    with pytest.raises(ModelError) as other_features:
        artefact.unpack(card, files, "ffffffffffffffff")
    assert "0123456789abcdef" in other_features.value.expected
    broken = {**files, "model.json": files["model.json"] + b" "}
    with pytest.raises(ModelError, match="differ"):
        artefact.unpack(card, broken, "0123456789abcdef")


def test_a_fit_without_labels_is_refused() -> None:
    nothing = np.full(10, np.nan, dtype=np.float32)
    with pytest.raises(ModelError):
        rankers.fit(np.zeros((10, 2), dtype=np.float32), nothing, _settings(RankerKind.LIGHTGBM))


def test_newest_learns_only_from_labels_that_are_known() -> None:
    panel = daily_panel(6, symbols=15, sessions=120)
    labels = forward_returns(panel, 5)
    features = np.random.default_rng(6).normal(size=(120, 15, 3)).astype(np.float32)
    samples = sampling.build(features, np.ones((120, 15), dtype=bool), labels)
    _, rows = trial.newest(samples, _settings(RankerKind.LIGHTGBM), WALK)
    assert rows.max() == 113
    assert labels.end_row[rows].max() <= 119


def test_an_artefact_passes_through_the_registry(tmp_path: Path) -> None:
    card, files = _packed()
    registry = Registry(tmp_path)
    stored, kept = registry.get(registry.put(card, files).model_id)
    model = artefact.unpack(stored, kept, "0123456789abcdef")
    assert model.dumps() == files["model.json"]
    assert stored.metrics == {"rank_ic": 0.1}
