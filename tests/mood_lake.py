"""A small lake with everything fear & greed reads: bars, funds, index, rate, flows, minutes, CNN."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.features.feargreed import MoodInputs
from haetae.ports.tables import TABLES, instrument_rows
from haetae.store.lake import Lake
from haetae.store.moods import mood_columns
from moods import minutes_of, mood_inputs

BOND, FUND = "152380", "999990"
MINUTES = 30
SESSIONS = 26
"""Last sessions that have minutes."""


def market() -> MoodInputs:
    """Return the market that the lake holds; symbol 3 is a fund, and there is no VKOSPI."""
    return mood_inputs(31, symbols=24, implied=None)


def write(lake: Lake, table: str, columns: dict[str, object]) -> None:
    """Write columns into a table of the lake."""
    schema = TABLES[table].schema
    lake.write(
        table,
        pa.table({n: pa.array(v, schema.field(n).type) for n, v in columns.items()}),
        keys=TABLES[table].keys,
    )


def bars(panel: Panel, names: list[str] | None = None) -> dict[str, list[object]]:
    """Return a panel as columns of rows; where it did not trade there is none."""
    rows = [(t, s) for t in range(len(panel)) for s in range(len(panel.symbols)) if panel.traded[t, s]]
    columns: dict[str, list[object]] = {"symbol": [(names or panel.symbols)[s] for _, s in rows]}
    columns["day"] = [day_from(int(panel.days[t])) for t, _ in rows]
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = [int(getattr(panel, name)[t, s]) for t, s in rows]
    if panel.end[0] - panel.start[0] < 3_600 * 10**9:
        columns["start"] = [int(panel.start[t]) for t, _ in rows]
    return columns


def make_mood_lake(folder: Path) -> Path:
    """Write the lake and return its folder."""
    inputs, lake = market(), Lake(folder)
    days = [day_from(int(day)) for day in inputs.days]
    write(lake, "daily", bars(inputs.panel))
    bond = [(day, round(close)) for day, close in zip(days, inputs.bond_close, strict=True) if close == close]  # type: ignore[arg-type]
    flat = {name: [close for _, close in bond] for name in ("open", "high", "low", "close")}
    write(
        lake,
        "daily",
        {"symbol": [BOND] * len(bond), "day": [day for day, _ in bond], **flat, "volume": [9] * len(bond)},
    )
    for name, series in (("0001", inputs.index_close), ("USDKRW", inputs.dollar_close)):
        told = [(day, round(level * 100)) for day, level in zip(days, series, strict=True) if level == level]  # type: ignore[arg-type]
        flat = {column: [level for _, level in told] for column in ("open", "high", "low", "close")}
        write(lake, "index_daily", {"index": [name] * len(told), "day": [day for day, _ in told], **flat})
    foreign = [(day, round(won)) for day, won in zip(days, inputs.foreign_won, strict=True) if won == won]  # type: ignore[arg-type]
    nothing = {f"{who}_{unit}": [0] * len(foreign) for who in ("institution", "individual") for unit in ("sh", "won")}
    for market_name, share in (("KOSPI", 1), ("KOSDAQ", 0)):
        write(
            lake, "market_flows",
            {"market": [market_name] * len(foreign), "day": [day for day, _ in foreign], **nothing,
             "foreign_sh": [0] * len(foreign), "foreign_won": [won * share for _, won in foreign]},
        )  # fmt: skip
    write_names(lake, inputs)
    write_minutes(lake, inputs)
    told = pa.table({"day": pa.array(days, pa.date32()), "value": np.linspace(10.0, 90.0, len(days))})
    lake.write("fear_greed", mood_columns(told), keys=TABLES["fear_greed"].keys)
    return folder


def write_names(lake: Lake, inputs: MoodInputs) -> None:
    """Write what is listed: symbol 3 is a fund."""
    listed = [
        Instrument(symbol, symbol, Market.KOSPI, Kind.ETF if s == 3 else Kind.COMMON, dt.date(2000, 1, 4), 0, 10**9,
                   as_of=dt.date(2000, 1, 4))
        for s, symbol in enumerate(inputs.panel.symbols)
    ]  # fmt: skip
    lake.write("instruments", instrument_rows(listed), keys=TABLES["instruments"].keys)


def write_minutes(lake: Lake, inputs: MoodInputs) -> None:
    """Write the minutes of the last sessions, and those of the index on the last day."""
    panel = inputs.panel.rows(len(inputs.panel) - SESSIONS, len(inputs.panel))
    minutes = minutes_of(panel, 31, MINUTES)
    write(lake, "minute", bars(minutes))
    last = minutes.rows(len(minutes) - MINUTES, len(minutes))
    levels = [round(float(np.nanmax(inputs.index_close[-3:])) * 100) + t for t in range(MINUTES)]  # type: ignore[index]
    write(
        lake, "index_minute",
        {"index": ["0001"] * MINUTES, "day": [day_from(int(day)) for day in last.days], "start": last.start.tolist(),
         **dict.fromkeys(("open", "high", "low", "close"), levels)},
    )  # fmt: skip


def without(inputs: MoodInputs, *names: str) -> MoodInputs:
    """Return the market without some series."""
    return dataclasses.replace(inputs, **dict.fromkeys(names))
