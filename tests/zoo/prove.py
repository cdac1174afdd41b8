"""Prove that every planted bug is found: `python3 run.py zoo [--budget SECONDS] [--only NAME,NAME] [--json FILE]`.

Each bug runs the shortest suite that must go red, in a process of its own. It is found when one test goes red with
the bug and that same test is green without it: a test that is red anyway, or by a busy machine, proves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rigs import order_bugs
from zoo.bugs import BUGS, Bug
from zoo.planting import NAME

ROOT = Path(__file__).resolve().parents[2]
PASSED, FAILED, STUCK = 0, 1, 124
"""Exit statuses of pytest; any other says that nothing was proven. A bug that hangs its suite is found too."""
PATIENCE_S = 900
_FOUND_BY = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py\S*?(?:\[.*?\])?)(?= - |$)", re.MULTILINE)
"""The test that went red, as pytest's summary names it."""
STORIES = "tests/property/test_planted_order_bugs.py::test_a_story_holds_without_the_bug_and_breaks_with_it"
_STORY = re.compile(rf"^PASSED {re.escape(STORIES)}\[(.+)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one bug: ``found``, by which test, and in how many seconds."""

    name: str
    module: str
    found: bool
    by: str
    seconds: float
    why: str = ""


def run(tests: Sequence[str], bug: str = "", more: Sequence[str] = ("-x",)) -> tuple[int, str]:
    """Run tests in a process of its own, with a bug or without."""
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")))
    env = {**os.environ, NAME: bug, "PYTHONPATH": paths, "HYPOTHESIS_STORAGE_DIRECTORY": "/dev/null"}
    command = [sys.executable, "-m", "pytest", "-p", "zoo.planting", "-p", "no:randomly", "-q", "-n", "0"]
    command += ["--timeout", "120", *more]
    command += tests
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return FAILED if bug else STUCK, "out of time"
    return done.returncode, done.stdout + done.stderr


def prove(bug: Bug) -> Proof:
    """Plant a bug and return whether its suite goes red, by a test that is green without it."""
    began = time.monotonic()
    status, told = run(bug.tests, bug.name)
    named = _FOUND_BY.search(told)
    by = named.group(1) if named else ""
    why = "" if status == FAILED else "nobody noticed" if status == PASSED else told.strip()[-300:]
    if status == FAILED:
        healthy, said = run([by] if by else bug.tests)
        why = "" if healthy == PASSED else f"red without the bug too: {said.strip()[-1_000:]}"
    return Proof(bug.name, bug.module, not why, by, round(time.monotonic() - began, 1), why)


def prove_stories(names: Sequence[str]) -> list[Proof]:
    """Prove bugs of the order life that are no changed expression: each is patched into a running desk by its story."""
    began = time.monotonic()
    status, told = run([f"{STORIES}[{name}]" for name in names], more=("-rA", "--maxfail", "1000"))
    passed = set(_STORY.findall(told))
    each = round((time.monotonic() - began) / len(names), 1)
    why = "its story does not break" if status in (PASSED, FAILED) else told.strip()[-300:]
    return [
        Proof(name, "rigs.order_bugs", name in passed, STORIES if name in passed else "", each,
              "" if name in passed else why)
        for name in names
    ]  # fmt: skip


def tell(proof: Proof) -> None:
    """Print the row of one bug."""
    word = "found " if proof.found else "MISSED"
    print(f"{word} {proof.seconds:6.1f} s  {proof.name:<38} {proof.why or proof.by}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Prove all, or as many as a budget allows; 0 where every one was found."""
    parser = argparse.ArgumentParser(prog="run.py zoo", description=__doc__)
    parser.add_argument("--budget", type=float, default=0.0, help="seconds; 0: all")
    parser.add_argument("--only", default="", help="names, comma separated")
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args(arguments)
    only = [name for name in asked.only.split(",") if name]
    unknown = set(only) - {bug.name for bug in BUGS} - set(order_bugs.BUGS)
    if unknown:
        parser.error(f"no such bugs: {', '.join(sorted(unknown))}")
    chosen = [bug for bug in BUGS if not only or bug.name in only]
    patched = [name for name in order_bugs.BUGS if not only or name in only]
    began, proofs = time.monotonic(), prove_stories(patched) if patched else []
    for proof in proofs:
        tell(proof)
    for bug in chosen:
        if asked.budget and time.monotonic() - began > asked.budget:
            break
        proofs.append(prove(bug))
        tell(proofs[-1])
    missed = [proof.name for proof in proofs if not proof.found]
    print(f"{len(proofs) - len(missed)} of {len(proofs)} found, {len(chosen) + len(patched) - len(proofs)} not tried")
    if asked.json is not None:
        record = {
            "bugs": len(chosen) + len(patched),
            "proven": len(proofs),
            "found": len(proofs) - len(missed),
            "missed": missed,
            "seconds": round(time.monotonic() - began, 1),
            "proofs": [asdict(proof) for proof in proofs],
        }
        asked.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 1 if missed or len(proofs) < len(chosen) + len(patched) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
