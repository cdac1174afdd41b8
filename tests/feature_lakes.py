"""Lakes for the tests of features: bars of a random panel as rows, with index, flows and sectors where wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from
from haetae.ports.tables import TABLES
from haetae.store.lake import Lake


def bar_rows(
    panel: Panel, symbols: Sequence[Symbol] | None = None, *, first: int = 0, minutes: bool = False
) -> pa.Table:
    """Return the traded bars of a panel from row ``first`` on as rows of ``daily`` or ``minute``."""
    chosen = set(panel.symbols if symbols is None else symbols)
    wanted = panel.traded & np.array([symbol in chosen for symbol in panel.symbols])
    wanted[:first] = False
    row, column = np.nonzero(wanted)
    columns = {
        "symbol": pa.array([panel.symbols[place] for place in column]),
        "day": pa.array([day_from(int(panel.days[place])) for place in row]),
        **({"start": pa.array(panel.start[row])} if minutes else {}),
        **{name: pa.array(getattr(panel, name)[row, column]) for name in ("open", "high", "low", "close", "volume")},
    }
    return pa.table(columns)


def put(lake: Lake, table: str, rows: pa.Table) -> None:
    """Write rows into a table of the lake."""
    lake.write(table, rows, keys=TABLES[table].keys)


def daily_lake(folder: Path, panel: Panel, last: int | None = None, symbols: Sequence[Symbol] | None = None) -> Lake:
    """Return a lake with the daily bars of a panel before row ``last``, an index and flows of all its days."""
    lake = Lake(folder)
    put(lake, "daily", bar_rows(panel.rows(0, len(panel) if last is None else last), symbols))
    days = [day_from(int(day)) for day in panel.days]
    levels = pa.array(np.round(250_000 + 1_000 * np.sin(np.arange(len(days)))).astype(np.int64))
    prices = dict.fromkeys(("open", "high", "low", "close"), levels)
    put(lake, "index_daily", pa.table({"index": ["0001"] * len(days), "day": pa.array(days), **prices}))
    traded = bar_rows(panel)
    names = [name for name in TABLES["flows"].schema.names if name not in ("symbol", "day")]
    shares = pa.array(np.arange(len(traded)) % 997 * 1_000_000 - 400_000_000)
    put(lake, "flows", pa.table({"symbol": traded["symbol"], "day": traded["day"], **dict.fromkeys(names, shares)}))
    return lake
