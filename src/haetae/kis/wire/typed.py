"""Typed requests and typed readings of rows, made from the table of operations.

``@ask("inquire-price")`` makes a frozen record of what is asked; its fields are names of the operation's request and
what is not named is sent blank. ``@reads(rows.PRICE)`` makes a frozen record of the fields somebody uses of a row;
they are read strictly by the forms of the row table, and all other fields of a row may come, go or change.
A field that the table does not have, or whose type is not that of its form, fails when the module is imported.
Not here: the records themselves (``calls``), the table (``table``), the envelope (`envelope`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_type_hints

from haetae.kis.wire.fields import Form, Row
from haetae.kis.wire.operations import OPERATIONS
from haetae.kis.wire.shape import Operation

_T = TypeVar("_T", bound=type)
_TYPES: Mapping[Form, object] = {
    Form.TEXT: str,
    Form.COUNT: int,
    Form.LOOSE: int,
    Form.POINTS: int,
    Form.RATE: float,
    Form.MAYBE: float | None,
    Form.DAY: dt.date | None,
    Form.CLOCK: int,
    Form.FLAG: bool,
    Form.NUMBER: int,
}


class Ask:
    """One request. ``operation`` is the call it makes."""

    __slots__ = ()
    operation: ClassVar[Operation]

    def values(self) -> dict[str, str]:
        """Return the request by the names of the wire, without what is blank."""
        given = ((field.name.upper(), getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        return {name: value for name, value in given if value}


class Reading:
    """The used fields of one row. ``table`` is the row they are of, ``readers`` how the text of each is read."""

    __slots__ = ()
    table: ClassVar[Row]
    readers: ClassVar[tuple[tuple[str, Callable[[str], Any]], ...]]

    @classmethod
    def of(cls, row: Mapping[str, str], *, tr: str, about: str = "") -> Self:
        """Return the fields of a row; raises ``WireError`` naming field, subject and TR."""
        try:
            return cls(**{name: read(row[name]) for name, read in cls.readers})
        except (ValueError, AttributeError, TypeError, KeyError):
            table = cls.table  # once more, slowly, to say which field it is
            return cls(**{name: table.value(row, name, tr=tr, about=about) for name in names(cls)})

    @classmethod
    def columns(cls, rows: Sequence[Mapping[str, str]], *, tr: str, about: str = "") -> dict[str, list[Any]]:
        """Return the fields of many rows as columns by name; quicker than one record a row."""
        table = cls.table
        return {name: table.column(rows, name, tr=tr, about=about) for name in names(cls)}


def names(record: type) -> tuple[str, ...]:
    """Return the fields of a record in order."""
    return tuple(field.name for field in fields(record))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def ask(operation: str) -> Callable[[_T], _T]:
    """Make a class of texts the request of an operation."""
    known = OPERATIONS[operation]
    allowed = {name.upper() for name in known.request}

    def make(shape: _T) -> _T:
        record: Any = dataclass(frozen=True, slots=True, kw_only=True)(shape)
        hints = get_type_hints(record)
        strays = [name for name in names(record) if name.upper() not in allowed or hints[name] is not str]
        if strays:
            raise TypeError(f"{record.__name__}: {operation} takes no text {strays}")
        record.operation = known
        return record

    return make


@dataclass_transform(frozen_default=True, kw_only_default=True)
def reads(table: Row) -> Callable[[_T], _T]:
    """Make a class of typed fields a reading of a row table."""

    def make(shape: _T) -> _T:
        record: Any = dataclass(frozen=True, slots=True, kw_only=True)(shape)
        hints = get_type_hints(record)
        for name in names(record):
            form = table.forms.get(name)
            if form is None or hints[name] != _TYPES[form]:
                raise TypeError(f"{record.__name__}: row {table.name} has {name} as {form}, not as {hints[name]}")
        record.table = table
        record.readers = table.readers(names(record))
        return record

    return make
