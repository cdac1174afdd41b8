"""Bars, names and mood from the lake, as plain values; each kept until the lake's version moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from haetae.domain.market import Instrument
from haetae.domain.units import Symbol, day_from, instant_at
from haetae.features import feargreed
from haetae.features.feargreed import NAMES, FearGreed
from haetae.krx.calendar import opens_at
from haetae.ports.tables import daily_table
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on
from haetae.wiring.moods import mood_inputs
from haetae.wiring.views.days import Row, moment


class Bars:
    """One lake; every answer is empty where the lake is."""

    def __init__(self, path: Path) -> None:
        """Take the lake's folder, which need not exist."""
        self._lake = Lake(path)
        self._kept: dict[str, tuple[int, Any]] = {}

    def _version(self, table: str) -> int:
        return self._lake.versions().get(table, 0)

    def _daily(self) -> str:
        return daily_table(self._lake.versions())

    def instruments(self) -> Mapping[Symbol, Instrument]:
        """Return every listed name by symbol."""
        version = self._version("instruments")
        if not version:
            return {}
        kept = self._kept.get("instruments")
        if kept is None or kept[0] != version:
            found = {item.symbol: item for item in instruments_on(self._lake, dt.date.max)}
            kept = self._kept["instruments"] = (version, found)
        names: Mapping[Symbol, Instrument] = kept[1]
        return names

    def naming(self) -> Callable[[Symbol], str]:
        """Return what names a symbol, the symbol itself where it is not known; one look at the lake."""
        listed = self.instruments()

        def name(symbol: Symbol) -> str:
            found = listed.get(symbol)
            return found.name if found is not None else symbol

        return name

    def closes(self, symbols: list[Symbol], day: dt.date) -> dict[Symbol, tuple[int, int]]:
        """Return the newest close and the one before of each symbol, won, 0 where there is none."""
        table = self._daily()
        if not self._version(table) or not symbols:
            return {}
        panel = self._lake.panel(table, symbols, day - dt.timedelta(days=30), day)
        if not len(panel):
            return {}
        before = panel.close[-2] if len(panel) > 1 else panel.close[-1] * 0
        return {s: (int(panel.close[-1, k]), int(before[k])) for k, s in enumerate(panel.symbols)}

    def minute_days(self, symbol: Symbol) -> list[dt.date]:
        """Return the days a symbol has minutes of."""
        if not self._version("minute"):
            return []
        rows = self._lake.read("minute", symbols=[symbol])
        return sorted(set(rows.column("day").to_pylist()))

    def candles(self, symbol: Symbol, table: str, day: dt.date | None, limit: int) -> list[Row]:
        """Return the newest bars of a symbol; of one day for minutes."""
        held = self._daily() if table == "daily" else table
        if not self._version(held):
            return []
        rows = self._lake.read(held, symbols=[symbol], start=day if table == "minute" else None, end=day)
        rows = rows.slice(max(0, rows.num_rows - limit))
        columns = [rows.column(name).to_pylist() for name in ("open", "high", "low", "close", "volume")]
        if table == "minute":
            times = [moment(at) for at in rows.column("start").to_pylist()]
        else:
            times = [moment(instant_at(each, opens_at(each))) for each in rows.column("day").to_pylist()]
        names = ("at", "open", "high", "low", "close", "volume")
        return [dict(zip(names, row, strict=True)) for row in zip(times, *columns, strict=True)]

    def _mood(self) -> FearGreed | None:
        table = self._daily()
        version = self._version(table)
        if not version:
            return None
        kept = self._kept.get(f"mood {table}")
        if kept is None or kept[0] != version:
            panel = self._lake.panel(table, None, None, None)
            inputs = mood_inputs(self._lake, panel, instruments_on(self._lake, dt.date.max))
            kept = self._kept[f"mood {table}"] = (version, feargreed.build(inputs))
        mood: FearGreed = kept[1]
        return mood

    def mood(self, limit: int) -> list[Row]:
        """Return the newest days of fear and greed with their components."""
        mood = self._mood()
        if mood is None:
            return []
        rows = []
        for at in range(max(0, len(mood.days) - limit), len(mood.days)):
            value = float(mood.value[at])
            if value != value:
                continue
            ranks = {n: float(r) for n, r in zip(NAMES, mood.ranks[at].tolist(), strict=True) if r == r}
            rows.append({"day": day_from(int(mood.days[at])).isoformat(), "value": value, "components": ranks})
        return rows

    def mood_now(self) -> Row | None:
        """Return the newest value with its components, those that are missing too."""
        mood = self._mood()
        if mood is None or not len(mood.days) or mood.value[-1] != mood.value[-1]:
            return None
        flags = {flag.component: flag.since for flag in mood.flags()}
        shares = mood.shares()
        parts = [
            {
                "name": name,
                "rank": None if name in flags else float(mood.ranks[-1, c]),
                "share": float(shares[c]),
                "last_known": flags.get(name),
            }
            for c, name in enumerate(NAMES)
        ]
        return {"value": float(mood.value[-1]), "missing": list(flags), "parts": parts}
