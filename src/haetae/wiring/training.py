"""``train ml`` on a lake: fits on fixed windows, their figures, the book of trials, candidates in a registry.

Finished fits are found again in the out folder, so a training that was interrupted goes on. The order is: audit for
leaks, search on validation (if asked for), fit every kind under every seed, controls, judge on test, register.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np

from haetae.domain.units import day_from
from haetae.ml import artefact, audit
from haetae.ml import training as steps
from haetae.ml.drift import Reference
from haetae.ml.labels import Labels, forward_returns
from haetae.ml.settings import RankerSettings
from haetae.ml.splits import Windows, check_windows, fixed_split
from haetae.ml.training import Course, FeatureTable, TrainingSettings
from haetae.registry.registry import Registry
from haetae.research.code import code_hash
from haetae.wiring import training_cards as cards
from haetae.wiring import training_judged as judged
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import rng
from haetae.wiring.lakes import LakeAt
from haetae.wiring.records import write_json
from haetae.wiring.training_fits import Bench, Progress
from haetae.wiring.training_ground import Ground, ground_of
from haetae.wiring.training_search import Searched, search

SCHEMA: Final = "haetae.train/1"
_AUDITED_NAMES: Final = 24
_AUDITED_ROWS: Final = 340
"""Enough bars for the longest look-back, few enough to build the features twice in a second."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The figures of a training and the models it registered as candidates."""

    figures: Mapping[str, Any]
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Horizon:
    course: Course
    judges: judged.Judges
    groups: tuple[judged.Group, ...]
    searches: Mapping[str, Searched]
    whole: judged.Ensemble
    controls: tuple[Mapping[str, Any], ...]
    luck: cards.Luck
    attempts: tuple[cards.Attempt, ...]
    reference: Reference
    moved: Mapping[str, float]


def train(
    lake: LakeAt | Path,
    windows: Windows,
    settings: TrainingSettings,
    out: Path,
    *,
    features: str = "daily",
    seed: int = 7,
    book: Path | None = None,
    progress: Progress | None = None,
    alter: Callable[[FeatureTable], FeatureTable] | None = None,
) -> Trained:
    """Train and judge; figures, fits and models land in ``out``.

    Parameters
    ----------
    features : str
        Name of a daily feature set.
    seed : int
        Of the search and of the shuffled controls; the rankers have their own.
    book : Path, optional
        Book of trials; ``out/trials.jsonl`` if not given.
    alter : callable, optional
        See ``ground_of``.

    Raises
    ------
    ConfigError
        For windows that overlap or lie outside the lake, an unknown feature set, an absent library or device.
    DataError
        For a lake without bars, a feature without values, or label leakage.
    """
    check_windows(windows)
    clock = SystemClock()
    began = clock.monotonic()
    told = progress or (lambda _label, _done, _total: None)
    ground = ground_of(lake if isinstance(lake, LakeAt) else LakeAt(str(lake)), settings, features, alter=alter)
    courses = [_course(ground, horizon, windows, settings) for horizon in settings.horizons]
    out.mkdir(parents=True, exist_ok=True)
    points = settings.search_trials if settings.search_trials > 1 else 0
    each = len(settings.rankers()) * (settings.seeds + points) + settings.shuffled_controls
    bench = Bench(out / "fits", ground, windows, settings, seed, told, total=each * len(courses))
    deadline = None if settings.search_budget_s is None else began + settings.search_budget_s
    done = [
        _horizon(bench, course, lambda: deadline is not None and clock.monotonic() >= deadline) for course in courses
    ]
    names = {"features": ground.table.hash, "universe_top": settings.universe_top, "seeds": settings.seeds}
    attempts = [one for horizon in done for one in horizon.attempts]
    written = cards.write_down(book or out / "trials.jsonl", attempts, ground, names)
    registry = Registry(out / "registry", clock)
    results = [line for horizon in done for line in _register(registry, horizon, ground, settings)]
    figures = {
        **_head(ground, windows, settings, features, courses),
        "results": results,
        "horizons": {str(h.course.labels.horizon): _told(h, ground) for h in done},
        "trials": {"written": written, "book": str(book or out / "trials.jsonl")},
        "files": {"registry": str(out / "registry"), "fits": str(out / "fits")},
        "seconds": round(clock.monotonic() - began, 2),
        "rss_mb": _peak_rss_mb(),
    }
    write_json(out / "training.json", figures)
    return Trained(figures, tuple(str(line["model_id"]) for line in results))


def _course(ground: Ground, horizon: int, windows: Windows, settings: TrainingSettings) -> Course:
    labels = forward_returns(ground.panel, horizon)
    split = fixed_split(ground.panel.days, labels.end_row, windows, settings.embargo_rows)
    _audit(ground, labels)
    audit.check_overlap(split.train, split.valid, labels.end_row, settings.embargo_rows)
    audit.check_overlap(split.valid, split.test, labels.end_row, settings.embargo_rows)
    audit.check_features(ground.table.values, ground.table.names, labels, ground.who, split.train)
    return steps.course(ground.table, ground.who, labels, split, settings.transform, ground.sector_numbers())


def _audit(ground: Ground, labels: Labels) -> None:
    """Make labels and features again from bars changed after a day, on a part of the names and the newest rows."""
    few = ground.panel.columns(np.arange(min(_AUDITED_NAMES, len(ground.panel.symbols))))
    few = few.rows(max(0, len(few) - _AUDITED_ROWS), len(few))
    middle, rows = len(few) - len(few) // 8, np.arange(len(few), dtype=np.int64)
    horizon = labels.horizon
    label = [f"label_{horizon}"]
    ends = forward_returns(few, horizon).end_row
    audit.check_known_at(lambda panel: forward_returns(panel, horizon).values, few, ends, [middle], label)
    if not ground.altered and len(few) > 1:
        audit.check_known_at(ground.build, few, rows, [middle], ground.table.names)


def _horizon(bench: Bench, course: Course, late: Callable[[], bool]) -> _Horizon:
    settings, ground = bench.settings, bench.ground
    both = judged.judges(ground, course, settings)
    searches: dict[str, Searched] = {}
    groups = []
    for ranker in settings.rankers():
        name = _named(ranker, settings)
        chosen = ranker
        if settings.search_trials > 1:
            dice = rng(bench.seed, f"train.search.{course.labels.horizon}.{name}")
            searches[name] = search(
                bench, course, ranker, trials=settings.search_trials, seed=int(dice.integers(2**31)), late=late
            )
            chosen = searches[name].best
        fits = [bench.fit(course, seeded) for seeded in steps.seeds(chosen, settings.seeds)]
        groups.append(judged.group_of(name, fits, course))
    control = replace(settings.rankers()[0], early_stopping=False)
    controls = [
        both.test.quality(bench.control(course, control, number)).as_json()
        for number in range(settings.shuffled_controls)
    ]
    on_valid = [
        cards.attempt(one.settings, both.valid, one.scores, "search")
        for each in searches.values()
        for one in each.tried
    ]
    on_valid += [cards.attempt(group.first.settings, both.valid, group.scores, "train") for group in groups]
    on_test = [cards.attempt(group.first.settings, both.test, group.scores, "train") for group in groups]
    reference, moved = judged.input_drift(ground, course)
    return _Horizon(
        course=course,
        judges=both,
        groups=tuple(groups),
        searches=searches,
        whole=judged.ensemble_of(groups, course, both),
        controls=tuple(controls),
        luck=cards.luck_of(on_valid),
        attempts=(*on_valid, *on_test),
        reference=reference,
        moved=moved,
    )


def _named(ranker: RankerSettings, settings: TrainingSettings) -> str:
    """Return the kind, with its objective where there are several."""
    return ranker.kind.value if len(settings.objectives) == 1 else f"{ranker.kind.value}-{ranker.objective.value}"


def _told(horizon: _Horizon, ground: Ground) -> dict[str, Any]:
    course, both = horizon.course, horizon.judges
    moved = sorted(horizon.moved.items(), key=lambda item: -item[1])
    return {
        "split": {
            name: {
                "first": day_from(int(ground.panel.days[rows[0]])).isoformat(),
                "last": day_from(int(ground.panel.days[rows[-1]])).isoformat(),
                "sessions": len(rows),
                "purged": purged,
            }
            for name, rows, purged in (
                ("train", course.split.train, course.split.purged[0]),
                ("valid", course.split.valid, course.split.purged[1]),
                ("test", course.split.test, 0),
            )
        },
        "models": {group.name: judged.told_group(group, ground, course, both) for group in horizon.groups},
        "ensemble": judged.told_ensemble(horizon.whole, course, both),
        "yardsticks": judged.told_yardsticks(ground.one_line, both),
        "shuffled_labels": list(horizon.controls),
        "search": {name: found.as_json() for name, found in horizon.searches.items()},
        "luck": horizon.luck.as_json(),
        "input_drift": {"moved": moved[:10], "above": sum(value > 0.25 for value in horizon.moved.values())},
        "verdict": judged.told_verdict(horizon.whole.verdict),
    }


def _register(
    registry: Registry, horizon: _Horizon, ground: Ground, settings: TrainingSettings
) -> list[dict[str, Any]]:
    course, both, days = horizon.course, horizon.judges, ground.panel.days
    one_line = max(
        (both.test.brief(scores)["spread"]["long_net_bp"] or -np.inf for scores in ground.one_line.values()),
        default=-np.inf,
    )
    control = max((abs(each["t"] or 0.0) for each in horizon.controls), default=np.nan)
    lines = []
    for group in horizon.groups:
        for fitted in group.fits:
            ic = both.valid.daily(fitted.scores)
            metrics = cards.metrics_of(
                both.test,
                fitted.scores,
                horizon.luck,
                float(np.nanmean(ic)) if np.isfinite(ic).any() else None,
                one_line_bp=float(one_line),
                control_t=float(control),
            )
            extras = artefact.Extras(
                course.transform,
                group.calibration,
                horizon.reference,
                _provenance(horizon, ground, settings, fitted.key),
            )
            card, files = artefact.pack(
                fitted.model,
                fitted.settings,
                ground.table.names,
                ground.table.hash,
                train_from=day_from(int(days[course.split.train[0]])),
                train_to=day_from(int(days[course.split.train[-1]])),
                horizon=course.labels.horizon,
                metrics=metrics,
                extras=extras,
            )
            stored = registry.put(card, files)
            lines.append(
                {
                    "model": fitted.settings.kind.value,
                    "objective": fitted.settings.objective.value,
                    "horizon": course.labels.horizon,
                    "seed": fitted.settings.seed,
                    "rank_ic": metrics.get("test_rank_ic"),
                    "rank_ic_neutral": metrics.get("test_rank_ic_neutral"),
                    "valid_rank_ic": metrics.get("valid_rank_ic"),
                    "t": metrics.get("test_rank_ic_t"),
                    "model_id": stored.model_id,
                    "reused": fitted.reused,
                }
            )
    return lines


def _provenance(horizon: _Horizon, ground: Ground, settings: TrainingSettings, key: str) -> dict[str, str]:
    days, test = ground.panel.days, horizon.course.split.test
    told = settings.costs.as_json(days[test])
    return {
        "code": code_hash("models"),
        "data": f"{ground.market.table}@{ground.market.version} {ground.market.digest}",
        "trial": key,
        "family": cards.family(horizon.course.labels.horizon),
        "costs": " ".join(f"{name}={value:g}" for name, value in told.items()),
        "scaler": horizon.course.transform.settings.scaling.value,
        "test_from": day_from(int(days[test[0]])).isoformat(),
        "test_to": day_from(int(days[test[-1]])).isoformat(),
    }


def _head(
    ground: Ground, windows: Windows, settings: TrainingSettings, features: str, courses: Sequence[Course]
) -> dict[str, Any]:
    market, panel = ground.market, ground.panel
    test = courses[0].split.test
    return {
        "schema": SCHEMA,
        "lake": {
            "table": market.table,
            "version": market.version,
            "digest": market.digest,
            "stored": market.stored,
            "symbols": len(market.panel.symbols),
            "sessions": len(market.panel),
            "adjusted": market.adjusted,
            "survivorship": market.survivorship,
        },
        "windows": {name: str(window) for name, window in windows.named()},
        "features": {
            "set": features,
            "hash": ground.table.hash,
            "count": len(ground.table.names),
            "absent": sorted(ground.table.absent),
        },
        "universe": {
            "top": settings.universe_top,
            "median_sessions": settings.median_sessions,
            "symbols": len(panel.symbols),
            "names_a_day": float(ground.who[test].sum(axis=1).mean()),
        },
        "costs": settings.costs.as_json(panel.days[test]),
        "settings": _plain(asdict(settings)),
        "code": code_hash("models"),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _peak_rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
