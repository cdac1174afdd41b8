"""Columns of the lake's tables, as Arrow schemas: the words in which adapters exchange market data.

Here: one schema per table and what names a row of it. Not here: files, versions, checks (``store``).
This module imports pyarrow, so ``haetae.ports`` itself does not import it; sources, the collector
and the lake do.

Conventions: prices are won as int64, index levels and NAVs are x 100 as int64, ``volume`` is shares,
``turnover`` is won with 0 for unknown, ``day`` is the KST trading day, ``start`` and ``at`` are
instants (ns, UTC). A daily row is known at the close of its day, a minute row at
``start + 1 minute`` (the closing-auction row at the close), an instrument row on ``as_of`` before
the open, a fundamental row on ``known_on``. A weekly or monthly row carries the last session of its
period and is written when the period is over.

Raw and adjusted prices are kept apart: ``daily`` holds prices as they were traded, ``daily_adjusted``
those of a source that rewrote its series for later splits; no row of the one enters the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import pyarrow as pa

from haetae.domain.market import DELISTED as DELISTED
from haetae.domain.market import Instrument


class Span(Enum):
    """The days of one file, as the digits of yyyymmdd that name them; days become months when the month is over."""

    YEAR = 4
    MONTH = 6
    DAY = 8


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table of the lake.

    ``keys`` name a row; ``day_column`` holds the day a row belongs to; ``sort`` is the order of
    rows in files and answers; ``defaults`` fill columns that a writer may leave out; ``span`` is how
    many days the rows of one file belong to when they are written.
    """

    name: str
    schema: pa.Schema
    keys: tuple[str, ...]
    day_column: str
    sort: tuple[str, ...]
    defaults: Mapping[str, object]
    span: Span = Span.YEAR


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
PERIOD = _schema(symbol=pa.string(), day=pa.date32(), **_PRICES, volume=pa.int64(), turnover=pa.int64())
"""Bars of weeks and months, raw prices."""
INDEX_MINUTE = _schema(index=pa.string(), day=pa.date32(), start=pa.int64(), **_PRICES, volume=pa.int64())
_NET = {f"{who}_{unit}": pa.int64() for who in ("foreign", "institution", "individual") for unit in ("sh", "won")}
FLOWS = _schema(symbol=pa.string(), day=pa.date32(), **_NET)
"""Net purchases per name: shares and won, negative when sold."""
MARKET_FLOWS = _schema(market=pa.string(), day=pa.date32(), **_NET)
"""Net purchases per market (``KOSPI``, ``KOSDAQ``)."""
ETF_NAV = _schema(symbol=pa.string(), day=pa.date32(), nav=pa.int64(), close=pa.int64(), volume=pa.int64())
"""Net asset value x 100 beside the closing price."""
FUNDAMENTALS = _schema(
    symbol=pa.string(),
    period=pa.int32(),
    basis=pa.string(),
    item=pa.string(),
    value=pa.float64(),
    known_on=pa.date32(),
)
"""Figures of financial statements, one item a row. ``period`` is yyyymm of its end, ``basis`` ``year`` or ``quarter``;
items in won end in ``_won``, in percent in ``_pct``. ``known_on`` is the day it was first collected, or the last day on
which it had to be filed (45 days after a quarter, 90 after a year) if that is earlier: sources give no filing day. A
restated figure is a further row with its own ``known_on``. What flows in a quarter (sales, profits and their ratios) is
that of the year so far, as KIS gives it."""
HOLIDAYS = _schema(
    source=pa.string(),
    day=pa.date32(),
    open=pa.bool_(),
    settles=pa.bool_(),
    as_of=pa.date32(),
)
"""What a source says of a calendar day."""
VI_EVENTS = _schema(
    symbol=pa.string(),
    day=pa.date32(),
    at=pa.int64(),
    released_at=pa.int64(),
    kind=pa.string(),
    reference=pa.int64(),
    price=pa.int64(),
)
"""Volatility interruptions; ``kind`` is ``static`` or ``dynamic``, ``released_at`` 0 while it lasts."""
RANKINGS = _schema(
    board=pa.string(), day=pa.date32(), at=pa.int64(), rank=pa.int32(), symbol=pa.string(), value=pa.float64()
)
"""Leader boards as the source showed them at an instant; ``value`` in the unit of the board."""
NEWS = _schema(
    key=pa.string(), day=pa.date32(), at=pa.int64(), symbols=pa.string(), source=pa.string(), title=pa.string()
)
"""Headlines; ``symbols`` are the codes the source named, comma separated. Text of strangers: data, never orders."""
CORPORATE_ACTIONS = _schema(
    symbol=pa.string(), day=pa.date32(), kind=pa.string(), ratio=pa.float64(), detail=pa.string(), as_of=pa.date32()
)
"""Splits, issues, mergers, dividends by the day that separates old from new holders; ``ratio`` is new shares per old
one, for a dividend won a share."""
FEAR_GREED = _schema(
    source=pa.string(),
    component=pa.string(),
    day=pa.date32(),
    value=pa.float64(),
    rating=pa.string(),
    regime=pa.string(),
    known_on=pa.date32(),
)
"""Indices of fear and greed that others publish (``CNN``), never mixed into ours. ``component`` is ``index`` for the
index itself, 0 to 100; others are in their own units. ``day`` is the American session, known in Korea on the morning of
``known_on``. ``regime`` tells apart the ways of making it: numbers of two regimes do not compare."""
QUALITY = _schema(day=pa.date32(), table=pa.string(), symbol=pa.string(), code=pa.string(), detail=pa.string())


def _spec(
    name: str,
    schema: pa.Schema,
    keys: tuple[str, ...],
    *,
    day_column: str = "day",
    defaults: Mapping[str, object] | None = None,
    span: Span = Span.YEAR,
) -> TableSpec:
    return TableSpec(name, schema, keys, day_column, keys, MappingProxyType(dict(defaults or {})), span)


_SPECS = (
    _spec(
        "daily",
        DAILY,
        ("symbol", "day"),
        defaults={"turnover": 0, "halted": False, "adjusted": False, "source": ""},
    ),
    _spec(
        "daily_adjusted",
        DAILY,
        ("symbol", "day"),
        defaults={"turnover": 0, "halted": False, "adjusted": True, "source": ""},
    ),
    _spec("weekly", PERIOD, ("symbol", "day"), defaults={"turnover": 0}),
    _spec("monthly", PERIOD, ("symbol", "day"), defaults={"turnover": 0}),
    _spec("minute", MINUTE, ("symbol", "start"), span=Span.DAY),
    _spec("index_daily", INDEX_DAILY, ("index", "day"), defaults={"volume": 0}),
    _spec("index_minute", INDEX_MINUTE, ("index", "start"), defaults={"volume": 0}),
    _spec(
        "instruments",
        INSTRUMENTS,
        ("symbol", "as_of"),
        day_column="as_of",
        defaults={"sector": "", "lot": 1, "flags": "", "base_price": 0, "shares_outstanding": 0},
    ),
    _spec("flags", FLAGS, ("symbol", "day", "flag")),
    _spec("flows", FLOWS, ("symbol", "day")),
    _spec("market_flows", MARKET_FLOWS, ("market", "day")),
    _spec("etf_nav", ETF_NAV, ("symbol", "day"), defaults={"volume": 0}),
    _spec("fundamentals", FUNDAMENTALS, ("symbol", "period", "basis", "item", "known_on"), day_column="known_on"),
    _spec("holidays", HOLIDAYS, ("source", "day")),
    _spec("vi_events", VI_EVENTS, ("symbol", "at")),
    _spec("rankings", RANKINGS, ("board", "at", "rank")),
    _spec("news", NEWS, ("key",)),
    _spec("corporate_actions", CORPORATE_ACTIONS, ("symbol", "day", "kind")),
    _spec(
        "fear_greed",
        FEAR_GREED,
        ("source", "component", "day"),
        day_column="known_on",
        defaults={"component": "index", "rating": ""},
    ),
    _spec("quality", QUALITY, ("table", "symbol", "day", "code")),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every table of the lake by name."""


DERIVED = "features_"
"""Start of the names of tables that are computed from others; their columns are declared by who writes them."""


def derived_table(name: str, values: Mapping[str, pa.DataType], *, minutes: bool) -> TableSpec:
    """Return a table of values computed for each symbol and day, or each symbol and minute.

    Derived tables can be dropped and computed again. A lake knows the columns of those it holds from their own log.
    """
    if not name.startswith(DERIVED):
        raise ValueError(f"a derived table is named '{DERIVED}…', not '{name}'")
    time = {"day": pa.date32(), "start": pa.int64()} if minutes else {"day": pa.date32()}
    keys = ("symbol", "start") if minutes else ("symbol", "day")
    return _spec(name, _schema(symbol=pa.string(), **time, **values), keys, span=Span.MONTH)


def daily_table(versions: Mapping[str, int]) -> str:
    """Return the table that daily bars are taken from, given what a lake holds (``BarLake.versions``).

    Raw bars where there are any: ticks, limits and orders are stated in them. A lake of adjusted bars only
    (an imported history) is read as it is. Who reads says which table it was.
    """
    return "daily_adjusted" if "daily" not in versions and "daily_adjusted" in versions else "daily"


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
