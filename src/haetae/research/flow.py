"""The research flow: lake, universe, features, models, portfolio, backtest, report.

Each stage has a manifest with the hashes of its inputs, settings and outputs (``shelf``), under a key that is known
before it runs (``plan``); a second run with equal inputs reuses what is stored, a changed setting remakes only what
depends on it, and a run that was killed goes on where it was. The flow neither opens a lake nor fills a registry or
the book of trials: the caller hands in a reader and earlier trials, and takes out models and new trials.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from haetae.backtest import page
from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.learning import Trial
from haetae.domain.market import BoolArray
from haetae.domain.units import day_from, yyyymmdd
from haetae.features import daily
from haetae.ml import samples, yardsticks
from haetae.ml.labels import forward_returns
from haetae.ports import Clock
from haetae.research import chapters, fits, models, portfolios, tested, universes
from haetae.research.code import code_hash
from haetae.research.eligible import eligible
from haetae.research.market import DailyMarket, LakeReader, load
from haetae.research.outcome import Outcome, outcome, trial_record
from haetae.research.plan import STAGES, Planned, plan
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import Made, Shelf

Progress = Callable[[str, int, int], None]
"""Stage (with a step in words after a colon), done, in all."""

Dice = Callable[[str], np.random.Generator]
"""Name of a purpose to its generator."""


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
    anew: str
    first: int
    planned: Mapping[str, Planned]
    tried: tuple[Trial, ...]
    made: dict[str, Made] = field(default_factory=dict)
    built: list[models.FloatArray] = field(default_factory=list)
    """The features while two stages share them; taken out by the one that needs them last."""

    def features(self) -> models.FloatArray:
        if not self.built:
            self.built.append(daily.SET.batch(self.market.inputs()))
        return self.built[0]

    def stage(self, name: str, make: Callable[[], tuple[Mapping[str, bytes], Mapping[str, float]]]) -> None:
        began = self.clock.monotonic()
        self.progress(name, 0, 1)
        asked = self.planned[name]
        self.made[name] = self.shelf.stage(
            name, code_hash(name), asked.inputs, asked.settings, make, anew=name == self.anew
        )
        self.progress(name, 1, 1)
        self.seconds[name] = round(self.clock.monotonic() - began, 3)

    def members(self) -> BoolArray:
        return universes.members(self.made["universe"].json("months.json"), self.market.panel)

    def ground(self) -> portfolios.Arena:
        first = int(self.made["portfolio"].manifest.figures["first_row"])
        return portfolios.arena(self.market, self.members(), first, self.settings)


def run(
    reader: LakeReader,
    settings: ResearchSettings | None = None,
    *,
    folder: Path,
    seed: int,
    dice: Dice,
    clock: Clock,
    progress: Progress | None = None,
    until: str = STAGES[-1],
    anew: str = "",
    tried: Sequence[Trial] = (),
) -> Outcome:
    """Run the flow.

    Parameters
    ----------
    reader : LakeReader
        A lake with daily bars; index and instruments are used where it has them.
    folder : Path
        Where stages are stored and found again.
    seed, dice : int, callable
        Of the shuffled controls and the random portfolio; the rankers have their own seeds. ``dice``
        gives the generator of a purpose and must follow from ``seed``, which names it in the keys.
    until, anew : str
        The last stage that is wanted, and one that is made even where it is stored.
    tried : sequence of Trial
        The book of trials so far; those of rankers on overlapping days deflate this study's figures.

    Raises
    ------
    DataError
        If the lake has no or too few daily bars, or the universe cannot be filled.
    ConfigError
        If a stage has no such name.
    """
    for named in (until, anew or STAGES[-1]):
        if named not in STAGES:
            raise _unknown(named)
    chosen = settings or ResearchSettings()
    told = progress or _quiet
    began = clock.monotonic()
    told("lake", 0, 1)
    market = load(reader, chosen.index)
    seconds = {"lake": round(clock.monotonic() - began, 3)}
    told("lake", 1, 1)
    first = first_test_row(market, chosen)
    beside = _beside(market, chosen, first, seed, tried)
    planned = plan(market, chosen, first, seed, beside)
    pass_ = _Run(market, chosen, Shelf(folder), seed, dice, clock, told, seconds, anew, first, planned, beside)
    _walk(pass_, until)
    took = {**seconds, "all": round(clock.monotonic() - began, 3)}
    return outcome(market, chosen, first, planned, pass_.made, took)


def _beside(
    market: DailyMarket, settings: ResearchSettings, first: int, seed: int, tried: Sequence[Trial]
) -> tuple[Trial, ...]:
    """Return the distinct trials of other studies of rankers on days that overlap this one's test."""
    own = plan(market, settings, first, seed)["portfolio"].key
    begin, end = (day_from(int(market.panel.days[row])) for row in (first, -1))
    found: dict[tuple[object, ...], Trial] = {}
    for trial in tried:
        overlaps = trial.first <= end and trial.last >= begin
        if trial.family == tested.family(settings.horizon_sessions) and trial.code != own and overlaps:
            found[(trial.code, tuple(sorted(trial.parameters.items())), trial.first, trial.last)] = trial
    return tuple(found.values())


def _walk(run_: _Run, until: str) -> None:
    makers: dict[str, Callable[[], tuple[Mapping[str, bytes], Mapping[str, float]]]] = {
        "universe": lambda: universes.to_files(universes.monthly(run_.market, run_.first, run_.settings.universe)),
        "features": lambda: ({}, _feature_figures(run_.features())),
        "models": functools.partial(_models, run_),
        "portfolio": functools.partial(_portfolio, run_),
        "backtest": functools.partial(_backtest, run_),
        "report": functools.partial(_report, run_),
    }
    for name in STAGES[1 : STAGES.index(until) + 1]:
        run_.stage(name, makers[name])


def _feature_figures(values: models.FloatArray) -> dict[str, float]:
    return {"count": float(values.shape[2]), "known_share": round(float(np.isfinite(values).mean()), 4)}


def _models(run_: _Run) -> tuple[dict[str, bytes], dict[str, float]]:
    market, settings = run_.market, run_.settings
    who = eligible(market, run_.features(), settings)
    one_line = yardsticks.one_line_scores(run_.features(), daily.NAMES)
    judge = models.judge_of(market, run_.features(), who, run_.members(), run_.first, settings)

    def told(step: str, done: int, total: int) -> None:
        run_.progress(f"models:{step}", done, total)

    def rows() -> samples.Samples:
        # The block of all features is the largest thing of a study: it goes before the fits begin.
        return samples.build(run_.built.pop(), who, forward_returns(market.panel, settings.horizon_sessions))

    pieces = fits.fitted(
        run_.shelf,
        run_.planned["features"].key,
        settings,
        run_.first,
        run_.seed,
        market.panel,
        rows,
        run_.dice,
        told,
    )
    run_.built.clear()
    return models.learned(one_line, run_.members(), judge, pieces, settings, told)


def _first_scored(scores: models.FloatArray, first: int) -> int:
    return first + int(np.isfinite(scores[first:]).any(axis=1).argmax())


def _portfolio(run_: _Run) -> tuple[dict[str, bytes], dict[str, float]]:
    settings, name = run_.settings, run_.settings.kinds[0].value
    scores = portfolios.unpack(run_.made["models"].files["scores.npz"])[name]
    first = _first_scored(scores, run_.first)
    ground = portfolios.arena(run_.market, run_.members(), first, settings)
    targets, result = portfolios.constructed(ground, scores[:, ground.columns], settings.constraints, settings, name)
    decisions = int((~np.isnan(targets)).any(axis=1).sum())
    figures = {"first_row": float(first), "decisions": float(decisions), "final_equity_won": float(result.equity[-1])}
    return {"targets.npz": portfolios.pack_targets(targets, ground)}, figures


def _backtest(run_: _Run) -> tuple[dict[str, bytes], dict[str, float]]:
    settings, learned = run_.settings, run_.made["models"].json("figures.json")
    ground = run_.ground()
    targets = portfolios.unpack(run_.made["portfolio"].files["targets.npz"])["targets"]
    scores = portfolios.unpack(run_.made["models"].files["scores.npz"])
    walks = tested.walked(run_.market, ground, targets, scores, list(learned["models"]), settings, run_.dice)
    own = tested.trials_of(
        walks, run_.planned["portfolio"].key, run_.market.digest, _parameters(run_), settings.horizon_sessions
    )
    trials = (*run_.tried, *own)
    found = tested.evidence(walks, trials, run_.dice("research.bootstrap"))
    notes = tested.notes_of(run_.market, ground, settings)
    figures = tested.figures_of(walks, found, notes)
    followed = {name.removesuffix("_same_rules"): walks.others[name] for name in walks.rivals}
    runs = {settings.kinds[0].value: walks.result, **followed}
    files = {
        "backtest.json": tested.as_json(figures),
        "pictures.json": tested.as_json(page.pictures(walks.result, walks.benchmarks, figures)),
        "cards.json": tested.as_json({name: tested.card_figures(one, found, trials) for name, one in runs.items()}),
        "trials.json": tested.as_json([trial_record(trial) for trial in own]),
    }
    return files, {"final_equity_won": float(walks.result.equity[-1]), "benchmarks": float(len(walks.others))}


def _parameters(run_: _Run) -> dict[str, int | str]:
    settings = run_.settings
    return {
        "horizon": settings.horizon_sessions,
        "seeds": settings.seed_count,
        "rebalance": settings.rebalance_sessions,
        "study": run_.planned["models"].key,
    }


def _report(run_: _Run) -> tuple[dict[str, bytes], dict[str, float]]:
    settings, learned = run_.settings, run_.made["models"].json("figures.json")
    leading = settings.kinds[0].value
    data = run_.made["backtest"].json("backtest.json")
    chapter = chapters.learning(learned, leading, settings.horizon_sessions)
    drawn = run_.made["backtest"].json("pictures.json")
    html = page.render(data, drawn, f"해태 연구 보고서: {leading}", chapters=(chapter,))
    said = chapters.verdict(learned, leading)
    return {"report.html": html.encode(), "verdict.json": tested.as_json({"ko": said.ko, "en": said.en})}, {}


def _unknown(stage: str) -> ConfigError:
    return ConfigError(
        Text(ko=f"그런 단계는 없습니다: {stage}", en=f"there is no such stage: {stage}"),
        expected=", ".join(STAGES),
        found=stage,
        next_step=f"--until {STAGES[-1]}",
    )
