"""Status words of names as they were told, day by day, and what held on a day.

Two sources tell them: the list of names (``Instrument.flags``, of its ``as_of``) and the status call for one
name. The newer word counts. The call cannot tell of unfaithful disclosure, so that word stays until a
newer list drops it. Words of one day from both are taken together: in doubt a name is barred.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Instrument
from haetae.domain.units import Symbol, day_from, yyyymmdd

TOLD_BY_CALL = frozenset(
    {"halted", "administrative", "liquidation", "short_overheated", "caution", "warning", "danger"}
)
"""Words of which the absence from a status row means that they do not hold."""

Told = tuple[dt.date, frozenset[str]]
"""The day of a status, and its words; a name without trouble has the one word ``listed``."""


@dataclass(frozen=True, slots=True, eq=False)
class Statuses:
    """Rows of status words, ``(n_rows,)`` each; known on the morning of their day.

    ``symbol`` and ``word`` are places in ``symbols`` and ``words``; ``day`` is yyyymmdd.
    """

    symbols: tuple[Symbol, ...]
    words: tuple[str, ...]
    symbol: NDArray[np.int64]
    word: NDArray[np.int64]
    day: NDArray[np.int64]

    @classmethod
    def of(cls, symbols: Sequence[Symbol], days: Sequence[int], words: Sequence[str]) -> Statuses:
        """Return rows given side by side, days as yyyymmdd."""
        names, symbol = np.unique(np.asarray(symbols, dtype=np.str_), return_inverse=True)
        told, word = np.unique(np.asarray(words, dtype=np.str_), return_inverse=True)
        day = np.asarray(days, dtype=np.int64)
        return cls(tuple(names.tolist()), tuple(told.tolist()), symbol.astype(np.int64), word.astype(np.int64), day)

    def on(self, day: dt.date) -> Mapping[Symbol, Told]:
        """Return the newest status of each name told by a day."""
        known = np.flatnonzero(self.day <= yyyymmdd(day))
        newest = np.zeros(len(self.symbols), np.int64)
        np.maximum.at(newest, self.symbol[known], self.day[known])
        counted = known[self.day[known] == newest[self.symbol[known]]]
        words: dict[Symbol, set[str]] = {}
        for symbol, word in zip(self.symbol[counted].tolist(), self.word[counted].tolist(), strict=True):
            words.setdefault(self.symbols[symbol], set()).add(self.words[word])
        days = dict(zip(self.symbols, newest.tolist(), strict=True))
        return {symbol: (day_from(days[symbol]), frozenset(told)) for symbol, told in words.items()}


NO_STATUSES = Statuses.of((), (), ())
"""Of a lake that holds no status rows."""


def flags_on(day: dt.date, instrument: Instrument, told: Told | None) -> Mapping[str, dt.date]:
    """Return the words that held on a day, each with the day it was told."""
    listed = instrument.flags if instrument.as_of <= day else frozenset()
    held = dict.fromkeys(listed, instrument.as_of)
    if told is None:
        return held
    since, words = told
    if instrument.as_of <= day and since < instrument.as_of:
        return held
    if since > instrument.as_of or instrument.as_of > day:
        held = {word: at for word, at in held.items() if word not in TOLD_BY_CALL}
    return held | dict.fromkeys(words, since)
