"""Peers in environments of their own, each built once from its lock, and one run of a script in such an environment.

A peer that asks for other versions than the product, or for hundreds of packages, stands apart: ``locks/NAME.txt`` is
installed by the bootstrap's own means (``run.py``) into ``.venv-NAME`` of the checkout. Where no fitting Python is
found, or no index is reached, a benchmark says that the peer is absent, and why. Run as a program this builds the
environment named by ``HAETAE_VENV`` from the lock that the argument names.
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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD_LIMIT_S = 1_800.0
_READY = "ready"


class Absent(Exception):
    """The peer cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer and the versions of Python that its release runs on.

    ``HAETAE_<NAME>_VENV`` names a folder to keep its environments in, in place of ``.venv-<name>`` of the checkout.
    """

    name: str
    oldest: tuple[int, int]
    newest: tuple[int, int]

    @property
    def lock(self) -> Path:
        """The pinned packages."""
        return ROOT / "locks" / f"{self.name}.txt"

    def interpreter(self) -> Path:
        """Return the peer's Python, its environment built if it is not there yet; raises ``Absent``."""
        python = next((each for each in self._candidates() if self._suits(each)), None)
        if python is None:
            low, high = (".".join(map(str, version)) for version in (self.oldest, self.newest))
            raise Absent(f"no Python {low} to {high} found")
        base = Path(os.environ.get(f"HAETAE_{self.name.upper()}_VENV") or ROOT / f".venv-{self.name}")
        stamp = hashlib.sha256("|".join((self.lock.read_text(), python, platform.machine())).encode()).hexdigest()[:16]
        place = base / stamp
        inside = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not (place / _READY).is_file():
            env = {**os.environ, "HAETAE_VENV": str(place), "HAETAE_PYTHON": python, "PYTHONPATH": str(ROOT / "src")}
            command = [sys.executable, str(Path(__file__).resolve()), self.name]
            try:
                done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=BUILD_LIMIT_S)
            except subprocess.TimeoutExpired as fault:
                raise Absent(f"not built in {BUILD_LIMIT_S:.0f} s") from fault
            if done.returncode:
                raise Absent(" ".join(done.stderr.split())[-300:])
        return inside

    def _minors(self) -> list[int]:
        return list(range(self.newest[1], self.oldest[1] - 1, -1))

    def _candidates(self) -> Iterator[str]:
        yield sys.executable
        for minor in self._minors():
            yield from filter(None, [shutil.which(f"python3.{minor}")])
        launcher = shutil.which("py")
        for minor in self._minors() if launcher else ():
            done = subprocess.run(
                [str(launcher), f"-3.{minor}", "-c", "import sys; print(sys.executable)"],
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                yield done.stdout.strip()
        versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        for minor in self._minors():
            yield from (str(path) for path in sorted(versions.glob(f"3.{minor}.*/bin/python"), reverse=True))

    def _suits(self, python: str) -> bool:
        code = f"import sys; sys.exit(not {self.oldest} <= sys.version_info[:2] <= {self.newest})"
        try:
            return subprocess.run([python, "-c", code], capture_output=True, timeout=30).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


NAUTILUS = Peer("nautilus", (3, 12), (3, 13))
QLIB = Peer("qlib", (3, 11), (3, 12))


def run(python: Path, script: Path, *words: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a script in the peer's environment and return the JSON of its last line."""
    done = subprocess.run(
        [str(python), str(script), *words], capture_output=True, text=True, env={**os.environ, **(env or {})}
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _build(name: str) -> None:
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
            bootstrap.install(name, python)
            (place / _READY).touch()
        except bootstrap.SetupError as fault:
            sys.exit(fault.text())


if __name__ == "__main__":
    _build(sys.argv[1])
