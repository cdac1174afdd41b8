"""Random markets as a lake tells them: bars, the list of names over time, status words, statements; nothing is real."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from haetae.domain.market import DELISTED, Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import day_from, instant_at, yyyymmdd
from haetae.krx import trading_days
from haetae.ports.tables import TABLES, instrument_rows
from haetae.store.lake import Lake
from haetae.universe import Statements, Statuses
from haetae.universe.statements import ITEMS
from random_panels import daily_panel, perturbed_after

WORDS = ("halted", "administrative", "liquidation", "caution", "unfaithful_disclosure", DELISTED)
StatusRow = tuple[str, int, str]
StatementRow = tuple[str, str, int, bool, float, int]


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a selection may read, also what came after its day."""

    panel: Panel
    states: tuple[Instrument, ...]
    statuses: tuple[StatusRow, ...]
    statements: tuple[StatementRow, ...]

    def known(self, day: dt.date) -> Told:
        """Return the tables cut off at the end of a day."""
        stamp = int(f"{day:%Y%m%d}")
        return Told(
            self.panel.rows(0, int(np.searchsorted(self.panel.days, stamp, side="right"))),
            tuple(state for state in self.states if state.as_of <= day),
            tuple(row for row in self.statuses if row[1] <= stamp),
            tuple(row for row in self.statements if row[5] <= stamp),
        )

    def rewritten_after(self, day: dt.date, seed: int) -> Told:
        """Return the same tables with another future: every later row changed, removed or invented."""
        stamp = int(f"{day:%Y%m%d}")
        row = int(np.searchsorted(self.panel.days, stamp, side="right")) - 1
        other = told_market(seed, len(self.panel.symbols), len(self.panel))
        past = self.known(day)
        return Told(
            perturbed_after(self.panel, row, seed),
            (*past.states, *(state for state in other.states if state.as_of > day)),
            (*past.statuses, *(each for each in other.statuses if each[1] > stamp)),
            (*past.statements, *(each for each in other.statements if each[5] > stamp)),
        )

    def instruments(self, day: dt.date) -> list[Instrument]:
        """Return the newest state of each name announced by a day."""
        newest = {state.symbol: state for state in sorted(self.states, key=lambda s: s.as_of) if state.as_of <= day}
        return list(newest.values())

    def status_rows(self) -> Statuses:
        """Return the status words as the selection takes them."""
        return Statuses.of(*_columns(self.statuses, 3))

    def statement_rows(self) -> Statements:
        """Return the figures as the selection takes them."""
        return Statements.of(*_columns(self.statements, 6))

    def shuffled(self, shuffle: Callable[[list[int]], None]) -> Told:
        """Return the same rows in another order."""
        places = list(range(len(self.statements)))
        shuffle(places)
        others = list(range(len(self.statuses)))
        shuffle(others)
        states = list(range(len(self.states)))
        shuffle(states)
        return Told(
            self.panel,
            tuple(self.states[k] for k in states),
            tuple(self.statuses[k] for k in others),
            tuple(self.statements[k] for k in places),
        )


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def told_market(seed: int, symbols: int = 40, sessions: int = 320) -> Told:
    """Return a market whose names change, are flagged, leave and file statements over the sessions of a panel."""
    rng = np.random.default_rng([seed, 6])
    days = trading_days(dt.date(2020, 1, 2), dt.date(2022, 12, 29))[:sessions]
    panel = dataclasses.replace(
        daily_panel(seed, symbols=symbols, sessions=sessions, halted=0.002),
        days=np.array([yyyymmdd(day) for day in days], dtype=np.int32),
        start=np.array([instant_at(day, 90_000) for day in days], dtype=np.int64),
        end=np.array([instant_at(day, 153_000) for day in days], dtype=np.int64),
    )

    def some_day() -> dt.date:
        return days[int(rng.integers(len(days)))]

    states: list[Instrument] = []
    statuses: list[StatusRow] = []
    statements: list[StatementRow] = []
    for place, symbol in enumerate(panel.symbols):
        kind = Kind.COMMON if place % 9 else (Kind.PREFERRED, Kind.SPAC, Kind.ETF)[place // 9 % 3]
        first = Instrument(
            symbol, f"이름{place}", Market.KOSPI, kind, dt.date(2010, 1, 4), 0, int(rng.integers(10**6, 10**8)),
            sector=f"s{place % 5}" if place % 7 else "", as_of=dt.date(2019, 12, 30),
        )  # fmt: skip
        states.append(first)
        for _ in range(int(rng.integers(3))):
            flags = frozenset({WORDS[int(rng.integers(len(WORDS)))]}) if rng.random() < 0.3 else frozenset()
            shares = int(first.shares_outstanding * (1 + rng.random()))
            states.append(dataclasses.replace(first, flags=flags, shares_outstanding=shares, as_of=some_day()))
        if place % 11 == 5:
            states.append(dataclasses.replace(first, flags=frozenset({DELISTED}), as_of=some_day()))
        if rng.random() < 0.3:
            word = WORDS[int(rng.integers(len(WORDS) - 1))] if rng.random() < 0.5 else "listed"
            statuses.append((symbol, int(f"{some_day():%Y%m%d}"), word))
        for period in (201812, 201912, 202003, 202012):
            for item in ITEMS:
                if rng.random() < 0.85:
                    known = int(f"{some_day():%Y%m%d}")
                    statements.append((symbol, item, period, period != 202003, _value(rng, item), known))
    return Told(panel, tuple(states), tuple(statuses), tuple(statements))


def busy_market(symbols: int, sessions: int) -> Told:
    """Return a market whose names are large and traded enough for the default floors."""
    told = told_market(6, symbols, sessions)
    panel = dataclasses.replace(told.panel, volume=told.panel.volume * 2_000)
    states = tuple(dataclasses.replace(each, shares_outstanding=each.shares_outstanding * 100) for each in told.states)
    return dataclasses.replace(told, panel=panel, states=states)


def _value(rng: np.random.Generator, item: str) -> float:
    if item.endswith("_pct"):
        return float(round(rng.normal(10, 40), 2))
    return float(round(rng.normal(4e10, 6e10)))


def write_tables(told: Told, lake: Lake) -> None:
    """Write everything into a lake; tables without a row are not begun."""
    panel = told.panel
    row, column = np.nonzero((panel.close > 0) & (panel.traded | (np.cumsum(panel.traded, axis=0) > 0)))
    names = np.array(panel.symbols)
    bars = {name: getattr(panel, name)[row, column] for name in ("open", "high", "low", "close", "volume")}
    days = [day_from(int(day)) for day in panel.days]
    daily = {
        "symbol": names[column].tolist(), "day": [days[k] for k in row], **bars,
        "halted": ~panel.traded[row, column],
    }  # fmt: skip
    statements = [
        {"symbol": s, "period": p, "basis": "year" if y else "quarter", "item": i, "value": v, "known_on": day_from(k)}
        for s, i, p, y, v, k in told.statements
    ]
    flags = [{"symbol": symbol, "day": day_from(day), "flag": word} for symbol, day, word in told.statuses]
    for table, rows in (
        ("daily", pa.table(daily)),
        ("instruments", instrument_rows(told.states)),
        ("flags", pa.Table.from_pylist(flags, schema=TABLES["flags"].schema)),
        ("fundamentals", pa.Table.from_pylist(statements, schema=TABLES["fundamentals"].schema)),
    ):
        if len(rows):
            lake.write(table, rows, keys=TABLES[table].keys)
