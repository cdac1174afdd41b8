"""Settings of the trading day's driver, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from haetae.domain.secret import Secret

_PPM = 1_000_000
_MAY_BE_ZERO = frozenset({"end_grace_s", "read_retry_s"})
"""A driver that does not wait is hasty, not broken."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How the day is driven."""

    end_grace_s: int = 180
    """After the close the broker may still tell fills of the auction and expiries."""

    read_retry_s: int = 5
    """Pause after a reading of the account that failed."""

    start_reads: int = 3
    """Readings at start before the day is given up: without one we do not know what we own."""

    exits_at_once: int = 64
    """Conversations about exits and cancels at the same time: all of fifty names and a few more, so that the pace KIS
    allows is all they wait for; and cancels that wait together share one reading, where eight at a time needed one
    every half second out of the same pace. What waits is asked for its permit again right before its bytes leave. A
    market in lockstep takes one, so that equal days talk equally."""

    calm_turns: int = 12
    """Turns of the event loop without work before ``idle`` believes in quiet: items pass three queues."""

    vitals_s: int = 5
    """Nothing is decided on vitals older than this (RELIABILITY G04: skew and health of the moment)."""

    beat_s: int = 5
    """Vitals are measured this often without being asked, and what the journal still holds in memory is put on the
    disk: a process that dies forgets no more than this of prices and notes, and nothing of orders."""

    send_within_s: int = 30
    """A cleared order that could not leave for this long is not sent: its price is of another moment. Longer than a
    minute's orders take at the slowest pace, far shorter than a machine that was paused. Exits never grow too old."""

    lease_pause_s: float = 1.0
    """After a pause of more than this the lease is asked anew before anything leaves (RELIABILITY E7)."""

    commit_s: float = 2.0
    """A commit that takes longer is told to the guards: entries stop on a disk that hardly answers (S05)."""

    blocked_s: float = 10.0
    """An event loop that does not move for this long pages a person from a thread of its own (P07)."""

    crashes: int = 5
    """So many starts that did not end well within ``crash_window_s`` stop the desk for a person (P04)."""

    crash_window_s: int = 600

    disk_warn_ppm: int = 200_000
    """Free space below a fifth is told before the open (RELIABILITY B14)."""

    disk_halt_ppm: int = 100_000
    """Free space below a tenth: no entries, the day begins halted."""

    reserve: Path | None = None
    """Folder of the emergency journal, best on another disk; none is the account's folder."""

    def __post_init__(self) -> None:
        """Refuse what cannot work: a beat without a pause, a disk that is full before it is told."""
        numbers = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "reserve"}
        if least := [name for name, value in numbers.items() if value <= 0 and name not in _MAY_BE_ZERO]:
            raise ValueError(f"{', '.join(least)}: more than 0")
        if below := [name for name in sorted(_MAY_BE_ZERO) if numbers[name] < 0]:
            raise ValueError(f"{', '.join(below)}: 0 or more")
        if not self.disk_halt_ppm <= self.disk_warn_ppm < _PPM:
            raise ValueError("disk_halt_ppm is at most disk_warn_ppm, which is below 1,000,000")


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Whom the desk tells, and how patiently."""

    urls: tuple[Secret, ...] = field(default=(), repr=False)
    """Addresses in the words of apprise: ``tgram://…``, ``slack://…``, ``discord://…``, ``mailto://…``; they hold
    keys, so they come from the environment (HAETAE_NOTIFY__URLS, several with commas) and are never shown."""

    least: int = 0
    """Least urgency that is sent: 0 news, 1 warnings, 2 pages only."""

    storm_s: int = 300
    """The same message again within this time is counted, not sent: a storm is one message and a number."""

    waiting: int = 256
    """Messages that may wait; beyond them the least urgent is dropped and counted."""

    tries: int = 4
    """A channel that does not answer is asked again so often, with growing pauses."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not 0 <= self.least <= 2 or self.storm_s < 0 or self.waiting < 1 or self.tries < 1:
            raise ValueError("least is 0, 1 or 2; storm_s from 0; waiting and tries from 1")
