"""What a strategy calls while it decides: clocks, dice, files and sockets of its own.

The interpreter tells of every call of a built-in function while a `Watch` stands; what is not made of the view alone
shows there, even where two runs in a row agree by chance; compiled dice, which it does not tell of, are looked
for in the source. Not here: what is made of it (`determinism`).
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

_CLOCK_NAMES = ("time", "monotonic", "perf_counter", "process_time")
CLOCKS = {("time", name + unit) for name in _CLOCK_NAMES for unit in ("", "_ns")}
_DAYS = {"now", "today", "utcnow"}
_DICE_MODULES = ("random", "_random", "numpy.random", "secrets", "uuid")
_OUTSIDE_MODULES = ("socket", "_socket", "ssl", "_ssl", "subprocess", "_posixsubprocess")
_OPENERS = {("io", "open"), ("_io", "open"), ("posix", "open"), ("builtins", "open"), ("posix", "urandom")}


class Watch:
    """Collects calls of clocks, dice and the outside made by the code of one file while it stands.

    Attributes
    ----------
    heard : dict of str to str
        What was called, and the line of the strategy from which.
    """

    def __init__(self, file: str) -> None:
        """Watch what is called from a file, directly or through others."""
        self.heard: dict[str, str] = {}
        self._file = file
        self._before: Callable[..., Any] | None = None

    def __enter__(self) -> Watch:
        """Begin to listen; a profiler that listens already goes on afterwards."""
        self._before = sys.getprofile()
        sys.setprofile(self._told)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        sys.setprofile(self._before)

    def _told(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            name = suspicious(called)
        elif event == "call":
            name = _of_module(frame.f_globals.get("__name__", ""), frame.f_code.co_name)
        else:
            return
        if name and name not in self.heard and (line := self._line(frame)):
            self.heard[name] = f"{line}"

    def _line(self, frame: FrameType | None) -> int:
        """Return the line of the watched file that the call comes from, 0 where it comes from elsewhere."""
        while frame is not None:
            if frame.f_code.co_filename == self._file:
                return frame.f_lineno
            frame = frame.f_back
        return 0


def numpy_dice(file: str) -> dict[str, str]:
    """Return where a file names the dice of numpy, with their lines: compiled as they are, no profiler hears them."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        direct = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numpy.random")
        if direct or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.random", "numpy.random")):
            found.setdefault("numpy.random", str(node.lineno))  # type: ignore[attr-defined]
    return found


def suspicious(called: Any) -> str:
    """Return the name of a built-in function that depends on more than its arguments, empty if it does not."""
    module, name = getattr(called, "__module__", None) or "", getattr(called, "__name__", "")
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type) and owner.__module__ == "datetime" and name in _DAYS:
        return f"datetime.{name}"
    made_of = owner.__module__ if isinstance(owner, type) else type(owner).__module__ if owner is not None else module
    if inspect.ismodule(owner):
        made_of = owner.__name__
        if (made_of, name) in CLOCKS or (made_of, name) in _OPENERS:
            return f"{made_of}.{name}"
    return _of_module(made_of, name)


def _of_module(module: str, name: str) -> str:
    if module.startswith(_DICE_MODULES) or module in _OUTSIDE_MODULES:
        return f"{module}.{name}"
    return ""
