"""NautilusTrader in an environment of its own, built once from ``locks/nautilus.txt``, and one run of it.

Its release asks for Python 3.12 or later, so such an interpreter is looked for; where there is none, or no index is
reached, the benchmark says that the peer is absent. Run as a program this builds the environment named by
``HAETAE_VENV`` by the bootstrap's own means (``run.py``).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain.panel import Panel

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "locks" / "nautilus.txt"
DRIVE = Path(__file__).resolve().parent / "drive_nautilus.py"
PLACE = "HAETAE_NAUTILUS_VENV"
"""Names a folder to keep environments in, in place of ``.venv-nautilus`` of the checkout."""
BUILD_LIMIT_S = 600.0
OLDEST = (3, 12)
_READY = "ready"
_COLUMNS = ("end", "open", "high", "low", "close", "volume")


class Absent(Exception):
    """The peer cannot be had here; the text says why."""


def _candidates() -> Iterator[str]:
    yield sys.executable
    for minor in (13, 12):
        yield from filter(None, [shutil.which(f"python3.{minor}")])
    launcher = shutil.which("py")
    for minor in (13, 12) if launcher else ():
        done = subprocess.run(
            [str(launcher), f"-3.{minor}", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True
        )
        if done.returncode == 0:
            yield done.stdout.strip()
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (str(path) for path in sorted(versions.glob("3.1[23]*/bin/python"), reverse=True))


def _suits(python: str) -> bool:
    code = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= (3, 13))"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def interpreter() -> Path:
    """Return the peer's Python, its environment built if it is not there yet; raises ``Absent``."""
    python = next(filter(_suits, _candidates()), None)
    if python is None:
        raise Absent("no Python 3.12 or 3.13 found")
    base = Path(os.environ.get(PLACE) or ROOT / ".venv-nautilus")
    stamp = hashlib.sha256("|".join((LOCK.read_text(), python, platform.machine())).encode()).hexdigest()[:16]
    place = base / stamp
    inside = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (place / _READY).is_file():
        env = {**os.environ, "HAETAE_VENV": str(place), "HAETAE_PYTHON": python, "PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, str(Path(__file__).resolve())]
        try:
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=BUILD_LIMIT_S)
        except subprocess.TimeoutExpired as fault:
            raise Absent(f"not built in {BUILD_LIMIT_S:.0f} s") from fault
        if done.returncode:
            raise Absent(" ".join(done.stderr.split())[-300:])
    return inside


def hand_over(panel: Panel, folder: Path, facts: dict[str, Any]) -> None:
    """Write the arrays and the facts of the workload where the peer reads them."""
    for name in _COLUMNS:
        (folder / f"{name}.i64").write_bytes(np.ascontiguousarray(getattr(panel, name), np.int64).tobytes())
    record = {"symbols": list(panel.symbols), "bars": len(panel), **facts}
    (folder / "bars.json").write_text(json.dumps(record), encoding="utf-8")


def run(python: Path, folder: Path) -> dict[str, Any]:
    """Run the peer once and return what it measured."""
    done = subprocess.run([str(python), str(DRIVE), str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _build() -> None:
    place = Path(os.environ["HAETAE_VENV"])
    spec = importlib.util.spec_from_file_location("bootstrap_of_the_peer", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    with bootstrap.Turn():
        if (place / _READY).is_file():
            return
        shutil.rmtree(place, ignore_errors=True)
        try:
            python, _ = bootstrap.choose_python()
            bootstrap.make_venv(python)
            bootstrap.install("nautilus", python)
            (place / _READY).touch()
        except bootstrap.SetupError as fault:
            sys.exit(fault.text())


if __name__ == "__main__":
    _build()
