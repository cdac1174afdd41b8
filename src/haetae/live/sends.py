"""What a driver sends: orders, cancels, moved prices; each looked at once more right before it leaves.

Every method is a job of a lane (``lanes``): it runs when what was asked before it has ended.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from haetae.domain.orders import ClearedOrder, Order, OrderEvent, Rejected
from haetae.domain.units import Won
from haetae.live.gate import WITHHELD, Gate, Leaving
from haetae.live.lanes import Job
from haetae.ports import Broker, Clock, Passing, pass_by

_log = structlog.get_logger(__name__)


class Sends:
    """Talks to the broker for the desk; ``told`` takes what comes of it."""

    def __init__(
        self,
        broker: Broker,
        gate: Gate,
        clock: Clock,
        *,
        order_of: Callable[[str], Order | None],
        told: Callable[[OrderEvent], None],
        look: Callable[[], object] | None = None,
        passing: Passing = pass_by,
    ) -> None:
        """Send nothing yet; ``look`` reads the newest wishes of a person, ``order_of`` finds what the desk knows."""
        self._broker = broker
        self._gate = gate
        self._clock = clock
        self._order_of = order_of
        self._told = told
        self._look = look
        self._passing = passing
        self._cancelling: set[str] = set()

    def withheld(self, leaving: Leaving) -> str:
        """Return why something may not leave at this moment, empty where it may; the newest wishes are read first."""
        if self._look is not None:
            self._look()
        return self._gate.refusal(leaving)

    async def submit(self, order: ClearedOrder) -> None:
        """Send a cleared order, or refuse it here: then it provably never left."""
        intent = order.intent
        why = self.withheld(Leaving.of(intent))
        if why:
            self._told(Rejected(intent.intent_id, self._clock.now(), WITHHELD, why))
        else:
            self._passing("run.before_submit")
            answer = await self._broker.submit(order)
            self._passing("run.submit_answered")
            self._told(answer)

    def cancelling(self, intent_id: str) -> Job | None:
        """Return the job that cancels an order, None while an earlier one is queued or under way.

        A desk that waits for an answer asks again; where the broker is slow, each repeat would make it slower still.
        """
        if intent_id in self._cancelling:
            return None
        self._cancelling.add(intent_id)

        async def job() -> None:
            try:
                await self._cancel(intent_id)
            finally:
                self._cancelling.discard(intent_id)

        return job

    async def _cancel(self, intent_id: str) -> None:
        """Cancel what is open of an order; one that ended meanwhile is left alone."""
        order = self._open(intent_id)
        if order is not None and order.order_id is not None and self._gate.holds():
            self._passing("run.before_cancel")
            answer = await self._broker.cancel(intent_id, order.order_id)
            self._passing("run.cancel_answered")
            self._told(answer)

    async def replace(self, intent_id: str, price: Won) -> None:
        """Move the limit price; where that is refused the order lives on at its old price."""
        order = self._open(intent_id)
        if order is None or order.order_id is None:
            return
        why = self.withheld(Leaving(order.intent.side, order.intent.escape, self._clock.now()))
        if why:
            _log.warning("order.replace_withheld", intent_id=intent_id, why=why)
            return
        answer = await self._broker.replace(intent_id, order.order_id, price)
        if isinstance(answer, Rejected):
            _log.warning("order.replace_refused", intent_id=intent_id, code=answer.code)
        else:
            self._told(answer)

    def _open(self, intent_id: str) -> Order | None:
        order = self._order_of(intent_id)
        return None if order is None or order.status.terminal else order
