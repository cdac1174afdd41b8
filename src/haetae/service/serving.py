"""Serving: a loopback socket, the application on it, and the end by a signal."""

from __future__ import annotations

import importlib.util
import socket

from haetae.domain.errors import ConfigError, Text
from haetae.service.settings import ServiceSettings
from haetae.service.tokens import TokenBook
from haetae.wiring.views.views import Views


def require_libraries(*names: str) -> None:
    """Refuse early where the optional libraries are not installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            Text(ko="서비스에 필요한 패키지가 없습니다", en="the packages of the service are not installed"),
            expected=", ".join(names),
            found=Text(ko="없음: ", en="missing: ").en + ", ".join(missing),
            next_step=Text(
                ko="`python3 run.py serve` 로 실행하면 설치됩니다 (또는 pip install 'haetae[service,dashboard]')",
                en="`python3 run.py serve` installs them (or pip install 'haetae[service,dashboard]')",
            ),
        )


def listen(settings: ServiceSettings) -> socket.socket:
    """Return a socket bound to loopback; raises ``ConfigError`` when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.host, settings.port))
        door.listen(64)  # callers wait in line while the application is loaded
    except OSError as fault:
        door.close()
        raise ConfigError(
            Text(ko=f"포트 {settings.port} 를 열 수 없습니다", en=f"cannot open port {settings.port}"),
            expected=Text(ko="비어 있는 포트", en="a free port"),
            found=fault.strerror or str(fault),
            next_step=Text(ko="--port 로 다른 포트를 고르거나 0 을 주세요", en="choose another with --port, 0 for any"),
        ) from fault
    return door


def run(views: Views, tokens: TokenBook, settings: ServiceSettings, door: socket.socket) -> None:
    """Serve until a signal ends it; the signal is raised again when the last answer is out."""
    import uvicorn

    from haetae.service.app import create_app

    config = uvicorn.Config(
        create_app(views, tokens, settings),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=5,
        limit_concurrency=64,
        h11_max_incomplete_event_size=settings.max_body_bytes,
    )
    uvicorn.Server(config).run(sockets=[door])
