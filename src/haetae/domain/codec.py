"""JSON form of domain records: canonical, exact, reversible.

Records become ``{"$": "TypeName", field: value, …}``; enums ``{"e": "Name.VALUE"}``; days
``{"d": "2026-01-02"}``; arrays ``{"a": dtype, "s": shape, "v": [...]}``; mappings with text keys
``{"m": {...}}``; frozensets ``{"f": [...]}`` sorted; tuples are lists. Text is sorted by key, UTF-8,
without spaces, so equal records give equal bytes and journals can be compared by hash.
NaN travels as the text "nan" inside arrays, since JSON has no such number; whole numbers have 64 bits.
A field whose metadata says it is not stored is left out and comes back as its default: the bars of a
view, which a journal holds once, as slices. ``plain`` and ``parse`` stop at what a text says, for readers
that want a few cells and no record.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from math import isfinite
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import orjson

from haetae.domain import account, decisions, errors, events, learning, market, orders, promotion
from haetae.domain.errors import DataError


def _index(*modules: ModuleType) -> dict[str, type]:
    found: dict[str, type] = {}
    for module in modules:
        for name, value in vars(module).items():
            local = isinstance(value, type) and value.__module__ == module.__name__
            if local and (dataclasses.is_dataclass(value) or issubclass(value, Enum)):
                found[name] = value
    return found


_TYPES = _index(market, orders, account, decisions, events, learning, promotion) | {"Text": errors.Text}
_MEMBERS = {
    f"{kind.__name__}.{name}": member
    for kind in _TYPES.values()
    if issubclass(kind, Enum)
    for name, member in kind.__members__.items()
}
_THEMSELVES = frozenset({str, int, float, bool, type(None)})
_AS_IT_IS = frozenset({str, int, bool, type(None)})
_Form: TypeAlias = Callable[[Any], Any]


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value; most values are said as they are and taken without a call."""
    return value if type(value) in _AS_IT_IS else _form(type(value))(value)


def _plain_list(value: Any) -> list[Any]:
    return [item if type(item) in _AS_IT_IS else _form(type(item))(item) for item in value]


def _plain_mapping(value: Any) -> dict[str, Any]:
    return {
        "m": {
            str(key): item if type(item) in _AS_IT_IS else _form(type(item))(item) for key, item in value.items()
        }
    }  # fmt: skip


def _plain_float(value: Any) -> Any:
    return float(value) if isfinite(value) else {"n": repr(float(value))}


def _plain_array(value: Any) -> dict[str, Any]:
    cells: Any = value.ravel()
    if value.dtype.kind == "f" and not np.isfinite(cells).all():
        cells = [cell if isfinite(cell) else repr(cell) for cell in cells.tolist()]
    elif value.dtype.str not in ("<i8", "<f8"):  # what the library writes as numpy's own numbers would be
        cells = cells.tolist()
    return {"a": value.dtype.str, "s": list(value.shape), "v": cells}


def _plain_record(kind: type) -> _Form:
    stored = [f.name for f in dataclasses.fields(kind) if f.metadata.get(decisions.STORED, True)]
    name = kind.__name__

    def form(value: Any) -> dict[str, Any]:
        made: dict[str, Any] = {"$": name}
        for field in stored:
            item = getattr(value, field)
            made[field] = item if type(item) in _AS_IT_IS else _form(type(item))(item)
        return made

    return form


_FORMS: tuple[tuple[type | tuple[type, ...], _Form], ...] = (
    ((int, str), lambda value: value),
    (float, _plain_float),
    (Enum, lambda value: {"e": f"{type(value).__name__}.{value.name}"}),
    (dt.date, lambda value: {"d": value.isoformat()}),
    (np.ndarray, _plain_array),
    (np.generic, lambda value: _plain(value.item())),
    (frozenset, lambda value: {"f": sorted(_plain_list(value))}),
    ((tuple, list), _plain_list),
    (Mapping, _plain_mapping),
)
"""The first that fits; ``int`` and ``str`` before ``Enum``, so that an enum of numbers is its number."""


def _form_of(kind: type) -> _Form:
    for fitting, form in _FORMS:
        if issubclass(kind, fitting):
            return form
    if dataclasses.is_dataclass(kind):
        return _plain_record(kind)
    raise TypeError(f"no JSON form for {kind.__name__}")


_form: Callable[[Any], _Form] = cache(_form_of)
"""How values of a type are said."""


def _rich(value: Any) -> Any:
    """Return what a parsed text means; most values mean themselves and are taken without a call."""
    if type(value) is list:
        return tuple([item if type(item) in _THEMSELVES else _rich(item) for item in value])
    if type(value) is not dict:
        return value
    name = value.pop("$", None)
    if name is not None:
        for key, item in value.items():
            if type(item) not in _THEMSELVES:
                value[key] = _rich(item)
        return _TYPES[name](**value)
    (tag,) = value if len(value) == 1 else ("a",)
    match tag:
        case "e":
            return _MEMBERS[value["e"]]
        case "d":
            return dt.date.fromisoformat(value["d"])
        case "n":
            return float(value["n"])
        case "f":
            return frozenset(_rich(item) for item in value["f"])
        case "m":
            return {key: item if type(item) in _THEMSELVES else _rich(item) for key, item in value["m"].items()}
    kind, cells = np.dtype(value["a"]), value["v"]
    return np.array([float(cell) for cell in cells] if kind.kind == "f" else cells, dtype=kind).reshape(value["s"])


_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY


def plain(record: object) -> Any:
    """Return what the canonical text of a record says, as ``parse`` would (arrays may still be arrays)."""
    return _plain(record)


def text_of(said: object) -> str:
    """Return the canonical text of what ``plain`` returned; raises ``TypeError`` for what JSON cannot say."""
    return orjson.dumps(said, option=_OPTIONS).decode()


def encode(record: object) -> str:
    """Return the canonical JSON text of a domain record (or of a mapping of plain values)."""
    return text_of(_plain(record))


def parse(text: str) -> Any:
    """Return what a text made by ``encode`` says, its records as mappings; raises ``DataError`` if it is none."""
    try:
        return orjson.loads(text)
    except ValueError as fault:
        raise _undecodable(text, fault) from fault


def decode(text: str) -> Any:
    """Return the record of a text made by ``encode``; raises ``DataError`` if it is not one."""
    try:
        return _rich(orjson.loads(text))
    except (ValueError, KeyError, TypeError) as fault:
        raise _undecodable(text, fault) from fault


def member(said: Mapping[str, str]) -> Enum:
    """Return the enum member that a parsed text names."""
    return _MEMBERS[said["e"]]


def _undecodable(text: str, fault: Exception) -> DataError:
    return DataError(
        f"a stored record does not decode: {fault}",
        expected="canonical JSON of a domain record",
        found=text[:120],
        next_step="check the file with `haetae journal verify`",
    )
