"""From TOML tables and environment variables to typed records, collecting every fault on the way.

Here: layers, types, origins of values. Not here: which settings there are (``config.settings``), nor
their defaults and limits (each room's ``settings``). A value is a ``Leaf``: what was given, and where,
so a fault can name the file or the variable that holds it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import enum
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from haetae.domain.errors import ConfigError

PREFIX = "HAETAE_"
STEP = "__"
"""``HAETAE_AGENT__MIN_CONFIDENCE`` is ``[agent] min_confidence``; names without the step are not settings."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One given value and its origin; ``is_text`` when it came as text from the environment."""

    value: Any
    origin: str
    is_text: bool = False


Tree: TypeAlias = dict[str, "Tree | Leaf"]


class Unfit(Exception):
    """A value does not fit its type; the message says what would."""


def read_file(path: Path) -> tuple[Tree, list[str]]:
    """Return the values of a TOML file and its faults (at most one: it cannot be read at all)."""
    try:
        with path.open("rb") as file:
            return _tree(tomllib.load(file), str(path)), []
    except OSError as fault:
        return {}, [f"{path}: {fault.strerror}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        return {}, [f"{path}: TOML: {fault}"]


def _tree(table: Mapping[str, Any], origin: str) -> Tree:
    return {
        key: _tree(value, origin) if isinstance(value, Mapping) else Leaf(value, origin) for key, value in table.items()
    }


def read_environment(env: Mapping[str, str]) -> tuple[Tree, list[str]]:
    """Return the values of ``HAETAE_SECTION__FIELD`` variables; others are none of ours."""
    tree: Tree = {}
    faults: list[str] = []
    for name in sorted(env):
        if not name.startswith(PREFIX) or STEP not in name[len(PREFIX) :]:
            continue
        *sections, field = name[len(PREFIX) :].lower().split(STEP)
        place = tree
        for section in sections:
            inner = place.setdefault(section, {})
            if isinstance(inner, Leaf):
                faults.append(f"{name}: {inner.origin} already gives a value for {section}")
                inner = {}
            place = inner
        place[field] = Leaf(env[name], name, is_text=True)
    return tree, faults


def overlay(base: Tree, above: Tree) -> Tree:
    """Return both trees as one; where both give a value, the one above wins."""
    merged = dict(base)
    for key, value in above.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def build(kind: type, tree: Tree, faults: list[str], path: str = "") -> Any:
    """Return a record of a dataclass from a tree, or ``None`` with its faults appended.

    Fields that are not given keep their defaults; unknown names are faults, never ignored.
    """
    hints = typing.get_type_hints(kind)
    known = {field.name: field for field in dataclasses.fields(kind) if field.init}
    given: dict[str, Any] = {}
    before = len(faults)
    for name, node in tree.items():
        where = f"{path}.{name}" if path else name
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            origin = node.origin if isinstance(node, Leaf) else _first_origin(node)
            faults.append(f"{origin}: {where}: unknown name" + (f", did you mean {near[0]}?" if near else ""))
            continue
        _place(given, name, node, hints[name], faults, where)
    if len(faults) > before:
        return None
    try:
        return kind(**given)
    except (ValueError, TypeError) as fault:
        faults.append(f"{_first_origin(tree)}: {path or kind.__name__}: {fault}")
    except ConfigError as fault:
        faults.append(f"{_first_origin(tree)}: {path or kind.__name__}: {fault.message} ({fault.found})")
    return None


def _place(given: dict[str, Any], name: str, node: Tree | Leaf, hint: Any, faults: list[str], where: str) -> None:
    record = _record_type(hint)
    if isinstance(node, dict):
        if record is not None:
            given[name] = build(record, node, faults, where)
        elif typing.get_origin(hint) is not None and issubclass(typing.get_origin(hint), Mapping):
            plain = {key: leaf.value for key, leaf in node.items() if isinstance(leaf, Leaf)}
            given[name] = plain
        else:
            faults.append(f"{_first_origin(node)}: {where}: expected {describe(hint)}, found a table")
        return
    try:
        given[name] = convert(node, hint)
    except Unfit as fault:
        faults.append(f"{node.origin}: {where}: expected {fault}, found {_shown(node, hint)}")


def _first_origin(tree: Tree) -> str:
    for node in tree.values():
        return node.origin if isinstance(node, Leaf) else _first_origin(node)
    return "settings"


def _record_type(hint: Any) -> type | None:
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    found = [option for option in options if isinstance(option, type) and dataclasses.is_dataclass(option)]
    return found[0] if found and not _is_secret(found[0]) else None


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _is_secret(hint: Any) -> bool:
    return getattr(hint, "__name__", "") == "Secret"


def _shown(leaf: Leaf, hint: Any) -> str:
    return "***" if _holds_secrets(hint) else repr(leaf.value)


def _holds_secrets(hint: Any) -> bool:
    """Whether a type is a secret or a union or list of secrets."""
    return _is_secret(hint) or any(_holds_secrets(part) for part in typing.get_args(hint))


def describe(hint: Any) -> str:
    """Return what a type accepts, in a word or two."""
    if _is_union(hint):
        return " or ".join(describe(option) for option in typing.get_args(hint))
    if hint is type(None):
        return "none"
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(str(option) for option in typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " | ".join(str(member.value) for member in hint)
    origin = typing.get_origin(hint)
    if origin in (tuple, list, frozenset):
        kinds = typing.get_args(hint)
        is_fixed = origin is tuple and kinds[-1] is not Ellipsis
        return f"a list of {f'{len(kinds)} times ' if is_fixed else ''}{describe(kinds[0])}"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    return names.get(hint, "a day (2026-11-23)" if hint is dt.date else getattr(hint, "__name__", str(hint)))


def convert(leaf: Leaf, hint: Any) -> Any:
    """Return the value as its type wants it; raises ``Unfit``. Text becomes numbers only from the environment."""
    value = leaf.value
    if _is_union(hint):
        return _convert_union(leaf, hint)
    if _is_secret(hint):
        if not leaf.is_text:
            raise Unfit("a secret only in the environment")
        return hint(value)
    if typing.get_origin(hint) is typing.Literal:
        found = [option for option in typing.get_args(hint) if str(option) == str(value)]
        return _or_unfit(found, hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _or_unfit([member for member in hint if str(value) in (str(member.value), member.name)], hint)
    if typing.get_origin(hint) in (tuple, list, frozenset):
        return _convert_list(leaf, hint)
    return _convert_scalar(leaf, hint)


def _convert_list(leaf: Leaf, hint: Any) -> Any:
    kinds = typing.get_args(hint)
    parts = [part.strip() for part in leaf.value.split(",") if part.strip()] if leaf.is_text else leaf.value
    is_fixed = typing.get_origin(hint) is tuple and kinds[-1] is not Ellipsis
    if not isinstance(parts, list) or (is_fixed and len(parts) != len(kinds)):
        raise Unfit(describe(hint))
    inner = kinds if is_fixed else [kinds[0]] * len(parts)
    leaves = [Leaf(part, leaf.origin, leaf.is_text) for part in parts]
    return typing.get_origin(hint)(convert(each, kind) for each, kind in zip(leaves, inner, strict=True))


def _or_unfit(found: list[Any], hint: Any) -> Any:
    if not found:
        raise Unfit(describe(hint))
    return found[0]


def _convert_union(leaf: Leaf, hint: Any) -> Any:
    options = typing.get_args(hint)
    if type(None) in options and leaf.is_text and leaf.value.lower() in ("", "none"):
        return None
    for option in options:
        if option is type(None):
            continue
        try:
            return convert(leaf, option)
        except Unfit:
            continue
    raise Unfit(describe(hint))


def _convert_scalar(leaf: Leaf, hint: Any) -> Any:
    value, text = leaf.value, leaf.is_text
    try:
        if hint is bool:
            choices = {"true": True, "1": True, "false": False, "0": False}
            return choices[value.lower()] if text else _exactly(bool, value)
        if hint is int:
            return int(value) if text else _exactly(int, value)
        if hint is float:
            return float(value) if text or (isinstance(value, int | float) and not isinstance(value, bool)) else _no()
        if hint is str:
            return _exactly(str, value)
        if hint is Path:
            return Path(_exactly(str, value)).expanduser()
        if hint is dt.date:
            return value if type(value) is dt.date else dt.date.fromisoformat(_exactly(str, value))
    except (ValueError, KeyError):
        raise Unfit(describe(hint)) from None
    raise Unfit(describe(hint))


def _exactly(kind: type, value: Any) -> Any:
    return value if type(value) is kind else _no()


def _no() -> Any:
    raise ValueError
