"""The research flow on a lake of this machine: reader, dice, clock, registry plugged in, files written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.registry.registry import Registry
from haetae.research import ResearchSettings, run
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import rng
from haetae.wiring.lakes import LakeAt, open_lake
from haetae.wiring.records import write_json, write_text


@dataclass(frozen=True, slots=True)
class Study:
    """What a run found and where it put it; the figures name the files and models too."""

    figures: Mapping[str, Any]
    report: Path
    models: tuple[str, ...]


def run_research(
    lake: LakeAt | Path,
    out_dir: Path,
    settings: ResearchSettings,
    *,
    seed: int,
    progress: Callable[[str, int, int], None] | None = None,
) -> Study:
    """Run the flow; the report, the figures and the stages' manifests land in ``out_dir``.

    Stages that were made before from the same data and settings are reused. Models go to the registry
    in ``out_dir/registry`` as candidates.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    try:
        outcome = run(
            open_lake(lake),
            settings,
            folder=out_dir / "stages",
            seed=seed,
            dice=functools.partial(rng, seed),
            clock=clock,
            progress=progress,
        )
    finally:
        if not any(out_dir.iterdir()):  # refused before the first stage was stored
            out_dir.rmdir()
    registry = Registry(out_dir / "registry", clock)
    models = tuple(registry.put(card, files).model_id for card, files in outcome.artefacts)
    report = out_dir / "report.html"
    figures = {**outcome.figures, "files": {"report": str(report), "registry": str(out_dir / "registry")}}
    write_text(report, outcome.html)
    write_json(out_dir / "research.json", figures)
    return Study(figures, report, models)
