"""A strategy class on its way to another process or machine: the module's name, or the text of its file.

A worker gets the text as this process read it, so an edit of the file during a sweep changes nothing, and a node
without the file can run it. Not here: finding the class by what a person wrote (``strategies``).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.abc
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from haetae.backtest.sweep.space import Parameters
from haetae.policies import Strategy
from haetae.wiring.strategies import strategy_class


@dataclass(frozen=True, slots=True)
class Shipped:
    """Makes strategies of one class; ``text`` is empty for an installed module."""

    module: str
    qualname: str
    path: str
    text: str

    def __call__(self, parameters: Parameters) -> Strategy:
        """Return the strategy with its parameters set."""
        return self.made()(**parameters)

    def made(self) -> type[Strategy]:
        """Return the class in this process."""
        module = _from_text(self.path, self.text) if self.text else importlib.import_module(self.module)
        found: Any = module
        for part in self.qualname.split("."):
            found = getattr(found, part)
        made: type[Strategy] = found
        return made


def ship(named: str) -> Shipped:
    """Return the class that a name, file or module gives, ready to travel."""
    made = strategy_class(named)
    if named.partition(":")[0].endswith(".py"):
        path = Path(inspect.getfile(made))
        return Shipped(made.__module__, made.__qualname__, str(path), path.read_text(encoding="utf-8"))
    return Shipped(made.__module__, made.__qualname__, "", "")


class _Text(importlib.abc.ExecutionLoader):
    """Loads a module from text that was sent."""

    def __init__(self, path: str, text: str) -> None:
        self._path, self._text = path, text

    def get_filename(self, fullname: str) -> str:
        """Return where the text was read, so that errors name it."""
        return self._path

    def get_source(self, fullname: str) -> str:
        """Return the text."""
        return self._text


def _from_text(path: str, text: str) -> ModuleType:
    name = f"haetae_shipped_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _Text(path, text)
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that annotations can be read
    loader.exec_module(module)
    return module
