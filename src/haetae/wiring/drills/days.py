"""Many drilled days: each with a market, a day of the calendar and faults of its own, all from one seed.

Here: ``Course`` (what is asked), ``day_drill`` (one day of it, the same every time), ``run_course`` with its figures,
shrinking of a day that failed. Not here: one drill (``rig``), the command line (``cli``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain.units import instant_at
from haetae.krx import Rulebook, trading_days
from haetae.krx.calendar import opens_late
from haetae.wiring.dice import rng
from haetae.wiring.drills.drill import PACES, Drill, Evidence, drill_desk
from haetae.wiring.drills.invariants import INVARIANTS, Violation, judge
from haetae.wiring.drills.market import make_ground
from haetae.wiring.drills.plan import DRAWN, Plan, Scope, incidents, joined, mixture
from haetae.wiring.drills.rig import Rig
from haetae.wiring.tries import Tries

FIRST_DAY, LAST_DAY = dt.date(2025, 1, 6), dt.date(2026, 12, 29)
"""Days are drawn from two years of the calendar: late opens, the turns of years, the new hours of 2026."""
_ODD_DAYS = 0.15
"""Share of days that are drawn among those with hours of their own."""
_DESK_UP = 85_000
_COLLARS = (50, 50, 0, -15, -40)
"""Some desks bid at the market, some below it, where orders rest and are cancelled."""
_MINUTES = (3, 5, 10, 30)
_SHARES = (0.1, 0.3, 0.9)


@dataclass(frozen=True, slots=True)
class Course:
    """What is asked: so many days of a seed, which faults may come, how large and how fine."""

    seed: int
    days: int
    faults: tuple[str, ...] = DRAWN
    symbols: int = 50
    pace: str = "coarse"


@dataclass(frozen=True, slots=True)
class Day:
    """One drilled day: what was looked at, what was struck, what did not hold."""

    number: int
    date: dt.date
    ids: tuple[str, ...]
    looked: dict[str, int]
    strikes: dict[str, int]
    violations: tuple[Violation, ...]
    digest: str
    orders: int
    fills: int
    lives: int
    cpu_s: float
    tail: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the day as JSON values."""
        return {**asdict(self), "date": self.date.isoformat()}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Day:
        """Return the day of a record."""
        return cls(
            **{
                **record,
                "date": dt.date.fromisoformat(record["date"]),
                "ids": tuple(record["ids"]),
                "violations": tuple(Violation(**each) for each in record["violations"]),
                "tail": tuple(record["tail"]),
            }
        )


@dataclass(slots=True)
class Figures:
    """The days so far, added up."""

    days: int = 0
    looked: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    failed: list[Day] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    orders: int = 0
    fills: int = 0
    lives: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0

    def add(self, day: Day) -> None:
        """Count one day."""
        self.days += 1
        self.looked.update(day.looked)
        self.strikes.update(day.strikes)
        self.digests[day.number] = day.digest
        self.orders += day.orders
        self.fills += day.fills
        self.lives += day.lives
        self.cpu_s += day.cpu_s
        if day.violations:
            self.failed.append(day)

    @property
    def days_per_core_hour(self) -> float:
        """Days that one core does in an hour, by processor time."""
        return 3_600 * self.days / self.cpu_s if self.cpu_s else 0.0

    def digest(self) -> str:
        """Return one hash over the traces of all days, in the order of their numbers."""
        joined = "\n".join(f"{number} {digest}" for number, digest in sorted(self.digests.items()))
        return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()

    def record(self, course: Course) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "seed": course.seed,
            "days": self.days,
            "symbols": course.symbols,
            "pace": course.pace,
            "faults": {name: self.strikes[name] for name in sorted(self.strikes)},
            "faults_injected": sum(self.strikes.values()),
            "invariants": {one.id: self.looked[one.id] for one in INVARIANTS},
            "violations": [
                {
                    "day": day.number,
                    "date": day.date.isoformat(),
                    "faults": list(day.ids),
                    "replay": replay_command(course, day.number),
                    "wrong": [{"invariant": one.invariant, "what": one.what} for one in day.violations],
                    "tail": list(day.tail),
                }
                for day in sorted(self.failed, key=lambda day: day.number)
            ],
            "orders": self.orders,
            "fills": self.fills,
            "desk_starts": self.lives,
            "trace_hash": self.digest(),
            "cpu_s": round(self.cpu_s, 3),
            "wall_s": round(self.wall_s, 3),
            "days_per_core_hour": round(self.days_per_core_hour, 1),
        }


def replay_command(course: Course, number: int) -> str:
    """Return the command that runs one day again, to the same trace."""
    faults = "" if course.faults == DRAWN else f" --faults {','.join(course.faults) or 'none'}"
    return f"haetae simtest --replay {course.seed}:{number} --symbols {course.symbols} --pace {course.pace}{faults}"


def day_drill(course: Course, number: int, *, whole_trace: bool = False) -> Drill:
    """Return one day of a course; equal arguments give equal drills."""
    dice = rng(course.seed, f"drill.day.{number}")
    date = _date(dice)
    ground = make_ground(int(dice.integers(1, 2**31)), date, course.symbols)
    rules = Rulebook.on(date)
    start = instant_at(date, _DESK_UP)
    scope = Scope(rules.session.open_at, rules.session.auction_from, ground.symbols, dice)
    plan = joined([mixture(scope, course.faults), incidents(scope, ground.held, course.faults)])
    desk = drill_desk(int(dice.choice(_COLLARS)), int(dice.choice(_MINUTES)))
    seed = int(dice.integers(1, 2**62))
    trades = float(dice.choice(_SHARES))
    return Drill(seed, ground, start, plan, PACES[course.pace], desk, trades, whole_trace)


def _date(dice: np.random.Generator) -> dt.date:
    days = trading_days(FIRST_DAY, LAST_DAY)
    if float(dice.random()) < _ODD_DAYS:
        days = tuple(day for day in days if opens_late(day)) or days
    return days[int(dice.integers(len(days)))]


def run_day(course: Course, number: int, *, plan: Plan | None = None, trace: Path | None = None) -> Day:
    """Run one day of a course and judge it; ``plan`` replaces its own, ``trace`` takes every line of it."""
    began = time.process_time()
    drill = day_drill(course, number, whole_trace=trace is not None)
    drill = replace(drill, plan=plan) if plan is not None else drill
    rig = Rig(drill)
    evidence: Evidence | None = None
    try:
        evidence = rig.run()
        looked, violations = judge(evidence)
    except Exception as fault:  # noqa: BLE001 - whatever ends a drill is what it found; the other days go on
        found = getattr(fault, "found", "") or traceback.format_exception(fault)[-2].strip()
        looked, violations = {}, [Violation("I11", f"{type(fault).__name__}: {fault} ({found})")]
    lines = rig.trace.lines()
    if trace is not None:
        trace.write_text("\n".join([*lines, "", *rig.logs, ""]), encoding="utf-8")
    return Day(
        number=number,
        date=drill.ground.day,
        ids=drill.plan.ids,
        looked=looked,
        strikes=dict(evidence.strikes) if evidence is not None else {},
        violations=tuple(violations),
        digest=rig.trace.digest(),
        orders=len(rig.shell.seen.orders),
        fills=len(evidence.account.executions) if evidence is not None else 0,
        lives=len(evidence.lives) if evidence is not None else 0,
        cpu_s=time.process_time() - began,
        tail=tuple(lines[-30:]) if violations else (),
    )


def run_course(
    course: Course,
    *,
    jobs: int = 1,
    budget_s: float = 0.0,
    told: Callable[[Figures], None] = lambda _: None,
    figures: Figures | None = None,
    file: Path | None = None,
) -> Figures:
    """Run the days of a course, several at once where asked to, no new one after ``budget_s`` seconds.

    ``told`` hears the figures after each day; whoever interrupts keeps ``figures``. The days that stand in ``file``,
    done by this very program, are counted and not done again; each new one is added to it.
    """
    figures = figures if figures is not None else Figures()
    began = time.monotonic()
    tries = Tries(file, {**asdict(course), "days": None})
    for number in range(course.days):
        if str(number) in tries.made:
            figures.add(Day.of(tries.made[str(number)]))
    left = [number for number in range(course.days) if number not in figures.digests]
    for day in _days(course, left, jobs, began + budget_s if budget_s else 0.0):
        tries.keep(str(day.number), day.record())
        figures.add(day)
        figures.wall_s = time.monotonic() - began
        told(figures)
    return figures


def _days(course: Course, numbers: Iterable[int], jobs: int, until: float) -> Iterator[Day]:
    if jobs == 1:
        for number in numbers:
            if until and time.monotonic() > until:
                return
            yield run_day(course, number)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = iter(numbers)
        under_way = {pool.submit(run_day, course, number) for number in islice(waiting, jobs)}
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for one in done:
                yield one.result()
                following = None if until and time.monotonic() > until else next(waiting, None)
                if following is not None:
                    under_way.add(pool.submit(run_day, course, following))


def shrink(course: Course, number: int) -> tuple[str, ...]:
    """Return a smallest set of a failing day's faults with which it still fails, by leaving out one after another."""
    plan = day_drill(course, number).plan
    kept = plan.ids
    changed = True
    while changed:
        changed = False
        for fault in kept:
            fewer = tuple(one for one in kept if one != fault)
            if run_day(course, number, plan=plan.only(fewer)).violations:
                kept, changed = fewer, True
                break
    return kept
