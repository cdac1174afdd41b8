"""Settings of the trading day's driver, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How the day is driven."""

    end_grace_s: int = 180
    """After the close the broker may still tell fills of the auction and expiries."""

    read_retry_s: int = 5
    """Pause after a reading of the account that failed."""

    start_reads: int = 3
    """Readings at start before the day is given up: without one we do not know what we own."""

    exits_at_once: int = 8
    """Conversations about exits and cancels at the same time: at a tenth of a second each, one after the other would be
    slower than the pace KIS allows; and cancels that wait together share one reading. A market in lockstep takes one,
    so that equal days talk equally."""

    calm_turns: int = 12
    """Turns of the event loop without work before ``idle`` believes in quiet: items pass three queues."""
