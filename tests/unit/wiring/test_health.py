"""``haetae health``: what a supervisor asks."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from haetae.cli.main import main
from haetae.wiring import health
from haetae.wiring.heartbeat import Heartbeat


class _Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served():
    server = HTTPServer(("127.0.0.1", 0), _Fine)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_writable_folder_and_an_answering_service_are_healthy(
    tmp_path: Path, served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "health.json"
    assert main(["health", "--home", str(tmp_path), "--url", f"{served}/health", "--json", str(target)]) == 0
    assert json.loads(target.read_text()) == {"calendar": "ok", "folder": "ok", "desk": "ok", "service": "ok"}
    assert "FAIL" not in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["folder", "service down", "service unwell", "address"])
def test_each_fault_is_named_and_fails(
    fault: str, tmp_path: Path, served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = {
        "folder": ["--home", str(tmp_path / "none")],
        "service down": ["--url", "http://127.0.0.1:9/health"],
        "service unwell": ["--url", f"{served}/other"],
        "address": ["--url", "file:///etc/passwd"],
    }[fault]
    assert main(["health", *arguments]) == 1
    assert capsys.readouterr().out.count("FAIL") == 1


def test_a_full_disk_and_a_library_that_does_not_load_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ENOUGH_BYTES", 1 << 60)
    monkeypatch.setattr(health, "NATIVE", ("numpy", "no_such_library"))
    found = {check.name: check.found for check in health.examine(tmp_path, deep=True)}
    assert "MiB free" in found["folder"]
    assert found["libraries"].startswith("no_such_library")


def test_a_desk_that_beats_no_more_and_did_not_end_is_not_healthy(tmp_path: Path) -> None:
    sign = Heartbeat(tmp_path, live=False, account=None)
    assert [check.found for check in health.examine(tmp_path)] == ["", "", ""]
    told = json.loads((tmp_path / "desk.alive").read_text())
    (tmp_path / "desk.alive").write_text(json.dumps({**told, "beat": told["beat"] - 61}))
    assert "61 s" in health.examine(tmp_path)[2].found
    (tmp_path / "paper").mkdir()
    (tmp_path / "desk.alive").rename(tmp_path / "paper" / "desk.alive")
    assert "paper" in health.examine(tmp_path)[2].found
    sign.close()
