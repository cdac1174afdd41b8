"""Run mutmut on a copy: `python3 run.py mutate [ROOM…] [--budget SECONDS] [--json FILE]`.

A mutant is one changed expression; a suite that stays green with it does not look there. Only the room's own tests
run. The score of a file is killed (or timed out) of all its mutants; below 90 % is exit code 1. Nothing is written
into the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WANTED = 0.90
KILLED, SURVIVED, UNTRIED = (1, 3, 24, 36, 152, -24, 255, -11), (0,), (None, 5, 33, 34)
"""Exit statuses of a mutant's tests: red or out of time; green; not tried, or no test reaches it."""


@dataclass(frozen=True, slots=True)
class Room:
    """Files to change, and the tests that must notice."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS: dict[str, Room] = {
    "guards": Room(("guards/*.py",), ("tests/unit/guards", "tests/unit/desk")),
    "journal": Room(("journal/*.py",), ("tests/unit/journal", "tests/contract/test_sqlite_journal.py")),
    "orders": Room(
        ("execution/*.py", "desk/ordering.py", "desk/account.py"), ("tests/unit/execution", "tests/unit/desk")
    ),
    "recovery": Room(("live/recovery.py", "live/handover.py"), ("tests/unit/live",)),
}


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one file's mutants."""

    file: str
    killed: int
    survived: tuple[str, ...]
    untried: int

    @property
    def share(self) -> float:
        """Return killed of all that were tried, 1 where a file has none."""
        tried = self.killed + len(self.survived)
        return self.killed / tried if tried else 1.0


def lay_out(folder: Path, room: Room) -> None:
    """Copy what the tests need, and say in the copy's settings what is changed and what must notice."""
    for name in ("src", "tests", "benchmarks", "configs", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tests = [test for test in room.tests if (ROOT / test).exists()]
    wanted = {
        "source_paths": ["src"],
        "only_mutate": [f"src/haetae/{name}" for name in room.files],
        "also_copy": ["tests", "benchmarks", "configs", "docs"],
        "pytest_add_cli_args": ["-n", "0", "-p", "no:cacheprovider", "-x"],
        "pytest_add_cli_args_test_selection": tests,
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in wanted.items()]
    (folder / "pyproject.toml").write_text(settings + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n", encoding="utf-8")


def run(folder: Path, budget_s: float) -> str:
    """Run mutmut in the copy, at most so long; returns what it said last."""
    env = {**os.environ, "PYTHONPATH": os.environ.get("HAETAE_MUTMUT", "")}  # a folder where mutmut is, if not here
    log = folder / "mutmut.log"
    with log.open("w", encoding="utf-8") as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "mutmut", "run", "--max-children", "2"],
            cwd=folder, env=env, stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            child.wait(timeout=budget_s or None)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
    return log.read_text(encoding="utf-8", errors="replace")[-1_500:]


def scores(folder: Path) -> Iterator[Score]:
    """Yield the score of every changed file."""
    for meta in sorted((folder / "mutants").rglob("*.py.meta")):
        codes: dict[str, Any] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            name = meta.relative_to(folder / "mutants").as_posix().removesuffix(".meta")
            survived = tuple(sorted(key for key, code in codes.items() if code in SURVIVED))
            untried = sum(code in UNTRIED for code in codes.values())
            yield Score(name, len(codes) - len(survived) - untried, survived, untried)


def main(arguments: Sequence[str]) -> int:
    """Mutate the rooms and print a score per file; 0 where each reaches what is wanted."""
    parser = argparse.ArgumentParser(prog="run.py mutate", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--budget", type=float, default=0.0, help="seconds in all; 0: to the end")
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args(arguments)
    unknown = set(asked.rooms) - set(ROOMS)
    if unknown:
        parser.error(f"no such rooms: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    began, found = time.monotonic(), []
    for name in asked.rooms or ROOMS:
        left = asked.budget - (time.monotonic() - began) if asked.budget else 0.0
        if asked.budget and left <= 0:
            break
        with tempfile.TemporaryDirectory(prefix="haetae-mutants-") as place:
            folder = Path(place)
            lay_out(folder, ROOMS[name])
            said = run(folder, left)
            of_room = list(scores(folder))
            if not of_room:
                print(said)
            found += of_room
    low = [score for score in found if score.share < WANTED]
    for score in found:
        tried = score.killed + len(score.survived)
        print(f"{score.share:6.1%}  {score.killed:5} of {tried:5}  {score.untried:4} untried  {score.file}")
        for key in score.survived:
            print(f"          survived {key}")
    if asked.json is not None:
        record = {
            "files": {
                score.file: {
                    "score": round(score.share, 4),
                    "killed": score.killed,
                    "survived": list(score.survived),
                    "untried": score.untried,
                }
                for score in found
            },
            "seconds": round(time.monotonic() - began, 1),
        }
        asked.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 1 if low or not found or any(score.untried for score in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
