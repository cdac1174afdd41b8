"""No test speaks to the broker: in every process a test starts, asking for one of its hosts is refused.

Python imports this by its name from PYTHONPATH before anything else runs (``rigs.running.ENVIRONMENT``); the tests' own
process imports it in ``conftest``. It is an audit hook, so that no library below can go around it.
"""

import sys

BROKER = ("koreainvestment.com", "dws.co.kr")


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to look up a host of the broker."""
    if event not in ("socket.getaddrinfo", "socket.gethostbyname"):
        return
    host = arguments[0]
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "")
    if name.rstrip(".").lower().endswith(BROKER):
        raise PermissionError(f"a test asked for {name}: only an emulator on this machine is the broker here")


sys.addaudithook(refuse)
