"""``run.py`` in scratch copies: the paths that build, the path that only execs, and every refusal."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
ECHO = """
import json, os, sys
names = ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", "PYTHONUTF8", "PYTHONPATH")
print(json.dumps({"argv": sys.argv[1:], "env": {name: os.environ.get(name) for name in names}, "pid": os.getpid()}))
sys.exit(7 if "fail" in sys.argv else 0)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with small locks and a command line that echoes what it was given."""
    copy = tmp_path / "co"
    (copy / "locks").mkdir(parents=True)
    shutil.copy(ROOT / "run.py", copy / "run.py")
    for name in ("demo", "full", "test", "bench", "bootstrap"):
        (copy / "locks" / f"{name}.txt").write_text(f"# nothing to install for {name}\n")
    package = copy / "src" / "haetae" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text(ECHO)
    return copy


def clean_environment(**extra: str) -> dict[str, str]:
    """An environment without what the outer run exported."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "HAETAE_LANG": "en", "PIP_CONFIG_FILE": os.devnull, **extra}


def start(checkout: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "run.py"), *arguments]
    return subprocess.run(
        command, env=clean_environment(**extra), capture_output=True, text=True, timeout=120, check=False
    )


def made_ready(checkout: Path, kind: str = "demo") -> None:
    """Make a bare environment and stamp it as run.py would after an install."""
    module = loaded(checkout)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True)
    Path(module.STAMP).write_text(json.dumps({kind: module.digest(kind)}))


def loaded(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_copy", checkout / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_ready_environment_is_entered_without_building(checkout: Path) -> None:
    made_ready(checkout)
    done = start(checkout, "anything", "--flag", "값", PATH="/nowhere")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["argv"] == ["anything", "--flag", "값"]
    assert told["env"]["OMP_WAIT_POLICY"] == "passive"
    assert told["env"]["PYTHONUTF8"] == "1"
    assert told["env"]["PYTHONPATH"] == str(checkout / "src")
    assert 1 <= int(told["env"]["OMP_NUM_THREADS"]) <= (os.cpu_count() or 1)


def test_the_users_thread_settings_stand(checkout: Path) -> None:
    made_ready(checkout)
    told = json.loads(start(checkout, "x", OMP_NUM_THREADS="1", OMP_WAIT_POLICY="active").stdout)
    assert told["env"]["OMP_NUM_THREADS"] == "1"
    assert told["env"]["OMP_WAIT_POLICY"] == "active"


def test_exit_codes_come_through(checkout: Path) -> None:
    made_ready(checkout)
    assert start(checkout, "fail").returncode == 7


@pytest.mark.skipif(os.name == "nt", reason="exec replaces the process on POSIX only")
def test_the_command_takes_the_place_of_the_starter(checkout: Path) -> None:
    made_ready(checkout)
    command = [sys.executable, str(checkout / "run.py"), "x"]
    child = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    told, _ = child.communicate(timeout=60)
    assert json.loads(told)["pid"] == child.pid


@pytest.mark.parametrize(
    ("installed", "wanted", "good"),
    [
        ("bench", "demo", True),
        ("bench", "test", True),
        ("test", "full", True),
        ("full", "demo", True),
        ("demo", "full", False),
    ],
)
def test_a_larger_install_serves_a_smaller_need(checkout: Path, installed: str, wanted: str, good: bool) -> None:
    made_ready(checkout, installed)
    assert loaded(checkout).is_ready(wanted) is good


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("demo", "demo"), ("demo --serve", "full"), ("serve", "full"), ("infra plan", "full"), ("lake show", "demo"),
        ("lake push s3://bucket/lake", "full"), ("check", "test"), ("bench m60", "bench"),
        ("backtest run cash", "demo"), ("backtest run cash --png", "full"), ("backtest run optimised", "full"),
        ("backtest sweep sma_cross --optuna", "full"),
    ],
)  # fmt: skip
def test_each_verb_gets_the_smallest_environment_it_runs_in(checkout: Path, words: str, kind: str) -> None:
    verb, *rest = words.split()
    assert loaded(checkout).kind_of(verb, rest) == kind


def test_a_configured_language_model_brings_its_client(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    assert [loaded(checkout).kind_of(verb, []) for verb in ("demo", "trade", "lake")] == ["full", "full", "demo"]


def test_a_changed_lock_makes_the_environment_stale(checkout: Path) -> None:
    made_ready(checkout)
    module = loaded(checkout)
    assert module.is_ready("demo")
    (checkout / "locks" / "demo.txt").write_text("# changed\n")
    assert not module.is_ready("demo")


def test_a_lost_base_interpreter_makes_the_environment_stale(checkout: Path) -> None:
    made_ready(checkout)
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    assert not loaded(checkout).is_ready("demo")


def refused(done: subprocess.CompletedProcess[str], *signs: str) -> None:
    """One message with its parts, a non-zero status, no traceback, nothing on stdout."""
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for sign in ("set-up failed", "expected", "found", "next", *signs):
        assert sign in done.stderr, done.stderr


def test_an_unknown_python_is_refused_and_nothing_is_left(checkout: Path) -> None:
    refused(start(checkout, "demo", HAETAE_PYTHON="/nowhere/python3.12"), "/nowhere/python3.12", "3.11")
    assert not (checkout / ".venv").exists()


def test_a_python_that_exists_and_fails_is_refused(checkout: Path, tmp_path: Path) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\necho 'pyenv: not installed' >&2\nexit 127\n")
    shim.chmod(0o755)
    refused(start(checkout, "demo", HAETAE_PYTHON=str(shim)), str(shim))


@pytest.mark.parametrize("version", ["3.8.10", "3.10.14", "3.14.0"])
def test_a_python_outside_the_range_is_refused_and_nothing_is_left(
    checkout: Path, tmp_path: Path, version: str
) -> None:
    other = tmp_path / "python3"
    other.write_text(f"#!/bin/sh\necho {version} cpython\n")
    other.chmod(0o755)
    refused(start(checkout, "demo", HAETAE_PYTHON=str(other)), str(other), "3.11, 3.12 or 3.13")
    assert not (checkout / ".venv").exists()


def test_an_unwritable_place_is_refused(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = start(checkout, "demo", HAETAE_VENV=str(tmp_path / "file" / "venv"))
    refused(done, "permission", str(tmp_path / "file"))


def test_a_full_disk_is_refused_before_anything_is_made(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded(checkout)
    monkeypatch.setattr(module, "ENGLISH", True)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 5 * 2**20))
    with pytest.raises(module.SetupError) as told:
        module.prepare_place("demo")
    assert "not enough disk space" in told.value.text()
    assert "5 MB" in told.value.text()
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    "output", ["OSError: [Errno 28] No space left on device", "Disk quota exceeded (os error 122)"]
)
def test_a_disk_that_fills_during_an_install_is_named(
    checkout: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = loaded(checkout)
    monkeypatch.setattr(module, "ENGLISH", True)
    told = module.failure("downloading numpy\n" + output).text()
    assert "the disk is full" in told
    assert output in told


def test_a_foreign_environment_of_another_python_is_left_alone(checkout: Path) -> None:
    foreign = checkout / ".venv"
    foreign.mkdir()
    (foreign / "pyvenv.cfg").write_text("version = 3.9.1\n")
    refused(start(checkout, "demo"), "did not make")
    assert (foreign / "pyvenv.cfg").read_text() == "version = 3.9.1\n"


def test_a_broken_lock_is_refused_and_a_fresh_environment_is_removed(checkout: Path) -> None:
    (checkout / "locks" / "demo.txt").write_text("numpy==nonsense ???\n")
    (checkout / "locks" / "bootstrap.txt").write_text("uv==nonsense ???\n")
    refused(start(checkout, "demo", PATH="/usr/bin:/bin", PIP_NO_INDEX="1"), "lock")
    assert not (checkout / ".venv").exists()


def test_an_unreachable_index_is_refused_with_the_next_step(checkout: Path) -> None:
    locked = "tinyproject==1.0 --hash=sha256:" + "0" * 64 + "\n"
    (checkout / "locks" / "demo.txt").write_text(locked)
    (checkout / "locks" / "bootstrap.txt").write_text(locked)
    done = start(checkout, "demo", PATH="/usr/bin:/bin", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_TIMEOUT="2")
    refused(done, "PIP_INDEX_URL")
    assert not (checkout / ".venv").exists()


def test_an_unknown_kind_of_setup_is_refused(checkout: Path) -> None:
    refused(start(checkout, "setup", "everything"), "everything", "demo, full, test, bench")


def test_without_a_command_the_usage_is_shown_and_nothing_is_built(checkout: Path) -> None:
    done = start(checkout)
    assert done.returncode == 2
    assert "python3 run.py demo" in done.stdout
    assert start(checkout, "--help").returncode == 0
    assert not (checkout / ".venv").exists()


def test_pips_index_settings_reach_uv_under_its_own_names(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.example/simple\ncert = /c.pem\n"
        f"extra-index-url =\n  https://a.example\n  https://b.example\nfind-links = {tmp_path} /nowhere\n"
    )
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    env = loaded(checkout).uv_environment()
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_EXTRA_INDEX_URL"] == "https://a.example https://b.example"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert env["UV_FIND_LINKS"] == str(tmp_path)
    assert env["SSL_CERT_FILE"] == "/c.pem"
    assert env["UV_PYTHON_DOWNLOADS"] == "never"
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    assert loaded(checkout).uv_environment()["UV_DEFAULT_INDEX"] == "https://environment.example/simple"


def test_the_loader_gets_scikit_learns_openmp_only_when_it_has_none(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctypes

    module = loaded(checkout)
    bundled = checkout / ".venv" / "lib" / "python3.11" / "site-packages" / "scikit_learn.libs"
    bundled.mkdir(parents=True)
    (bundled / "libgomp-a34b3233.so.1.0.0").write_text("")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: None)
    assert module.libgomp_folder() == ""

    def missing(_: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setattr(sys, "platform", "linux")
    folder = module.libgomp_folder()
    assert (Path(folder) / "libgomp.so.1").resolve() == (bundled / "libgomp-a34b3233.so.1.0.0").resolve()
    assert folder in module.run_environment()["LD_LIBRARY_PATH"].split(os.pathsep)


def test_the_locks_are_hashed_and_name_no_index() -> None:
    for lock in sorted((ROOT / "locks").glob("*.txt")):
        lines = lock.read_text().splitlines()
        pins = [line for line in lines if line[:1].isalnum()]
        assert pins, lock
        assert all("==" in line for line in pins), lock
        assert not [line for line in lines if line.startswith("--") or "://" in line or "@ " in line], lock
        assert sum("--hash=sha256:" in line for line in lines) >= len(pins), lock


def test_each_lock_contains_the_one_before() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / "locks" / f"{name}.txt").read_text().splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert pins("demo") <= pins("full") <= pins("test") <= pins("bench")


def test_the_starter_parses_where_python_is_old() -> None:
    import ast

    ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 8))
