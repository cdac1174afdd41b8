"""Run mutmut on a copy: `python3 run.py mutate [ROOM…] [--tenths N] [--budget SECONDS] [--json FILE]`.

A mutant is one changed expression; a suite that stays green with it does not look there. Only the room's own tests
run. The score of a file is killed (or timed out) of all its mutants; below 90 % is exit code 1. Nothing is written
into the checkout. Words that a person reads are not changed. ``--coverage`` measures branches instead (``branches``).
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mutation.branches import measure
from mutation.rooms import ROOMS, ROOT, Room

WANTED = 0.90
WORDS = (r"\bText\(", r"\b(expected|found|next_step|ko|en)=")
"""Lines that only speak to a person: what they say is tested where it is shown."""
DIGITS = "7301592846"
"""Last digits of the mutants' numbers in the order in which ``--tenths`` takes them."""
SURVIVED, UNTRIED, UNREACHED = (0,), (None, 5, 34), (33,)
"""Exit statuses of a mutant's tests: green; not tried; no test reaches it, as good as green. Any other is red."""
PYTEST = ["-n", "0", "-p", "no:cacheprovider", "-x"]


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
        "pytest_add_cli_args": PYTEST + [f"--deselect={test}" for test in room.without],
        "pytest_add_cli_args_test_selection": tests,
        "track_dependencies": False,
        "use_git_change_detection": False,
        "timeout_multiplier": 6.0,
        "timeout_constant": 5.0,
        "do_not_mutate_patterns": list(WORDS),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in wanted.items()]
    (folder / "pyproject.toml").write_text(settings + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n", encoding="utf-8")


def run(folder: Path, budget_s: float, tenths: int = 10) -> str:
    """Run mutmut in the copy, at most so long, on so many tenths of the mutants; returns what it said last."""
    drawn = [f"*__mutmut_*{digit}" for digit in DIGITS[:tenths]] if tenths < len(DIGITS) else []
    log = folder / "mutmut.log"
    with log.open("w", encoding="utf-8") as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "mutmut", "run", "--max-children", "2", *drawn],
            cwd=folder, env=_environment(), stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            child.wait(timeout=budget_s or None)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
    return log.read_text(encoding="utf-8", errors="replace")[-1_500:]


def _environment(**more: str) -> dict[str, str]:
    """Return what a run of the copy knows; a variable names the folder of mutmut where the environment has none."""
    path = os.environ.get("HAETAE_MUTMUT", "")
    return {**os.environ, "PYTHONPATH": path, "HYPOTHESIS_STORAGE_DIRECTORY": "/dev/null", **more}


def begun_at_import(source: str) -> frozenset[str]:
    """Return the functions of a module that its own statements call while it is imported."""
    tree = ast.parse(source)
    outside = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import)]
    called = (node.func for each in outside for node in ast.walk(each) if isinstance(node, ast.Call))
    return frozenset(func.id for func in called if isinstance(func, ast.Name))


def kills_at_import(folder: Path, room: Room, key: str) -> bool:
    """Whether a mutant is noticed by a process that is born with it.

    Mutants are tried in forks of a process that has imported everything: what a module computes while it is imported
    was computed without them.
    """
    tests = [test for test in room.tests if (ROOT / test).exists()]
    command = [sys.executable, "-m", "pytest", "-q", *PYTEST, *(f"--deselect={each}" for each in room.without), *tests]
    place = folder / "mutants"
    paths = os.pathsep.join((str(place / "src"), str(place / "tests"), os.environ.get("HAETAE_MUTMUT", "")))
    env = _environment(MUTANT_UNDER_TEST=key, PYTHONPATH=paths)
    return subprocess.run(command, cwd=place, env=env, capture_output=True, check=False).returncode not in SURVIVED


def tried_again(folder: Path, room: Room, score: Score) -> Score:
    """Return a score after the survivors of functions that run at import were tried in processes of their own."""
    early = begun_at_import((ROOT / score.file).read_text(encoding="utf-8"))
    again = [
        key for key in score.survived if key.rpartition(".")[2].partition("__mutmut_")[0].removeprefix("x_") in early
    ]
    killed = {key for key in again if kills_at_import(folder, room, key)}
    left = tuple(key for key in score.survived if key not in killed)
    return replace(score, killed=score.killed + len(killed), survived=left)


def scores(folder: Path) -> Iterator[Score]:
    """Yield the score of every changed file."""
    for meta in sorted((folder / "mutants").rglob("*.py.meta")):
        codes: dict[str, Any] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            name = meta.relative_to(folder / "mutants").as_posix().removesuffix(".meta")
            survived = tuple(sorted(key for key, code in codes.items() if code in (*SURVIVED, *UNREACHED)))
            untried = sum(code in UNTRIED for code in codes.values())
            yield Score(name, len(codes) - len(survived) - untried, survived, untried)


def cover(rooms: Sequence[str]) -> int:
    """Print the branch coverage of rooms by their own tests; 0 where everything is reached."""
    found = [file for name in rooms for file in measure(ROOMS[name])]
    for file in found:
        print(file)
    return 1 if not found or any(file.lines or file.jumps for file in found) else 0


def main(arguments: Sequence[str]) -> int:
    """Mutate the rooms and print a score per file; 0 where each reaches what is wanted."""
    parser = argparse.ArgumentParser(prog="run.py mutate", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--budget", type=float, default=0.0, help="seconds in all; 0: to the end")
    parser.add_argument("--tenths", type=int, default=10, help="of the mutants; 10: all")
    parser.add_argument("--coverage", action="store_true", help="measure branches instead")
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args(arguments)
    unknown = set(asked.rooms) - set(ROOMS)
    if unknown:
        parser.error(f"no such rooms: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    if asked.coverage:
        return cover(asked.rooms or list(ROOMS))
    began, found = time.monotonic(), []
    for name in asked.rooms or ROOMS:
        left = asked.budget - (time.monotonic() - began) if asked.budget else 0.0
        if asked.budget and left <= 0:
            break
        with tempfile.TemporaryDirectory(prefix="haetae-mutants-") as place:
            folder = Path(place)
            lay_out(folder, ROOMS[name])
            said = run(folder, left, asked.tenths)
            of_room = [tried_again(folder, ROOMS[name], score) for score in scores(folder)]
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
    unfinished = asked.tenths == len(DIGITS) and any(score.untried for score in found)
    return 1 if low or not found or unfinished else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
