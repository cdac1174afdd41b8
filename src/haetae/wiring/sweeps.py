"""A sweep as faces run it: points of a search on a stretch of a lake, kept as they finish, every one a trial.

Here: the plan, and the loop that joins search, executor, folder and book of trials. Not here: the points themselves
(``backtest.sweep``), the folder (``sweeps_folder``), where points run (``sweeps_executors``), what is said of the
result (``sweeps_report``), walk-forward (``sweeps_walking``).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from haetae import __version__
from haetae.backtest.settings import BacktestSettings
from haetae.backtest.sweep.executors import Executor
from haetae.backtest.sweep.points import Job, Outcome, Status, key_of
from haetae.backtest.sweep.scoring import Objective, score_of
from haetae.backtest.sweep.search import Search, grid_search, random_search
from haetae.backtest.sweep.space import Parameters, Space
from haetae.backtest.sweep.work import Work, work_of
from haetae.domain.errors import StrategyError, Text
from haetae.domain.learning import Trial
from haetae.domain.units import day_from
from haetae.registry.trials import TrialBook
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import rng
from haetae.wiring.grounds import Stretch
from haetae.wiring.strategies import code_digest, strategy_class
from haetae.wiring.sweeps_folder import SweepFolder
from haetae.wiring.sweeps_shipping import Shipped, ship

Progress = Callable[[str | Text, int, int], None]
POINTS = Text(ko="탐색", en="points")
_LEAST_BOOKED = 16
"""Trials are written down in groups: the book seals and reads itself whole at every writing."""


class SearchKind(Enum):
    """How the points of a space are chosen."""

    GRID = "grid"
    RANDOM = "random"
    OPTUNA = "optuna"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is swept and how; everything that decides the points and their figures."""

    named: str
    shipped: Shipped
    title: str
    code: str
    space: Space
    kind: SearchKind
    n: int
    objective: Objective
    settings: BacktestSettings
    seed: int

    def search(self) -> Search:
        """Return a fresh search; the same plan gives the same points every time."""
        match self.kind:
            case SearchKind.GRID:
                return grid_search(self.space)
            case SearchKind.RANDOM:
                return random_search(self.space, self.n, rng(self.seed, "sweep"))
            case SearchKind.OPTUNA:
                from haetae.backtest.sweep.adaptive import Adaptive

                return Adaptive(self.space, self.n, int(rng(self.seed, "sweep").integers(2**31)))

    def told(self) -> dict[str, Any]:
        """Return what names the plan in a manifest: a change of any of it makes another sweep."""
        return {
            "version": __version__,
            "strategy": {"named": self.title, "class": self.shipped.qualname, "code": self.code},
            "space": self.space.told(),
            "search": {"kind": self.kind.value, "n": self.n, "objective": self.objective.value},
            "settings": dataclasses.asdict(self.settings),
            "seed": self.seed,
        }


def plan_of(
    named: str,
    space: Space,
    kind: SearchKind,
    *,
    n: int = 100,
    objective: Objective = Objective.SHARPE,
    settings: BacktestSettings | None = None,
    seed: int = 7,
) -> Plan:
    """Return the plan of a sweep of a strategy by name, file or module."""
    made = strategy_class(named)
    n = 0 if kind is SearchKind.GRID else n
    return Plan(
        named, ship(named), made.title(), code_digest(made), space, kind, n, objective,
        settings or BacktestSettings(), seed,
    )  # fmt: skip


def open_book(path: Path) -> TrialBook:
    """Return the book of trials of a file; an absent one is an empty book."""
    return TrialBook(path)


def sweep_work(plan: Plan, stretch: Stretch) -> Work:
    """Return what the points of a plan share."""
    return work_of(stretch.ground, plan.shipped, plan.settings)


@dataclass(frozen=True, slots=True, eq=False)
class Explored:
    """Every finished point in the order of the search; ``resumed`` of them were there before."""

    outcomes: tuple[Outcome, ...]
    resumed: int


def explore(
    plan: Plan,
    stretch: Stretch,
    path: Path,
    *,
    work: Work,
    executor: Executor,
    book: TrialBook,
    window: tuple[int, int] | None = None,
    progress: Progress | None = None,
    label: str | Text = POINTS,
) -> Explored:
    """Run what is not finished yet and return all points.

    Parameters
    ----------
    path : Path
        The sweep's folder; what an earlier call finished there is not run again.
    window : (first, last), optional
        Rows of the ground to trade; all from its first one if not given.

    Raises
    ------
    ConfigError
        If the folder was begun with another strategy, data or space.
    StrategyError
        If the process of a point died over it again and again; all others are finished then.
    """
    tell = progress or (lambda _label, _done, _total: None)
    ground = stretch.ground
    first, last = window or (ground.first, len(ground.panel))
    sessions = len(np.unique(ground.panel.days[first:last]))
    search = plan.search()
    identity = plan.told() | {"data": stretch.data, "rows": [first, last]}
    found: dict[str, Outcome] = {}
    with SweepFolder(path, identity, search.most, sessions) as folder:
        resumed = len(folder.done)
        trials = _Trials(plan, stretch, book, (first, last))
        trials.take(folder.done.values())
        try:
            while batch := search.propose():
                keys = [key_of(parameters) for parameters in batch]
                jobs = _jobs(batch, keys, len(found), found, (first, last))
                tell(label, len(folder.done), search.most)
                died = []
                for outcome in executor.map(work, [job for job in jobs if job.key not in folder.done]):
                    folder.append(outcome)
                    died += [outcome] if outcome.status is Status.DIED else []
                    trials.take([outcome])
                    tell(label, len(folder.done), search.most)
                if died:
                    raise _killed(died)
                found |= {job.key: folder.done[job.key] for job in jobs}
                search.learn([score_of(found[key], plan.objective) for key in keys])
            tell(label, search.most, search.most)
        finally:
            trials.write()
    return Explored(tuple(found.values()), min(resumed, len(found)))


def _jobs(
    batch: Sequence[Parameters], keys: Sequence[str], begin: int, known: Mapping[str, Outcome], rows: tuple[int, int]
) -> list[Job]:
    """Return the jobs of the points that were not proposed before, each once."""
    fresh = {key: parameters for key, parameters in zip(keys, batch, strict=True) if key not in known}
    return [Job(begin + place, key, fresh[key], *rows) for place, key in enumerate(fresh)]


class _Trials:
    """Points on their way into the book of trials; those it has already are left out."""

    def __init__(self, plan: Plan, stretch: Stretch, book: TrialBook, rows: tuple[int, int]) -> None:
        days = stretch.ground.panel.days
        self._plan, self._book, self._data = plan, book, stretch.data
        self._first, self._last = day_from(int(days[rows[0]])), day_from(int(days[rows[1] - 1]))
        self._known = {
            key_of(trial.parameters)
            for trial in book.trials()
            if (trial.family, trial.code, trial.data) == (plan.title, plan.code, stretch.data)
            and (trial.first, trial.last) == (self._first, self._last)
        }
        self._waiting: list[Trial] = []

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Take finished points; enough of them are written at once."""
        for outcome in outcomes:
            if outcome.status is not Status.DONE:
                continue
            parameters = self._plan.shipped(outcome.job.parameters).parameters
            if key_of(parameters) not in self._known:
                self._known.add(key_of(parameters))
                self._waiting.append(self._trial(outcome, parameters))
        if len(self._waiting) >= max(_LEAST_BOOKED, len(self._known) // _LEAST_BOOKED):
            self.write()

    def write(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._book.append(waiting)

    def _trial(self, outcome: Outcome, parameters: Parameters) -> Trial:
        daily = outcome.figures["daily_sharpe"]
        return Trial(
            family=self._plan.title,
            parameters=parameters,
            code=self._plan.code,
            data=self._data,
            first=self._first,
            last=self._last,
            sessions=len(outcome.returns),
            sharpe=math.nan if daily is None else float(daily),
            why="sweep",
            at=SystemClock().now(),
        )


def _killed(died: Sequence[Outcome]) -> StrategyError:
    shown = "; ".join(f"{dict(each.job.parameters)}: {each.reason}" for each in died[:5])
    return StrategyError(
        Text(
            ko=f"작업 프로세스를 죽인 점이 {len(died)}개 있습니다",
            en=f"{len(died)} points ended the process that ran them",
        ),
        expected=Text(ko="끝까지 도는 전략", en="a strategy that runs to its end"),
        found=shown,
        next_step=Text(
            ko="메모리와 전략을 확인하고 같은 명령을 다시 실행하세요: 끝난 점은 다시 돌지 않습니다",
            en="check memory and strategy, then run the same command: finished points are not run again",
        ),
    )
