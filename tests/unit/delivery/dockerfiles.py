"""A Dockerfile read into its instructions, and those instructions carried out in a folder instead of an image."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_NEEDS_ROOT = ("apt-get", "install -d")
"""Steps that change the system of the image; a folder has none."""


@dataclass(frozen=True)
class Step:
    """One instruction, its continuation lines joined."""

    word: str
    text: str
    stage: str


def read(path: Path) -> list[Step]:
    """Return the instructions of a Dockerfile with the stage each stands in."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    steps, stage = [], ""
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, text = line.partition(" ")
        if word == "FROM":
            stage = text.split(" AS ")[-1]
        steps.append(Step(word, text.strip(), stage))
    return steps


def allowed(path: Path) -> bool:
    """Tell whether ``.dockerignore`` lets a path of the checkout into the build (the forms this project uses)."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    inside = path.relative_to(ROOT).parts
    return f"!{inside[0]}" in rules or f"!{inside[0]}/" in rules


@dataclass
class Scratch:
    """A folder that stands for the file system of an image."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    user: str = ""
    place: str = "/"

    def inside(self, text: str) -> str:
        """Return a text with the image's paths moved into the folder."""
        return re.sub(r"(?<![\w./])/(app|opt|data|tmp)(?=[/\s:;\"']|$)", rf"{self.root}/\1", text)

    def environment(self) -> dict[str, str]:
        """Return what a process of the image would see, plus where this machine finds packages."""
        outer = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "UV_", "HTTP", "SSL_")) or name in ("HOME", "LANG", "NUMBA_CACHE_DIR")
        }
        own = {name: value for name, value in self.env.items() if name not in ("HOME", "NUMBA_CACHE_DIR")}
        return {**outer, "PATH": f"{self.root}/bin:{os.environ['PATH']}", **own}

    def follow(self, steps: list[Step]) -> None:
        """Carry the instructions out, in order."""
        (self.root / "bin").mkdir(parents=True)
        (self.root / "bin" / "python").symlink_to(getattr(sys, "_base_executable", sys.executable))
        for step in steps:
            match step.word:
                case "FROM":
                    self.env, self.place = {}, "/"
                case "ENV":
                    for name, value in re.findall(r"(\w+)=(\S+)", step.text):
                        self.env[name] = self.inside(value).replace("$PATH", os.environ["PATH"])
                case "WORKDIR":
                    self.place = step.text
                    Path(self.inside(self.place)).mkdir(parents=True, exist_ok=True)
                case "COPY" if step.text.startswith("--from="):
                    assert Path(self.inside(step.text.split()[1])).exists()
                case "COPY":
                    self._copy(*step.text.split())
                case "RUN":
                    self._run(re.sub(r"--mount=\S+\s*", "", step.text))
                case "USER":
                    self.user = step.text
                case "ENTRYPOINT":
                    self.entry = json.loads(step.text)
                case "HEALTHCHECK" if "CMD" in step.text:
                    self.health = json.loads(step.text[step.text.index("[") :])

    def _copy(self, source: str, target: str) -> None:
        assert allowed(ROOT / source.rstrip("/")), f"{source} is kept out by .dockerignore"
        to = Path(self.inside(self.place)) / target
        if source.endswith("/"):
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, to)

    def _run(self, command: str) -> None:
        if any(word in command for word in _NEEDS_ROOT):
            return
        self.call(["/bin/sh", "-c", self.inside(command)])
        self.ran.append(command)

    def call(self, command: list[str]) -> str:
        """Run a command as the image would and return what it said."""
        words = [self.inside(word) for word in command]
        done = subprocess.run(
            words, cwd=self.inside(self.place), env=self.environment(), capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout
