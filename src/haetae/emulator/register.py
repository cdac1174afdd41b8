"""Who is listed on a day, with which flags and how many shares: the list as it changes from day to day.

Here: ``Register``, a fold of listings, designations, delistings and corporate actions over the sessions of a
world. Not here: prices (``world``), what holders get (``entitlements``). A name's flags hold from the row
``flags_from`` on (history is kept free of them, as a source that only knows today's flags must).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Instrument
from haetae.domain.units import Symbol
from haetae.emulator.interventions import Action, ActionKind, Delisting, Designation, Notice


class Register:
    """The list of a market, day by day."""

    def __init__(
        self, instruments: tuple[Instrument, ...], flags_from: dt.date, notices: Iterable[Notice] = ()
    ) -> None:
        """Fold notices in the order of their days; those of one day in the order given."""
        self._instruments = instruments
        self._column = {item.symbol: place for place, item in enumerate(instruments)}
        self._flags_from = flags_from
        self.notices: tuple[Notice, ...] = tuple(sorted(notices, key=lambda notice: notice.day))
        self._on: dict[dt.date, tuple[Instrument, ...]] = {}

    def actions(self, start: dt.date, end: dt.date) -> tuple[Action, ...]:
        """Return the corporate actions whose day lies in ``[start, end]``, ascending."""
        return tuple(one for one in self.notices if isinstance(one, Action) and start <= one.day <= end)

    def leaving(self) -> dict[Symbol, dt.date]:
        """Return every name that leaves the list, with its first day without it."""
        found: dict[Symbol, dt.date] = {}
        for notice in self.notices:
            if isinstance(notice, Delisting) or (isinstance(notice, Action) and notice.kind is ActionKind.MERGER):
                found.setdefault(notice.symbol, notice.day)
        return found

    def share_table(self, days: Sequence[dt.date]) -> NDArray[np.float64]:
        """Return the shares outstanding of each name on each day, ``(n_days, n_symbols)``."""
        today = np.array([item.shares_outstanding for item in self._instruments], dtype=float)
        table = np.tile(today, (len(days), 1))
        for notice in self.notices:
            if isinstance(notice, Action) and notice.shares_factor != 1.0 and notice.symbol in self._column:
                later = np.array([day >= notice.arrival for day in days])
                table[later, self._column[notice.symbol]] *= notice.shares_factor
        return table

    def on(self, day: dt.date) -> tuple[Instrument, ...]:
        """Return all names as they stand on a day, in the order of the columns; also those not listed then."""
        found = self._on.get(day)
        if found is None:
            found = self._on[day] = self._fold(day)
        return found

    def _fold(self, day: dt.date) -> tuple[Instrument, ...]:
        changed: dict[int, Instrument] = {}
        if day < self._flags_from:
            changed = {
                place: replace(item, flags=frozenset()) for place, item in enumerate(self._instruments) if item.flags
            }
        for notice in self.notices:
            if isinstance(notice, Delisting) or notice.symbol not in self._column:
                continue
            place = self._column[notice.symbol]
            item = changed.get(place, self._instruments[place])
            if isinstance(notice, Designation):
                if notice.day <= day:
                    changed[place] = replace(item, flags=(item.flags | notice.add) - notice.drop)
            elif notice.shares_factor != 1.0 and notice.arrival <= day:
                shares = round(item.shares_outstanding * notice.shares_factor)
                changed[place] = replace(item, shares_outstanding=max(1, shares))
        if not changed:
            return self._instruments
        return tuple(changed.get(place, item) for place, item in enumerate(self._instruments))
