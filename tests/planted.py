"""Wrong variants of the exchange's own source: one line changed, compiled loops interpreted.

A law that cannot fail proves nothing. ``wrong`` gives a module as it stands in the project with one piece of its
text replaced; loops marked for numba run as plain Python, so that a variant costs no compilation.
"""

from __future__ import annotations

import inspect
from types import ModuleType

_COMPILED = "from numba import njit\n"
_INTERPRETED = "def njit(**_options):\n    return lambda function: function\n"
_PREFETCH = "from haetae.sim.batch.prefetch import prefetch\n"
_NO_PREFETCH = "def prefetch(*_cell):\n    pass\n"


def wrong(module: ModuleType, old: str = "", new: str = "") -> ModuleType:
    """Return a module whose text has ``new`` in place of ``old``, which must stand there exactly once."""
    text = inspect.getsource(module)
    assert not old or text.count(old) == 1, f"{module.__name__} has {text.count(old)} times: {old}"
    text = text.replace(old, new) if old else text
    text = text.replace(_COMPILED, _INTERPRETED).replace(_PREFETCH, _NO_PREFETCH)
    made = ModuleType(module.__name__)
    made.__dict__["__file__"] = module.__file__
    exec(compile(text, f"{module.__file__} (wrong)", "exec", dont_inherit=True), made.__dict__)
    return made
