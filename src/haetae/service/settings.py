"""Settings of the service, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.errors import ConfigError, Text

LOOPBACK = frozenset({"127.0.0.1", "::1"})
"""The only addresses the service may listen on: from elsewhere one comes through SSH or SSM."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where the service listens and what it lets in."""

    host: str = "127.0.0.1"
    """Loopback only; another address is refused, not warned about."""

    port: int = 8710
    """Beside the dashboard's 8711; 0 takes a free one."""

    dashboard_port: int = 8711
    """Where ``haetae serve`` starts the dashboard."""

    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost", "[::1]"})
    """Names in the Host header; anything else is a rebound name."""

    origins: frozenset[str] = frozenset()
    """Web pages that may call from a browser: none, since the dashboard asks from its server."""

    max_body_bytes: int = 16_384
    """The longest command has some hundred bytes."""

    viewer_days: int = 1
    """A token printed by ``haetae serve`` lives a day."""

    def __post_init__(self) -> None:
        """Refuse an address that others could reach."""
        if self.host not in LOOPBACK:
            raise ConfigError(
                Text(ko="서비스는 이 컴퓨터 안에서만 열립니다", en="the service listens on loopback only"),
                expected="127.0.0.1",
                found=self.host,
                next_step=Text(
                    ko="다른 컴퓨터에서는 SSH 또는 SSM 포트 포워딩을 쓰세요",
                    en="from elsewhere use SSH or SSM port forwarding",
                ),
            )
