"""``haetae serve`` and ``haetae token`` as a person uses them: real sockets, real signals."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.domain.errors import ConfigError
from haetae.service import serving
from haetae.service.settings import ServiceSettings
from haetae.service.tokens import FILE

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_on_loopback_and_ends_by_a_signal(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "haetae.cli.main", "serve", "--out", str(folder), "--port", "0", "--no-dashboard"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HAETAE_LANG": "en"}
    child = subprocess.Popen([*command, "--json", str(ready)], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        told = _told(ready, child)
        assert stat.S_IMODE(ready.stat().st_mode) == 0o600
        line = http.client.HTTPConnection("127.0.0.1", int(told["service"].rsplit(":", 1)[1]), timeout=20)
        line.request("GET", "/v1/today", headers={"Authorization": f"Bearer {told['token']}"})
        answer = line.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["closed"] is True
        line.close()
        assert "serve" in (folder / FILE).read_text()
        child.send_signal(number)
        out, _ = child.communicate(timeout=20)
        assert child.returncode == 0
        assert told["token"] in out
        assert "serve" not in (folder / FILE).read_text()
    finally:
        child.kill()
        child.wait()


def _told(ready: Path, child: subprocess.Popen[str]) -> dict[str, str]:
    for _ in range(300):
        if ready.exists() and ready.stat().st_size:
            return dict(json.loads(ready.read_text()))
        assert child.poll() is None
        time.sleep(0.1)
    raise AssertionError("the service did not begin")


def test_a_taken_port_is_one_message(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door = serving.listen(ServiceSettings(port=0))
    try:
        port = str(door.getsockname()[1])
        assert main(["serve", "--out", str(folder), "--port", port, "--no-dashboard"]) == 2
    finally:
        door.close()
    assert port in capsys.readouterr().err
    assert not (folder / FILE).exists()


def test_a_folder_without_a_journal_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in (["serve"], ["token", "new"], ["token", "list"]):
        assert main([*verb, "--out", str(tmp_path)]) == 2
        assert "haetae demo" in capsys.readouterr().err


def test_missing_libraries_are_named_with_the_way_to_get_them() -> None:
    with pytest.raises(ConfigError, match="not installed") as told:
        serving.require_libraries("fastapi", "no_such_library")
    assert told.value.found.endswith("no_such_library")


def test_tokens_are_made_listed_and_revoked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "new", "--role", "trader", "--label", "me", "--out", str(folder)]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("hae_trader_")
    assert main(["token", "list", "--out", str(folder)]) == 0
    listed = capsys.readouterr().out
    assert "trader" in listed and "me" in listed and secret not in listed
    name = listed.split()[0]
    assert main(["token", "revoke", name, "--out", str(folder)]) == 0
    assert main(["token", "revoke", name, "--out", str(folder)]) == 2
