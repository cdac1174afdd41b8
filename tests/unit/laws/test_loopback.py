"""Nothing that a test starts can speak to the broker: its hosts are not even looked up."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from haetae.kis.deployment import ADDRESSES, MASTERS
from rigs.running import ENVIRONMENT

HOSTS = sorted({url.split("//")[1].split(":")[0] for pair in ADDRESSES.values() for url in (*pair, MASTERS)})
ASK = "import socket, sys; socket.getaddrinfo(sys.argv[1], 443)"


@pytest.mark.parametrize("host", [*HOSTS, "OpenAPI.KoreaInvestment.com."])
def test_no_test_looks_up_a_host_of_the_broker(host: str) -> None:
    with pytest.raises(PermissionError, match="only an emulator"):
        socket.getaddrinfo(host, 443)


def test_nor_does_a_process_that_a_test_starts() -> None:
    child = subprocess.run([sys.executable, "-c", ASK, HOSTS[0]], env=ENVIRONMENT, capture_output=True, text=True)
    assert child.returncode == 1
    assert "only an emulator" in child.stderr
    assert subprocess.run([sys.executable, "-c", ASK, "localhost"], env=ENVIRONMENT).returncode == 0
