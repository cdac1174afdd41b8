"""A drill's journal folded once more, step by step, for whoever judges it.

Here: ``fold``: the desk is led through every journalled event again; commands are compared, and what each step changed
of the orders is kept. Not here: judgement (``invariants``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from haetae.desk import DeskState, step
from haetae.domain import codec
from haetae.domain.events import Note, OperatorCommand, OperatorState, Submit
from haetae.domain.orders import ClearedOrder, Order
from haetae.domain.units import Instant
from haetae.krx import Rulebook

_RUN, _EVENT, _COMMAND, _OPENED = "run", "event", "command", "day.opened"


@dataclass(frozen=True, slots=True)
class Move:
    """An order before and after a step; ``before`` is none for one that was entered in it."""

    seq: int
    at: Instant
    before: Order | None
    after: Order


@dataclass(frozen=True, slots=True)
class Sending:
    """An order that a step cleared, with the desk before the step and when the step came."""

    seq: int
    at: Instant
    order: ClearedOrder
    before: DeskState


@dataclass(slots=True)
class Folded:
    """What the fold saw."""

    desk: DeskState
    steps: int = 0
    moves: list[Move] = field(default_factory=list)
    sendings: list[Sending] = field(default_factory=list)
    operators: list[tuple[int, Instant, OperatorState]] = field(default_factory=list)
    lowest_cash: int = 0
    unbalanced: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    opened: bool = False


def fold(
    entries: list[tuple[int, Instant, str, Any]], texts: Mapping[int, str], initial: DeskState, rules: Rulebook
) -> Folded:
    """Lead ``initial`` through the events of a journal that holds one day.

    ``texts`` are its entries by number, as they stand: a command is compared with what was written, not read again.
    """
    found = Folded(initial, lowest_cash=initial.book.cash)
    due: list[str] = []
    for seq, _, kind, record in entries:
        if kind == _RUN and isinstance(record, Note) and record.kind == _OPENED:
            found.desk = replace(initial, book=codec.decode(str(record.data["book"])))
            found.opened = True
        elif kind == _EVENT:
            found.differing += [f"before {seq}: not journalled: {missing[:120]}" for missing in due]
            due = _one(found, seq, record, rules)
        elif kind == _COMMAND:
            text = texts.get(seq, "")
            if not due or due[0] != text:
                found.differing.append(f"{seq}: {text[:160]} / {due[0][:160] if due else 'nothing'}")
            due = due[1:]
    return found


def _one(found: Folded, seq: int, event: Any, rules: Rulebook) -> list[str]:
    before = found.desk
    found.desk, commands = step(before, event, rules)
    found.steps += 1
    at = getattr(event, "at", 0) or getattr(event, "end", 0)
    if isinstance(event, OperatorCommand):
        found.operators.append((seq, at, event.state))
    found.sendings += [Sending(seq, at, one.order, before) for one in commands if isinstance(one, Submit)]
    if found.desk.blotter is not before.blotter:
        old = before.blotter.orders
        for name, order in found.desk.blotter.orders.items():
            if old.get(name) is not order:
                found.moves.append(Move(seq, at, old.get(name), order))
    book = found.desk.book
    if book is not before.book:
        found.lowest_cash = min(found.lowest_cash, book.cash)
        cost = sum(item.cost for item in book.positions.values())
        if book.cash + cost != book.deposits + book.realized:
            found.unbalanced.append(f"{seq}: cash {book.cash} + cost {cost} is not {book.deposits} + {book.realized}")
        found.unbalanced += [f"{seq}: {s} {p.quantity} sh" for s, p in book.positions.items() if p.quantity < 0]
    return [codec.encode(command) for command in commands]
