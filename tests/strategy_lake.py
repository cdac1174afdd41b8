"""A small lake of daily bars, for the tests of what runs strategies: 14 names, 420 sessions, one of them ends."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from haetae.cli.main import main
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.ports.tables import TABLES, instrument_rows
from haetae.store.lake import Lake
from panels import daily_panel

SESSIONS, NAMES = 420, 14
FROM, TO = "2025-05-02", "2025-09-12"


def panel() -> Panel:
    """Return the bars of the lake."""
    return daily_panel(SESSIONS, NAMES, seed=11, volume=5_000_000)


def daily_csv(bars: Panel, last_of_first: int = SESSIONS - 40) -> str:
    """Return bars as the CSV that `lake import` reads; the first name ends after ``last_of_first`` sessions."""
    lines = ["symbol,date,open,high,low,close,volume"]
    for column, symbol in enumerate(bars.symbols):
        for row in range(last_of_first if column == 0 else len(bars)):
            prices = [getattr(bars, name)[row, column] for name in ("open", "high", "low", "close", "volume")]
            lines.append(",".join([symbol, day_from(int(bars.days[row])).isoformat(), *map(str, prices)]))
    return "\n".join(lines) + "\n"


def make_lake(folder: Path) -> Path:
    """Import the bars, and the names with two states of their listed shares; return the lake."""
    bars = panel()
    (folder / "bars.csv").write_text(daily_csv(bars), encoding="utf-8")
    lake = folder / "lake"
    assert main(["lake", "import", "--kind", "daily", str(folder / "bars.csv"), "--lake", str(lake)]) == 0
    Lake(lake).write("instruments", instrument_rows(names(bars)), keys=TABLES["instruments"].keys)
    return lake


def names(bars: Panel) -> list[Instrument]:
    """Return every name twice: as known from the first day, and with twice the shares from 2025-07-01 on."""
    found = []
    for day, shares in ((day_from(int(bars.days[0])), 10**8), (dt.date(2025, 7, 1), 2 * 10**8)):
        for place, symbol in enumerate(bars.symbols):
            market = Market.KOSDAQ if place % 3 == 0 else Market.KOSPI
            found.append(
                Instrument(symbol, f"이름{symbol}", market, Kind.COMMON, dt.date(2001, 1, 2), 0, shares, as_of=day)
            )
    return found
