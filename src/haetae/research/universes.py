"""The universe month after month, each snapshot from what was known at its month's end.

A snapshot of the last session of a month serves the decisions from that close until the next
snapshot. Not here: the selection itself (``universe``).
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from haetae.domain.learning import UniverseSnapshot
from haetae.domain.market import BoolArray
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from
from haetae.research.market import DailyMarket
from haetae.universe import UniverseSettings, select


def month_ends(panel: Panel, first_row: int) -> list[int]:
    """Return the row before ``first_row`` and the last row of each month after it, ascending."""
    months = panel.days // 100
    ends = np.flatnonzero(np.diff(months)).tolist()
    return sorted({max(first_row - 1, 0), *(row for row in ends if row >= first_row)})


def monthly(market: DailyMarket, first_row: int, settings: UniverseSettings) -> dict[int, UniverseSnapshot]:
    """Return snapshots by the row after whose close they are known; former members may stay."""
    chosen = dataclasses.replace(settings, prices_adjusted=settings.prices_adjusted or market.adjusted)
    snapshots: dict[int, UniverseSnapshot] = {}
    previous = None
    for row in month_ends(market.panel, first_row):
        day = day_from(int(market.panel.days[row]))
        previous = select(
            day,
            market.instruments(day),
            market.panel,
            chosen,
            previous=previous,
            statements=market.statements,
            statuses=market.statuses,
        )
        snapshots[row] = previous
    return snapshots


def in_months(snapshots: Mapping[int, UniverseSnapshot]) -> list[dict[str, Any]]:
    """Return the members of every month as JSON values, ascending by the row after whose close they are known."""
    return [
        {
            "row": row,
            "day": snapshot.day.isoformat(),
            "symbols": list(snapshot.symbols),
            "excluded": dict(sorted(Counter(item.code for item in snapshot.exclusions).items())),
        }
        for row, snapshot in sorted(snapshots.items())
    ]


def to_files(snapshots: Mapping[int, UniverseSnapshot]) -> tuple[dict[str, bytes], dict[str, float]]:
    """Return the stored form: members of every month, and the newest selection in full."""
    newest = snapshots[max(snapshots)]
    months = in_months(snapshots)
    full = {
        "day": newest.day.isoformat(),
        "symbols": list(newest.symbols),
        "scores": {symbol: dict(parts) for symbol, parts in newest.scores.items()},
        "exclusions": [dataclasses.asdict(item) for item in newest.exclusions],
        "flags": {symbol: list(flags) for symbol, flags in newest.flags.items()},
    }
    files = {
        "months.json": json.dumps(months, ensure_ascii=False).encode(),
        "newest.json": json.dumps(full, ensure_ascii=False).encode(),
    }
    return files, {"months": float(len(months)), "size": float(len(newest.symbols)), "churn": _churn(months)}


def _churn(months: list[dict[str, Any]]) -> float:
    changes = [
        len(set(after["symbols"]) - set(before["symbols"])) / len(after["symbols"])
        for before, after in itertools.pairwise(months)
    ]
    return float(np.mean(changes)) if changes else 0.0


def members(months: list[dict[str, Any]], panel: Panel) -> BoolArray:
    """Return ``(n_days, n_symbols)``: who is in the universe after the close of each day."""
    places: dict[Symbol, int] = {symbol: column for column, symbol in enumerate(panel.symbols)}
    block = np.zeros((len(panel), len(panel.symbols)), dtype=np.bool_)
    ends = [month["row"] for month in months[1:]] + [len(panel)]
    for month, end in zip(months, ends, strict=True):
        block[month["row"] : end, [places[symbol] for symbol in month["symbols"]]] = True
    return block
