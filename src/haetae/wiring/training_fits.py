"""Finished fits in a folder, found again by content: a training that was killed goes on where it was.

The key of a fit is everything that decides it: the code, the rows of the lake, the features, the windows, the
settings with their seed. Nothing half-written is ever found (``research.shelf``).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain.errors import Text
from haetae.ml import rankers, training
from haetae.ml.rankers import Ranker
from haetae.ml.settings import RankerSettings
from haetae.ml.splits import Windows
from haetae.ml.training import Course, FloatArray, TrainingSettings
from haetae.ml.yardsticks import shuffled_within_days
from haetae.research.code import code_hash
from haetae.research.shelf import Made, Shelf
from haetae.wiring.dice import rng
from haetae.wiring.training_ground import Ground

Progress = Callable[[str | Text, int, int], None]
FITS = Text(ko="학습", en="fits")


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fit: its settings, model, scores of validation and test days, and whether it was found and not made."""

    settings: RankerSettings
    model: Ranker
    scores: FloatArray
    key: str
    reused: bool


@dataclass(slots=True)
class Bench:
    """Makes and finds the fits of a training, telling how many are done."""

    folder: Path
    ground: Ground
    windows: Windows
    settings: TrainingSettings
    seed: int
    told: Progress
    total: int
    done: int = 0

    def fit(self, course: Course, ranker: RankerSettings) -> Fitted:
        """Return one fit of a horizon."""

        def make() -> tuple[dict[str, bytes], dict[str, float]]:
            model = training.fit(course, ranker)
            scores = training.scored(course, model, ranker.n_threads)
            return {"model.bin": model.dumps(), "scores.npz": _packed(scores)}, {"trees": float(model.trees())}

        made = self._stage("fit", course, (ranker,), make)
        model = rankers.loads(ranker.kind, made.files["model.bin"])
        return Fitted(ranker, model, _unpacked(made.files["scores.npz"]), made.key, made.reused)

    def control(self, course: Course, ranker: RankerSettings, number: int) -> FloatArray:
        """Return the scores of a fit on labels dealt out anew within their days."""

        def make() -> tuple[dict[str, bytes], dict[str, float]]:
            dice = rng(self.seed, f"train.shuffled.{course.labels.horizon}.{number}")
            dealt = shuffled_within_days(course.samples.target, course.samples.bounds, dice)
            model = training.fit(course, ranker, dealt)
            return {"scores.npz": _packed(training.scored(course, model, ranker.n_threads))}, {}

        made = self._stage("control", course, (ranker, number, self.seed), make)
        return _unpacked(made.files["scores.npz"])

    def tried(self, course: Course, ranker: RankerSettings) -> tuple[tuple[float, ...], FloatArray]:
        """Return the folds' rank ICs of a search's point on the validation window, and its scores there."""

        def make() -> tuple[dict[str, bytes], dict[str, float]]:
            folds, scores = training.tried(course, ranker)
            return {"scores.npz": _packed(scores)}, {f"fold_{k}": value for k, value in enumerate(folds)}

        made = self._stage("trial", course, (ranker, training.SEARCH_WALK), make)
        folds = tuple(made.manifest.figures[name] for name in sorted(made.manifest.figures))
        return folds, _unpacked(made.files["scores.npz"])

    def step(self) -> None:
        """Tell that one more piece of work is done."""
        self.done += 1
        self.told(FITS, min(self.done, self.total), self.total)

    def _stage(self, name: str, course: Course, parts: tuple[object, ...], make: Any) -> Made:
        inputs = {"data": self.ground.market.digest, "features": self.ground.table.hash}
        shared = (
            asdict(self.windows),
            course.labels.horizon,
            self.settings.universe_top,
            self.settings.median_sessions,
            self.settings.embargo_rows,
            self.settings.transform,
            sorted(self.ground.table.absent),
            (list(self.ground.table.names), self.ground.altered),
        )
        made = Shelf(self.folder).stage(name, code_hash("models"), inputs, (*shared, *parts), make)
        self.step()
        return made


def _packed(scores: FloatArray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, scores=scores)
    return buffer.getvalue()


def _unpacked(content: bytes) -> FloatArray:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return np.asarray(stored["scores"], dtype=np.float32)
