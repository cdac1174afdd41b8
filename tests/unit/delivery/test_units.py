"""Units and compose: what they start exists, what they may do is little."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from haetae.cli.main import build
from unit.delivery.dockerfiles import ROOT, read

UNITS = ROOT / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
PROGRAM = "/opt/haetae/current/bin/haetae"
MOST_EXPOSED = 2.5
"""Of 10; a unit without any hardening scores about 9."""


def values(path: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", path.read_text(), re.MULTILINE)


def understood(words: list[str]) -> None:
    """Let the command line take these words apart without doing what they say."""
    command: Any = typer.main.get_command(build())
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    if "--help" not in rest:
        command.make_context(command.name, rest)


def started() -> list[tuple[str, list[str]]]:
    rows = [(path.name, shlex.split(values(path, "ExecStart")[0].removeprefix(PROGRAM))) for path in SERVICES]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    rows += [(f"compose {name}", list(each["command"])) for name, each in compose.items()]
    images = [step for name in ("cpu", "gpu") for step in read(ROOT / f"docker/{name}/Dockerfile")]
    rows += [("image", yaml.safe_load(step.text)) for step in images if step.word == "CMD"]
    return rows


@pytest.mark.parametrize(("place", "words"), started(), ids=lambda value: value if isinstance(value, str) else None)
def test_every_command_that_is_started_is_one_the_program_knows(place: str, words: list[str]) -> None:
    if words != ["--help"]:
        understood([re.sub(r"\$\{\w+\}", "s3://bucket/lake", word) for word in words])


def test_a_command_the_program_does_not_know_is_seen() -> None:
    with pytest.raises(KeyError):
        understood(["tarde", "paper"])
    with pytest.raises(Exception, match="no-such"):
        understood(["serve", "--no-such"])


def test_nothing_started_in_the_background_trades_real_money() -> None:
    assert all(words[:2] != ["trade", "live"] for _, words in started())


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units with a program that exists here."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    folder = tmp_path_factory.mktemp("units")
    for path in UNITS.glob("haetae*"):
        (folder / path.name).write_text(path.read_text().replace(PROGRAM, "/bin/true"))
    return folder


def test_the_units_are_what_systemd_understands(loose: Path) -> None:
    names = sorted(str(path) for path in loose.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "--man=no", "verify", *names], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "haetae" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", [path.name for path in SERVICES])
def test_a_unit_may_do_little(name: str, loose: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(loose / name)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    score = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    if score is None:
        pytest.skip(f"this systemd cannot judge files: {done.stderr.strip()[:100]}")
    assert float(score[1]) <= MOST_EXPOSED


def test_every_timer_has_its_service_and_names_the_exchange_s_time() -> None:
    timers = sorted(UNITS.glob("*.timer"))
    assert len(timers) == 4
    for timer in timers:
        assert timer.with_suffix(".service") in SERVICES
        (when,) = values(timer, "OnCalendar")
        assert when.endswith("Asia/Seoul") or when == "*:0/5"
        if shutil.which("systemd-analyze"):
            subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)


def test_no_unit_carries_a_secret_and_each_is_limited() -> None:
    for path in SERVICES:
        assert not re.search(r"(?i)secret|token|app_?key", path.read_text())
        assert values(path, "MemoryMax")
        assert values(path, "User") == ["haetae"]
        assert values(path, "ProtectSystem") == ["strict"]


def test_the_health_unit_asks_where_the_service_answers():
    (asked,) = re.findall(r"--url (http://\S+)", (ROOT / "systemd" / "haetae-health.service").read_text())
    routes = (ROOT / "src/haetae/service/routers/health.py").read_text()
    prefix = re.search(r'prefix="(/v1)"', (ROOT / "src/haetae/service/app.py").read_text())
    assert prefix is not None
    assert '@router.get("/health"' in routes
    assert asked.endswith(prefix.group(1) + "/health")
