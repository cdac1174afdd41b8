"""An environment of their own for the third-party clients, built once from ``locks/clients.txt`` and found by its hash.

Here: where it stands, whether it is good, and the building, by the bootstrap's own means (``run.py``: uv or pip, pip's
index settings, a file lock, one message per cause). Run as a program it builds and prints the interpreter; the exit
status tells apart an index that cannot be reached (75) and anything else that fails (1).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "locks" / "clients.txt"
PLACE = "HAETAE_CLIENTS_VENV"
"""Names a folder to keep environments in, in place of ``.venv-clients`` of the checkout."""
UNREACHABLE = 75
BUILD_LIMIT_S = 150.0
"""A build takes seconds; an index that does not answer in this time is not there."""
_READY = "ready"


class NoIndex(Exception):
    """No package index can be reached, so the clients cannot be had."""


def folder() -> Path:
    """Return where the environment of this lock, Python and machine stands."""
    base = Path(os.environ.get(PLACE) or ROOT / ".venv-clients")
    running = (platform.python_version(), sys.platform, platform.machine())
    stamp = hashlib.sha256(LOCK.read_bytes() + "|".join(running).encode()).hexdigest()
    return base / stamp[:16]


def interpreter(place: Path) -> Path:
    """Return the Python of an environment."""
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_ready(place: Path) -> bool:
    """Whether an environment was built to its end."""
    return (place / _READY).is_file() and interpreter(place).exists()


def prepared() -> Path:
    """Return the interpreter of the clients' environment, built if it is not there yet.

    Raises
    ------
    NoIndex
        If no index can be reached.
    RuntimeError
        If the environment cannot be built for another reason; the message carries the builder's words.
    """
    place = folder()
    if is_ready(place):
        return interpreter(place)
    env = dict(os.environ)
    env["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", "")))
    env["HAETAE_VENV"] = str(place)
    env["HAETAE_PYTHON"] = getattr(sys, "_base_executable", "") or sys.executable
    command = [sys.executable, str(Path(__file__).resolve())]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as fault:
        raise NoIndex(f"no index answered in {BUILD_LIMIT_S:.0f} s") from fault
    if done.returncode == UNREACHABLE:
        raise NoIndex(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no index")
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-3000:]}")
    return interpreter(place)


def _bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap_of_clients", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build() -> int:
    """Build the environment that ``HAETAE_VENV`` names, if it is not good; returns the exit status."""
    place = Path(os.environ.setdefault("HAETAE_VENV", str(folder())))
    run = _bootstrap()
    with run.Turn():
        if is_ready(place):
            return 0
        shutil.rmtree(place, ignore_errors=True)
        try:
            python, _ = run.choose_python()
            run.make_venv(python)
            run.install("clients", python)
            (place / _READY).touch()
        except run.SetupError as fault:
            print(fault.text(), file=sys.stderr)
            return UNREACHABLE if _is_out_of_reach(run, fault) else 1
        finally:
            if not is_ready(place):
                shutil.rmtree(place, ignore_errors=True)
    return 0


def _is_out_of_reach(run: ModuleType, fault: Exception) -> bool:
    network = next(cause for cause in run.CAUSES if "dns" in cause[0])
    return fault.what == network[1] or run.uv_environment().get("UV_NO_INDEX") == "1"  # type: ignore[attr-defined]


if __name__ == "__main__":
    status = build()
    if status == 0:
        print(interpreter(Path(os.environ["HAETAE_VENV"])))
    sys.exit(status)
