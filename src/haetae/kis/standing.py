"""How we stand with KIS: what was asked, what it refused, whether anything may still be sent.

Here: `Standing`, which every call reports to: counts, health, the consequences of a refusal, the stop. Not here:
repeats of queries (`rest`), orders (`orders`), tokens (`auth`), the pace (`pacing`).
Once KIS has said that the key pair or its domain is wrong, or an answer of the other domain came, nothing is sent any
more: a person must look, and a storm of repeats would only block the key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from haetae.domain.errors import Fatal
from haetae.domain.units import day_of
from haetae.kis import refusals
from haetae.kis.budget import WINDOW_S
from haetae.kis.carrier import HttpCarrier
from haetae.kis.health import Breaker, Meter
from haetae.kis.limits import calls_per_second
from haetae.kis.pace_file import MemoryPace, PaceStore, SharedPace
from haetae.kis.pacing import Lane, Pacer, Rule, Turn
from haetae.kis.secrecy import Redactor
from haetae.kis.settings import KisSettings
from haetae.kis.skew import REFUSE_S, STOP_S, WARN_S, ClockWatch
from haetae.kis.transport import Transport
from haetae.kis.wire import codes
from haetae.kis.wire.codes import Reaction
from haetae.kis.wire.envelope import Reply
from haetae.ports import Clock

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Counts:
    """What was done since the start; ``by_code`` counts refusals."""

    calls: int = 0
    repeats: int = 0
    in_flight: int = 0
    by_code: dict[str, int] = field(default_factory=dict)


class Standing:
    """One key's connection: the exchange, its pace, and what has come of it so far."""

    def __init__(self, settings: KisSettings, clock: Clock, carrier: HttpCarrier) -> None:
        """Begin with nothing asked."""
        self.settings = settings
        self.clock = clock
        self.counts = Counts()
        self.meter, self.breaker = Meter(), Breaker()
        self.redact = Redactor(settings.app_key, settings.app_secret.reveal(), settings.account, settings.hts_id)
        self._watch = ClockWatch()
        self.transport = Transport(settings, clock, self.redact, self._watch, carrier)
        # A slot of a process that died is free when its longest call must be over.
        lease_s = 4 * settings.read_timeout_s + settings.connect_timeout_s
        self.pacer = Pacer(clock, self._rule, store=_pace_store(settings), lease_s=lease_s)
        self.stopped: Fatal | None = None
        self._ruled: tuple[dt.date, Rule | None] | None = None
        self._told_skew = 0.0
        self._began = False

    @property
    def skew_s(self) -> float | None:
        """Return the proven difference of the clocks in seconds; None where it is not watched or not known."""
        return self._watch.skew_s if self.settings.watches_clock else None

    @property
    def calls_per_second(self) -> float:
        """Return the calls a second that the pace permits now; 0 where it is infinite."""
        rule = self._rule()
        if rule is None:
            return 0.0
        return float(rule.calls) if rule.window_s <= WINDOW_S else rule.calls / rule.window_s

    def refuse_if_stopped(self) -> None:
        """Raise what stopped us."""
        if self.stopped is not None:
            raise self.stopped

    def stop(self, fault: Fatal) -> None:
        """Send nothing any more."""
        if self.stopped is None:
            _log.error("kis.stopped", code=fault.code, found=fault.found, why=str(fault))
            self.stopped = fault

    async def turn(self, lane: Lane, *, ledger: bool, asks: bool = False) -> Turn:
        """Wait for a turn; raises what stopped us meanwhile."""
        turn = await self.pacer.turn(lane, ledger=ledger, asks=asks)
        if self.stopped is not None:
            turn.unused()
        self.refuse_if_stopped()
        return turn

    @contextmanager
    def on_the_wire(self) -> Iterator[None]:
        """Count a call while it is on the wire."""
        self.counts.calls += 1
        self.counts.in_flight += 1
        try:
            yield
        finally:
            self.counts.in_flight -= 1

    def count(self, *, failed: bool) -> None:
        """Count a call that ended, with a readable answer or without."""
        now = self.clock.monotonic()
        self.meter.count(now, failed=failed)
        if self.breaker.count(now, failed=failed):
            tell = _log.error if self.breaker.is_open else _log.info
            tell("breaker.opened" if self.breaker.is_open else "breaker.closed")

    def heed(self, reply: Reply) -> bool:
        """Draw the consequences of a refusal for pace and stop; returns whether its token is dead."""
        self.counts.by_code[reply.code] = self.counts.by_code.get(reply.code, 0) + 1
        verdict = codes.reaction(reply.code, status=reply.status, text=reply.text)
        if verdict is Reaction.LATER:
            self.pacer.refused(ledger=reply.code == codes.LEDGER_RATE_EXCEEDED)
            _log.error("pace.refused", operation=reply.operation, code=reply.code)
        if codes.says_wrong_key(reply.code, reply.text):
            self.stop(refusals.wrong_key(reply.code, reply.text, reply.status, self.settings.mode))
        return verdict is Reaction.NEW_TOKEN or (verdict is Reaction.AMBIGUOUS and codes.says_dead_token(reply.text))

    def mind_the_clock(self) -> None:
        """Tell a difference to the server's clock when it grows; refuse to begin with one that is plainly wrong."""
        skew = self.skew_s
        if skew is None:
            return
        level = next((level for level in (REFUSE_S, STOP_S, WARN_S) if abs(skew) >= level), 0.0)
        if level > self._told_skew:
            (_log.error if level >= STOP_S else _log.warning)("clock.skewed", skew_s=round(skew, 3))
        self._told_skew = level
        begins, self._began = not self._began, True
        if begins and level >= REFUSE_S:
            self.stop(refusals.clock_off(skew, STOP_S))
            self.refuse_if_stopped()

    def _rule(self) -> Rule | None:
        """Return what KIS allows today; on its own hosts a setting may only lower it."""
        settings, day = self.settings, day_of(self.clock.now())
        if self._ruled is None or self._ruled[0] != day:
            allowed: float = calls_per_second(settings.mode, day, settings.applied_on)
            wanted = settings.calls_per_second
            if wanted is not None:
                allowed = wanted if settings.is_local else min(wanted, allowed)
            self._ruled = day, Rule.of(allowed, burst=settings.burst)
        return self._ruled[1]


def _pace_store(settings: KisSettings) -> PaceStore:
    file = settings.token_file
    if file is None or not settings.shares_pace:
        return MemoryPace()
    return SharedPace(file.with_name(f"pace-{settings.fingerprint}.json"))
