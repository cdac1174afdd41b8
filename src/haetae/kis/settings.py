"""Settings of the KIS connection; every default with its reason.

Here: addresses, keys, pace, timeouts. Not here: where keys come from (the environment, read by ``config``).
Only loopback addresses are accepted unless ``live_allowed`` says otherwise, so that no test and no demo can
reach a real account by mistake.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from haetae.domain.errors import ConfigError, Text
from haetae.domain.secret import Secret as Secret
from haetae.kis.wire.operations import Mode

REAL_REST = "https://openapi.koreainvestment.com:9443"
MOCK_REST = "https://openapivts.koreainvestment.com:29443"
REAL_STREAM = "ws://ops.koreainvestment.com:21000"
MOCK_STREAM = "ws://ops.koreainvestment.com:31000"
MASTERS = "https://new.real.download.dws.co.kr"


@dataclass(frozen=True, slots=True)
class KisSettings:
    """How to reach one account at KIS (or at the emulator).

    Raises ``ConfigError`` with every fault at once.
    """

    rest_url: str
    ws_url: str
    app_key: str = field(repr=False)
    app_secret: Secret
    account: str = field(repr=False)
    """CANO, eight digits."""
    master_url: str = ""
    """Host of the master files; blank means that of ``rest_url`` (the emulator serves both)."""
    product: str = "01"
    """ACNT_PRDT_CD; 01 is a brokerage account."""
    mode: Mode = Mode.MOCK
    """Mock investment unless told otherwise: real trading is never a default."""
    hts_id: str = ""
    """Key of the execution notices (the HTS login, not the account); blank: fills come by polling alone."""
    live_allowed: bool = False
    """Whether hosts outside this machine may be called at all."""
    read_only: bool = False
    """Whether order calls are refused before they are made: a collector holds keys and never trades."""
    token_file: Path | None = None
    """Where the token survives a restart (mode 0600); KIS issues one a minute and tells the owner each time."""
    calls_per_second: float = 15.0
    """Pace of REST calls: KIS allows 18 a second on the real domain; with ``burst`` 3 no second has more than 18.
    ``math.inf`` asks without pause (a server without limit, a driven clock that nobody moves meanwhile)."""
    burst: int = 3
    """Calls above the even pace that orders and exits may make at once; data never bursts."""
    connect_timeout_s: float = 2.0
    """An order's connect that takes longer has failed, and then nothing was sent; queries wait ``read_timeout_s``."""
    read_timeout_s: float = 5.0
    """Longest silence of a reply; KIS answers in tenths of a second."""
    read_deadline_s: float = 30.0
    """How long a query is repeated before it fails; on the injected clock."""
    token_interval_s: float = 60.0
    """KIS issues one token a minute and key (EGW00133)."""
    token_renew_s: float = 72_000.0
    """A token lives 24 h; it is renewed after 20 h, so never in the middle of a session."""
    registrations: int = 41
    """WebSocket registrations of one session, all kinds together (OPSP0008 refuses the 42nd)."""
    silence_s: float | None = 60.0
    """Real seconds without any message after which the socket counts as dead (heart beats come every 10-20 s);
    none where the server may stand still."""
    ack_timeout_s: float = 5.0
    """Real seconds to wait for the answer to a registration."""
    notice_delay_s: float = 0.1
    """Pause between a notice and the read it triggers, so that a burst of notices costs one call."""
    poll_s: float = 5.0
    """Orders are read this often while one is open: notices are hints and may be lost."""
    minute_grace_s: float = 0.5
    """Wait after a minute's end for its last prints; longer than ``notice_delay_s``, so fills are told first."""
    clock_skew_s: int = 2
    """An unknown order may carry a time this much before the send (clocks differ)."""
    unknown_window_s: int = 15
    """… and this much after it: the read timeout and ten seconds; a later row is somebody else's order."""

    def __post_init__(self) -> None:
        """Collect all faults."""
        faults = [
            f"{name} {url!r} is not on this machine and live_allowed is false"
            for name, url in (("rest_url", self.rest_url), ("ws_url", self.ws_url), ("master_url", self.master_url))
            if url and not self.live_allowed and not is_loopback(url)
        ]
        if not (len(self.account) == 8 and self.account.isdigit()):
            faults.append("account is not eight digits")
        if not self.app_key.isascii() or not self.app_secret.reveal().isascii() or not self.app_key:
            faults.append("app_key or app_secret is blank or has characters a header cannot carry")
        if self.calls_per_second <= 0 or self.burst < 1:
            faults.append("calls_per_second and burst must be positive")
        if faults:
            raise ConfigError(
                Text(ko="KIS 설정에 잘못이 있습니다: " + "; ".join(faults), en="KIS settings: " + "; ".join(faults)),
                expected="loopback addresses, an account of eight digits, ASCII keys",
                found=f"{len(faults)} faults",
                next_step=Text(ko="설정 파일의 [kis] 항목을 고치세요", en="mend the [kis] table of the configuration"),
            )

    @property
    def is_mock(self) -> bool:
        """Whether this is the mock domain."""
        return self.mode is Mode.MOCK

    @property
    def masters(self) -> str:
        """Return the host of the master files."""
        return self.master_url or self.rest_url


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine (``localhost``, 127/8, ::1)."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
