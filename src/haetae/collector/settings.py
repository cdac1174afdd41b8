"""Settings of the collector."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """How much is asked at once, and when a session counts as finished.

    Attributes
    ----------
    concurrency : int
        Calls in flight. The broker's pacing is the real limit (15-18 calls/s); four in flight keep
        that rate at 200 ms a call and leave the orders' lane free.
    batch_symbols : int
        Symbols per write. A process that dies loses at most one batch of calls (200 take 11 s at
        18 calls/s); each write rewrites the file of a year, so a larger batch costs less disk.
    batch_minutes : int
        Names per write of minutes. Each name of a run of 20 sessions costs about 64 calls, so ten are
        half a minute of calls that a dying process may lose.
    calls_per_second : float
        The rate the source permits, for the closing table only; 0 where there is none.
    flush_minutes : int
        Minutes of a running session per write; each write makes a version of the day's file, and what a
        dying process loses is repaired after the close.
    settle_minutes : int
        A day is collected only so many minutes after its close: before, the broker still corrects
        the closing auction and today's bar is not final.
    indices : tuple of str
        KOSPI and KOSDAQ, which features and review need.
    long_halt_sessions : int
        A run of so many sessions without a trade becomes a finding.
    jump_bp : int
        A close-to-close move beyond this becomes a finding: the daily limit is 30 %, and one tick
        of rounding at the smallest prices stays below 10 bp more.
    """

    concurrency: int = 4
    batch_symbols: int = 200
    batch_minutes: int = 10
    calls_per_second: float = 0.0
    flush_minutes: int = 5
    settle_minutes: int = 20
    indices: tuple[str, ...] = ("0001", "1001")
    long_halt_sessions: int = 20
    jump_bp: int = 3_010
