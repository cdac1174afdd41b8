"""Why a symbol is no candidate: every reason that holds, each with its numbers, not only the first.

Codes are those of ``reasons``. Nothing here compares symbols with one another; that is ``choosing``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from haetae.domain.market import DELISTED, Instrument, Kind
from haetae.universe.figures import BarFigures
from haetae.universe.names import kind_on
from haetae.universe.settings import UniverseSettings
from haetae.universe.statuses import Told, flags_on

Fault = tuple[str, str]
"""A code of ``reasons.REASONS`` and the numbers behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Applies the settings' floors to one instrument after another on one day."""

    day: dt.date
    figures: BarFigures
    settings: UniverseSettings

    def faults(self, instrument: Instrument, column: int | None, cap: float, told: Told | None) -> list[Fault]:
        """Return every reason against an instrument; an empty list makes it a candidate.

        Parameters
        ----------
        column : int or None
            Place of its bars, None without any.
        cap : float
            Market cap in won, NaN where it is not known on the day.
        told : Told or None
            Its newest status row.
        """
        found = self._of_listing(instrument, told)
        if instrument.listed_on > self.day:
            return found
        if column is None or self.figures.close[column] <= 0:
            return [*found, ("history.none", "no trade in the year up to the day")]
        return found + self._of_bars(column) + self._of_cap(cap)

    def _of_listing(self, instrument: Instrument, told: Told | None) -> list[Fault]:
        found: list[Fault] = []
        kind = kind_on(instrument)
        if kind is not Kind.COMMON:
            seen = (
                f"{instrument.name!r} is {kind.value}" if kind is not instrument.kind else "only common shares are held"
            )
            found.append((f"kind.{kind.value}", seen))
        if instrument.listed_on > self.day:
            return [*found, ("listing.later", f"listed on {instrument.listed_on}")]
        held = flags_on(self.day, instrument, told)
        if DELISTED in held:
            found.append(("listing.ended", f"off the list as of {held[DELISTED]}"))
        age, least = (self.day - instrument.listed_on).days, self.settings.min_listed_days
        if age < least:
            found.append(("listing.too_young", f"{age} days, floor {least}"))
        found += [(f"flag.{flag}", f"as of {held[flag]}") for flag in self.settings.excluded_flags if flag in held]
        return found

    def _of_bars(self, column: int) -> list[Fault]:
        figures, settings = self.figures, self.settings
        found: list[Fault] = []
        if figures.rows[column] < settings.min_history_rows:
            found.append(("history.too_short", f"{figures.rows[column]} sessions, floor {settings.min_history_rows}"))
        if not figures.traded_today[column]:
            found.append(("trading.none_today", "no trade on the day"))
        if figures.idle[column] > settings.max_idle_days:
            detail = f"{figures.idle[column]} of 60 sessions without trade, at most {settings.max_idle_days}"
            found.append(("trading.idle", detail))
        price = int(figures.close[column])
        if not settings.prices_adjusted and price < settings.min_price_won:
            found.append(("price.below_floor", f"{price} won, floor {settings.min_price_won}"))
        if figures.turnover[column] < settings.min_turnover_won:
            turnover = int(figures.turnover[column])
            found.append(("turnover.below_floor", f"median {turnover} won a day, floor {settings.min_turnover_won}"))
        return found

    def _of_cap(self, cap: float) -> list[Fault]:
        least = self.settings.min_market_cap_won
        return [("market_cap.below_floor", f"{int(cap)} won, floor {least}")] if cap < least else []
