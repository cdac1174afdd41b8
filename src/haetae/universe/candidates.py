"""The candidates of a day side by side: their figures, their parts, their totals, and what is flagged about each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Instrument
from haetae.domain.units import Symbol
from haetae.universe.figures import BarFigures, BookFigures
from haetae.universe.names import LONG_AGO
from haetae.universe.scoring import parts_of, total_of
from haetae.universe.settings import UniverseSettings

Float64Array = NDArray[np.float64]
_DIGITS = 6
"""Of ranks and scores; ties of rounded scores are broken by code."""
_SIGNIFICANT = 6
"""Digits of a figure; more would be noise of the machine's arithmetic, and snapshots are compared to the byte."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Those who passed every floor, sorted by code; arrays are ``(n,)``, ``columns`` their places in the panel."""

    instruments: Sequence[Instrument]
    columns: NDArray[np.int64]
    caps: Float64Array
    bars: BarFigures
    books: BookFigures
    settings: UniverseSettings

    def scores(self) -> dict[Symbol, dict[str, float]]:
        """Return the parts and the total of each."""
        bars, at = self.bars, self.columns
        parts = parts_of(bars.turnover[at], bars.momentum[at], bars.volatility[at], self.books)
        total = total_of(parts, self.settings.weights, self.settings.missing_parts)
        return {
            item.symbol: {
                **{name: round(float(rank[k]), _DIGITS) for name, rank in parts.items() if not math.isnan(rank[k])},
                "total": round(float(total[k]), _DIGITS),
            }
            for k, item in enumerate(self.instruments)
        }

    def figures(self) -> dict[Symbol, dict[str, float]]:
        """Return what the ranks were made of, figures that are known and finite."""
        columns = {
            "close_won": self.bars.close[self.columns].astype(np.float64),
            "turnover_won": self.bars.turnover[self.columns],
            "momentum": self.bars.momentum[self.columns],
            "volatility": self.bars.volatility[self.columns],
            "market_cap_won": self.caps,
            **{name: getattr(self.books, name) for name in _RATIOS},
        }
        return {
            item.symbol: {
                name: float(f"{values[k]:.{_SIGNIFICANT}g}") if abs(values[k]) < 1 else float(round(values[k], 2))
                for name, values in columns.items()
                if math.isfinite(values[k])
            }
            for k, item in enumerate(self.instruments)
        }

    def flags(self, scores: Mapping[Symbol, Mapping[str, float]]) -> dict[Symbol, tuple[str, ...]]:
        """Return what is missing or odd about each, in the order of ``reasons.FLAGS``; who has nothing is absent."""
        found = {}
        for k, item in enumerate(self.instruments):
            told = tuple(code for code, holds in self._told(k, item, scores[item.symbol]) if holds)
            if told:
                found[item.symbol] = told
        return found

    def _told(self, k: int, item: Instrument, score: Mapping[str, float]) -> list[tuple[str, bool]]:
        books = self.books
        missing = {name: math.isnan(getattr(books, name)[k]) for name in _RATIOS}
        return [
            ("value", "value" not in score),
            ("value.earnings_yield", missing["earnings_yield"]),
            ("value.book_to_price", missing["book_to_price"]),
            ("quality", "quality" not in score),
            ("quality.return_on_equity", missing["return_on_equity"]),
            ("quality.debt", missing["debt"]),
            ("quality.operating_margin", missing["operating_margin"]),
            ("momentum", "momentum" not in score),
            ("low_volatility", "low_volatility" not in score),
            ("market_cap", math.isnan(self.caps[k])),
            ("sector", not item.sector),
            ("statement.stale", bool(books.stale[k])),
            ("book.negative", bool(books.negative[k])),
            ("prices.rebased", bool(self.bars.rebased_on[self.columns[k]])),
            ("listing.assumed", item.as_of == LONG_AGO),
        ]


_RATIOS = ("earnings_yield", "book_to_price", "return_on_equity", "debt", "operating_margin")
