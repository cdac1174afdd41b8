"""What the flow reads from a lake: daily bars, an index, instruments as they were known.

``LakeReader`` is the socket (``store.lake.Lake`` fits it). Where a lake has bars only, instruments
are made from codes and bars (``universe.names``). Statements and status words come along where a lake has them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from haetae.domain.errors import DataError, Text
from haetae.domain.market import Instrument, Int64Array, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, yyyymmdd
from haetae.features import daily
from haetae.features.sets import Flows, Inputs
from haetae.krx import Rulebook
from haetae.ports.tables import daily_table
from haetae.research.beside import flows_of, index_of, sectors_of
from haetae.research.told import statements, statuses
from haetae.universe import NO_STATEMENTS, NO_STATUSES, Statements, Statuses
from haetae.universe.names import assumed

if TYPE_CHECKING:
    import pyarrow as pa

_OFF_GRID_LIMIT = 0.01


class LakeReader(Protocol):
    """What research needs of a lake."""

    def read(
        self,
        table: str,
        *,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """See ``ports.BarLake``."""
        ...

    def panel(
        self,
        table: str,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        *,
        version: int | None = None,
    ) -> Panel:
        """Return bars as a dense panel."""
        ...

    def versions(self) -> Mapping[str, int]:
        """See ``ports.BarLake``."""
        ...

    def notes(self, table: str) -> Mapping[str, str]:
        """Return what writers noted about their rows, by source."""
        ...

    def digest(self, table: str, version: int | None = None) -> str:
        """Return the name of the exact bytes of a version."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DailyMarket:
    """The daily history of a market as research uses it.

    Attributes
    ----------
    index_close : (n_days,) int64, points x 100, or None
        0 for a missing day.
    history : mapping of symbol to instruments
        Every stored state of a symbol, oldest ``as_of`` first.
    adjusted : bool
        Prices were adjusted for later splits (declared, or seen: closes off the tick grid).
    digest : str
        Hash of everything above; equal data gives equal hashes.
    table : str
        Where the bars are from: ``daily``, or ``daily_adjusted`` of a lake without raw ones.
    version, stored : int, str
        The version of that table which was read, and the name of its exact bytes.
    statements, statuses : Statements, Statuses
        Every figure and status word of the lake with the day it was known; the selection reads those of its day.
    flows : Flows or None
        Who bought, where the lake has it.
    """

    panel: Panel
    index_close: Int64Array | None
    history: Mapping[Symbol, tuple[Instrument, ...]]
    adjusted: bool
    survivorship: str
    digest: str
    table: str
    version: int
    stored: str
    statements: Statements = NO_STATEMENTS
    statuses: Statuses = NO_STATUSES
    flows: Flows | None = None

    def instruments(self, day: dt.date) -> tuple[Instrument, ...]:
        """Return each symbol in its newest state announced by a day.

        A symbol known only from later is given in its first state; who reads it must not use what
        ``as_of`` says was announced later (``universe.select`` does not).
        """
        found = []
        for symbol in sorted(self.history):
            states = self.history[symbol]
            known = [state for state in states if state.as_of <= day]
            found.append(known[-1] if known else states[0])
        return tuple(found)

    def inputs(self) -> Inputs:
        """Return the rows that the daily features fold; sectors as they are known on the last day."""
        listed = self.instruments(day_from(int(self.panel.days[-1])))
        return Inputs(
            self.panel,
            index_close=daily.index_points(self.index_close),
            flows=self.flows,
            sectors=sectors_of(self.panel.symbols, listed),
        )

    def common(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which panel columns are common shares, ``(n_symbols,)``."""
        kinds = {symbol: states[-1].kind for symbol, states in self.history.items()}
        return np.array([kinds.get(symbol) is Kind.COMMON for symbol in self.panel.symbols], dtype=np.bool_)


def _instrument(row: Mapping[str, object]) -> Instrument:
    flags = str(row["flags"])
    return Instrument(
        symbol=str(row["symbol"]),
        name=str(row["name"]),
        market=Market(row["market"]),
        kind=Kind(row["kind"]),
        listed_on=row["listed_on"],  # type: ignore[arg-type]
        base_price=int(row["base_price"]),  # type: ignore[call-overload]
        shares_outstanding=int(row["shares_outstanding"]),  # type: ignore[call-overload]
        sector=str(row["sector"]),
        lot=int(row["lot"]),  # type: ignore[call-overload]
        flags=frozenset(flag for flag in flags.split(",") if flag),
        as_of=row["as_of"],  # type: ignore[arg-type]
    )


def _history(reader: LakeReader, panel: Panel) -> dict[Symbol, tuple[Instrument, ...]]:
    stored: dict[Symbol, list[Instrument]] = {}
    if "instruments" in reader.versions():
        for row in reader.read("instruments").to_pylist():
            stored.setdefault(row["symbol"], []).append(_instrument(row))
    history = {symbol: tuple(sorted(states, key=lambda s: s.as_of)) for symbol, states in stored.items()}
    for symbol, instrument in assumed(panel).items():
        history.setdefault(symbol, (instrument,))
    return history


def _off_grid(panel: Panel, history: Mapping[Symbol, tuple[Instrument, ...]]) -> bool:
    # Raw closes lie on the tick grid of their day, kind and market; adjusted ones mostly do not.
    listed = [history[symbol][-1] for symbol in panel.symbols]
    off, seen = 0, 0
    for row in np.linspace(0, len(panel) - 1, num=min(8, len(panel)), dtype=np.int64):
        rules = Rulebook.on(day_from(int(panel.days[row])))
        for column in np.flatnonzero(panel.traded[row]).tolist():
            item = listed[column]
            off += not rules.on_grid(int(panel.close[row, column]), item.kind, item.market)
            seen += 1
    return seen > 0 and off > _OFF_GRID_LIMIT * seen


def _digest(
    panel: Panel,
    index_close: Int64Array | None,
    history: Mapping[Symbol, tuple[Instrument, ...]],
    figures: Statements,
    words: Statuses,
    flows: Flows | None,
) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for block in (panel.days, panel.open, panel.high, panel.low, panel.close, panel.volume, panel.traded):
        whole.update(np.ascontiguousarray(block).data)
    whole.update("\n".join(panel.symbols).encode())
    whole.update(b"" if index_close is None else index_close.tobytes())
    for bought in () if flows is None else (flows.foreign, flows.institution, flows.individual):
        whole.update(np.ascontiguousarray(bought).data)
    for symbol in sorted(history):
        for state in history[symbol]:
            whole.update(f"{state}{sorted(state.flags)}".replace(str(state.flags), "").encode())
    for told in (figures, words):
        for field in dataclasses.fields(told):
            block = getattr(told, field.name)
            whole.update("\n".join(block).encode() if isinstance(block, tuple) else np.ascontiguousarray(block).data)
    return whole.hexdigest()


def until(market: DailyMarket, last: dt.date | None) -> DailyMarket:
    """Return the history as it stood at the end of a day: no later bar, no state announced later."""
    if last is None:
        return market
    rows = int(np.searchsorted(market.panel.days, yyyymmdd(last), side="right"))
    history = {
        symbol: tuple(state for state in states if state.as_of <= last) or states[:1]
        for symbol, states in market.history.items()
    }
    index = None if market.index_close is None else market.index_close[:rows]
    flows = None if market.flows is None else market.flows.rows(0, rows)
    return replace(market, panel=market.panel.rows(0, rows), index_close=index, history=history, flows=flows)


def load(reader: LakeReader, index: str) -> DailyMarket:
    """Return the whole daily history of a lake.

    Raises
    ------
    DataError
        If the lake has no daily bars.
    """
    versions = reader.versions()
    table = daily_table(versions)
    panel = reader.panel(table, version=versions[table]) if table in versions else None
    if panel is None or not len(panel):
        raise DataError(
            Text(ko="레이크에 일봉이 없습니다", en="the lake has no daily bars"),
            expected="a table 'daily' or 'daily_adjusted' with rows",
            found=", ".join(f"{name} v{version}" for name, version in versions.items()) or "an empty lake",
            next_step="haetae lake import --kind daily PATH",
        )
    last = day_from(int(panel.days[-1]))
    declared = any(reader.read(table, start=last, end=last).column("adjusted").to_pylist())
    index_close = index_of(reader, panel, index)
    history = _history(reader, panel)
    figures, words, flows = statements(reader), statuses(reader), flows_of(reader, panel)
    return DailyMarket(
        panel=panel,
        index_close=index_close,
        history=history,
        adjusted=declared or _off_grid(panel, history),
        survivorship=" ".join(text for _, text in sorted(reader.notes(table).items()) if text).strip(),
        digest=_digest(panel, index_close, history, figures, words, flows),
        table=table,
        version=versions[table],
        stored=reader.digest(table, versions[table]),
        statements=figures,
        statuses=words,
        flows=flows,
    )
