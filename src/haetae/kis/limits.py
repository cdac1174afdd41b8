"""How much KIS allows, by kind of account and by day: dated rows with their sources, never constants.

Here: REST calls a second, the minute between tokens, registrations of a WebSocket session. Not here: keeping to them
(`pacing`, `auth`, `registrations`). Days are KST; a row holds from its day until a later row of its kind.
The separate limit of trading calls (EGW00215) is not published; `pacing` finds it by the refusals.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from haetae.kis.wire.operations import Mode


class Kind(Enum):
    """Who asks: a real account, a real account in its first days, or mock investment."""

    REAL = "real"
    NEW = "new"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class CallRate:
    """REST calls a second and account of one kind, from a day on."""

    since: dt.date
    kind: Kind
    calls: int
    source: str


CALL_RATES = (
    CallRate(dt.date(2021, 1, 1), Kind.REAL, 20, "KIS developer portal before 2026-04"),
    CallRate(dt.date(2026, 4, 20), Kind.REAL, 18, "KIS notice of 2026-04-20"),
    CallRate(dt.date(2026, 4, 3), Kind.NEW, 3, "KIS notice of 2026-04: applications from 2026-04-03"),
    CallRate(dt.date(2021, 1, 1), Kind.MOCK, 2, "KIS developer portal before 2026-04"),
    CallRate(dt.date(2026, 4, 1), Kind.MOCK, 1, "KIS notice of 2026-04 (day of the month not told: the first)"),
)
NEW_DAYS = 3
"""A customer is new for three days from the application (KIS notice of 2026-04); applying again begins anew."""
TOKEN_INTERVAL_S = 60
"""One token a minute and key, EGW00133 (KIS notice of 2023-10-27)."""
APPROVAL_INTERVAL_S = 1
"""One approval key a second (KIS notice of 2026-04)."""
REGISTRATIONS = 41
"""Registrations of one WebSocket session, all kinds together, OPSP0008 (KIS developer portal)."""


def account_kind(mode: Mode, day: dt.date, applied_on: dt.date | None) -> Kind:
    """Return the kind of an account on a day; ``applied_on`` is when the key was applied for, if that is known."""
    if mode is Mode.MOCK:
        return Kind.MOCK
    first = next(row.since for row in CALL_RATES if row.kind is Kind.NEW)
    if applied_on is not None and applied_on >= first and (day - applied_on).days < NEW_DAYS:
        return Kind.NEW
    return Kind.REAL


def calls_per_second(mode: Mode, day: dt.date, applied_on: dt.date | None = None) -> int:
    """Return the REST calls a second KIS allows on a day; before the first row that row's figure."""
    kind = account_kind(mode, day, applied_on)
    rows = [row for row in CALL_RATES if row.kind is kind]
    in_force = [row for row in rows if row.since <= day]
    return (in_force or rows[:1])[-1].calls
