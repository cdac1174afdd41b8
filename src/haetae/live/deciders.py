"""The default decider as a port: the offline rules, stamped with the clock. It is not AI and says so."""

from __future__ import annotations

from haetae import agent
from haetae.domain.decisions import AgentReply, Brief
from haetae.ports import Clock


class OfflineDecider:
    """``ports.Decider`` of ``agent.answer``; needs no key and no network."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def decide(self, brief: Brief) -> AgentReply:
        """Return the rules' answer at once."""
        return AgentReply(brief.leg.leg_id, self._clock.now(), agent.DECIDER, agent.answer(brief))
