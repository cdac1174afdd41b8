"""The clients' environment: built once however many ask, skipped without an index, never skipped for a broken lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clients.environment import ROOT, UNREACHABLE

NOWHERE = "http://127.0.0.1:9/simple"
"""The port that discards: nothing listens there on any machine that runs tests."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the bootstrap and the builder, and a lock for a test to fill."""
    for name in ("run.py", "locks/bootstrap.txt", "tests/clients/environment.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def started(checkout: Path, lock: str, **extra: str) -> subprocess.Popen[str]:
    (checkout / "locks" / "clients.txt").write_text(lock)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {"PATH": path, "HOME": str(checkout), "HAETAE_LANG": "en", "HAETAE_CLIENTS_VENV": str(checkout / "kept")}
    command = [sys.executable, str(checkout / "tests/clients/environment.py")]
    return subprocess.Popen(command, env={**env, **extra}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out.strip(), err


def left(checkout: Path) -> list[str]:
    kept = checkout / "kept"
    return sorted(path.name for path in kept.iterdir() if not path.name.endswith(".lock")) if kept.is_dir() else []


def test_two_at_once_build_one_environment(checkout: Path) -> None:
    both = [started(checkout, "# nothing to install\n") for _ in range(2)]
    told = [ended(process) for process in both]
    assert [status for status, _, _ in told] == [0, 0], told
    assert told[0][1] == told[1][1]
    assert subprocess.run([told[0][1], "-c", "import sys"], check=False).returncode == 0
    assert len(left(checkout)) == 1
    assert sum("making" in err or "installing" in err for _, _, err in told) == 1


def test_changed_lock_is_another_environment(checkout: Path) -> None:
    first = ended(started(checkout, "# nothing to install\n"))
    again = ended(started(checkout, "# nothing to install\n"))
    other = ended(started(checkout, "# nothing to install, differently\n"))
    assert first[1] == again[1] != other[1]
    assert again[2] == ""


def test_index_out_of_reach_is_told_apart_and_leaves_nothing(checkout: Path) -> None:
    lock = "certifi==2026.10.19.post1 --hash=sha256:" + "0" * 64 + "\n"
    nowhere = {"PIP_INDEX_URL": NOWHERE, "PIP_EXTRA_INDEX_URL": NOWHERE, "UV_CACHE_DIR": str(checkout / "cache")}
    status, _, err = ended(started(checkout, lock, **nowhere, UV_HTTP_RETRIES="0", PIP_RETRIES="0"))
    assert status == UNREACHABLE, err
    assert "index" in err
    assert left(checkout) == []


def test_broken_lock_is_a_failure_and_no_reason_to_skip(checkout: Path) -> None:
    status, _, err = ended(started(checkout, "python-kis==\n"))
    assert status == 1, err
    assert "lock" in err
    assert left(checkout) == []


def test_lock_names_no_host_and_every_package_by_hash() -> None:
    lines = (ROOT / "locks" / "clients.txt").read_text().splitlines()
    assert not [line for line in lines if "://" in line or line.lstrip().startswith(("-i", "--index", "--find-links"))]
    pinned = [at for at, line in enumerate(lines) if line and line[0].isalpha()]
    assert len(pinned) > 15
    ends = [*pinned[1:], len(lines)]
    hashes = [sum("--hash=sha256:" in line for line in lines[at:end]) for at, end in zip(pinned, ends, strict=True)]
    assert min(hashes) > 1, "a lock made beside a folder of wheels knows the files of one machine only"
    named = {lines[at].split("==")[0] for at in pinned}
    assert {"python-kis", "mojito2", "typing-extensions", "pandas", "pyyaml", "pycryptodome", "websockets"} <= named
