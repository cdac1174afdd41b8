"""What a drill is, and what was seen of it.

Here: ``Drill``, ``Pace``, ``drill_desk``, ``Evidence``, ``Replaced``. Not here: how it runs (``rig``), judgement
(``invariants``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from haetae.desk import DeskSettings, DeskState
from haetae.domain.account import Book
from haetae.domain.events import SessionStart
from haetae.domain.units import Instant
from haetae.emulator.accounts import Account
from haetae.emulator.core import Core
from haetae.execution import PlanSettings
from haetae.guards import Limits
from haetae.journal.memory import MemoryJournal
from haetae.kis.settings import KisSettings
from haetae.krx import Rulebook
from haetae.live import DayReport
from haetae.wiring.drills.market import Ground
from haetae.wiring.drills.plan import Act, Plan
from haetae.wiring.drills.shell import Seen
from haetae.wiring.drills.trace import Trace


@dataclass(frozen=True, slots=True)
class Pace:
    """How finely time is cut: seconds between two looks at the market, and the latency of one way."""

    name: str
    step_s: float
    latency_s: tuple[float, float] = (0.004, 0.06)


PACES = {pace.name: pace for pace in (Pace("coarse", 15.0), Pace("normal", 5.0), Pace("fine", 1.0))}


@dataclass(frozen=True, slots=True)
class Drill:
    """What one drill is: its seed, its market, when the desk starts, what goes wrong."""

    seed: int
    ground: Ground
    start: Instant
    plan: Plan
    pace: Pace = PACES["coarse"]
    desk: DeskSettings = field(default_factory=lambda: drill_desk())
    trades: float = 0.3
    whole_trace: bool = False
    poll_s: float = 5.0
    index_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Replaced:
    """A process whose journal another took over: its number, when, and whether it ended by itself."""

    epoch: int
    at: Instant
    ended: bool


@dataclass(slots=True)
class Evidence:
    """Everything that was seen of a drill, for ``invariants`` to judge."""

    drill: Drill
    session: SessionStart
    rules: Rulebook
    opening: Book
    initial: DeskState
    desk: DeskState | None
    entries: list[tuple[int, Instant, str, Any]]
    journal: MemoryJournal
    core: Core
    account: Account
    seen: Seen
    trace: Trace
    settings: KisSettings
    logs: list[str]
    strikes: dict[str, int]
    refused: dict[str, str]
    reports: list[DayReport]
    failures: list[str]
    acts: list[tuple[Instant, Act]]
    secrets: list[str]
    lives: list[tuple[Instant, Instant]]
    replaced: list[Replaced]
    latched: bool = False
    turns: int = 0


def drill_desk(entry_collar_bp: int = 50, minutes: int = 5, last_entry_s: int = 600) -> DeskSettings:
    """Return settings under which a desk trades much: within every ceiling, but wider than anybody would.

    A collar below zero lets buys rest, and be cancelled; ``last_entry_s`` before the closing auction entries end.
    """
    limits = Limits(
        orders_per_minute=40,
        orders_per_hour=400,
        orders_per_day=1_500,
        orders_per_symbol_day=50,
        daily_buys_ppm=900_000,
        daily_turnover_ppm=1_900_000,
        orders_per_second=15,
        changes_per_symbol_day=100,
        new_names_per_day=15,
        require_vitals=True,
        losing_exits=10,
        turnover_share_ppm=10_000,
        rest_after_loss=False,
        entry_before_auction_s=last_entry_s,
    )
    plan = PlanSettings(entry_collar_bp=entry_collar_bp, band_ppm=1_000)
    return DeskSettings(decision_minutes=minutes, first_decision_minute=5, rest_minutes=2, limits=limits, plan=plan)
