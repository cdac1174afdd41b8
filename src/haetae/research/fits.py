"""The pieces the stage of models is put together from: one walk-forward fit each, stored as soon as it is there.

A piece is one library under one seed, or one control on shuffled labels. A run that was killed finds the pieces that
were finished; another kind or one more seed fits only what is new. Pieces run side by side, one thread each.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.learning import ModelCard
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.features import daily
from haetae.ml import artefact, samples, trial, yardsticks
from haetae.ml.folds import walk_forward
from haetae.ml.rankers import Ranker
from haetae.ml.settings import RankerSettings, WalkForwardSettings
from haetae.research.code import code_hash
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import Made, Shelf

FloatArray = NDArray[np.float32]
PIECES = "fits"
EXPLAINED = 2_000
"""Rows whose scores are taken apart; more change the mean by less than its third digit."""
Dice = Callable[[str], np.random.Generator]
Told = Callable[[str, int, int], None]
"""Step in words, done, in all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One piece: a setting of a ranker, walked forward; ``control`` numbers a fit on shuffled labels, -1 if none."""

    ranker: RankerSettings
    walk: WalkForwardSettings
    control: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """One stored piece, read back.

    Attributes
    ----------
    scores : (n_days, n_symbols) float32
        Out of sample; NaN before the first test row.
    importance : (n_features,) float32
        Mean gain share over the folds.
    shap : tuple of float
        Mean |SHAP| of each feature in the newest model, as a share of all; empty for a control.
    member : (ModelCard, files) or None
        The newest model, for the sessions to come; None for a control.
    """

    wanted: Wanted
    scores: FloatArray
    importance: FloatArray
    shap: tuple[float, ...]
    folds: int
    member: tuple[ModelCard, dict[str, bytes]] | None


def wanted_by(settings: ResearchSettings) -> tuple[Wanted, ...]:
    """Return the pieces of a study: every kind under its seeds, then the controls."""
    pieces = []
    for place, kind in enumerate(settings.kinds):
        count = settings.other_seed_count if place else settings.seed_count
        alone = replace(settings.ranker, kind=kind, n_threads=1)
        pieces += [Wanted(seeded, settings.walk) for seeded in trial.seeds(alone, count)]
    # Controls learn from fewer sessions: what luck alone makes of the same trial; a leak would show all the same.
    thin = replace(settings.walk, sample_every=settings.walk.sample_every * settings.control_thinning)
    first = replace(settings.ranker, kind=settings.kinds[0], n_threads=1)
    return (*pieces, *(Wanted(first, thin, number) for number in range(settings.shuffled_controls)))


def fitted(
    shelf: Shelf,
    features_key: str,
    settings: ResearchSettings,
    first_row: int,
    seed: int,
    panel: Panel,
    rows: Callable[[], samples.Samples],
    dice: Dice,
    told: Told,
) -> tuple[Fitted, ...]:
    """Return all pieces of a study, found or made, in the order of ``wanted_by``.

    ``rows`` is asked for once, and only if a piece is missing.
    """
    pieces = wanted_by(settings)
    lock, shared = Lock(), functools.cache(rows)
    ends = np.arange(len(panel), dtype=np.int64) + 1 + settings.horizon_sessions
    each, done = len(walk_forward(ends, first_row, settings.walk)) + 1, 0

    def learned() -> samples.Samples:
        with lock:  # two workers that both miss their piece build the samples once
            return shared()

    def tell(steps: int) -> None:
        nonlocal done
        with lock:
            done += steps
            told("fits", done, each * len(pieces))

    def one(piece: Wanted) -> Made:
        learns = (settings.horizon_sessions, settings.min_training_turnover_won, settings.max_training_idle)
        decided = (piece.ranker, piece.walk, piece.control, seed if piece.control >= 0 else 0, first_row, *learns)
        make = functools.partial(_make, piece, learned, panel, first_row, settings.horizon_sessions, dice, tell)
        made = shelf.stage(PIECES, code_hash(PIECES), {"features": features_key}, decided, make)
        tell(each if made.reused else 1)
        return made

    with ThreadPoolExecutor(max_workers=max(1, settings.workers)) as pool:
        # Controls are the shortest: begun last, they fill the end where one worker is already idle.
        made = list(pool.map(one, pieces))
    return tuple(_read(piece, each) for piece, each in zip(pieces, made, strict=True))


def _make(
    piece: Wanted,
    rows: Callable[[], samples.Samples],
    panel: Panel,
    first_row: int,
    horizon: int,
    dice: Dice,
    tell: Callable[[int], None],
) -> tuple[dict[str, bytes], dict[str, float]]:
    learned = rows()
    target = None
    if piece.control >= 0:
        chance = dice(f"research.shuffled.{piece.control}")
        target = yardsticks.shuffled_within_days(learned.target, learned.bounds, chance)
    walked = trial.run(learned, first_row, piece.ranker, piece.walk, target=target, progress=lambda *_: tell(1))
    facts: dict[str, Any] = {"folds": len(walked.folds)}
    files: dict[str, bytes] = {}
    if piece.control < 0:
        model, used = trial.newest(learned, piece.ranker, piece.walk)
        card, packed = artefact.pack(
            model,
            piece.ranker,
            daily.NAMES,
            daily.feature_hash(),
            train_from=day_from(int(panel.days[used[0]])),
            train_to=day_from(int(panel.days[used[-1]])),
            horizon=horizon,
            metrics={},
        )
        files |= {f"model.{name}": content for name, content in packed.items()}
        facts["model_id"] = card.model_id
        facts["shap"] = _explained(model, learned, used)
    files["scores.npz"] = as_bytes(scores=walked.scores, importance=walked.importance())
    files["fit.json"] = json.dumps(facts, sort_keys=True).encode()
    return files, {"folds": float(len(walked.folds))}


def _explained(model: Ranker, learned: samples.Samples, rows: NDArray[np.int64]) -> list[float]:
    """Return each feature's mean |SHAP| as a share of all, over the newest training rows."""
    at = learned.of(rows)[-EXPLAINED:]
    sizes = np.abs(model.contributions(learned.inputs[at])[:, : learned.inputs.shape[1]]).mean(axis=0)
    total = float(sizes.sum())
    return [round(float(size) / total, 5) if total > 0 else 0.0 for size in sizes]


def _read(piece: Wanted, made: Made) -> Fitted:
    with np.load(io.BytesIO(made.files["scores.npz"]), allow_pickle=False) as stored:
        scores, importance = stored["scores"], stored["importance"]
    packed = {name.removeprefix("model."): blob for name, blob in made.files.items() if name.startswith("model.")}
    member = (artefact.card_of(packed), packed) if packed else None
    facts = made.json("fit.json")
    return Fitted(piece, scores, importance, tuple(facts.get("shap", ())), int(facts["folds"]), member)


def of_kind(pieces: Sequence[Fitted], kind: str) -> tuple[Fitted, ...]:
    """Return the pieces of one library, controls left out."""
    return tuple(one for one in pieces if one.member is not None and one.wanted.ranker.kind.value == kind)


def as_bytes(**arrays: NDArray[Any]) -> bytes:
    """Return arrays as one file without objects in it."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
