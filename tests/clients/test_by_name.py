"""Clients that nobody pointed anywhere: the names of the real service lead to loopback, TLS by a private authority.

The ports are the real service's, so the test skips where somebody holds one of them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORTS = (9443, 29443, 21000, 31000)
HOSTS = """
import socket

asked = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: asked("127.0.0.1", *more, **named)
"""
"""What a hosts file does, for one process and for every name: nothing of the test can leave this machine."""


def busy() -> list[int]:
    found = []
    for port in PORTS:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                found.append(port)
    return found


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """An emulator on the ports of the real service, REST over TLS."""
    if taken := busy():
        pytest.skip(f"ports of the real service are taken here: {taken}")
    folder = tmp_path_factory.mktemp("authority")
    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", "--tls", str(folder), "--speed", "20"]
    command += ["--listed", "120", "--history", "30"]
    command += ["--trade-fields", "46", "--notice-fields", "23", "--control", "0"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield {**json.loads(process.stdout.readline()), "authority": str(folder / "ca.pem")}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(("client", "key"), [("python-kis", "PSname" + "0" * 30), ("mojito", "MOname" + "0" * 30)])
def test_client_that_knows_only_the_real_names_trades_on_loopback(
    python: Path, emulator: dict[str, Any], tmp_path: Path, client: str, key: str
) -> None:
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "sitecustomize.py").write_text(HOSTS, encoding="utf-8")
    env = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path / "hosts"),
        "PYTHONUTF8": "1",
        "REQUESTS_CA_BUNDLE": emulator["authority"],
        "SSL_CERT_FILE": emulator["authority"],
    }
    command = [str(python), str(Path(__file__).with_name("drive_by_name.py")), client, key]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["heard"] == ["notice", "price"]
    with urllib.request.urlopen(f"{emulator['control']}/ledger?account=12345678-01", timeout=20) as answer:
        fills = json.load(answer)["fills"]
    assert sum(fill["quantity"] for fill in fills if fill["number"] == told["order"]) == 2
