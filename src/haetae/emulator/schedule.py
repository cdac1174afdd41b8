"""What the exchange announces on a day: phases, countdowns, breakers, sidecars, VI and halts, as they come.

Here: ``announcements`` of a session with the codes of the market-status stream (장운영구분코드). Not here: who is
told (the streams), the wire. The codes are those of the KIS workbook of 2026-06; which of the two pairs a
breaker uses, and that the aftermarket has none, is unverified.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.domain.market import Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant
from haetae.emulator.bridge import STEPS
from haetae.emulator.session import Session
from haetae.emulator.world import World
from haetae.krx.afterhours import OffHours
from haetae.krx.interruptions import sidecar_on

_BEFORE_OPEN = ((600, "F08"), (300, "F07"), (180, "F09"), (60, "F06"), (10, "F01"))
_BEFORE_CLOSE = ((300, "F17"), (180, "F18"), (60, "F16"), (10, "F11"))
_OFF_HOURS = {OffHours.BEFORE_OPEN: ("130", "139"), OffHours.AFTER_CLOSE: ("140", "149")}
_TRIPPED, _RESUMED, _ENDED = "174", "175", "182"
_SIDECAR = {False: ("387", "388"), True: ("397", "398")}


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement: to one name (``column``), to a market, or to all (neither given).

    ``code`` is a 장운영구분코드, blank where only the name's own state changed (VI, halt).
    """

    at: Instant
    code: str
    market: Market | None = None
    column: int = -1
    in_vi: bool = False
    halted: bool = False
    reason: str = ""


def announcements(world: World, session: Session) -> list[Announcement]:
    """Return all announcements of a session, ascending by time."""
    hours = session.rules.session
    found = [
        Announcement(hours.orders_from, "110"),
        Announcement(hours.open_at, "112"),
        Announcement(hours.auction_from, "121"),
        Announcement(hours.close_at, "129"),
        *(Announcement(hours.open_at - left * NS_PER_SECOND, code) for left, code in _BEFORE_OPEN),
        *(Announcement(hours.close_at - left * NS_PER_SECOND, code) for left, code in _BEFORE_CLOSE),
    ]
    for window in session.windows:
        if window.hours in _OFF_HOURS:
            begin, end = _OFF_HOURS[window.hours]
            found += [Announcement(window.start, begin), Announcement(window.end, end)]
    for pause in session.course.pauses:
        if pause.level:
            found.append(Announcement(pause.at, _TRIPPED if pause.until else _ENDED, pause.market))
            if pause.until:
                found.append(Announcement(pause.until, _RESUMED, pause.market))
        else:
            found.append(Announcement(pause.at, "", column=pause.column, halted=True, reason=pause.reason))
            if pause.until:
                found.append(Announcement(pause.until, "", column=pause.column))
    for event in session.course.events:
        found.append(Announcement(event.at, "", column=event.column, in_vi=True))
        found.append(Announcement(event.released_at, "", column=event.column))
    found += _sidecars(world, session)
    return sorted(found, key=lambda one: (one.at, one.code, one.column))


def _sidecars(world: World, session: Session) -> list[Announcement]:
    """The index itself stands in for its future, which this market does not have (unverified)."""
    rules = sidecar_on(session.day)
    if rules is None:
        return []
    path = world.index_path("2001", session.row)[STEPS - 1 :: STEPS]
    ends = session.tape.end[STEPS - 1 :: STEPS][: len(path)]
    latest = session.rules.session.close_at - rules.guard_min * NS_PER_MINUTE
    for upward in (False, True):
        far = path >= 1 + rules.move_bp / 10_000 if upward else path <= 1 - rules.move_bp / 10_000
        lasting = far[1:] & far[:-1]
        hits = np.flatnonzero(lasting & (ends[1:] < latest))
        if len(hits):
            at = int(ends[int(hits[0]) + 1])
            begin, end = _SIDECAR[upward]
            over = at + rules.wait_min * NS_PER_MINUTE
            return [Announcement(at, begin, Market.KOSPI), Announcement(over, end, Market.KOSPI)]
    return []
