"""The sweep: every point in every stage that passes it, each case killed, started again, judged.

A plain run of each stage tells which points it passes and what it leads to without a death. A point that no stage
passes is a failure: a death nobody tries is not survived. Here: planning, running, the figures.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain.errors import ConfigError, Text
from haetae.wiring.clocks import SystemClock
from haetae.wiring.crashes import ground
from haetae.wiring.crashes.cases import Found, Stage, Straight
from haetae.wiring.crashes.desk_cases import DeskStage
from haetae.wiring.crashes.dying import Death
from haetae.wiring.crashes.points import POINTS
from haetae.wiring.crashes.scenarios import scenarios
from haetae.wiring.crashes.writing import writings
from haetae.wiring.dice import rng
from haetae.wiring.tries import Tries

VISITS = 2
"""Deaths per point and stage: the first visit, and one drawn by the seed from the later ones."""


@dataclass(frozen=True, slots=True)
class Case:
    """One death to try."""

    stage: str
    death: Death

    @property
    def name(self) -> str:
        """Stage, point and visit, as a file of tries names it."""
        return f"{self.stage} {self.death.point}:{self.death.visit}"


@dataclass(frozen=True, slots=True)
class Tried:
    """A case and what became of it."""

    case: Case
    found: Found


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found; ``bad`` holds the cases that broke something, ``untried`` the points nobody died at."""

    seed: int
    tried: tuple[Tried, ...]
    planned: int
    seconds: float
    never: tuple[str, ...]
    untried: tuple[str, ...]
    visits: dict[str, int] = field(default_factory=dict)

    @property
    def bad(self) -> tuple[Tried, ...]:
        """Return the cases that broke something."""
        return tuple(tried for tried in self.tried if tried.found.broken)

    @property
    def well(self) -> bool:
        """Whether every planned case was tried, none broke anything and no wanted point was left out."""
        return not self.bad and not self.never and not self.untried and len(self.tried) == self.planned

    def record(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "seed": self.seed,
            "points": len(POINTS),
            "cases": len(self.tried),
            "planned": self.planned,
            "seconds": round(self.seconds, 2),
            "outcomes": dict(sorted(Counter(tried.found.outcome for tried in self.tried).items())),
            "by_point": {
                point: {"cases": len(found), "bad": sum(1 for tried in found if tried.found.broken)}
                for point, found in _by_point(self.tried).items()
            },
            "never_reached": list(self.never),
            "untried": list(self.untried),
            "bad": [
                {
                    "point": tried.case.death.point,
                    "visit": tried.case.death.visit,
                    "scenario": tried.case.stage,
                    "broken": list(tried.found.broken),
                    "again": f"haetae crashtest --points {tried.case.death.point}:{tried.case.death.visit} "
                    f"--scenarios {tried.case.stage}",
                }
                for tried in self.bad
            ],
        }


def _by_point(tried: Sequence[Tried]) -> dict[str, list[Tried]]:
    found: dict[str, list[Tried]] = {}
    for each in sorted(tried, key=lambda each: each.case.death.point):
        found.setdefault(each.case.death.point, []).append(each)
    return found


def stages() -> tuple[Stage, ...]:
    """Return every stage: the desk's scenarios, then the durable writes."""
    return (*(DeskStage(scenario) for scenario in scenarios()), *writings())


@dataclass(slots=True)
class Wanted:
    """What to sweep; empty means all. A point may name one visit: ``order.answered:2``."""

    points: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    seed: int = 1
    budget_s: float = 0.0
    once: bool = False
    share: float = 1.0

    def check(self) -> None:
        """Refuse names that nothing has."""
        known = {point.name for point in POINTS}
        names = {stage.name for stage in stages()}
        unknown = [each for each in self.points if each.partition(":")[0] not in known]
        unknown += [each for each in self.stages if each not in names]
        if unknown:
            raise ConfigError(
                Text(ko="모르는 지점 또는 시나리오입니다", en="unknown points or scenarios"),
                expected="haetae crashtest --list",
                found=", ".join(unknown),
                next_step="haetae crashtest --list",
            )


def sweep(wanted: Wanted, tell: Callable[[int, int, Tried], None] = lambda *_: None, file: Path | None = None) -> Swept:
    """Run a sweep.

    Parameters
    ----------
    wanted : Wanted
        ``budget_s`` ends it early (0: never); ``once`` tries each point in one stage only, drawn by the seed;
        ``share`` of those cases, drawn by the seed.
    tell : callable
        Told the number, the total and each case as it ends.
    file : path
        Cases that stand in it, tried by this very program, are counted and not tried again; each new one is added.
    """
    wanted.check()
    clock = SystemClock()
    began = clock.monotonic()
    ground.world()
    chosen = [stage for stage in stages() if not wanted.stages or stage.name in wanted.stages]
    by_name = {stage.name: stage for stage in chosen}
    straights = {stage.name: _in_folder(stage.straight) for stage in chosen}
    cases = plan(straights, wanted)
    tries = Tries(file, {})
    before = {name: Found(each["outcome"], tuple(each["broken"])) for name, each in tries.made.items()}
    tried = [Tried(case, before[case.name]) for case in cases if case.name in before]
    for case in cases:
        if case.name in before:
            continue
        if wanted.budget_s and clock.monotonic() - began > wanted.budget_s:
            break
        stage, straight = by_name[case.stage], straights[case.stage]
        found = _in_folder(lambda folder, s=stage, c=case, r=straight: s.die(folder, c.death, r))  # type: ignore[misc]
        tries.keep(case.name, {"outcome": found.outcome, "broken": list(found.broken)})
        tried.append(Tried(case, found))
        tell(len(tried), len(cases), tried[-1])
    passed: Counter[str] = Counter()
    for straight in straights.values():
        passed.update(straight.passed)
    asked = {each.partition(":")[0] for each in wanted.points} or {point.name for point in POINTS}
    never = () if wanted.stages else tuple(sorted(asked - set(passed)))
    died = {each.case.death.point for each in tried}
    partly = bool(wanted.stages) or wanted.share < 1.0
    untried = () if partly else tuple(sorted(asked - died - set(never)))
    return Swept(wanted.seed, tuple(tried), len(cases), clock.monotonic() - began, never, untried, dict(passed))


def _in_folder(work: Callable[[Path], Any]) -> Any:
    shared = Path("/dev/shm")  # noqa: S108 - memory where there is some: a death by signal loses no written page
    with tempfile.TemporaryDirectory(prefix="haetae-crash-", dir=shared if shared.is_dir() else None) as folder:
        return work(Path(folder))


def plan(straights: dict[str, Straight], wanted: Wanted) -> list[Case]:
    """Return the cases in the order of trying: each point once, then the rest, drawn by the seed."""
    dice = rng(wanted.seed, "crashtest")
    by_point: dict[str, list[Case]] = {}
    for name, straight in straights.items():
        for point, visits in sorted(straight.passed.items()):
            for visit in _visits(point, visits, wanted, dice):
                by_point.setdefault(point, []).append(Case(name, Death(point, visit)))
    first, rest = [], []
    for _, cases in sorted(by_point.items()):
        order = dice.permutation(len(cases)).tolist()
        first.append(cases[order[0]])
        rest += [cases[place] for place in order[1:]]
    if wanted.share < 1.0:
        first = [case for case in first if dice.random() < wanted.share]
    if wanted.once:
        return first
    return [*first, *(rest[place] for place in dice.permutation(len(rest)).tolist())]


def _visits(point: str, passed: int, wanted: Wanted, dice: np.random.Generator) -> Iterator[int]:
    asked = [each.partition(":")[2] for each in wanted.points if each.partition(":")[0] == point]
    if wanted.points and not asked:
        return
    named = [int(visit) for visit in asked if visit]
    if named:
        yield from named
        return
    yield 1
    if passed > 1:
        yield int(dice.integers(2, passed + 1))
