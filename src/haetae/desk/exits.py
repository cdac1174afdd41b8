"""How one name is left: at which price, how much at a time, and when an order that did not fill is renewed.

Pure arithmetic over an ``Exit``. Not here: what is cancelled and sent (`leaving`). Prices are won, quantities shares.

Price: the first limit lies ``first_bp`` below the last price and goes down ``widen_bp`` for every ``widen_s`` without a
sale, to the day's lower limit. Size: a minute takes ``stage_share`` of what trades in one (the larger of what traded so
far today and what usually trades), at least ``stage_least`` of what is to go; at the lower limit everything queues at
once, since there the place in the queue is all that counts. Renewal: after 2, 4, 8 … seconds, then the order rests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from haetae.domain.records import made_often
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, Shares, Won
from haetae.guards import EscapeSettings

_BP = 10_000
_SESSION_MINUTES = 381


@made_often
@dataclass(frozen=True, slots=True)
class Exit:
    """A name on its way out.

    Attributes
    ----------
    began_at : since when an order waits in vain; the limit widens from here. 0 while the name is not on its way out.
    count : orders sent for it today, which name the next one.
    tries : orders sent since one was filled whole.
    next_at : no order is renewed, and none is sent after a refusal, before this.
    size : shares to go when it began.
    goal : shares held once the newest order is filled whole, -1 where none waits to be.
    stage_at, stage_from : the minute of the stage under way, and shares held when it began.
    queued : whether it was told that it waits at the lower limit.
    """

    began_at: Instant = 0
    count: int = 0
    tries: int = 0
    next_at: Instant = 0
    size: Shares = 0
    goal: Shares = -1
    stage_at: Instant = 0
    stage_from: Shares = 0
    queued: bool = False


def begun(known: Exit | None, at: Instant, held: Shares, over: Shares) -> Exit:
    """Return the exit as of now: begun if it was not, its clock set anew where the newest order was filled whole."""
    if known is None or not known.began_at:
        return Exit(at, known.count if known else 0, size=over, stage_at=_minute(at), stage_from=held)
    exit_ = known
    if exit_.goal >= 0 and held <= exit_.goal:
        exit_ = replace(exit_, tries=0, next_at=at, goal=-1, queued=False)
    if exit_.goal < 0 and exit_.began_at != at:  # nothing is in the market, so nothing waits there
        exit_ = replace(exit_, began_at=at)
    if exit_.stage_at != _minute(at):
        exit_ = replace(exit_, stage_at=_minute(at), stage_from=held)
    return exit_


def _minute(at: Instant) -> Instant:
    return at - at % NS_PER_MINUTE


def limit_bp(exit_: Exit, at: Instant, settings: EscapeSettings) -> int:
    """Return how far below the last price a limit lies now."""
    waited = (at - exit_.began_at) // (settings.widen_s * NS_PER_SECOND)
    return min(_BP, settings.first_bp + settings.widen_bp * waited)


def raw_limit(exit_: Exit, at: Instant, last: Won, lower: Won, settings: EscapeSettings) -> Won:
    """Return the limit before it is rounded to a tick: the lower limit once there is nothing left to widen."""
    if last <= lower or exit_.tries >= settings.renewals:
        return lower
    return max(lower, last * (_BP - limit_bp(exit_, at, settings)) // _BP)


def stage_room(exit_: Exit, held: Shares, waiting: Shares, minute_volume: Shares, settings: EscapeSettings) -> Shares:
    """Return how many more shares this minute may take."""
    most = max(1, int(minute_volume * settings.stage_share), -int(-exit_.size * settings.stage_least // 1))
    return most - max(0, exit_.stage_from - held) - waiting


def minute_volume(traded: Shares, minutes: int, usual_turnover: Won, last: Won) -> Shares:
    """Return what trades in a minute: the larger of today's mean and of the usual day's."""
    today = traded // max(1, minutes)
    usual = usual_turnover // (_SESSION_MINUTES * last) if last > 0 else 0
    return max(today, usual)


def sent(exit_: Exit, at: Instant, held: Shares, quantity: Shares, settings: EscapeSettings) -> Exit:
    """Return the exit after an order went out."""
    return replace(
        exit_,
        count=exit_.count + 1,
        tries=exit_.tries + 1,
        next_at=at + pause_ns(exit_, settings),
        goal=held - quantity,
    )


def refused(exit_: Exit, at: Instant, settings: EscapeSettings) -> Exit:
    """Return the exit after the guards refused an order: tried again later, never at once."""
    return replace(exit_, count=exit_.count + 1, tries=exit_.tries + 1, next_at=at + pause_ns(exit_, settings))


def pause_ns(exit_: Exit, settings: EscapeSettings) -> int:
    """Return how long an order rests before it is renewed: twice as long each time, a minute at most."""
    return int(min(60, settings.widen_s * 2 ** min(exit_.tries, 10)) * NS_PER_SECOND)
