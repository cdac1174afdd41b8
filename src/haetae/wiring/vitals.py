"""The vitals of a running desk: measured where the machinery is, given to the desk as an event.

Nothing here asks the broker or waits: the figures are those that the connection, the lease and the journal have at
hand. What the guards make of them is theirs (G02 to G04, G28).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from haetae.domain.events import Mandate, Vitals
from haetae.domain.units import Symbol
from haetae.kis.health import Health
from haetae.kis.rest import KisRest
from haetae.live.gate import Gate
from haetae.live.record import DayRecord
from haetae.ports import Clock, Lease
from haetae.wiring.attestation import Promotion

_PPM, _MS = 1_000_000, 1_000


@dataclass(slots=True)
class Pulse:
    """Measures; call it for the vitals of this moment.

    Attributes
    ----------
    mandate : whose money it is, proved anew at every call: a token that is taken away counts at once.
    gaps : how far stream and query are apart, by name and in basis points; names that agree are not told.
    lease : None where the journal's own lock is the only writer's proof; its epoch is then 1.
    running, promotion : what runs, and what was promoted to run (None: play money, or nothing was).
    """

    rest: KisRest
    clock: Clock
    day: dt.date
    mandate: Callable[[], Mandate]
    gate: Gate
    record: DayRecord
    gaps: Callable[[], Mapping[Symbol, int]]
    running: str
    promotion: Promotion | None = None
    lease: Lease | None = None

    def __call__(self) -> Vitals:
        """Return the vitals of this moment."""
        health = self.rest.health()
        mandate = self.mandate()
        promoted = self.promotion.running if self.promotion is not None else ("none" if mandate.live else "")
        return Vitals(
            at=self.clock.now(),
            mandate=mandate,
            skew_ms=_skew(self.rest, health),
            lease_epoch=self._epoch(),
            journal_ok=self.record.healthy and self.record.in_time,
            budget_used_ppm=round(health.budget_used * _PPM),
            error_ppm=round(health.error_ratio * _PPM),
            token_left_s=max(0, int(min(health.token_left_s, 2**31))),
            running=self.running,
            promoted=promoted,
            full_size=self.promotion is None or self.day > self.promotion.day,
            price_gaps_bp={symbol: gap for symbol, gap in self.gaps().items() if gap},
        )

    def _epoch(self) -> int:
        if self.gate.lost:
            return 0
        return 1 if self.lease is None else self.lease.epoch


def _skew(rest: KisRest, health: Health) -> int | None:
    """Return the skew; a market that lends us its own clock (an emulator) cannot differ from it."""
    if not rest.settings.watches_clock:
        return 0
    return None if health.skew_s is None else round(health.skew_s * _MS)
