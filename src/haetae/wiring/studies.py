"""The research flow on a lake of this machine: reader, dice, clock, registry plugged in, files written."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import Manifest, Trial
from haetae.domain.units import Instant
from haetae.registry.registry import Registry
from haetae.registry.trials import TrialBook
from haetae.research.flow import run
from haetae.research.plan import STAGES
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import Shelf
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import rng
from haetae.wiring.evidence import TRIALS
from haetae.wiring.lakes import LakeAt, open_lake
from haetae.wiring.records import write_json, write_text

LAST_STAGE = STAGES[-1]


@dataclass(frozen=True, slots=True)
class Study:
    """What a run found and where it put it; the figures name the files and models too."""

    figures: Mapping[str, Any]
    report: Path | None
    models: tuple[str, ...]


def run_research(
    lake: LakeAt | Path,
    out_dir: Path,
    settings: ResearchSettings,
    *,
    seed: int,
    progress: Callable[[str, int, int], None] | None = None,
    until: str = STAGES[-1],
    anew: str = "",
    trials: Path = TRIALS,
) -> Study:
    """Run the flow; the report, the figures and the stages' manifests land in ``out_dir``.

    Stages that were made before from the same data and settings are reused. Models go to the registry
    in ``out_dir/registry`` as candidates, the portfolios that were looked at to the book of trials. A run that
    ends before the report writes its figures only.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    clock, book = SystemClock(), TrialBook(trials)
    tried = book.trials()
    try:
        outcome = run(
            open_lake(lake),
            settings,
            folder=out_dir / "stages",
            seed=seed,
            dice=functools.partial(rng, seed),
            clock=clock,
            progress=progress,
            until=until,
            anew=anew,
            tried=tried,
        )
    finally:
        if not any(out_dir.iterdir()):  # refused before the first stage was stored
            out_dir.rmdir()
    note_trials(book, tried, outcome.trials, clock.now())
    registry = Registry(out_dir / "registry", clock)
    models = tuple(registry.put(card, files).model_id for card, files in outcome.artefacts)
    report = out_dir / "report.html"
    figures = {**outcome.figures, "files": {"report": str(report), "registry": str(out_dir / "registry")}}
    if outcome.html:
        write_text(report, outcome.html)
    write_json(out_dir / "research.json", figures)
    return Study(figures, report if outcome.html else None, models)


def note_trials(book: TrialBook, before: Sequence[Trial], made: Sequence[Trial], at: Instant) -> None:
    """Write down the trials of a study that the book does not hold yet."""
    known = {(trial.code, tuple(sorted(trial.parameters.items()))) for trial in before}
    fresh = [one for one in made if (one.code, tuple(sorted(one.parameters.items()))) not in known]
    if fresh:
        book.append(dataclasses.replace(one, at=at) for one in fresh)


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored stage: its key, its manifest, and whether its files are what the manifest says."""

    key: str
    manifest: Manifest
    whole: bool


def stored_stages(out_dir: Path, named: str = "") -> tuple[Stored, ...]:
    """Return the stored stages of a study's folder, all of them or those of a stage or a key (or its beginning).

    Raises ``DataError`` where nothing fits.
    """
    found = [Stored(*one) for one in Shelf(out_dir / "stages").manifests()]
    fitting = tuple(one for one in found if not named or one.manifest.stage == named or one.key.startswith(named))
    if not fitting:
        listed = ", ".join(sorted({one.manifest.stage for one in found})) or "-"
        raise DataError(
            Text(ko="저장된 단계가 없습니다", en="there is no such stored stage"),
            expected=Text(ko=f"단계 이름이나 키 ({listed})", en=f"a stage or a key ({listed})"),
            found=named or str(out_dir),
            next_step="haetae research run",
        )
    return fitting
