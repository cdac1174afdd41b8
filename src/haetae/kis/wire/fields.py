"""How single values travel in KIS messages: every value is text, also numbers.

Here: the forms a field may take, reading and writing one value, row tables (`Row`) that read columns and
fill blanks. Not here: which rows an operation has (`rows`), the envelope around them (`envelope`).
Prices are integers in won, quantities in shares, index points are integers x 100. A text that does not parse
raises ``WireError`` naming the field, what it is about and the TR; nothing is guessed from a blank price.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from haetae.domain.errors import WireError
from haetae.domain.units import day_from, yyyymmdd


class Form(Enum):
    """Form of one field on the wire."""

    TEXT = "text"
    COUNT = "count"
    LOOSE = "loose"
    POINTS = "points"
    RATE = "rate"
    MAYBE = "maybe"
    DAY = "day"
    CLOCK = "clock"
    FLAG = "flag"
    NUMBER = "number"


_DECIMAL = re.compile(r"\s*[-+]?[0-9]*\.?[0-9]*\s*", re.ASCII)


def _read_count(text: str) -> int:
    value = int(text)
    # Python reads "1_000" and full-width digits as numbers; the broker never sends either.
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return value


def _read_points(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    whole, _, part = text.strip().partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole if whole.strip("+-") else "0") * 100 + sign * int((part + "00")[:2])


def _read_rate(text: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return float(text.strip() or "0")


def _read_loose(text: str) -> int:
    return _read_count(text) if text.strip() else 0


def _read_day(text: str) -> dt.date | None:
    stripped = text.strip()
    return day_from(stripped) if stripped and stripped.strip("0") else None


def _read_clock(text: str) -> int:
    value = _read_count(text)
    if not (0 <= value <= 235959 and value % 100 < 60 and value // 100 % 100 < 60):
        raise ValueError(text)
    return value


_READ: Mapping[Form, Callable[[str], Any]] = {
    Form.TEXT: str.strip,
    Form.COUNT: _read_count,
    Form.LOOSE: _read_loose,
    Form.POINTS: _read_points,
    Form.RATE: _read_rate,
    Form.MAYBE: lambda text: _read_rate(text) if text.strip() else None,
    Form.DAY: _read_day,
    Form.CLOCK: _read_clock,
    Form.FLAG: lambda text: text.strip() == "Y",
    Form.NUMBER: _read_loose,
}


def points_text(value: int) -> str:
    """Return index points x 100 as text with two decimals, ``261081`` is ``2610.81``."""
    sign, size = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{size // 100}.{size % 100:02d}"


_WRITE: Mapping[Form, Callable[[Any], str]] = {
    Form.TEXT: str,
    Form.COUNT: str,
    Form.LOOSE: str,
    Form.POINTS: points_text,
    Form.RATE: "{:.2f}".format,
    Form.MAYBE: lambda value: "" if value is None else f"{value:.2f}",
    Form.DAY: lambda day: str(yyyymmdd(day)) if day else "",
    Form.CLOCK: "{:06d}".format,
    Form.FLAG: lambda flag: "Y" if flag else "N",
    Form.NUMBER: "{:010d}".format,
}

_BLANK: Mapping[Form, str] = {
    Form.TEXT: "",
    Form.COUNT: "0",
    Form.LOOSE: "0",
    Form.POINTS: "0.00",
    Form.RATE: "0.00",
    Form.MAYBE: "",
    Form.DAY: "",
    Form.CLOCK: "000000",
    Form.FLAG: "N",
    Form.NUMBER: "",
}


def read_value(form: Form, text: str, *, name: str, tr: str, about: str) -> Any:
    """Return the value of one wire text; raises ``WireError`` with field, subject and TR.

    ``COUNT`` refuses a blank, ``LOOSE`` reads it as 0 (for figures KIS leaves empty when unknown), ``MAYBE`` as None (a
    ratio nobody published is not 0), ``DAY`` reads blank and zeros as None, ``NUMBER`` is an order number compared as
    an integer.
    """
    try:
        return _READ[form](text)
    except (ValueError, AttributeError, TypeError) as fault:
        raise WireError(
            f"{tr}: field {name} of {about} does not parse",
            expected=form.value,
            found=repr(text)[:60],
            next_step="keep the raw reply; compare it with the protocol page of this call",
        ) from fault


_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
"""What JSON writes otherwise than it stands."""


@dataclass(frozen=True, slots=True)
class _Mould:
    """JSON text of a row with places for the values of some names, and how each value becomes text."""

    text: str
    order: tuple[int, ...]
    writers: tuple[Callable[[Any], str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """The fields of one kind of row, in wire order.

    ``encode`` gives every field (blanks where no value is passed), so a server written with it sends complete
    rows; ``value`` and ``column`` read the fields a client wants.
    """

    name: str
    forms: Mapping[str, Form]
    blank: Mapping[str, str] = field(repr=False)
    _moulds: dict[tuple[str, ...], _Mould] = field(default_factory=dict, repr=False, compare=False)

    def json(self, values: Mapping[str, Any]) -> str:
        """Return ``json.dumps(self.encode(values))`` (not ASCII only), many times as fast.

        The text around the values depends on their names alone, so it is made once for each set of names.
        """
        names = tuple(values)
        mould = self._moulds.get(names)
        if mould is None:
            mould = self._moulds[names] = self._mould(names)
        given = values.values()
        texts = [
            value if type(value) is str else write(value) for value, write in zip(given, mould.writers, strict=True)
        ]
        if _ESCAPED.search("".join(texts)):
            texts = [json.dumps(text, ensure_ascii=False)[1:-1] for text in texts]
        return mould.text % tuple([texts[place] for place in mould.order])

    def _mould(self, names: tuple[str, ...]) -> _Mould:
        unknown = sorted(set(names) - set(self.forms))
        if unknown:
            raise KeyError(f"row {self.name} has no field {unknown}")
        order = [names.index(name) for name in self.forms if name in names]
        cells = [f'"{name}": "{"%s" if name in names else self.blank[name]}"' for name in self.forms]
        return _Mould("{" + ", ".join(cells) + "}", tuple(order), tuple(_WRITE[self.forms[name]] for name in names))

    def encode(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the wire texts of a row; text values pass unchanged, an unknown name raises ``KeyError``."""
        row = dict(self.blank)
        forms = self.forms
        for name, value in values.items():
            row[name] = value if type(value) is str else _WRITE[forms[name]](value)
        if len(row) != len(forms):
            raise KeyError(f"row {self.name} has no field {sorted(set(row) - set(forms))}")
        return row

    def readers(self, names: Sequence[str]) -> tuple[tuple[str, Callable[[str], Any]], ...]:
        """Return how the texts of some fields become values; each raises as ``int`` does, naming nothing."""
        return tuple((name, _READ[self.forms[name]]) for name in names)

    def value(self, row: Mapping[str, str], name: str, *, tr: str, about: str = "") -> Any:
        """Return one value of a row."""
        return read_value(self.forms[name], self._text(row, name, tr, about), name=name, tr=tr, about=about)

    def column(self, rows: Sequence[Mapping[str, str]], name: str, *, tr: str, about: str = "") -> list[Any]:
        """Return one column of many rows, in their order."""
        form = self.forms[name]
        read = _READ[form]
        try:
            return [read(row[name]) for row in rows]
        except (ValueError, AttributeError, TypeError, KeyError):
            return [self.value(row, name, tr=tr, about=f"{about} row {i}") for i, row in enumerate(rows)]

    def _text(self, row: Mapping[str, str], name: str, tr: str, about: str) -> str:
        try:
            return row[name]
        except (KeyError, TypeError) as fault:
            raise WireError(
                f"{tr}: a row of {about or self.name} has no field {name}",
                expected=name,
                found=", ".join(list(row)[:8]) if isinstance(row, Mapping) else repr(row)[:60],
                next_step="keep the raw reply; the schema of this call may have changed",
            ) from fault


def row(name: str, text: str) -> Row:
    """Return a row table from ``field:form`` words; a word without a form is a ``count``."""
    forms: dict[str, Form] = {}
    for word in text.split():
        field_name, _, form = word.partition(":")
        forms[field_name] = Form(form or "count")
    return Row(name, forms, {field_name: _BLANK[form] for field_name, form in forms.items()})
