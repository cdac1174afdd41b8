"""JSON form of domain records: canonical, exact, reversible.

Records become ``{"$": "TypeName", field: value, …}``; enums ``{"e": "Name.VALUE"}``; days
``{"d": "2026-01-02"}``; arrays ``{"a": dtype, "s": shape, "v": [...]}``; mappings with text keys
``{"m": {...}}``; frozensets ``{"f": [...]}`` sorted; tuples are lists. Text is sorted by key, UTF-8,
without spaces, so equal records give equal bytes and journals can be compared by hash.
NaN travels as the text "nan" inside arrays, since JSON has no such number. A field whose metadata says it is not
stored is left out and comes back as its default: the bars of a view, which a journal holds once, as slices.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from enum import Enum
from types import ModuleType
from typing import Any

import numpy as np

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


def _float(value: float) -> float | str:
    return value if value == value and abs(value) != float("inf") else repr(value)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if isinstance(_float(value), float) else {"n": repr(value)}
        case Enum():
            return {"e": f"{type(value).__name__}.{value.name}"}
        case dt.date():
            return {"d": value.isoformat()}
        case np.ndarray():
            flat = value.ravel().tolist()
            cells = [_float(cell) for cell in flat] if value.dtype.kind == "f" else flat
            return {"a": value.dtype.str, "s": list(value.shape), "v": cells}
        case np.generic():
            return _plain(value.item())
        case frozenset():
            return {"f": sorted(_plain(item) for item in value)}
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {"m": {str(key): _plain(item) for key, item in value.items()}}
        case _ if dataclasses.is_dataclass(value):
            fields = [f for f in dataclasses.fields(value) if f.metadata.get(decisions.STORED, True)]
            return {"$": type(value).__name__, **{f.name: _plain(getattr(value, f.name)) for f in fields}}
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _rich(value: Any) -> Any:
    """Return what a parsed text means; most values mean themselves and are taken without a call."""
    if type(value) is list:
        return tuple([item if type(item) in _THEMSELVES else _rich(item) for item in value])
    if type(value) is not dict:
        return value
    name = value.pop("$", None)
    if name is not None:
        return _TYPES[name](**{key: item if type(item) in _THEMSELVES else _rich(item) for key, item in value.items()})
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
    cells = [float(cell) if isinstance(cell, str) else cell for cell in value["v"]]
    return np.array(cells, dtype=np.dtype(value["a"])).reshape(value["s"])


def encode(record: object) -> str:
    """Return the canonical JSON text of a domain record (or of a mapping of plain values)."""
    return json.dumps(_plain(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def decode(text: str) -> Any:
    """Return the record of a text made by ``encode``; raises ``DataError`` if it is not one."""
    try:
        return _rich(json.loads(text))
    except (ValueError, KeyError, TypeError) as fault:
        raise DataError(
            f"a stored record does not decode: {fault}",
            expected="canonical JSON of a domain record",
            found=text[:120],
            next_step="check the file with `haetae journal verify`",
        ) from fault
