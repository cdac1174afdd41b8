"""The dashboard as a process beside ours: its command line and what its environment must say.

The dashboard stands above the wiring and is never imported here: it is started, like any client of
the service, with an address and a token.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping

from haetae.domain.errors import ConfigError, Text


def command(port: int) -> list[str]:
    """Return the command that serves the pages on ``port`` of loopback.

    Raises
    ------
    ConfigError
        The extra that holds Streamlit is not installed.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise ConfigError(
            Text(ko="대시보드에 필요한 패키지가 없습니다", en="What the dashboard needs is not installed"),
            expected="streamlit",
            next_step=Text(
                ko="python3 run.py dashboard 로 시작하거나 pip install 'haetae[dashboard]'",
                en="start with python3 run.py dashboard, or pip install 'haetae[dashboard]'",
            ),
        )
    return [sys.executable, "-m", "haetae.dashboard", "--port", str(port)]


def environment(base: Mapping[str, str], *, service_url: str, token: str = "") -> dict[str, str]:
    """Return ``base`` with the service's address and, if given, a token for whoever opens the page.

    Keys of a broker or a model are left out: no page needs them.
    """
    kept = {name: value for name, value in base.items() if not name.startswith(("HAETAE_KIS", "HAETAE_LLM"))}
    return kept | {"HAETAE_SERVICE_URL": service_url} | ({"HAETAE_SERVICE_TOKEN": token} if token else {})
