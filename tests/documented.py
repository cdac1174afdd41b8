"""Blocks of the documents that are run as they stand.

A comment above a fenced block says what it is: ``<!-- file: NAME -->`` is written into the folder, a block under
``<!-- serve: NAME -->`` is an emulator that runs while the blocks under ``<!-- run: NAME -->`` of the same name run, in
the order of the page. The folder has a ``run.py`` that leads to this checkout, and ports of the page are exchanged for
free ones, so that nothing else has to change.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rigs.running import ENVIRONMENT, ROOT

_BLOCK = re.compile(r"<!-- (file|serve|run): ([\w.-]+) -->\n```\w+\n(.*?)```", re.DOTALL)
_PORTS = ("9443", "9400")
_PATIENCE_S = 400
"""Longest a block may take; none of it outlives its test."""
_STAND_IN = """import os, sys
os.execv({python!r}, [{python!r}, "-m", "haetae.cli.main", *sys.argv[1:]])
"""


@dataclass(frozen=True, slots=True)
class Page:
    """The blocks of one page: files by name, and commands by kind and name in the order of the page."""

    files: Mapping[str, str]
    blocks: tuple[tuple[str, str, str], ...]

    def commands(self, kind: str, name: str) -> list[str]:
        """Return the blocks of a kind and a name."""
        return [text for each, known, text in self.blocks if (each, known) == (kind, name)]

    def without_comments(self) -> list[str]:
        """Return every command of the page, without what is said of it."""
        lines = [line.split("  #")[0].strip() for _, _, text in self.blocks for line in text.splitlines()]
        return [line for line in lines if line]

    @property
    def names(self) -> set[str]:
        """The names under which something is run."""
        return {name for kind, name, _ in self.blocks if kind == "run"}


def read(page: str) -> Page:
    """Return the blocks of a page of the checkout."""
    found = _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    files = {name: text for kind, name, text in found if kind == "file"}
    return Page(files, tuple(block for block in found if block[0] != "file"))


class Reader:
    """Runs the blocks of a page in a folder, as a reader would."""

    def __init__(self, page: Page, folder: Path, words: Mapping[str, str] | None = None, **env: str) -> None:
        """Make the folder ready; ``words`` of the page that a reader replaces by his own."""
        self._page, self._folder = page, folder
        keys = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        self._env = {**ENVIRONMENT, **keys, "HAETAE_LANG": "en", **env}
        self._words = {**dict(zip(_PORTS, map(str, _free(len(_PORTS))), strict=True)), **(words or {})}
        (folder / "run.py").write_text(_STAND_IN.format(python=sys.executable), encoding="utf-8")
        for name, text in page.files.items():
            (folder / name).write_text(text, encoding="utf-8")

    @contextmanager
    def serving(self, name: str) -> Iterator[Mapping[str, str]]:
        """Run the emulator of a name while the context lasts; the ports that the page leaves open are free ones."""
        (block,) = self._page.commands("serve", name)
        command = f"exec {self._pointed(block).split('#')[0].strip()} --free-ports"
        with subprocess.Popen(
            ["bash", "-c", command], cwd=self._folder, env=self._env, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            try:
                yield json.loads(child.stdout.readline())
            finally:
                child.send_signal(signal.SIGTERM)
                assert child.wait(30) == 0

    def run(self, name: str) -> str:
        """Run the blocks of a name; return what they told, and raise where a command of them failed."""
        told = ""
        for block in self._page.commands("run", name):
            child = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", self._pointed(block)],
                cwd=self._folder, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                start_new_session=True,
            )  # fmt: skip
            try:
                answer, faults = child.communicate(timeout=_PATIENCE_S)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            told += answer
            assert child.returncode == 0, f"{block}\n{told[-3000:]}\n{faults[-3000:]}"
        return told

    def _pointed(self, text: str) -> str:
        for shown, own in self._words.items():
            text = text.replace(shown, own)
        return text


def _free(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def has_shell() -> bool:
    """Whether the commands of the pages can be run here."""
    return os.name == "posix" and all(
        any(os.access(Path(folder) / name, os.X_OK) for folder in os.environ["PATH"].split(os.pathsep))
        for name in ("bash", "curl", "python3")
    )
