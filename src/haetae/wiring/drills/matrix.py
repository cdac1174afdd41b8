"""One fault, five seeds: the short sessions that every change must pass.

Here: ``short_drill`` and ``run_single``: the last half hour of a session, a few names, one fault of the
table. Not here: whole days under many faults (``days``).
"""

from __future__ import annotations

import datetime as dt

from haetae.domain.errors import HaetaeError
from haetae.domain.units import NS_PER_MINUTE, Instant
from haetae.krx import Rulebook
from haetae.wiring.dice import rng
from haetae.wiring.drills.drill import Drill, Evidence, drill_desk
from haetae.wiring.drills.faults import FAULTS, How
from haetae.wiring.drills.invariants import Violation, judge
from haetae.wiring.drills.market import make_ground
from haetae.wiring.drills.plan import Plan, Scope, single
from haetae.wiring.drills.rig import Rig
from haetae.wiring.drills.scenes import DAYS, SCENES

DAY = dt.date(2026, 11, 23)
SEEDS = 5
_BEFORE_CLOSE_MIN, _LAST_ENTRY_S = 28, 120
"""Sessions begin late and may buy until late: a quarter of an hour with five decisions, and the way to the close."""
_POLL_S, _INDEX_S = 15.0, 60.0
"""Orders and the index are read less often than by default: most of a short session's time would be readings."""
_SYMBOLS = 6
_COLLARS = (50, -15, 0, 50, -30)
"""Bids at the market and below it, by seed: some fill at once, others rest and are cancelled."""
_BY_ID = {one.id: one for one in FAULTS}


def short_drill(fault: str, seed: int, *, day: dt.date = DAY, whole_trace: bool = False) -> Drill:
    """Return the short session of a fault (blank: none) and a seed."""
    ground = make_ground(1_000 + seed, day, _SYMBOLS)
    session = Rulebook.on(day).session
    start: Instant = session.close_at - _BEFORE_CLOSE_MIN * NS_PER_MINUTE
    scope = Scope(start + NS_PER_MINUTE, session.auction_from, ground.symbols, rng(seed, f"drill.single.{fault}"))
    plan = single(fault, scope) if fault else Plan()
    desk = drill_desk(_COLLARS[seed % len(_COLLARS)], 3, _LAST_ENTRY_S)
    return Drill(
        seed, ground, start, plan, desk=desk, trades=0.6, whole_trace=whole_trace, poll_s=_POLL_S, index_s=_INDEX_S
    )


def run_single(fault: str, seed: int) -> tuple[Violation, ...]:
    """Let one fault happen and return what did not hold; nothing for what is proven elsewhere."""
    how = _BY_ID[fault].how
    if how is How.SCENE:
        try:
            SCENES[fault](seed)
        except HaetaeError as wrong:
            return (Violation(fault, f"{wrong} ({wrong.found})"),)
        return ()
    if how is How.ELSEWHERE:
        return ()
    drill = short_drill("", seed, day=DAYS[fault][seed % SEEDS]) if how is How.DAY else short_drill(fault, seed)
    return tuple(judge(Rig(drill).run())[1])


def run_quiet(seed: int) -> Evidence:
    """Return a short session in which nothing goes wrong."""
    return Rig(short_drill("", seed)).run()
