"""What is said of one horizon: models, yardsticks and controls by the same figures, and the verdict.

The validation window chooses (early stopping, calibration, stacking); the test window is only read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from haetae.ml import calibration, drift, training
from haetae.ml.calibration import Calibration
from haetae.ml.ensemble import Stacking, mean_of_ranks, stacked
from haetae.ml.judge import Judge, decay_outcomes
from haetae.ml.rankers import Ranker
from haetae.ml.training import Course, FloatArray, TrainingSettings
from haetae.ml.verdict import Verdict, verdict
from haetae.ml.yardsticks import LOW_VOLATILITY
from haetae.wiring.training_fits import Fitted
from haetae.wiring.training_ground import Ground

_EXPLAINED_DAYS: Final = 24
"""Test days whose scores are explained: two a month of a year; TreeSHAP takes longer than the fit on all."""
_TOLD_FEATURES: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """The same figures on both windows."""

    valid: Judge
    test: Judge


def judges(ground: Ground, course: Course, settings: TrainingSettings) -> Judges:
    """Return the judges of a horizon."""

    def on(rows: np.ndarray, *, whole: bool) -> Judge:
        return Judge(
            days=ground.panel.days,
            labels=course.labels,
            low_volatility=ground.low_volatility,
            size=ground.size,
            who=ground.who,
            rows=rows,
            costs=settings.costs,
            sectors=ground.sectors,
            decay=decay_outcomes(ground.panel) if whole else {},
        )

    return Judges(on(course.split.valid, whole=False), on(course.split.test, whole=True))


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The fits of one kind and objective under its seeds, and their mean rank."""

    name: str
    fits: tuple[Fitted, ...]
    scores: FloatArray
    calibration: Calibration

    @property
    def first(self) -> Fitted:
        """The fit of the first seed, which is explained for all."""
        return self.fits[0]


def group_of(name: str, fits: Sequence[Fitted], course: Course) -> Group:
    """Return the group of some fits, calibrated on the validation window."""
    scores = mean_of_ranks([each.scores for each in fits])
    valid = course.split.valid
    fitted = calibration.calibrated(scores[valid], course.labels.values[valid], course.labels.horizon)
    return Group(name, tuple(fits), scores, fitted)


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """The mean rank of all groups (weighted where proven), its calibration and the verdict on it."""

    scores: FloatArray
    stacking: Stacking
    calibration: Calibration
    verdict: Verdict


def ensemble_of(groups: Sequence[Group], course: Course, both: Judges) -> Ensemble:
    """Return the ensemble of a horizon."""
    grids = [group.scores for group in groups]
    valid, outcomes = course.split.valid, course.labels.values
    stacking = stacked(grids, outcomes, valid, course.labels.horizon)
    scores = mean_of_ranks(grids, stacking.weights)
    fitted = calibration.calibrated(scores[valid], outcomes[valid], course.labels.horizon)
    low = both.test.quality(both.test.low_volatility)
    return Ensemble(scores, stacking, fitted, verdict(both.test.quality(scores), low))


def told_group(group: Group, ground: Ground, course: Course, both: Judges) -> dict[str, Any]:
    """Return the figures of one kind: its seeds, their mean, what it looks at, what its scores are worth."""
    test, names = course.split.test, ground.table.names
    shown = test[np.unique(np.linspace(0, len(test) - 1, num=min(_EXPLAINED_DAYS, len(test)), dtype=np.int64))]
    shap = training.mean_contribution(course, group.first.model, shown)
    importance = np.mean([each.model.importance() for each in group.fits], axis=0)
    return {
        "valid": both.valid.brief(group.scores),
        "test": both.test.full(group.scores),
        "seeds": [
            {
                "seed": each.settings.seed,
                "trees": each.model.trees(),
                "reused": each.reused,
                "valid_rank_ic": _mean(both.valid.daily(each.scores)),
                "test_rank_ic": _mean(both.test.daily(each.scores)),
                "test": both.test.quality(each.scores).as_json(),
            }
            for each in group.fits
        ],
        "importance": _ordered(names, importance),
        "shap": _ordered(names, shap / max(float(shap.sum()), 1e-12)),
        "calibration": group.calibration.as_json(),
        "reliability": calibration.reliability(
            group.calibration, group.scores[test], course.labels.values[test]
        ).as_json(),
        "score_drift": _score_drift(course, group.first.model),
    }


def told_ensemble(whole: Ensemble, course: Course, both: Judges) -> dict[str, Any]:
    """Return the figures of the ensemble, the alarm over its test window and its verdict."""
    test = course.split.test
    ic_valid, ic_test = both.valid.daily(whole.scores), both.test.daily(whole.scores)
    return {
        "valid": both.valid.brief(whole.scores),
        "test": both.test.full(whole.scores),
        "stacking": {
            "weights": list(whole.stacking.weights),
            "gain_t": whole.stacking.gain_t if np.isfinite(whole.stacking.gain_t) else None,
            "proven": whole.stacking.proven,
        },
        "calibration": whole.calibration.as_json(),
        "reliability": calibration.reliability(
            whole.calibration, whole.scores[test], course.labels.values[test]
        ).as_json(),
        "alarm": drift.alarm(ic_valid, ic_test, course.labels.horizon).as_json(),
    }


def told_verdict(found: Verdict) -> dict[str, str]:
    """Return the finding and its sentence in both languages."""
    return {"finding": found.finding.value, "ko": found.sentence.ko, "en": found.sentence.en}


def told_yardsticks(one_line: Mapping[str, FloatArray], both: Judges) -> dict[str, Any]:
    """Return the figures of the one-line scores on both windows."""
    return {
        name: {
            "valid": both.valid.brief(scores),
            "test": both.test.full(scores) if name == LOW_VOLATILITY else both.test.brief(scores),
        }
        for name, scores in one_line.items()
    }


def input_drift(ground: Ground, course: Course) -> tuple[drift.Reference, dict[str, float]]:
    """Return the reference of the training window's raw features, and how far the test window has moved."""
    present = [k for k, name in enumerate(ground.table.names) if name not in ground.table.absent]
    values = ground.table.values[:, :, present]
    split, who = course.split, course.who
    fitted = drift.reference(values[split.train][who[split.train]], [ground.table.names[k] for k in present])
    return fitted, fitted.psi(values[split.test][who[split.test]])


def _score_drift(course: Course, model: Ranker) -> float:
    known = course.samples
    then, now = (known.inputs[known.of(rows)] for rows in (course.split.train, course.split.test))
    fitted = drift.reference(model.predict(then)[:, None], ["score"])
    return fitted.psi(model.predict(now)[:, None])["score"]


def _ordered(names: Sequence[str], shares: np.ndarray) -> list[tuple[str, float]]:
    order = np.argsort(-shares, kind="stable")[:_TOLD_FEATURES]
    return [(names[k], round(float(shares[k]), 4)) for k in order]


def _mean(daily: np.ndarray) -> float | None:
    known = daily[np.isfinite(daily)]
    return float(known.mean()) if len(known) else None
