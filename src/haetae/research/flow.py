"""The research flow: lake, universe, features, models, portfolio, backtest, report.

Each stage has a manifest with the hashes of its inputs, settings and outputs (``shelf``); a second
run with equal inputs reuses what is stored, a changed setting remakes only what depends on it.
The flow neither opens a lake nor fills a registry: the caller hands in a reader and takes the
model cards out.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from haetae import backtest
from haetae.domain.errors import DataError, Text
from haetae.domain.learning import Manifest, ModelCard
from haetae.domain.market import BoolArray
from haetae.domain.units import day_from, yyyymmdd
from haetae.features import daily
from haetae.ml.artefact import card_of
from haetae.ports import Clock
from haetae.research import models, portfolios, universes
from haetae.research.code import code_hash
from haetae.research.market import DailyMarket, LakeReader, load
from haetae.research.notes import remarks, window_text
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import Made, Shelf

STAGES = ("lake", "universe", "features", "models", "portfolio", "backtest", "report")
SCHEMA = "haetae.research/1"
BOUND = "perfect_foresight"

Progress = Callable[[str, int, int], None]
"""Stage (with a step in words after a colon), done, in all."""

Dice = Callable[[str], np.random.Generator]
"""Name of a purpose to its generator."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a run leaves for its caller.

    Attributes
    ----------
    figures : mapping
        All facts as JSON values, the schema is ``haetae.research/1``.
    html : str
        The self-contained report.
    manifests : tuple of Manifest
        One per stage, in order.
    artefacts : tuple of (ModelCard, files)
        The newest model of each kind, ready for a registry.
    """

    figures: Mapping[str, Any]
    html: str
    manifests: tuple[Manifest, ...]
    artefacts: tuple[tuple[ModelCard, Mapping[str, bytes]], ...]


def _quiet(_stage: str, _done: int, _total: int) -> None:
    return None


def first_test_row(market: DailyMarket, settings: ResearchSettings) -> int:
    """Return the first row that is scored out of sample."""
    days = market.panel.days
    if settings.first_test is not None:
        asked, first, last = yyyymmdd(settings.first_test), int(days[0]), int(days[-1])
        if not first <= asked <= last:
            raise DataError(
                Text(
                    ko=f"레이크에는 {settings.first_test} 이후로 시험할 거래일이 없습니다",
                    en=f"the lake has no sessions to test from {settings.first_test} on",
                ),
                expected=f"{day_from(first)} … {day_from(last)}",
                found=str(settings.first_test),
                next_step="--first-test " + str(day_from(int(days[len(days) // 2]))),
            )
        row = int(np.searchsorted(days, yyyymmdd(settings.first_test)))
    else:
        row = min(max(len(days) // 3, 121), settings.warm_up_sessions)
    if row + 2 * settings.horizon_sessions >= len(days) or row < 61:
        raise DataError(
            Text(ko="일봉의 기간이 너무 짧습니다", en="the daily history is too short"),
            expected="at least 122 sessions before the first test day and some after it",
            found=f"{len(days)} sessions, first test row {row}",
            next_step="collect or import a longer history, or choose another first test day",
        )
    return row


@dataclass(slots=True)
class _Run:
    """One pass through the stages; holds what later stages need from earlier ones."""

    market: DailyMarket
    settings: ResearchSettings
    shelf: Shelf
    seed: int
    dice: Dice
    clock: Clock
    progress: Progress
    seconds: dict[str, float]
    first: int = 0

    def stage(self, name: str, inputs: Mapping[str, str], settings: tuple[object, ...], make: Any) -> Made:
        began = self.clock.monotonic()
        self.progress(name, 0, 1)
        made = self.shelf.stage(name, code_hash(name), inputs, settings, make)
        self.progress(name, 1, 1)
        self.seconds[name] = round(self.clock.monotonic() - began, 3)
        return made

    def features(self) -> models.FloatArray:
        return daily.build(self.market.panel, self.market.index_close)


def run(
    reader: LakeReader,
    settings: ResearchSettings | None = None,
    *,
    folder: Path,
    seed: int,
    dice: Dice,
    clock: Clock,
    progress: Progress | None = None,
) -> Outcome:
    """Run the whole flow.

    Parameters
    ----------
    reader : LakeReader
        A lake with daily bars; index and instruments are used where it has them.
    folder : Path
        Where stages are stored and found again.
    seed, dice : int, callable
        Of the shuffled control and the random portfolio; the rankers have their own seeds. ``dice``
        gives the generator of a purpose and must follow from ``seed``, which names it in the keys.

    Raises
    ------
    DataError
        If the lake has no or too few daily bars, or the universe cannot be filled.
    """
    chosen = settings or ResearchSettings()
    told = progress or _quiet
    began = clock.monotonic()
    told("lake", 0, 1)
    market = load(reader, chosen.index)
    seconds = {"lake": round(clock.monotonic() - began, 3)}
    told("lake", 1, 1)
    pass_ = _Run(market, chosen, Shelf(folder), seed, dice, clock, told, seconds)
    pass_.first = first_test_row(market, chosen)
    outcome = _stages(pass_)
    outcome_figures = {**outcome.figures, "seconds": {**seconds, "all": round(clock.monotonic() - began, 3)}}
    outcome_figures["lake"] = {**outcome.figures["lake"], **_named(market)}
    outcome_figures["rss_mb"] = _peak_rss_mb()
    return dataclasses.replace(outcome, figures=outcome_figures)


def _stages(run_: _Run) -> Outcome:
    market, settings = run_.market, run_.settings
    named = {market.table: market.digest, f"{market.table}@{market.version}": market.stored}
    lake = Manifest("lake", {}, "", named, _lake_figures(market))
    snapshots = run_.stage(
        "universe",
        {"lake": market.digest},
        (settings.universe, run_.first, market.adjusted),
        lambda: universes.to_files(universes.monthly(market, run_.first, settings.universe)),
    )
    members = universes.members(snapshots.json("months.json"), market.panel)
    features = functools.cache(run_.features)
    declared = run_.stage(
        "features",
        {"lake": market.digest},
        (daily.feature_hash(),),
        lambda: ({}, _feature_figures(features())),
    )
    learned = run_.stage(
        "models",
        {"features": declared.key, "universe": snapshots.key},
        (*_model_settings(settings), run_.first, run_.seed),
        lambda: models.learn(
            market,
            features(),
            members,
            run_.first,
            settings,
            dice=run_.dice("research.shuffled"),
            told=lambda step, done, total: run_.progress(f"models:{step}", done, total),
        ),
    )
    features.cache_clear()
    held = run_.stage(
        "portfolio",
        {"models": learned.key, "universe": snapshots.key},
        (settings.constraints, settings.backtest, settings.rebalance_sessions),
        lambda: _portfolio(run_, members, learned),
    )
    tested = run_.stage(
        "backtest",
        {"portfolio": held.key, "models": learned.key},
        (settings.constraints, settings.backtest, settings.rebalance_sessions, run_.seed),
        lambda: _backtest(run_, members, learned, held),
    )
    report = run_.stage(
        "report",
        {"backtest": tested.key, "models": learned.key},
        (),
        lambda: _report(run_, snapshots, declared, learned, tested),
    )
    made = (snapshots, declared, learned, held, tested, report)
    figures = {**report.json("research.json"), "reused": [stage.manifest.stage for stage in made if stage.reused]}
    manifests = (lake, *(stage.manifest for stage in made))
    return Outcome(figures, tested.files["report.html"].decode(), manifests, _artefacts(learned))


def _model_settings(settings: ResearchSettings) -> tuple[object, ...]:
    return (
        settings.horizon_sessions,
        settings.min_training_turnover_won,
        settings.max_training_idle,
        settings.round_trip_bp,
        settings.kinds,
        settings.seed_count,
        settings.shuffled_controls,
        settings.control_thinning,
        dataclasses.replace(settings.ranker, n_threads=1),
        settings.walk,
    )


def _named(market: DailyMarket) -> dict[str, Any]:
    """Return which rows of the lake were read; not part of a stored stage, since equal rows may get a new version."""
    return {"table": market.table, "version": market.version, "stored": market.stored}


def _lake_figures(market: DailyMarket) -> dict[str, float]:
    panel = market.panel
    return {"symbol_days": float((panel.close > 0).sum()), "symbols": len(panel.symbols), "sessions": len(panel)}


def _feature_figures(values: models.FloatArray) -> dict[str, float]:
    return {"count": float(values.shape[2]), "known_share": round(float(np.isfinite(values).mean()), 4)}


def _first_scored(scores: models.FloatArray, first: int) -> int:
    return first + int(np.isfinite(scores[first:]).any(axis=1).argmax())


def _portfolio(run_: _Run, members: BoolArray, learned: Made) -> tuple[dict[str, bytes], dict[str, float]]:
    scores = portfolios.unpack(learned.files["scores.npz"])[run_.settings.kinds[0].value]
    first = _first_scored(scores, run_.first)
    ground = portfolios.arena(run_.market, members, first, run_.settings)
    name = run_.settings.kinds[0].value
    targets, result = portfolios.constructed(
        ground,
        scores[:, ground.columns],
        run_.settings.constraints,
        run_.settings,
        name,
    )
    decisions = int((~np.isnan(targets)).any(axis=1).sum())
    figures = {"first_row": float(first), "decisions": float(decisions), "final_equity_won": float(result.equity[-1])}
    return {"targets.npz": portfolios.pack_targets(targets, ground)}, figures


def _backtest(run_: _Run, members: BoolArray, learned: Made, held: Made) -> tuple[dict[str, bytes], dict[str, float]]:
    settings = run_.settings
    ground = portfolios.arena(run_.market, members, int(held.manifest.figures["first_row"]), settings)
    targets = portfolios.unpack(held.files["targets.npz"])["targets"]
    result = backtest.run(
        ground.traded,
        targets,
        name=settings.kinds[0].value,
        listing=ground.listing,
        settings=settings.backtest,
    )
    others = portfolios.baselines(
        ground, settings, backtest.measure(result).turnover, run_.dice("research.random_names")
    )
    stored = portfolios.unpack(learned.files["scores.npz"])
    for name, scores in stored.items():
        if name != settings.kinds[0].value:
            others[f"{name}_same_rules"] = portfolios.constructed(
                ground,
                scores[:, ground.columns],
                settings.constraints,
                settings,
                f"{name}_same_rules",
            )[1]
    index = portfolios.index_run(run_.market, ground.first, settings.backtest.cash)
    benchmarks = [*([index] if index else []), *(other for name, other in others.items() if name != BOUND)]
    notes = backtest.ReportNotes(
        trials=1,
        survivorship=run_.market.survivorship,
        window=window_text(ground.traded, settings),
        remarks=remarks(learned.json("figures.json"), settings, adjusted=run_.market.adjusted),
    )
    evidence = backtest.gather(result, benchmarks, dice=run_.dice("research.bootstrap"))
    figures = backtest.figures(result, [*benchmarks, others[BOUND]], notes, evidence)
    page = backtest.html(result, benchmarks, "해태 연구 보고서: " + result.name, notes, evidence)
    files = {"report.html": page.encode(), "backtest.json": json.dumps(figures, ensure_ascii=False).encode()}
    return files, {"final_equity_won": float(result.equity[-1]), "benchmarks": float(len(others))}


def _report(
    run_: _Run, snapshots: Made, declared: Made, learned: Made, tested: Made
) -> tuple[dict[str, bytes], dict[str, float]]:
    panel = run_.market.panel
    newest = snapshots.json("newest.json")
    figures = {
        "schema": SCHEMA,
        "lake": {
            **_lake_figures(run_.market),
            "from": int(panel.days[0]),
            "to": int(panel.days[-1]),
            "adjusted": run_.market.adjusted,
            "index": run_.market.index_close is not None,
            "survivorship": run_.market.survivorship,
            "digest": run_.market.digest,
        },
        "universe": {
            **snapshots.manifest.figures,
            "day": newest["day"],
            "symbols": newest["symbols"],
            "excluded": snapshots.json("months.json")[-1]["excluded"],
        },
        "features": {**declared.manifest.figures, "hash": daily.feature_hash()},
        "walk_forward": {
            "first_test": day_from(int(panel.days[run_.first])).isoformat(),
            "horizon_sessions": run_.settings.horizon_sessions,
            "embargo_sessions": run_.settings.walk.embargo_rows,
            "rebalance_sessions": run_.settings.rebalance_sessions,
        },
        "ml": learned.json("figures.json"),
        "backtest": tested.json("backtest.json"),
    }
    return {"research.json": json.dumps(figures, ensure_ascii=False).encode()}, {}


def _artefacts(learned: Made) -> tuple[tuple[ModelCard, Mapping[str, bytes]], ...]:
    found: dict[str, dict[str, bytes]] = {}
    for name, content in learned.files.items():
        model_id, _, file = name.partition(".")
        if file and model_id not in ("scores", "figures"):
            found.setdefault(model_id, {})[file] = content
    return tuple((card_of(files), files) for _, files in sorted(found.items()))


def _peak_rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
