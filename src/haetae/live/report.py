"""What a trading day came to, read from its journal entries."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from haetae.domain.account import Book
from haetae.domain.events import Cancel, Note, Submit
from haetae.domain.orders import OutcomeUnknown
from haetae.domain.units import Instant, Won


@dataclass(frozen=True, slots=True)
class DayReport:
    """Counts and books of one trading day; the whole day, also where the process was restarted.

    ``denied`` counts refusals by guard code, ``escape`` lists level changes as (instant, kind, level),
    ``differences`` counts by class what reconciliation found, ``deciders`` who answered.
    """

    day: dt.date
    decisions: Mapping[str, int]
    deciders: Mapping[str, int]
    orders: int
    escape_orders: int
    cancels: int
    rejected: int
    unknown: int
    fills: int
    bought: Won
    sold: Won
    fees: Won
    taxes: Won
    denied: Mapping[str, int]
    escape: tuple[tuple[Instant, str, str], ...]
    differences: Mapping[str, int]
    opening_equity: Won
    closing_equity: Won
    realized: Won
    reconciled: bool
    resumed: int
    entries: int
    book: Book


def report_day(
    day: dt.date,
    entries: Iterable[tuple[int, Instant, str, Any]],
    book: Book,
    *,
    opening_equity: Won,
    closing_equity: Won,
    reconciled: bool,
) -> DayReport:
    """Return the report of a day from its entries and its closing books."""
    decisions: Counter[str] = Counter()
    deciders: Counter[str] = Counter()
    denied: Counter[str] = Counter()
    differences: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    escape: list[tuple[Instant, str, str]] = []
    for _, at, _, record in entries:
        counts["entries"] += 1
        match record:
            case Submit(order=order):
                counts["orders"] += 1
                counts["escape_orders"] += order.intent.escape
            case Cancel():
                counts["cancels"] += 1
            case OutcomeUnknown():
                counts["unknown"] += 1
            case Note(kind="decision.made", data=data):
                decisions[str(data["status"])] += 1
                deciders[str(data["decider"])] += 1
            case Note(kind="intent.denied", data=data):
                denied.update(cast(list[str], data["codes"]))
            case Note(kind="reconcile.differed", data=data):
                differences[str(data["difference"])] += 1
            case Note(kind="fill.booked", data=data):
                _count_fill(counts, data)
            case Note(kind="order.rejected"):
                counts["rejected"] += 1
            case Note(kind="run.resumed"):
                counts["resumed"] += 1
            case Note(kind="escape.raised" | "escape.lowered" as kind, data=data):
                escape.append((at, kind, str(data["level"])))
            case Note(kind="escape.left_name", data=data):
                escape.append((at, "escape.left_name", str(data["symbol"])))
            case _:
                pass
    return DayReport(
        day=day,
        decisions=dict(sorted(decisions.items())),
        deciders=dict(sorted(deciders.items())),
        orders=counts["orders"],
        escape_orders=counts["escape_orders"],
        cancels=counts["cancels"],
        rejected=counts["rejected"],
        unknown=counts["unknown"],
        fills=counts["fills"],
        bought=counts["buy"],
        sold=counts["sell"],
        fees=counts["fee"],
        taxes=counts["tax"],
        denied=dict(sorted(denied.items())),
        escape=tuple(escape),
        differences=dict(sorted(differences.items())),
        opening_equity=opening_equity,
        closing_equity=closing_equity,
        realized=counts["realized"],
        reconciled=reconciled,
        resumed=counts["resumed"],
        entries=counts["entries"],
        book=book,
    )


def _count_fill(counts: Counter[str], data: Mapping[str, Any]) -> None:
    counts["fills"] += 1
    counts[data["side"]] += data["amount"]
    for name in ("fee", "tax", "realized"):
        counts[name] += data[name]
