"""The market as a whole by REST: the KOSPI every few seconds while the market is open, the VKOSPI where it is served.

Here: `Indices`. Not here: what a fall of an index means (``guards``). A reading that fails is left out and told in the
log: an index that is not known is 0, never the last one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from haetae.domain.errors import HaetaeError
from haetae.domain.events import MarketReading
from haetae.domain.units import NS_PER_SECOND
from haetae.kis.pacing import Lane
from haetae.kis.rest import KisRest
from haetae.kis.wire.calls import prices
from haetae.krx.sessions import Session
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
KOSPI = "0001"
_SLOW_S = 60.0
"""Pause where a call a second is all there is (mock domain)."""


class Indices:
    """Reads the indices of one session at a time."""

    def __init__(self, rest: KisRest, clock: Clock) -> None:
        """Ask nothing yet."""
        self._rest = rest
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def follow(self, session: Session, tell: Callable[[Sequence[MarketReading]], None]) -> None:
        """Read from the open to the close of a session and tell each reading."""
        pause = self._rest.settings.index_poll_s
        if pause is not None and prices.IndexNow.operation.tr_id(self._rest.settings.mode):
            slow = self._rest.settings.is_mock
            self._task = asyncio.create_task(self._read(session, max(pause, _SLOW_S) if slow else pause, tell))

    async def close(self) -> None:
        """Read no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _read(self, session: Session, pause: float, tell: Callable[[Sequence[MarketReading]], None]) -> None:
        await self._clock.sleep(max(0.0, (session.open_at - self._clock.now()) / NS_PER_SECOND))
        while True:
            await self._clock.sleep(pause)
            if self._clock.now() >= session.close_at:
                return
            level = await self._level(KOSPI, pause)
            code = self._rest.settings.vkospi_code
            unrest = await self._level(code, pause) if code and level else 0
            if level:
                tell([MarketReading(self._clock.now(), level, unrest)])

    async def _level(self, code: str, within_s: float) -> int:
        """Return an index in hundredths of a point, 0 where it could not be read in time."""
        asked = prices.IndexNow(fid_input_iscd=code)
        try:
            reply = await self._rest.ask(asked, lane=Lane.DATA, about=f"index {code}", within_s=within_s)
            return reply.one(prices.IndexLevel, about=f"index {code}").bstp_nmix_prpr
        except HaetaeError as fault:
            _log.warning("index.not_read", code=code, fault=str(fault))
            return 0
