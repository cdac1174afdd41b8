"""What goes wrong in one drill, and when: a script for the emulator, acts upon the desk's own machine, moods.

Here: ``Act``, ``Plan``, ``single`` (one fault of the table), ``mixture`` (many, drawn from a seed), ``incidents``
(of most days). Every fault of the table stands in ``faults`` with how it is drilled. Not here: what a script's fault
does (``emulator.faults``), what an act does (``rig``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from haetae.domain.errors import HaetaeError
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol, hhmmss_of
from haetae.emulator.faults.script import Fault, read_fault

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to a process, a disk, a clock, or by a person, at an instant of a right clock.

    ``kind``: ``kill``, ``die_at_write``, ``stop``, ``takeover``, ``step``, ``drift``, ``disk_full``, ``operator``,
    ``withdraw`` (the owner cancels in the app what is open of their own orders).
    """

    at: Instant
    id: str
    kind: str
    value: float = 0.0
    flag: bool = True
    text: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that goes wrong in one drill.

    ``ids`` are the faults of the table it is made of, ``bars`` what is done to the minutes that the desk is told,
    ``greedy`` whether the policy wants everything at once.
    """

    ids: tuple[str, ...] = ()
    script: tuple[Fault, ...] = ()
    acts: tuple[Act, ...] = ()
    moods: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()
    greedy: bool = False
    parts: tuple[Plan, ...] = ()
    """The plans it was joined from, one a fault."""

    def only(self, ids: Collection[str]) -> Plan:
        """Return the part that is made of some of its faults."""
        return joined(part for part in self.parts or (self,) if set(part.ids) <= set(ids))


def joined(parts: Iterable[Plan]) -> Plan:
    """Return several plans as one."""
    kept = tuple(parts)
    acts = [act for part in kept for act in part.acts]
    return Plan(
        ids=tuple(dict.fromkeys(name for part in kept for name in part.ids)),
        script=tuple(fault for part in kept for fault in part.script),
        acts=tuple(sorted(acts, key=lambda act: (act.at, act.id, act.kind))),
        moods=tuple(mood for part in kept for mood in part.moods),
        bars=tuple(way for part in kept for way in part.bars),
        greedy=any(part.greedy for part in kept),
        parts=kept,
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a fault may fall: the span of the drill, its symbols, and the dice."""

    first: Instant
    last: Instant
    symbols: tuple[Symbol, ...]
    dice: np.random.Generator

    def moment(self, share: float | None = None) -> Instant:
        """Return an instant of the span, drawn, or at a share of it."""
        part = float(self.dice.random()) if share is None else share
        return self.first + int((self.last - self.first) * part)

    def clock(self, at: Instant) -> str:
        """Return an instant as a script writes it."""
        text = f"{hhmmss_of(at):06d}"
        return f"{text[:2]}:{text[2:4]}:{text[4:]}"

    def pick(self, choices: Sequence[Any]) -> Any:
        """Return one of some things."""
        return choices[int(self.dice.integers(len(choices)))]

    def number(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return int(self.dice.integers(low, high + 1))


Drawn = Callable[[Scope], Table]


def _call(**what: Sequence[Any]) -> Drawn:
    """Draw a fault that strikes at one of the first calls it meets, with parameters drawn from lists."""

    def draw(scope: Scope) -> Table:
        chosen = {name: scope.pick(values) for name, values in what.items()}
        return {"when": {"call": scope.number(1, 4)}, "what": chosen, "times": scope.number(1, 2)}

    return draw


def _query(operation: Sequence[str], **what: Sequence[Any]) -> Drawn:
    """The same at calls of chosen names."""

    def draw(scope: Scope) -> Table:
        return {**_call(**what)(scope), "where": {"operation": scope.pick(operation)}}

    return draw


def _moment(**what: Sequence[Any]) -> Drawn:
    """Draw a fault that strikes at a time of day."""

    def draw(scope: Scope) -> Table:
        chosen = {name: scope.pick(values) for name, values in what.items()}
        return {"when": {"at": scope.clock(scope.moment(0.05 + 0.6 * float(scope.dice.random())))}, "what": chosen}

    return draw


def _named(**what: Sequence[Any]) -> Drawn:
    """The same at one symbol."""

    def draw(scope: Scope) -> Table:
        return {**_moment(**what)(scope), "where": {"symbol": scope.pick(scope.symbols)}}

    return draw


def _frame(most: int, **what: Sequence[Any]) -> Drawn:
    """Draw a fault that strikes at data frames."""

    def draw(scope: Scope) -> Table:
        chosen = {name: scope.pick(values) for name, values in what.items()}
        return {"when": {"frame": scope.number(1, most)}, "what": chosen, "times": scope.number(1, 6)}

    return draw


_LISTS = ("inquire-daily-ccld", "inquire-balance")

SCRIPTED: Mapping[str, Drawn] = {
    "T01": _moment(seconds=(1, 4, 15)),
    "T02": _call(),
    "T03": _call(how=("closed", "reset", "silent")),
    "T04": _call(how=("closed", "reset", "silent")),
    "T05": _call(how=("late", "drip"), seconds=(7, 29)),
    "T06": _call(how=("truncated", "cut", "surplus")),
    "T07": _call(taken=(False, True)),
    "T08": _call(status=(500, 502, 503, 504), taken=(False, True), code=("", "EGW00301")),
    "T09": _call(how=("EGW00201", "EGW00215", "429")),
    "T10": _query(("inquire-daily-ccld", "inquire-balance", "intstock-multprice", "quote"), how=("closed", "reset")),
    "T11": _moment(how=("expired", "unknown_ca", "wrong_host"), seconds=(5, 20)),
    "T12": lambda scope: {"what": {"ms": scope.pick((50, 500, 3_000)), "jitter_ms": 200}, "times": 0},
    "T13": _moment(seconds=(1, 30, 300), requests=("lost", "late")),
    "T14": _moment(how=("half_open", "no_data"), seconds=(0, 60)),
    "T15": _moment(code=(1000, 1001, 1006, 1011)),
    "T16": _moment(seconds=(60, 600), every_s=(2,)),
    "T17": lambda scope: {
        "what": {"how": scope.pick(("missing", "error", "in_use")), "registered": bool(scope.number(0, 1))},
        "times": scope.number(1, 4),
    },
    "T18": _frame(60, how=("reordered", "duplicated", "delayed")),
    "T19": _frame(60, records=(0, 1, 7), count=(-1, 0, 1)),
    "T20": _frame(3, how=("wrong_key", "bad_padding", "plain")),
    "T21": _moment(how=("withheld", "storm"), seconds=(60,), per_second=(20, 100)),
    "B01": _call(seconds=(5, 45, 120), balance=(False, True)),
    "B02": _call(seconds=(0, 0.5, 5)),
    "B03": _call(parts=([1, 1], [1], [2, 3])),
    "B04": _call(quantity=(0, 1)),
    "B05": _call(how=("closed", "reset", "silent")),
    "B06": _call(links=(1, 2), ticks=(1,)),
    "B07": _call(how=("order", "fill"), shift=(True, False)),
    "B08": lambda scope: {"where": {"operation": scope.pick(_LISTS)}, "when": {"call": scope.number(2, 6)}, "times": 3},
    "B09": _call(copies=(1,)),
    "B10": lambda scope: {"when": {"call": scope.number(2, 6)}, "times": scope.number(1, 4)},
    "B11": _query(
        ("order", "inquire-daily-ccld", "inquire-balance"),
        how=("code", "text", "new_field", "missing_field"),
        taken=(True, False),
    ),
    "B12": _query(_LISTS, value=(" 0012", "-", "", "1e5", "NaN")),
    "B13": _moment(share=(0.3, 0.9)),
    "B14": _call(quantity=(0, 1)),
    "B16": _call(),
    "B17": _query(("trading", "quote"), code=("EGW00121", ""), status=(500, 200)),
    "B18": lambda scope: {"times": scope.number(1, 2)},
    "B19": _moment(seconds=(30, 60), calls_per_second=(3,), token=(False, True)),
    "B20": _call(how=("tr_id", "branch", "refuse")),
    "B21": _moment(),
    "M01": lambda scope: {
        **_named(bp=(1_500, -1_500), back_minutes=(2, 5))(scope),
    },
    "M02": _named(side=("lower", "upper"), seconds=(300, 0)),
    "M03": _named(way=("up", "down")),
    "M04": _named(how=("halt",), seconds=(300, 900, 0)),
    "M05": _moment(level=(1, 2, 3)),
    "M06": _frame(30, how=("zero_ask", "zero_bid", "crossed")),
    "M07": _frame(30, how=("zero", "negative", "times", "other")),
    "M08": _named(kind=("split", "bonus", "rights", "dividend"), ratio=(50.0,)),
}
"""How each fault of the emulator is drawn."""


def _acts(*kinds: Callable[[Scope], Act]) -> Callable[[Scope], tuple[Act, ...]]:
    return lambda scope: tuple(sorted((kind(scope) for kind in kinds), key=lambda act: act.at))


def _halt_and_release(fault: str) -> Callable[[Scope], tuple[Act, ...]]:
    """A person stops the desk, twice, and lets it go again."""

    def draw(scope: Scope) -> tuple[Act, ...]:
        at, second = scope.moment(0.2 + 0.2 * float(scope.dice.random())), NS_PER_SECOND
        state = scope.pick(("halt", "reduce_only"))
        return (
            Act(at, fault, "operator", text=state),
            Act(at + 20 * second, fault, "operator", text=state),
            Act(at + 240 * second, fault, "operator", text="active"),
        )

    return draw


def _crash_loop(scope: Scope) -> tuple[Act, ...]:
    """A desk that dies again and again."""
    at = scope.moment(0.3)
    return tuple(Act(at + n * 25 * NS_PER_SECOND, "P04", "kill") for n in range(6))


ACTED: Mapping[str, Callable[[Scope], tuple[Act, ...]]] = {
    "P01": _acts(lambda scope: Act(scope.moment(), "P01", "kill"), lambda scope: Act(scope.moment(), "P01", "kill")),
    "P02": _acts(lambda scope: Act(scope.moment(0.1), "P02", "die_at_send", scope.number(1, 6), flag=False)),
    "P03": _acts(lambda scope: Act(scope.moment(0.1), "P03", "die_at_send", scope.number(1, 6), flag=True)),
    "P04": _crash_loop,
    "P05": _acts(lambda scope: Act(scope.moment(), "P05", scope.pick(("stop", "takeover")), 60)),
    "P07": _acts(lambda scope: Act(scope.moment(), "P07", "stop", 10)),
    "P10": _acts(lambda scope: Act(scope.moment(0.1), "P10", "die_at_write", scope.number(1, 60), flag=False)),
    "S01": _acts(lambda scope: Act(scope.moment(0.1), "S01", "disk_full", scope.number(1, 40))),
    "S02": _acts(lambda scope: Act(scope.moment(0.3), "S02", "disk_full", 1)),
    "S03": _acts(
        lambda scope: Act(scope.moment(0.1), "S03", "die_at_write", scope.number(1, 60), flag=bool(scope.number(0, 1)))
    ),
    "P06": _acts(lambda scope: Act(scope.moment(), "P06", "kill")),
    "S05": _acts(lambda scope: Act(scope.moment(0.2), "S05", "slow_disk", 5, text=str(scope.number(2, 8)))),
    "C01": _acts(lambda scope: Act(scope.moment(), "C01", "step", scope.pick((-3_600, 3_600, -10, 1)))),
    "C02": _acts(lambda scope: Act(scope.moment(0.1), "C02", "drift", scope.pick((-200, 200)))),
    "O03": _halt_and_release("O03"),
    "O04": _halt_and_release("O04"),
}
"""How each fault of the desk's own machine, or of a person, is drawn."""

MOODY: Mapping[str, tuple[str, ...]] = {
    "L01": ("silent", "slow", "down", "empty", "refusal"),
    "L02": ("no_json", "extra", "nan", "huge"),
    "L03": ("stranger",),
    "L04": ("extra", "certain"),
    "L05": ("injected",),
    "L06": ("contrary",),
    "L08": ("stale",),
}
"""How a reviewer misbehaves for each fault of a language model."""

BARRED: Mapping[str, tuple[str, ...]] = {
    "D01": ("missing", "doubled", "swapped", "revised"),
    "D02": ("early",),
}
"""What is done to the minutes that the desk is told."""

ALIASES: Mapping[str, str] = {"O05": "B14", "X05": "T08"}
"""Faults that are another one met with another eye: the owner's own order, and errors whose texts may hold secrets."""

GREEDY = ("L07",)
"""A policy that wants all names at once."""

DRAWN = (*SCRIPTED, *ACTED, *MOODY, *BARRED, *ALIASES, *GREEDY)
"""Every fault that a drill of the rig can have."""


def single(fault: str, scope: Scope) -> Plan:
    """Return a plan of one fault of the table."""
    if fault in ALIASES:
        return replace(single(ALIASES[fault], scope), ids=(fault,))
    if fault in GREEDY:
        return Plan(ids=(fault,), greedy=True)
    if fault in BARRED:
        return Plan(ids=(fault,), bars=BARRED[fault])
    if fault in SCRIPTED:
        return _scripted(fault, scope, SCRIPTED[fault](scope))
    if fault in ACTED:
        moods = ("down", "silent") if fault == "P06" else ()  # the model's process is gone, then the desk's own
        return Plan(ids=(fault,), acts=ACTED[fault](scope), moods=moods)
    if fault in MOODY:
        return Plan(ids=(fault,), moods=MOODY[fault])
    raise HaetaeError(f"{fault} is not drilled in the rig", expected=", ".join(DRAWN), found=fault)


def _scripted(fault: str, scope: Scope, drawn: Table) -> Plan:
    """Return a plan of one fault of the emulator."""
    read, mistakes = read_fault({"id": fault, "seed": int(scope.dice.integers(2**31)), **drawn})
    if read is None:
        raise HaetaeError(f"{fault} is drawn wrongly", expected="a fault", found="; ".join(map(str, mistakes)))
    return Plan(ids=(fault,), script=(read,))


_ENDS_THE_DAY = frozenset({"B20", "P04"})
"""Faults after which nothing is traded: rare in a mixture, or there would be little to see."""
_RARE = 0.05


def mixture(scope: Scope, among: Sequence[str] = DRAWN) -> Plan:
    """Return a plan of several faults: from none to a dozen of all classes."""
    count = scope.number(0, min(12, len(among)))
    chosen = sorted({str(among[int(n)]) for n in scope.dice.integers(0, len(among), count)})
    parts = []
    for fault in chosen:
        rare = fault in _ENDS_THE_DAY and len(among) > 1 and float(scope.dice.random()) > _RARE
        if not rare:
            parts.append(single(fault, scope))
    return joined(parts)


_FALLS, _FALLING = 0.6, 3
_STOPS = 0.4


def incidents(scope: Scope, held: Sequence[Symbol], among: Collection[str] = DRAWN) -> Plan:
    """Return what happens on most days whatever else goes wrong: held names fall far, a person stops the desk.

    Without it few days have an escape, or a halt, for the laws about them to look at.
    """
    parts = []
    if "M01" in among and held and float(scope.dice.random()) < _FALLS:
        at = scope.clock(scope.moment(0.1 + 0.7 * float(scope.dice.random())))
        for symbol in sorted({scope.pick(held) for _ in range(_FALLING)}):
            fall = {"bp": scope.pick((-1_500, -900, -600)), "back_minutes": scope.pick((5, 30))}
            parts.append(_scripted("M01", scope, {"when": {"at": at}, "what": fall, "where": {"symbol": symbol}}))
    if "O03" in among and float(scope.dice.random()) < _STOPS:
        parts.append(single("O03", scope))
    return joined(parts)
