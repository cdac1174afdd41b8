"""A pytest plugin that plants one bug: `HAETAE_BUG=name pytest -p zoo.planting …`.

One module is compiled from a changed source when it is imported; nothing on the disk changes, so every compiled loop
stays valid. A change that does not fit the source exactly once ends the run: a stale bug finds nothing.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

from zoo.bugs import BUGS, Bug

NAME = "HAETAE_BUG"


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the changed source, never a kept one."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        self._module, self._path, self._source = module, path, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        loader = _Loader(fullname, str(self._path), self._source)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


def plant(bug: Bug) -> None:
    """Plant a bug in this process; its module must not be imported yet."""
    path = bug.path()
    if bug.module in sys.modules:
        raise RuntimeError(f"{bug.module} is imported already: {bug.name} would not be seen")
    source = bug.planted(path.read_text(encoding="utf-8"))
    sys.meta_path.insert(0, _Finder(bug.module, path, source))


def _begin() -> None:
    name = os.environ.get(NAME, "")
    if name:
        plant(next(bug for bug in BUGS if bug.name == name))


_begin()
