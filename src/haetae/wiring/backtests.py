"""A backtest as faces run it: a strategy on a stretch of a lake, every baseline beside it, the trial written down.

Here: putting dice, clock, trial book and files together. Not here: the runs themselves (``backtest``), the stretch
(``grounds``), many configurations (``sweeps``).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae import backtest
from haetae.backtest.deskdays import run_through_desk
from haetae.backtest.strategies import run_strategy
from haetae.desk import DeskSettings
from haetae.domain.errors import DataError
from haetae.domain.learning import Trial
from haetae.domain.units import day_from
from haetae.policies import LIBRARY, Strategy
from haetae.policies.baselines import random_names, replacement_for
from haetae.policies.forms import TargetStrategy
from haetae.policies.schedule import Schedule, Unit
from haetae.registry.trials import TrialBook
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import rng
from haetae.wiring.grounds import Stretch
from haetae.wiring.records import write_bytes, write_json, write_text
from haetae.wiring.strategies import code_digest

_SESSIONS_PER_YEAR = 246

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run found and where it put it."""

    figures: Mapping[str, Any]
    files: Mapping[str, Path]


def run_backtest(
    strategy: Strategy,
    stretch: Stretch,
    out: Path,
    *,
    book: TrialBook,
    settings: backtest.BacktestSettings | None = None,
    seed: int = 7,
    with_baselines: bool = True,
    desk: DeskSettings | None = None,
    with_picture: bool = False,
    progress: Progress | None = None,
) -> Ran:
    """Run a strategy and its baselines, write the report, and write the trial down whatever came of it.

    With ``desk`` the strategy's minutes go through the whole desk: plan of legs, guards, escape.
    """
    settings = settings or backtest.BacktestSettings()
    tell = progress or (lambda _label, _done, _total: None)
    if desk is None:
        result = run_strategy(strategy, stretch.ground, settings=settings)
    else:
        result = run_through_desk(strategy, stretch.ground, settings=settings, desk=desk)
    trials = note_trial(book, strategy, stretch, result)
    others = beside(strategy, result, stretch, settings, seed, tell, with_baselines=with_baselines)

    def rerun(cost_multiple_ppm: int, delay_bars: int) -> backtest.Result:
        other = dataclasses.replace(settings, cost_multiple_ppm=cost_multiple_ppm, delay_bars=delay_bars)
        tell("stress", 0, 1)
        return run_strategy(strategy, stretch.ground, settings=other)

    evidence = backtest.gather(
        result,
        others,
        trials=backtest.Trials.from_sharpes([trial.sharpe for trial in trials]),
        dice=rng(seed, "bootstrap"),
        # The desk sends its own orders at its own prices: neither setting reaches it.
        stress=backtest.stress(rerun) if desk is None else None,
    )
    notes = backtest.ReportNotes(
        survivorship=stretch.survivorship,
        remarks=("수정주가로 계산했습니다 (adjusted prices)",) if stretch.adjusted else (),
    )
    out.mkdir(parents=True, exist_ok=True)
    files = {"html": out / "report.html", "json": out / "report.json"}
    if with_picture:
        files["png"] = out / "report.png"
        write_bytes(files["png"], backtest.png(result, others, title=strategy.policy_id))
    write_text(files["html"], backtest.html(result, others, strategy.policy_id, notes, evidence))
    figures = {
        **backtest.figures(result, others, notes, evidence),
        "strategy": {"name": strategy.title(), "parameters": strategy.parameters, "code": code_digest(strategy)},
        "data": stretch.data,
        "files": {name: str(path) for name, path in files.items()},
    }
    write_json(files["json"], figures)
    return Ran(figures, files)


def trial_book(path: Path) -> TrialBook:
    """Return the book of trials of a file, for faces, which do not know the registry."""
    return TrialBook(path)


def note_trial(
    book: TrialBook, strategy: Strategy, stretch: Stretch, result: backtest.Result, why: str = "run"
) -> tuple[Trial, ...]:
    """Write a trial down and return all of its family on overlapping days, it included."""
    trial = trial_of(strategy, stretch, result, why)
    book.append([trial])
    days = result.daily_days()
    return book.of(trial.family, int(days[0]), int(days[-1]))


def trial_of(strategy: Strategy, stretch: Stretch, result: backtest.Result, why: str) -> Trial:
    """Return what the trial book keeps of a run."""
    days, returns = result.daily_days(), result.daily_returns()
    spread = float(returns.std(ddof=1)) if len(returns) > 2 else 0.0
    return Trial(
        family=strategy.title(),
        parameters=strategy.parameters,
        code=code_digest(strategy),
        data=stretch.data,
        first=day_from(int(days[0])),
        last=day_from(int(days[-1])),
        sessions=len(days),
        sharpe=float(returns.mean()) / spread if spread > 1e-15 else math.nan,
        why=why,
        at=SystemClock().now(),
    )


def beside(
    strategy: Strategy,
    result: backtest.Result,
    stretch: Stretch,
    settings: backtest.BacktestSettings,
    seed: int,
    tell: Progress,
    *,
    with_baselines: bool = True,
) -> list[backtest.Result]:
    """Return the runs a strategy is shown with: every baseline, random names of its turnover, the index."""
    found: list[backtest.Result] = []
    names = [name for name, made in LIBRARY.items() if issubclass(made, TargetStrategy)]
    names = [name for name in names if LIBRARY[name]().policy_id != result.name]
    chosen: Sequence[str] = names if with_baselines else ("equal_weight",)
    for done, name in enumerate(chosen):
        tell("baselines", done, len(chosen) + 1)
        try:
            found.append(run_strategy(LIBRARY[name](), stretch.ground, name=name, settings=settings))
        except DataError:
            if name != "cap_weight":  # the one that needs numbers of listed shares, which not every lake has
                raise
    if with_baselines:
        found.append(_random(strategy, result, stretch, settings, seed))
    if stretch.index is not None:
        found.append(stretch.index)
    tell("baselines", len(chosen) + 1, len(chosen) + 1)
    return found


def _random(
    strategy: Strategy, result: backtest.Result, stretch: Stretch, settings: backtest.BacktestSettings, seed: int
) -> backtest.Result:
    """Return random names exchanged at the strategy's own sessions, as often as it exchanges its own."""
    ground = stretch.ground
    when = strategy.schedule()
    when = Schedule(Unit.SESSION) if when.unit in (Unit.BAR, Unit.MINUTE) else when
    rows = when.rows(ground.panel, ground.first)
    years = max(len(result.daily_days()) / _SESSIONS_PER_YEAR, 1e-9)
    turnover = backtest.measure(result).turnover
    share = replacement_for(turnover if math.isfinite(turnover) else 0.0, len(rows) / years)
    grid = random_names(ground.task(rows), rng(seed, "random_names"), share)
    return backtest.run(
        ground.traded, grid[ground.first :], name="random_names", listing=ground.listing, settings=settings
    )
