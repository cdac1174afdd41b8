"""How many REST calls a second KIS admits, by kind of customer and day.

Here: the dated rows with their sources, and the choice among them. Not here: counting (``gate``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from haetae.kis.wire.operations import Mode


class Customer(Enum):
    """Kind of customer a limit is made for."""

    REAL = "real"
    NEW = "new"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class Rate:
    """One row: from ``since`` on, ``per_second`` calls in any second."""

    customer: Customer
    since: dt.date
    per_second: int
    source: str


RATES = (
    Rate(Customer.REAL, dt.date.min, 20, "KIS guide before 2026-04"),
    Rate(Customer.REAL, dt.date(2026, 4, 20), 18, "KIS notice 2026-04-20"),
    Rate(Customer.MOCK, dt.date.min, 2, "KIS guide before 2026-04"),
    Rate(Customer.MOCK, dt.date(2026, 4, 20), 1, "KIS notice 2026-04; the day is that of the real limit, unverified"),
    Rate(Customer.NEW, dt.date(2026, 4, 3), 3, "KIS notice 2026-04: applications from 2026-04-03, mock exempt"),
)
NEW_FOR_DAYS = 3
"""A customer is new for this many days, the day of the application included (KIS notice 2026-04)."""


def customer_of(mode: Mode, since: dt.date | None, day: dt.date) -> Customer:
    """Return the kind of a customer whose application was made on ``since`` (none: long ago)."""
    if mode is Mode.MOCK:
        return Customer.MOCK
    first = next(row.since for row in RATES if row.customer is Customer.NEW)
    fresh = since is not None and since >= first and 0 <= (day - since).days < NEW_FOR_DAYS
    return Customer.NEW if fresh else Customer.REAL


def rate_on(customer: Customer, day: dt.date) -> Rate:
    """Return the row that is valid on a day."""
    return max((row for row in RATES if row.customer is customer and row.since <= day), key=lambda row: row.since)
