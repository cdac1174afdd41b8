"""Columns of the lake's tables, as Arrow schemas: the words in which adapters exchange market data.

Here: one schema per table and what names a row of it. Not here: files, versions, checks (``store``).
This module imports pyarrow, so ``haetae.ports`` itself does not import it; sources, the collector
and the lake do.

Conventions: prices are won as int64, index levels are points x 100 as int64, ``volume`` is shares,
``turnover`` is won with 0 for unknown, ``day`` is the KST trading day, ``start`` is the instant
(ns, UTC) a bar begins. A daily row is known at the close of its day, a minute row at
``start + 1 minute`` (the closing-auction row at the close), an instrument row on ``as_of`` before
the open. Bars are raw exchange prices unless ``adjusted`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from haetae.domain.market import Instrument


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table of the lake.

    ``keys`` name a row; ``day_column`` holds the day a row belongs to; ``sort`` is the order of
    rows in files and answers; ``defaults`` fill columns that a writer may leave out.
    """

    name: str
    schema: pa.Schema
    keys: tuple[str, ...]
    day_column: str
    sort: tuple[str, ...]
    defaults: Mapping[str, object]


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


_PRICES = {name: pa.int64() for name in ("open", "high", "low", "close")}

DAILY = _schema(
    symbol=pa.string(),
    day=pa.date32(),
    **_PRICES,
    volume=pa.int64(),
    turnover=pa.int64(),
    halted=pa.bool_(),
    adjusted=pa.bool_(),
    source=pa.string(),
)
MINUTE = _schema(symbol=pa.string(), day=pa.date32(), start=pa.int64(), **_PRICES, volume=pa.int64())
INDEX_DAILY = _schema(index=pa.string(), day=pa.date32(), **_PRICES, volume=pa.int64())
INSTRUMENTS = _schema(
    symbol=pa.string(),
    name=pa.string(),
    market=pa.string(),
    kind=pa.string(),
    listed_on=pa.date32(),
    base_price=pa.int64(),
    shares_outstanding=pa.int64(),
    sector=pa.string(),
    lot=pa.int64(),
    flags=pa.string(),
    as_of=pa.date32(),
)
FLAGS = _schema(symbol=pa.string(), day=pa.date32(), flag=pa.string())
FLOWS = _schema(
    symbol=pa.string(),
    day=pa.date32(),
    foreign_net=pa.int64(),
    institution_net=pa.int64(),
    individual_net=pa.int64(),
)
QUALITY = _schema(day=pa.date32(), table=pa.string(), symbol=pa.string(), code=pa.string(), detail=pa.string())


def _spec(
    name: str,
    schema: pa.Schema,
    keys: tuple[str, ...],
    *,
    day_column: str = "day",
    defaults: Mapping[str, object] | None = None,
) -> TableSpec:
    return TableSpec(name, schema, keys, day_column, keys, MappingProxyType(dict(defaults or {})))


_SPECS = (
    _spec(
        "daily",
        DAILY,
        ("symbol", "day"),
        defaults={"turnover": 0, "halted": False, "adjusted": False, "source": ""},
    ),
    _spec("minute", MINUTE, ("symbol", "start")),
    _spec("index_daily", INDEX_DAILY, ("index", "day"), defaults={"volume": 0}),
    _spec(
        "instruments",
        INSTRUMENTS,
        ("symbol", "as_of"),
        day_column="as_of",
        defaults={"sector": "", "lot": 1, "flags": "", "base_price": 0, "shares_outstanding": 0},
    ),
    _spec("flags", FLAGS, ("symbol", "day", "flag")),
    _spec("flows", FLOWS, ("symbol", "day")),
    _spec("quality", QUALITY, ("table", "symbol", "day", "code")),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every table of the lake by name."""

DELISTED = "delisted"
"""Flag of the last row of a name that left the list; from then on it is not listed any more."""

RESOLVED = "resolved: "
"""Start of the detail of a quality finding that a later inspection did not find again."""


def instrument_rows(instruments: Iterable[Instrument]) -> pa.Table:
    """Return instruments as rows of the ``instruments`` table."""
    listed = list(instruments)
    columns: dict[str, list[object]] = {
        name: [getattr(each, name) for each in listed] for name in INSTRUMENTS.names if name != "flags"
    }
    columns["market"] = [each.market.value for each in listed]
    columns["kind"] = [each.kind.value for each in listed]
    columns["flags"] = [",".join(sorted(each.flags)) for each in listed]
    return pa.table(columns, schema=INSTRUMENTS)
