"""Settings of the KIS connection; every default with its reason.

Here: addresses, keys, pace, timeouts. Not here: where keys come from (the environment, read by ``config``), which
addresses belong together (`deployment`), what KIS allows on a day (`limits`).
Only loopback addresses are accepted unless ``live_allowed`` says otherwise, so that no test and no demo can
reach a real account by mistake. ``None`` in a switch means: where the server is not on this machine.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.errors import ConfigError, Text
from haetae.domain.secret import Secret as Secret
from haetae.kis.deployment import MASTERS as MASTERS
from haetae.kis.deployment import MOCK_REST as MOCK_REST
from haetae.kis.deployment import MOCK_STREAM as MOCK_STREAM
from haetae.kis.deployment import REAL_REST as REAL_REST
from haetae.kis.deployment import REAL_STREAM as REAL_STREAM
from haetae.kis.deployment import account_faults, address_faults, key_faults
from haetae.kis.deployment import is_loopback as is_loopback
from haetae.kis.limits import REGISTRATIONS, TOKEN_INTERVAL_S
from haetae.kis.wire.operations import Mode


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
    """Where the token survives a restart and is shared by all processes (mode 0600); KIS issues one a minute and
    tells the owner each time."""
    share_pace: bool | None = None
    """Whether all processes of this host keep one pace, in a file beside the token's; needs the machine's own clock."""
    calls_per_second: float | None = None
    """Pace of REST calls; none is what KIS allows on the day. On its own hosts never more than that. ``math.inf`` asks
    without pause (a server without limit, a driven clock that nobody moves meanwhile)."""
    burst: int = 3
    """Calls that orders and exits may make at once, ahead of the even spacing; data never bursts."""
    applied_on: dt.date | None = None
    """Day the key was applied for: KIS allows a new customer less for three days."""
    hashkey: bool = False
    """Whether orders carry a hashkey: KIS made it optional in 2022, and it costs a call."""
    connect_timeout_s: float = 2.0
    """A connect that takes longer has failed, and then nothing was sent."""
    read_timeout_s: float = 5.0
    """Longest time for an order to be written and answered, longest silence within any other reply; KIS answers in
    tenths of a second."""
    late_answer_s: float = 60.0
    """An order's answer that comes after its time-out is still taken when it comes this soon."""
    order_again_s: float = 5.0
    """An order that provably did not reach the order system is sent once more within this time, never otherwise."""
    read_deadline_s: float = 30.0
    """How long a query is repeated before it fails; on the injected clock."""
    token_interval_s: float = float(TOKEN_INTERVAL_S)
    """KIS issues one token a minute and key (EGW00133)."""
    token_renew_s: float = 72_000.0
    """A token lives 24 h; it is renewed after 20 h, so never in the middle of a session."""
    watch_clock: bool | None = None
    """Whether our clock is compared with the server's; an emulator's market has a time of its own."""
    registrations: int = REGISTRATIONS
    """WebSocket registrations of one session, all kinds together (OPSP0008 refuses the 42nd)."""
    watch_status: bool = True
    """Whether registrations that are left over watch halts and VI of the symbols that matter most (real domain)."""
    silence_s: float | None = 60.0
    """Real seconds without any message after which the socket counts as dead (heart beats come every 10-20 s);
    none where the server may stand still."""
    data_silence_s: float | None = 10.0
    """Real seconds without data in continuous trading after which the stream counts as dead, heart beats or not, where
    ``busy_registrations`` or more symbols are streamed; none with ``silence_s`` none."""
    busy_registrations: int = 10
    """Ten names of the universe are never silent together for ten seconds of continuous trading."""
    ack_timeout_s: float = 5.0
    """Real seconds to wait for the answer to a registration."""
    notice_delay_s: float = 0.1
    """Pause between a notice and the read it triggers, so that a burst of notices costs one call."""
    poll_s: float = 5.0
    """Orders are read this often while one is open: notices are hints and may be lost."""
    asked_poll_s: float | None = None
    """Symbols without a registration are read this often within a minute too, for fresher quotes and truer highs and
    lows; none reads them at its end alone. Only where the call for many prices is served."""
    index_poll_s: float | None = 5.0
    """The KOSPI is read this often while the market is open: a fall of five minutes is seen to within a tenth of it, at
    one call in seventy-five of the pace. Once a minute at most in the mock domain; none never reads it."""
    vkospi_code: str = ""
    """Code of the VKOSPI among the indices of ``inquire-index-price``; KIS names none in its documents, so blank: where
    an account is served one, it is read beside the KOSPI."""
    minute_grace_s: float = 0.5
    """Wait after a minute's end for its last prints; longer than ``notice_delay_s``, so fills are told first."""
    clock_skew_s: int = 2
    """An unknown order may carry a time this much before the send (clocks differ)."""
    unknown_window_s: int = 15
    """… and this much after it: the read timeout and ten seconds; a later row is somebody else's order."""

    def __post_init__(self) -> None:
        """Collect all faults."""
        faults = [
            *address_faults(self.mode, self.rest_url, self.ws_url, self.master_url, live_allowed=self.live_allowed)
        ]
        faults += account_faults(self.account, self.product)
        faults += key_faults(self.app_key, self.app_secret.reveal())
        if not self.hts_id.isascii():
            faults.append("hts_id has characters a header cannot carry")
        if (self.calls_per_second is not None and not self.calls_per_second > 0) or self.burst < 1:
            faults.append("calls_per_second and burst must be positive")
        if self.share_pace and self.token_file is None:
            faults.append("share_pace needs a token_file to stand beside")
        if faults:
            raise ConfigError(
                Text(ko="KIS 설정에 잘못이 있습니다: " + "; ".join(faults), en="KIS settings: " + "; ".join(faults)),
                expected="addresses of one domain, an account of 8 digits, a key of 36 and a secret of 180 characters",
                found=f"{len(faults)} faults",
                next_step=Text(ko="설정 파일의 [kis] 항목을 고치세요", en="mend the [kis] table of the configuration"),
            )

    @property
    def fingerprint(self) -> str:
        """Return a name of server, mode and key that tells nothing of them: files are named by it."""
        return hashlib.sha256(f"{self.rest_url}|{self.mode.value}|{self.app_key}".encode()).hexdigest()[:16]

    @property
    def is_local(self) -> bool:
        """Whether the REST server is on this machine: an emulator, or a test."""
        return is_loopback(self.rest_url)

    @property
    def shares_pace(self) -> bool:
        """Whether the pace is shared between processes."""
        wanted = not self.is_local if self.share_pace is None else self.share_pace
        return wanted and self.token_file is not None

    @property
    def watches_clock(self) -> bool:
        """Whether our clock is compared with the server's."""
        return not self.is_local if self.watch_clock is None else self.watch_clock

    @property
    def is_mock(self) -> bool:
        """Whether this is the mock domain."""
        return self.mode is Mode.MOCK

    @property
    def masters(self) -> str:
        """Return the host of the master files."""
        return self.master_url or self.rest_url
