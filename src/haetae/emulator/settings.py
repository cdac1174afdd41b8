"""Settings of the emulator: ports, market, clock, limits; every default with its reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.units import Instant, Won


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """Shape of the synthetic market."""

    seed: int = 20261123
    """Any integer; the same seed gives the same market, bar for bar."""
    listed: int = 240
    """Names on the list; at least 120 so that a universe of 50 is a choice."""
    history_sessions: int = 300
    """Daily history before the first live day: a year and its look-backs."""
    live_sessions: int = 10
    """Sessions the clock may run through; later ones need another emulator."""
    first_live_day: dt.date = dt.date(2026, 11, 23)
    """First session that is not history yet: the Monday after the demo's history."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Limits of the service, counted on the emulator's clock in a sliding second."""

    real_calls_per_second: int | None = None
    """REST calls a key may make on the real host; none: the dated rows of ``rates``, 0: no limit."""
    mock_calls_per_second: int | None = None
    """The same on the mock host."""
    new_customers_since: dt.date | None = None
    """Day on which every real key was applied for; for three days such a key has 3 calls a second. None: long ago."""
    ledger_calls_per_second: int = 0
    """Trading calls of an account a second (EGW00215). The limit exists, its size is nowhere published: 0, none."""
    token_interval_s: int = 60
    """One token issue a minute and key (EGW00133)."""
    approvals_per_second: int = 0
    """Approval keys a second; the notice of 2026-04 says 1, but clients in the field ask for three at once: 0, none."""
    registrations: int = 41
    """Registrations of one WebSocket session, the notice included."""


@dataclass(frozen=True, slots=True)
class OutageSettings:
    """Times at which the service is away; none by default, for no source but users' reports tells them."""

    maintenance: bool = False
    """Refuse every call from 03:00 to 06:00 KST, and let tokens issued before it die (one source, unverified)."""
    mock_weekends: bool = False
    """Refuse connections to the mock REST host on Saturdays and Sundays (measured by users)."""


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """All that one emulator process needs."""

    market: MarketSettings = field(default_factory=MarketSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    rest_real_port: int = 9443
    """Ports of the real service by default; 0 takes a free one."""
    rest_mock_port: int = 29443
    ws_real_port: int = 21000
    ws_mock_port: int = 31000
    control_port: int = 0
    start: Instant | None = None
    """Clock at the start; none means 10:00 of the first live day, so that a market is open."""
    speed: float = 1.0
    """Emulated seconds per second; 0 waits for steps through the control port."""
    trade_fields: int = 47
    """Values of a trade record: 47 since 2026-09-14, 46 for older clients."""
    notice_fields: int = 26
    """Values of an execution notice: 26 since 2025-03, 23 for older clients."""
    mock_trade_fields: int | None = None
    """The same of the mock server; none: as the real one."""
    mock_notice_fields: int | None = None
    """The same of the mock server; none: as the real one."""
    initial_cash: Won = 100_000_000
    """Cash of an account on first use: the reference account of the design."""
    volume_share_ppm: int = 100_000
    """Share of a bar's volume our orders may take (10 %), as in every simulation."""
    slippage_ticks: int = 1
    """Ticks a market order pays beyond the print."""
    keys_file: Path | None = None
    """JSON of allowed key pairs; none accepts any well-formed pair."""
    faults: Path | None = None
    """Script of faults (TOML); none: an emulator without faults."""
    tls: Path | None = None
    """Folder of a private authority: REST speaks HTTPS under the real host names. None: plain HTTP."""
    outages: OutageSettings = field(default_factory=OutageSettings)
    replay: Path | None = None
    """Lake whose bars are replayed in place of the synthetic market."""
    frame_records: int = 20
    """Most records of one moment in a frame; how many KIS puts together is unverified."""
    reader_patience_s: float = 10.0
    """Real seconds that the market waits for a session that reads nothing; then it is dropped."""
    ping_interval_s: float = 15.0
    """PINGPONG of the WebSocket server, in real seconds (observed 10-20 s)."""
