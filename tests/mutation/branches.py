"""Branch coverage of the rooms by their own tests: `python3 run.py mutate --coverage [ROOM…]`.

Compiled loops are measured as the Python they are written in: nothing sees inside machine code. Below 100 % of the
statements and branches of any file is exit code 1, and what was not reached is named.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.rooms import ROOT, Room


@dataclass(frozen=True, slots=True)
class Reached:
    """Statements and branches of one file, and those that no test reached."""

    file: str
    statements: int
    branches: int
    lines: tuple[int, ...]
    jumps: tuple[tuple[int, int], ...]

    @property
    def share(self) -> float:
        """Return reached statements and branches of all, 1 for a file without any."""
        count = self.statements + self.branches
        return 1 - (len(self.lines) + len(self.jumps)) / count if count else 1.0

    def __str__(self) -> str:
        """Return the row of the table; a jump that leaves its function ends at 0."""
        missed = [str(line) for line in self.lines]
        missed += [f"{start}->{max(end, 0)}" for start, end in self.jumps if start not in self.lines]
        return f"{self.share:6.1%}  {self.statements:5} {self.branches:5}  {self.file}  {' '.join(missed)}".rstrip()


def measure(room: Room) -> list[Reached]:
    """Run a room's own tests and return what of its files they reached; raises ``RuntimeError`` where one is red."""
    with tempfile.TemporaryDirectory(prefix="haetae-coverage-") as place:
        data, report = Path(place) / "data", Path(place) / "report.json"
        env = {**os.environ, "COVERAGE_FILE": str(data), "NUMBA_DISABLE_JIT": "1"}
        env["PYTHONPATH"] = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests")))
        files = [f"*/src/haetae/{name}" for name in room.files]
        run = [sys.executable, "-m", "coverage", "run", "--branch", f"--include={','.join(files)}", "-m", "pytest"]
        done = subprocess.run(
            [*run, "-q", "-n", "0", "-p", "no:cacheprovider", *room.tests, *room.reaching],
            cwd=ROOT, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout[-2_000:] + done.stderr[-500:])
        tell = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)]
        subprocess.run(tell, cwd=ROOT, env=env, check=True, capture_output=True)
        return list(read(report.read_text(encoding="utf-8")))


def read(report: str) -> Iterator[Reached]:
    """Yield what a report of coverage.py says of each file."""
    for file, found in sorted(json.loads(report)["files"].items()):
        summary = found["summary"]
        jumps = tuple((int(start), int(end)) for start, end in found["missing_branches"])
        yield Reached(file, summary["num_statements"], summary["num_branches"], tuple(found["missing_lines"]), jumps)
