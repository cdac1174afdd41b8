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

    calm_turns: int = 12
    """Turns of the event loop without work before ``idle`` believes in quiet: items pass three queues."""
