"""Qlib's own store: a folder of float32 files, one a symbol and field, with a calendar and lists of instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haetae.domain.panel import Panel
from haetae.domain.units import day_from

Spans = Mapping[str, Sequence[tuple[int, int]]]
"""Symbol to the spans of rows, first and last, on which it counts."""


def store_name(symbol: str) -> str:
    """Return a name that the store can tell from a number."""
    return f"KR{symbol}"


def write_store(panel: Panel, folder: Path, markets: Mapping[str, Spans] | None = None) -> None:
    """Write the panel as Qlib reads it; each file is the place of its first day and then the values.

    Prices start with a symbol's first trade. A day without trade is NaN in every field, as the store's makers have
    it. The vwap is (high + low + close) / 3, as in ours, since bars bear no turnover.
    """
    days = [day_from(int(day)).isoformat() for day in panel.days]
    _write(folder / "calendars" / "day.txt", days)
    listed = (panel.close > 0).argmax(axis=0)
    whole = {symbol: [(int(first), len(panel) - 1)] for symbol, first in zip(panel.symbols, listed, strict=True)}
    for market, spans in {"all": whole, **(markets or {})}.items():
        lines = [
            f"{store_name(symbol)}\t{days[first]}\t{days[last]}"
            for symbol, parts in spans.items()
            for first, last in parts
        ]
        _write(folder / "instruments" / f"{market}.txt", lines)
    for column, symbol in enumerate(panel.symbols):
        place = folder / "features" / store_name(symbol).lower()
        place.mkdir(parents=True)
        first = int(listed[column])
        for name, values in _fields(panel, column).items():
            np.concatenate([[np.float32(first)], values[first:].astype(np.float32)]).tofile(place / f"{name}.day.bin")


def _fields(panel: Panel, column: int) -> dict[str, NDArray[np.float64]]:
    still = ~panel.traded[:, column]
    fields = {}
    for name in ("open", "high", "low", "close", "volume"):
        fields[name] = getattr(panel, name)[:, column].astype(np.float64)
        fields[name][still] = np.nan
    fields["vwap"] = (fields["high"] + fields["low"] + fields["close"]) / 3.0
    return fields


def _write(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
