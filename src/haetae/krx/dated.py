"""Rows of a dated table: which one is in force on a day, and what is said where none is.

Here: the lookup that every table of this room uses. Not here: the tables. Each row holds on the days from its
``first_day`` to its ``last_day``, both included, so that a day nobody has looked up a rule for is an error and never
the newest rule by accident.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol, TypeVar

from haetae.domain.errors import MarketRuleError, Text


class Dated(Protocol):
    """A row of a dated table: its days, and where it is known from."""

    @property
    def first_day(self) -> dt.date:
        """The first day on which it holds."""

    @property
    def last_day(self) -> dt.date:
        """The last day on which it is known to hold."""

    @property
    def source(self) -> str:
        """From where it is known; ``unverified`` stands where second-hand pages are all there is."""


Row = TypeVar("Row", bound=Dated)


def in_force(rows: Sequence[Row], day: dt.date, *, table: str, about: str = "") -> Row:
    """Return the row that holds on a day.

    Parameters
    ----------
    rows : sequence of rows
        Those of one rule: no two of them hold on one day.
    table : str
        Where the rows are written, ``haetae/krx/costs.py (SALE_TAX_ROWS)``; named in the error.
    about : str
        Which market or kind the rows are of; named in the error.

    Raises
    ------
    MarketRuleError
        If no row holds on the day.
    """
    for row in rows:
        if row.first_day <= day <= row.last_day:
            return row
    raise unknown(rows, day, table=table, about=about)


def in_force_since(rows: Sequence[Row], day: dt.date, *, table: str, about: str = "") -> Row | None:
    """Return the row that holds on a day, none before the first row: the rule did not exist then."""
    if not rows or day < min(row.first_day for row in rows):
        return None
    return in_force(rows, day, table=table, about=about)


def unknown(rows: Sequence[Dated], day: dt.date, *, table: str, about: str = "") -> MarketRuleError:
    """Return the error for a day on which no row holds."""
    spans = f"{min(row.first_day for row in rows)} to {max(row.last_day for row in rows)}" if rows else "no day at all"
    what = f"{about}: " if about else ""
    return MarketRuleError(
        Text(
            ko=f"{what}{day}에 적용할 시장 규칙이 표에 없습니다 ({table})",
            en=f"{what}no rule of the market is known for {day} ({table})",
        ),
        expected=Text(ko=f"표가 아는 날: {spans}", en=f"a day that the table knows: {spans}"),
        found=str(day),
        next_step=Text(ko=f"{table} 에 출처와 함께 행을 더하세요", en=f"add a row with its source to {table}"),
    )
