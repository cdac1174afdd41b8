"""The images: what their files say, and the steps of the CPU image carried out in a folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from unit.delivery.dockerfiles import ROOT, Scratch, read

CPU, GPU = ROOT / "docker/cpu/Dockerfile", ROOT / "docker/gpu/Dockerfile"


def tool(name: str) -> str:
    """Return a development tool of this environment, or skip."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def passes(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [CPU, GPU], ids=["cpu", "gpu"])
def test_an_image_file_has_no_finding(path: Path) -> None:
    passes(tool("hadolint"), str(path))


def test_a_careless_image_file_has_findings(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN cd /tmp && pip install numpy\n")
    assert subprocess.run([tool("hadolint"), str(bad)], capture_output=True).returncode != 0


@pytest.mark.parametrize("path", [CPU, GPU], ids=["cpu", "gpu"])
def test_an_image_runs_as_a_numbered_user_from_a_slim_base_with_the_openmp_runtime(path: Path) -> None:
    steps = read(path)
    last = [step for step in steps if step.stage == steps[-1].stage]
    users = [step.text for step in last if step.word == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])
    assert any("libgomp1" in step.text for step in last if step.word == "RUN")
    assert next(step.text for step in steps if step.word == "ARG") == "PYTHON_IMAGE=python:3.12-slim-bookworm"
    assert all(step.text.startswith("${PYTHON_IMAGE}") for step in steps if step.word == "FROM")
    assert not any(step.word == "ADD" for step in steps)
    assert json.loads(next(step.text for step in last if step.word == "ENTRYPOINT"))[0] == "python"


def test_only_the_image_that_runs_all_day_is_asked_for_its_health() -> None:
    health = {path: next(step.text for step in read(path) if step.word == "HEALTHCHECK") for path in (CPU, GPU)}
    assert '"health"' in health[CPU]
    assert health[GPU] == "NONE"


def test_every_install_of_an_image_is_from_a_hashed_lock() -> None:
    for path in (CPU, GPU):
        for step in read(path):
            if step.word == "RUN" and re.search(r"\binstall\b", step.text) and "apt-get" not in step.text:
                assert "--require-hashes" in step.text


def test_the_training_image_trains_the_version_that_trading_reads() -> None:
    def pinned(lock: str, name: str) -> set[str]:
        text = (ROOT / "locks" / lock).read_text()
        return set(re.findall(rf"^{name}==(\S+)(?: ; python_full_version >= '3\.12'.*)? \\$", text, re.MULTILINE))

    assert pinned("gpu.txt", "xgboost") == pinned("full.txt", "xgboost-cpu")
    assert all("sha256:" in block for block in re.split(r"\n(?=\w)", (ROOT / "locks/gpu.txt").read_text())[1:])


def test_the_locks_name_a_wheel_for_graviton_wherever_a_library_is_compiled() -> None:
    """Hashes do not name platforms, so the number of files is what a lock can show: many, never one."""
    text = (ROOT / "locks/full.txt").read_text()
    for name in ("numpy", "numba", "pyarrow", "duckdb", "lightgbm", "catboost", "xgboost-cpu", "aiohttp"):
        blocks = re.findall(rf"^{name}==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
        assert blocks
        assert all(block.count("sha256:") >= 4 for block in blocks), name


def test_the_compose_file_follows_the_schema_and_locks_every_process_down() -> None:
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    passes(tool("yamllint"), "-s", "compose.yaml")
    for name, each in yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].items():
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in each["security_opt"], name
        assert "ports" not in each, name
        assert (ROOT / each["build"]["dockerfile"]).is_file()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The CPU image's steps, carried out; skipped where no package index answers."""
    made = Scratch(tmp_path_factory.mktemp("image"))
    try:
        made.follow(read(CPU))
    except AssertionError as fault:
        if re.search(r"set-up failed.*(index|network|connect)|Network is unreachable|Name or service", str(fault)):
            pytest.skip(f"no package index: {str(fault)[-300:]}")
        raise
    yield made
    shutil.rmtree(made.root, ignore_errors=True)


@pytest.mark.slow
def test_the_steps_of_the_cpu_image_make_a_program_that_runs(scratch: Scratch) -> None:
    assert len(scratch.ran) == 2
    assert "--help" in scratch.call([*scratch.entry, "--help"])
    assert scratch.call([*scratch.entry, "--version"]).strip()


@pytest.mark.slow
def test_the_health_check_of_the_cpu_image_passes_and_fails_for_a_reason(scratch: Scratch) -> None:
    said = scratch.call(scratch.health)
    assert "ok" in said
    shutil.rmtree(scratch.inside("/data"))
    scratch.place = "/"
    with pytest.raises(AssertionError, match="absent"):
        scratch.call(scratch.health)


@pytest.mark.slow
def test_the_image_holds_code_and_locks_but_neither_tests_nor_data_nor_keys(scratch: Scratch) -> None:
    assert {path.name for path in Path(scratch.inside("/app")).iterdir()} == {"configs", "locks", "run.py", "src"}
