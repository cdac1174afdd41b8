"""The pipelines: schema, hygiene, pinned actions, least permission."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from unit.delivery.dockerfiles import ROOT
from unit.delivery.test_images import passes, tool

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{path.stem}.{name}", job)
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
    ]


def test_the_pipelines_follow_the_schema_and_the_auditor_finds_nothing() -> None:
    names = [str(path) for path in WORKFLOWS]
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *names)
    passes(tool("yamllint"), "-s", *names)
    passes(tool("zizmor"), "--offline", "--persona=auditor", "--no-progress", *names)


def test_the_auditor_sees_an_action_that_is_not_pinned(tmp_path: Path) -> None:
    loose = tmp_path / "loose.yml"
    loose.write_text(re.sub(r"@[0-9a-f]{40}", "@v4", WORKFLOWS[0].read_text()))
    done = subprocess.run([tool("zizmor"), "--offline", "--no-progress", str(loose)], capture_output=True)
    assert done.returncode != 0


def test_every_action_is_pinned_by_its_commit_and_says_which_release_that_is() -> None:
    for path in WORKFLOWS:
        lines = [line for line in path.read_text().splitlines() if "uses:" in line]
        assert lines
        for line in lines:
            used, _, release = line.split("uses:")[1].partition("#")
            assert PINNED.match(used.strip()), line
            assert re.fullmatch(r"\s*v\d+\.\d+\.\d+", release), line


def test_no_permission_is_given_but_by_a_job_and_none_may_write_the_repository() -> None:
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text())["permissions"] == {}
    for name, job in jobs():
        assert set(job["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}, name
        assert job["timeout-minutes"] <= 60


def test_no_key_is_stored_and_a_pull_request_never_reaches_the_cloud() -> None:
    for path in WORKFLOWS:
        text = path.read_text()
        assert "secrets." not in text
        assert "pull_request_target" not in text
        assert "aws-access-key-id" not in text
    for name, job in jobs():
        for step in job["steps"]:
            if "aws-actions" in step.get("uses", ""):
                guard = step.get("if", "") + job.get("if", "")
                assert "PUSH" in guard or "event_name != 'pull_request'" in guard, name


def test_both_processors_are_tested_and_built_on_their_own_runners() -> None:
    build = dict(jobs())
    assert len(WORKFLOWS) >= 2
    assert set(build["build.test"]["strategy"]["matrix"]["runner"]) == {"ubuntu-24.04", "ubuntu-24.04-arm"}
    pairs = {(each["runner"], each["platform"]) for each in build["build.image"]["strategy"]["matrix"]["include"]}
    assert pairs == {("ubuntu-24.04", "linux/amd64"), ("ubuntu-24.04-arm", "linux/arm64")}
    assert build["build.image"]["needs"] == "test"
    assert build["build.manifest"]["needs"] == "image"
    pushing = next(step for step in build["build.image"]["steps"] if "build-push-action" in step.get("uses", ""))
    assert "steps.target" in pushing["with"]["outputs"]
    assert "push-by-digest=true" in (ROOT / ".github/workflows/build.yml").read_text()


@pytest.mark.parametrize("name", [name for name, _ in jobs()])
def test_the_shell_lines_of_a_job_pass_the_shell_checker(name: str, tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    lines = [step["run"] for step in dict(jobs())[name]["steps"] if "run" in step]
    script.write_text("#!/bin/bash\n" + "\n".join(lines))
    passes(tool("shellcheck"), "-e", "SC2154", str(script))
