"""A desk's question put to a scripted model server, and the decision the desk makes of the reply."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from haetae import agent
from haetae.agent import AgentSettings, read_reply, write_brief
from haetae.domain.decisions import AgentReply, Brief, Decision
from haetae.domain.orders import Side
from haetae.domain.secret import Secret
from haetae.domain.units import NS_PER_SECOND
from haetae.llm.client import LlmClient, Names
from haetae.llm.decider import LlmDecider
from haetae.llm.ledger import Ledger
from haetae.llm.prices import read_prices
from haetae.llm.settings import LlmSettings
from haetae.llm.wire import speak as _speak  # noqa: F401 - loaded here, as the wiring does: over a second
from haetae.wiring.deciders import problem_of
from rigs.language_model import KEY, MODEL, Answering, ModelServer
from rigs.question import AT, CONTEXT, LEG


def brief(side: Side = Side.BUY, leg_id: str = "P1.00", **context: Any) -> Brief:
    leg = replace(LEG, side=side, leg_id=leg_id)
    return write_brief(leg, replace(CONTEXT, **context), at=AT, settings=AgentSettings())


@dataclass
class HandClock:
    """Time that a test moves; sleeps end at once."""

    at: int = AT
    seconds: float = 1_000.0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.at += int(seconds * NS_PER_SECOND)


@dataclass
class Review:
    """A decider on a scripted server."""

    server: ModelServer
    client: LlmClient
    decider: LlmDecider
    clock: HandClock

    async def decide(self, question: Brief | None = None, held: int = 0) -> Decision:
        asked = question or brief()
        reply: AgentReply = await self.decider.decide(asked)
        found = read_reply(asked, reply, at=self.clock.now(), last=50_000, held=held, settings=AgentSettings())
        assert found.decider == MODEL
        assert 0 <= found.quantity <= max(asked.leg.quantity, held)
        if asked.leg.side is Side.BUY and found.status not in ("MODEL_APPROVE", "MODEL_REDUCE"):
            assert found.quantity == 0
        return found

    def calls(self) -> list[dict[str, Any]]:
        """Booked calls, oldest first."""
        return self.client.ledger.last(1_000)[::-1]


@contextlib.asynccontextmanager
async def reviewing_with(
    folder: Path, *script: Answering, names: Names = Names.HOLD, **changes: Any
) -> AsyncIterator[Review]:
    async with ModelServer(list(script)) as server:
        values = {"deadline_s": 5.0, "daily_krw": 100_000, "ledger": folder / f"spend-{server.port}.db", **changes}
        settings = LlmSettings(values.pop("base_url", server.url), MODEL, Secret(KEY), **values)
        clock = HandClock()
        client = LlmClient(settings, read_prices(settings.prices), Ledger(settings.ledger), clock, names=names)
        yield Review(server, client, LlmDecider(client, clock, problem_of, agent.reply_schema()), clock)
        client.ledger.close()
