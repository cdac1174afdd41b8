"""Where the service is, and what the pages may take for granted.

The dashboard is its own process that only Streamlit starts, so its few settings come from the
environment, once, here. A token given this way should be a viewer's: whoever reaches the port uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from haetae.domain.errors import ConfigError, Text

SERVICE_URL = "HAETAE_SERVICE_URL"
SERVICE_TOKEN = "HAETAE_SERVICE_TOKEN"  # noqa: S105 - the name of a variable
LANGUAGE = "HAETAE_LANG"
DEFAULT_URL = "http://127.0.0.1:8710"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """Settings of one dashboard process."""

    service_url: str = DEFAULT_URL
    """Where ``haetae serve`` listens unless told otherwise."""
    token: str = ""
    """Bearer token used until a person types another one in the side bar."""
    language: str = "ko"
    """``ko`` or ``en``."""
    timeout_s: float = 15.0
    """The first look at a day folds its journal: seconds where the machine has other work. Who waits longer is told."""
    answer_bytes: int = 16_000_000
    """Largest answer read: a day of minutes of every name is far below."""
    refresh_s: int = 10
    """How often an open page asks again, when asked to."""

    def __post_init__(self) -> None:
        """Refuse an address that is not HTTP on this machine: tokens never leave it in the clear."""
        parts = urlsplit(self.service_url)
        if parts.scheme != "http" or parts.hostname not in LOOPBACK:
            raise ConfigError(
                Text(ko="대시보드가 쓸 수 없는 서비스 주소입니다", en="The dashboard cannot use this service address"),
                expected="http://127.0.0.1:PORT",
                found=self.service_url,
                next_step=Text(
                    ko=f"{SERVICE_URL}을 루프백 주소로 두고, 원격 서버는 포트 전달로 여십시오",
                    en=f"set {SERVICE_URL} to a loopback address; reach a remote host by port forwarding",
                ),
            )


def from_environment(environment: Mapping[str, str]) -> DashboardSettings:
    """Return the settings that the environment gives, defaults elsewhere."""
    return DashboardSettings(
        service_url=environment.get(SERVICE_URL, "").rstrip("/") or DEFAULT_URL,
        token=environment.get(SERVICE_TOKEN, ""),
        language=language_of(environment.get(LANGUAGE, "")),
    )


def language_of(wanted: str) -> str:
    """Return ``en`` where English is asked for, ``ko`` otherwise."""
    return "en" if wanted.lower().startswith("en") else "ko"
