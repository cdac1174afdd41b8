"""The page on other clients says what works: its snippets run as they stand, against an emulator started as it says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"<!-- run: ([\w-]+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))
PORTS = {"rest_real": 9443, "rest_mock": 29443, "ws_real": 21000, "ws_mock": 31000}
SAMPLES = Path(os.environ.get("HAETAE_KIS_SAMPLES", "nowhere")) / "examples_user"


def started(*more: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    shown = re.search(r"^python3 run\.py (emulator run .*?)(?:  #|$)", PAGE, re.MULTILINE)
    assert shown is not None
    command = [sys.executable, "-m", "haetae.cli.main", *shown[1].split(), "--free-ports", *more]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@pytest.fixture(scope="module")
def emulator() -> Iterator[dict[str, Any]]:
    """An emulator as the page starts it, on ports of its own and a clock that is quick."""
    process, ready = started("--speed", "20", "--listed", "120", "--history", "30")
    yield ready
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def pointed(text: str, ready: Mapping[str, Any]) -> str:
    """Return a snippet with the ports of a running emulator in place of the page's."""
    for name, port in PORTS.items():
        text = text.replace(f"127.0.0.1:{port}", str(ready[name]).split("//")[1])
    return text


@pytest.mark.parametrize("client", ["python-kis", "mojito", "official"])
def test_snippet_of_the_page_runs_as_it_stands(
    python: Path, emulator: dict[str, Any], tmp_path: Path, client: str
) -> None:
    if client == "official" and not SAMPLES.is_dir():
        pytest.skip("HAETAE_KIS_SAMPLES names no checkout of koreainvestment/open-trading-api")
    (tmp_path / "snippet.py").write_text(pointed(SNIPPETS[client], emulator), encoding="utf-8")
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    where = SAMPLES if client == "official" else tmp_path
    command = [str(python), str(tmp_path / "snippet.py")]
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    told = dict(re.findall(r"^(price|order|heard) (\S+)$", done.stdout, re.MULTILINE))
    assert float(told["price"]) > 0
    with urllib.request.urlopen(f"{emulator['control']}/ledger?account=12345678-01", timeout=20) as answer:
        assert json.load(answer)["orders"] >= int(told["order"]) > 0


def test_page_shows_each_client_and_the_ports_it_names() -> None:
    assert set(SNIPPETS) == {"python-kis", "mojito", "official"}
    for code in SNIPPETS.values():
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", code)) <= {str(port) for port in PORTS.values()}
        compile(code, "docs/clients.md", "exec")
