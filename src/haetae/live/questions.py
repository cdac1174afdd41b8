"""Questions whose answers take time: the agent's review of a leg, before its brief runs out."""

from __future__ import annotations

import asyncio

import structlog

from haetae.domain.decisions import AgentReply, Brief
from haetae.domain.errors import HaetaeError
from haetae.domain.units import NS_PER_SECOND
from haetae.ports import Clock, Decider

_log = structlog.get_logger(__name__)


async def review(decider: Decider, brief: Brief, clock: Clock) -> AgentReply:
    """Return the decider's reply, or the abstention that its silence or failure is."""
    asked = asyncio.ensure_future(decider.decide(brief))
    seconds = (brief.valid_until - clock.now()) / NS_PER_SECOND
    limit = asyncio.ensure_future(clock.sleep(max(0.0, seconds)))
    try:
        await asyncio.wait({asked, limit}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            return asked.result()
        return AgentReply(brief.leg.leg_id, clock.now(), "none", "", "TIMEOUT")
    except HaetaeError as fault:
        _log.warning("agent.failed", leg_id=brief.leg.leg_id, fault=str(fault))
        return AgentReply(brief.leg.leg_id, clock.now(), "none", "", "PROTOCOL")
    finally:
        limit.cancel()
        asked.cancel()
