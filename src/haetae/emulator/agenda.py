"""What happens on a day, in order: prints, ends of markets, moments at which orders change their nature.

Here: ``agenda``, which lists the beats of a session between two instants. Not here: what is done at a beat (``core``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import TypedDict

import numpy as np

from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.emulator.auctions import TICK_S
from haetae.emulator.session import Session
from haetae.krx.afterhours import OffHours

_NEVER: Instant = 2**62


class BeatKind(Enum):
    """What a beat is; at one instant they come in this order."""

    PRINT = 0
    """A row of a tape has ended: the regular session's, or that of ``hours``."""
    EXPECT = 1
    """Expected prices of an opening or closing auction changed."""
    JOIN = 2
    """The closing auction begins: conditional orders join it."""
    CLOSE = 3
    """The regular session closes, save for names whose auction goes on."""
    LATE = 4
    """The prolonged closing auction of some name has ended."""
    END = 5
    """A market outside the regular session ends."""


class Needs(TypedDict):
    """Which beats anybody needs.

    ``prints``, ``expected``: the rows of the regular tape, the ticks of its auctions. ``off``: markets outside the
    regular session whose rows are needed; only they are made.
    """

    prints: bool
    off: frozenset[OffHours]
    expected: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """Something that happens at an instant; ``row`` is of a tape."""

    at: Instant
    kind: BeatKind
    row: int = -1
    hours: OffHours | None = None


def next_beat(session: Session, after: Instant, *, prints: bool, off: Collection[OffHours], expected: bool) -> Instant:
    """Return an instant before which no beat comes after ``after``; for those who need nothing but the market's ends.

    The needs are those of ``agenda``. Early where that is simpler: what comes then may be nothing.
    """
    hours = session.rules.session
    times = [hours.auction_from, hours.close_at, *session.course.released.values()]
    times += [window.end for window in session.windows]
    for window in session.windows if off else ():
        times.append(max(window.start, after + 1) if window.end > after else 0)
    if prints:
        rows = session.tape.seen(after)
        times.append(int(session.tape.end[rows]) if rows < len(session.tape.end) else 0)
    if expected:
        step = TICK_S * NS_PER_SECOND
        for start, end in ((hours.orders_from, hours.open_at), (hours.auction_from, hours.close_at)):
            times.append(max(start, after - (after - start) % step + step) if after < end else 0)
    return min((time for time in times if time > after), default=_NEVER)


def agenda(
    session: Session, after: Instant, to: Instant, *, prints: bool, off: Collection[OffHours], expected: bool
) -> list[Beat]:
    """Return the beats with ``after < at <= to``, ascending.

    Parameters
    ----------
    prints, expected : bool
        Whether anybody needs the rows of the regular tape, or the ticks of its auctions.
    off : collection of OffHours
        Markets outside the regular session whose rows somebody needs; only they are made.
    """
    hours = session.rules.session
    beats = [Beat(hours.auction_from, BeatKind.JOIN), Beat(hours.close_at, BeatKind.CLOSE)]
    beats += [Beat(until, BeatKind.LATE) for until in sorted(set(session.course.released.values()))]
    beats += [Beat(window.end, BeatKind.END, hours=window.hours) for window in session.windows]
    beats = [beat for beat in beats if after < beat.at <= to]
    if prints:
        first, last = session.tape.seen(after), session.tape.seen(to)
        beats += [Beat(int(session.tape.end[row]), BeatKind.PRINT, row) for row in range(first, last)]
    for window in session.windows:
        if window.hours not in off or window.start > to or window.end <= after:
            continue
        market = session.off_market(window.hours)
        if market is not None:
            first, last = market.tape.seen(after), market.tape.seen(to)
            ends = market.tape.end[first:last].tolist()
            beats += [Beat(at, BeatKind.PRINT, first + k, window.hours) for k, at in enumerate(ends)]
    if expected:
        step = TICK_S * NS_PER_SECOND
        for start, end in ((hours.orders_from, hours.open_at), (hours.auction_from, hours.close_at)):
            ticks = np.arange(start + step, end, step)
            beats += [Beat(int(at), BeatKind.EXPECT) for at in ticks[(ticks > after) & (ticks <= to)]]
    return sorted(beats, key=lambda beat: (beat.at, beat.kind.value, beat.row))
