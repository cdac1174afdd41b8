"""What the journal says about each decision: how it was decided, what was sent, what was filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from haetae.domain.events import Note, Submit
from haetae.domain.orders import Filled, Side
from haetae.domain.units import Instant, Shares, Symbol, Won


@dataclass(slots=True)
class Execution:
    """What was filled of one intent; won and shares, costs included apart."""

    intent_id: str
    decision_id: str
    symbol: Symbol
    side: Side
    escape: bool
    sent_at: Instant
    limit_price: Won
    quantity: Shares = 0
    amount: Won = 0
    cost: Won = 0
    realized: Won = 0
    first_at: Instant = 0

    @property
    def average_price(self) -> Won:
        """Average price in won, 0 if nothing was filled."""
        return self.amount // self.quantity if self.quantity else 0


@dataclass(frozen=True, slots=True)
class Made:
    """One ``decision.made`` note."""

    decision_id: str
    at: Instant
    data: Mapping[str, Any]


@dataclass(slots=True)
class Story:
    """A day in order: decisions by id, executions by intent, refusals by decision, yardsticks."""

    decisions: dict[str, Made] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    denied: dict[str, tuple[str, ...]] = field(default_factory=dict)
    opening_equity: Won = 0


def read_story(entries: Iterable[tuple[int, Instant, str, Any]]) -> Story:
    """Return the story of the entries of one day (``ports.Journal.entries``)."""
    story = Story()
    for _, at, _, record in entries:
        match record:
            case Submit(order=order):
                intent = order.intent
                story.executions[intent.intent_id] = Execution(
                    intent.intent_id,
                    intent.decision_id,
                    intent.symbol,
                    intent.side,
                    intent.escape,
                    at,
                    intent.limit_price,
                )
            case Note(kind="decision.made", data=data):
                name = str(data["decision_id"])
                story.decisions[name] = Made(name, at, data)
            case Note(kind="intent.denied", data=data):
                story.denied[str(data["decision_id"])] = tuple(str(code) for code in _list(data["codes"]))
            case Note(kind="session.started", data=data):
                story.opening_equity = _int(data["equity"])
            case Note(kind="fill.booked", data=data):
                _book(story, at, data)
            case Filled():
                pass  # the desk's own note tells what was new in it
            case _:
                pass
    return story


def _book(story: Story, at: Instant, data: Mapping[str, Any]) -> None:
    done = story.executions.get(str(data["intent_id"]))
    if done is None:
        return
    done.quantity += data["quantity"]
    done.amount += data["amount"]
    done.cost += data["fee"] + data["tax"]
    done.realized += data["realized"]
    done.first_at = done.first_at or at


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
