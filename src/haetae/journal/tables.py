"""The columns of the projections, for whoever keeps them: one table per idea, one key each.

``int`` columns are whole won, shares, basis of instants and sequence numbers; ``float`` columns are ratios and basis
points; flags are 0 or 1. Every table ends with ``seq``, the entry a row began with. Not here: what folds entries into
rows (``projections``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float
Key: TypeAlias = tuple[Cell, ...]
Row: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the type of its cells."""

    name: str
    kind: type[str] | type[int] | type[float]


@dataclass(frozen=True, slots=True)
class Table:
    """A projection: its columns, and how many of the first ones are its key."""

    name: str
    columns: tuple[Column, ...]
    keys: int

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key_names(self) -> tuple[str, ...]:
        """Return the names of the key's columns."""
        return self.names[: self.keys]


def _table(name: str, columns: str, *, keys: int = 1) -> Table:
    kinds: dict[str, type[str] | type[int] | type[float]] = {"s": str, "i": int, "f": float}
    pairs = (word.split(":") for word in columns.split())
    return Table(name, tuple(Column(column, kinds[kind]) for column, kind in pairs), keys)


ORDERS = _table(
    "orders",
    "intent_id:s decision_id:s symbol:s side:s quantity:i limit_price:i escape:i status:s order_number:s"
    " filled:i amount:i submitted_at:i updated_at:i seq:i",
)
FILLS = _table(
    "fills",
    "day:s branch:s number:s cumulative:i intent_id:s symbol:s side:s quantity:i price:i amount:i at:i seq:i",
    keys=4,
)
"""One row per execution: the key is the broker's order of a day and what had been executed after it, so that the same
execution cannot be booked twice whoever tells it (the database refuses a second row)."""
DECISIONS = _table(
    "decisions",
    "decision_id:s symbol:s side:s status:s decider:s action:s confidence:f proposed:i quantity:i limit_price:i"
    " denied_by:s at:i seq:i",
)
REVIEWS = _table(
    "reviews",
    "decision_id:s symbol:s side:s status:s executed:i label:s outcome_bp:f slippage_bp:f cost:i resolved_at:i seq:i",
)
LESSONS = _table(
    "lessons",
    "lesson_id:s trigger_rule:s effect:s evidence:s support:i mean_gain_bp:f state:s created_at:i seq:i",
)

PROJECTIONS: dict[str, Table] = {table.name: table for table in (ORDERS, FILLS, DECISIONS, REVIEWS, LESSONS)}
TABLES = tuple(PROJECTIONS)


def digest_of(rows: Iterable[Row]) -> str:
    """Return one SHA-256 of rows in any order: two tables with the same rows have the same."""
    found = hashlib.sha256()
    for line in sorted(json.dumps(list(row), ensure_ascii=False, separators=(",", ":")) for row in rows):
        found.update(line.encode() + b"\n")
    return found.hexdigest()


def named(table: Table, row: Row) -> dict[str, Any]:
    """Return a row as a mapping."""
    return dict(zip(table.names, row, strict=True))
