"""A file of tries already made, one JSON line each, so that a long test goes on where it was cut off.

A line counts only where the program and what was asked are the same as now: what another program did proves nothing of
this one. Here: ``Tries``. Not here: what a try is (``drills.days``, ``crashes.sweep``).
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import haetae
from haetae.wiring.records import storage_error


@functools.cache
def program() -> str:
    """Return a digest of every source file of the package, as it stood when it was first asked for."""
    root = Path(haetae.__file__).parent
    digest = hashlib.blake2b(digest_size=12)
    for file in sorted(root.rglob("*.py")):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


class Tries:
    """The tries of one test, by name; without a file nothing is kept."""

    def __init__(self, file: Path | None, asked: Mapping[str, Any]) -> None:
        """Read what was tried before by this program for the same ``asked``; a torn last line is passed over."""
        self._file = file
        self._of = json.loads(json.dumps({"program": program() if file is not None else "", "asked": dict(asked)}))
        self.made: dict[str, dict[str, Any]] = {}
        if file is not None and file.exists():
            for line in file.read_bytes().split(b"\n"):
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except ValueError:  # the writer died in it: that try is made again
            return
        if isinstance(told, dict) and told.get("of") == self._of:
            self.made[str(told["name"])] = told["found"]

    def keep(self, name: str, found: Mapping[str, Any]) -> None:
        """Append a try; it is on the disk when this returns."""
        self.made[name] = dict(found)
        if self._file is None:
            return
        line = json.dumps({"name": name, "of": self._of, "found": found}, ensure_ascii=False, default=str)
        try:
            with self._file.open("ab") as file:
                file.write(b"\n" + line.encode() if file.tell() else line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as fault:
            raise storage_error(self._file, fault) from fault
