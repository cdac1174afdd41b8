"""Whether a strategy depends on the view alone: not on what it was asked before, not on clocks, dice or the network.

Runs are repeated, views are asked again out of order, and what it calls is watched. A strategy that passes gives in
recovery, in replay and in another process the decisions it gave before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from haetae.backtest.audit.findings import Finding, failed, noted, passed
from haetae.backtest.audit.futures import perturbed_after
from haetae.backtest.audit.subject import (
    Grid,
    Seat,
    Subject,
    first_difference,
    first_path_difference,
    place_text,
    proposed,
)
from haetae.backtest.audit.watching import Watch, numpy_dice
from haetae.backtest.result import Result
from haetae.domain.market import Int64Array
from haetae.policies import Strategy
from haetae.policies.authored import source_of

CHECK = "determinism"
_VIEWS = 40
_DICE = ("random", "_random", "numpy.random", "secrets", "uuid")
_FILES = ("io.", "_io.", "builtins.", "posix.")


def determinism(subject: Subject, dice: np.random.Generator) -> Finding:
    """Return whether equal views give equal decisions, whatever was asked before."""
    rows = subject.asked_rows()
    seats, first = subject.seats()
    _again, second = subject.seats()
    strategy = subject.make()
    state = _state(strategy)
    moved = _two_runs(subject, first, second)
    moved = moved or (
        _arrays_again(subject, strategy, rows, dice)
        if subject.by_arrays
        else _views_again(subject, strategy, _some(seats, dice), dice)
    )
    heard = _heard(subject, rows, seats)
    kept = sorted(name for name, value in _state(strategy).items() if state.get(name) != value)
    numbers = {"runs": 2, "views_asked_again": min(len(seats), _VIEWS), "calls": heard, "keeps": kept}
    if moved:
        ko, en = moved
        return failed(CHECK, ko + _blame(heard, kept), en + _blame(heard, kept), numbers)
    grave = [name for name in heard if not name.startswith((*_DICE, *_FILES))]
    if grave:
        return failed(
            CHECK,
            f"시계나 바깥을 봅니다: {grave[0]} ({heard[grave[0]]}번째 줄). 다시 돌리면 달라질 수 있습니다",
            f"it asks a clock or the outside: {grave[0]} (line {heard[grave[0]]}); another run may differ",
            numbers,
        )
    if heard or kept:
        return noted(
            CHECK,
            "두 번 돌려도 같지만, 스스로 두는 것이 있습니다" + _blame(heard, kept),
            "two runs agree, but it has something of its own" + _blame(heard, kept),
            numbers,
        )
    return passed(
        CHECK,
        "다시 돌려도, 순서를 바꿔 물어도 결정이 바이트까지 같습니다",
        "run again and asked out of order, it decides the same, byte for byte",
        numbers,
    )


def _two_runs(subject: Subject, one: Result, other: Result) -> tuple[str, str] | None:
    path = first_path_difference(one, other, len(one.days))
    if path is None and bool((one.shares == other.shares).all()):
        return None
    row = (path[0] if path else len(one.days) - 1) + subject.ground.first
    where = place_text(subject.ground, row)
    return f"같은 시장에서 두 번 돌린 결과가 다릅니다: {where}", f"two runs on the same bars differ from {where}"


def _arrays_again(
    subject: Subject, strategy: Strategy, rows: Int64Array, dice: np.random.Generator
) -> tuple[str, str] | None:
    known = subject.grid(rows, strategy)
    subject.on(perturbed_after(subject.ground, int(rows[len(rows) // 2]), dice, 0.5)).grid(rows, strategy)
    for again in (subject.grid(rows, strategy), subject.grid(rows)):
        place = first_difference(known, again)
        if place is not None:
            where = place_text(subject.ground, *place)
            return (
                f"다른 시장을 계산한 뒤에 다시 물으면 결정이 다릅니다: {where}",
                f"asked again after another panel it decides otherwise at {where}",
            )
    return None


def _views_again(
    subject: Subject, strategy: Strategy, seats: list[Seat], dice: np.random.Generator
) -> tuple[str, str] | None:
    views = subject.views(seats)
    known = proposed(strategy, views)
    orders = [np.arange(len(views))[::-1], dice.permutation(len(views))]
    for order, asked in zip(orders, (strategy, subject.make()), strict=True):
        again: Grid = np.empty_like(known)
        again[order] = proposed(asked, [views[place] for place in order])
        place = first_difference(known, again)
        if place is not None:
            where = place_text(subject.ground, seats[place[0]].row, place[1])
            return (
                f"물은 순서에 따라 같은 장면의 제안이 다릅니다: {where}",
                f"the same view asked in another order gives another proposal at {where}",
            )
    return None


def _some(seats: list[Seat], dice: np.random.Generator) -> list[Seat]:
    if len(seats) <= _VIEWS:
        return seats
    places = np.sort(dice.choice(len(seats), _VIEWS, replace=False))
    return [seats[place] for place in places.tolist()]


def _heard(subject: Subject, rows: Int64Array, seats: list[Seat]) -> Mapping[str, str]:
    strategy = subject.make()
    views = subject.views(seats[:2])
    with Watch(source_of(type(strategy))) as watch:
        if subject.by_arrays:
            subject.grid(rows, strategy)
        else:
            proposed(strategy, views)
    dice = numpy_dice(source_of(type(strategy))) if not type(strategy).__module__.startswith("haetae.") else {}
    return dice | watch.heard


def _state(strategy: Strategy) -> dict[str, str]:
    return {name: repr(value) for name, value in vars(strategy).items()}


def _blame(heard: Mapping[str, str], kept: list[str]) -> str:
    told = [f"{name} (line {line})" for name, line in heard.items()] + [f"self.{name}" for name in kept]
    return f" [{', '.join(told)}]" if told else ""
