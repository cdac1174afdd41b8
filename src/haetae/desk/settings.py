"""Settings of the desk, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from haetae.agent import AgentSettings
from haetae.domain.events import OperatorState
from haetae.execution import PlanSettings, ReconcileSettings
from haetae.guards import EscapeSettings, Limits


class ReviewMode(Enum):
    """Whether an agent reviews each leg; without one the legs go to the guards at once."""

    ASK = "ask"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """How the desk works; the parts belong to the rooms that use them."""

    decision_minutes: int = 10
    """A policy is asked every ten minutes from 09:05: legs rest five, so decisions do not overlap."""

    first_decision_minute: int = 5
    """The first at 09:05, when entries open (guard G05)."""

    rest_minutes: int = 5
    """An entry that is not filled after five minutes is withdrawn: its price belongs to an old decision."""

    cancel_again_s: int = 60
    """A cancel without an answer is sent again after a minute."""

    max_commands: int = 4_000
    """Orders and cancels a day. Four hundred orders with some cancels each stay far below; a loop does not."""

    reconcile_every_s: int = 60
    """Holdings, cash and orders are compared every minute."""

    reconcile_after_fill_s: int = 10
    """… and ten seconds after a fill: balances were seen to follow executions by seconds."""

    retry_reads_ms: tuple[int, ...] = (500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000)
    """Pauses between readings while something is unknown or differs: quick at first, then patient, and never longer
    than the pauses of a desk at rest: three readings that prove an absence fit into five minutes after a fault."""

    settle_after_close_s: int = 150
    """So long after the close an order still unknown goes to a person; two minutes of it are what lists may lag."""

    correct_costs: bool = False
    """Whether the first reading of a day may book the broker's fees and taxes where they differ from ours within the
    tolerance; else a person books them."""

    escape_resend_s: int = 1
    """An escape sale of unknown fate is sent again after a second *and* a reading that does not show it:
    the broker refuses to sell more than is held, so a duplicate full exit is harmless."""

    minute_history: int = 400
    """Closed minutes a view carries: a whole session of 381 and the end of the one before."""

    daily_history: int = 260
    """Closed sessions a view carries: a year and two weeks, for measures over a year."""

    start_state: OperatorState = OperatorState.ACTIVE
    """Paper money starts active; a live configuration says HALT, and a person releases it."""

    review: ReviewMode = ReviewMode.ASK
    """Every leg is reviewed unless a simulation turns it off."""

    agent: AgentSettings = field(default_factory=AgentSettings)
    plan: PlanSettings = field(default_factory=PlanSettings)
    limits: Limits = field(default_factory=Limits)
    escape: EscapeSettings = field(default_factory=EscapeSettings)
    reconcile: ReconcileSettings = field(default_factory=ReconcileSettings)

    def __post_init__(self) -> None:
        """Refuse a gate in the guards below the agent's."""
        if self.decision_minutes < 1 or self.rest_minutes < 1:
            raise ValueError("decision_minutes and rest_minutes must be at least 1")
        if self.minute_history < 0 or self.daily_history < 0:
            raise ValueError("a view looks back on 0 bars or more")
        if self.limits.min_confidence > self.agent.min_confidence:
            raise ValueError("guards.min_confidence above agent.min_confidence would deny every approval")
