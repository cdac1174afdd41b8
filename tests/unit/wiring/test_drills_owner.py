"""An owner's order of the same shape as a lost one, and the two end apart: the owner's word makes the books right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haetae.domain.events import Note, OrderClaim
from haetae.domain.orders import OrderStatus
from haetae.domain.units import NS_PER_SECOND
from haetae.emulator.faults.script import read_fault
from haetae.emulator.orders import OrderRow
from haetae.wiring.drills.drill import Drill, Evidence
from haetae.wiring.drills.invariants import judge
from haetae.wiring.drills.matrix import short_drill
from haetae.wiring.drills.owner import Owner, own_rows
from haetae.wiring.drills.plan import Act, Plan
from haetae.wiring.drills.rig import Rig

SEED, SECOND_BUY = 9, 2
"""A session whose second bid rests for two minutes before the market comes to it."""


def lost_beside_the_owners() -> Drill:
    """The second buy's answer is lost, the owner orders the same in the app, and soon cancels that order."""
    drill = short_drill("", SEED)
    buy = {"where": {"operation": "order-cash-buy"}, "when": {"call": SECOND_BUY}}
    tables = [{"id": "B14", **buy}, {"id": "T03", **buy}]
    faults = [fault for fault, _ in map(read_fault, tables) if fault is not None]
    act = Act(drill.start + 220 * NS_PER_SECOND, "B14", "withdraw")
    return replace(drill, plan=Plan(("B14", "T03"), tuple(faults), (act,)))


def pair(e: Evidence) -> tuple[str, OrderRow, OrderRow]:
    """Return the lost order's name, its row, and the owner's."""
    (name,) = {str(n.data["intent_id"]) for n in notes(e, "order.became_stuck")}
    ours = own_rows(e.account, e.seen.orders, e.drill.ground.day)
    numbers = {row.number for rows in ours.values() for row in rows}
    (theirs,) = (row for row in e.account.rows if row.change != "2" and row.number not in numbers)
    return name, ours[name][0], theirs


def notes(e: Evidence, kind: str) -> list[Note]:
    return [record for *_, record in e.entries if isinstance(record, Note) and record.kind == kind]


def test_the_owner_says_which_of_two_orders_that_ended_apart_was_the_desks() -> None:
    evidence = Rig(lost_beside_the_owners()).run()
    name, ours, theirs = pair(evidence)
    assert (ours.filled, theirs.filled, theirs.canceled) == (
        ours.quantity,
        0,
        theirs.quantity,
    )  # no reading could ever tell them apart
    assert judge(evidence)[1] == []
    (taken,) = notes(evidence, "request.taken")
    assert (taken.data["intent_id"], taken.data["who"]) == (name, "owner")
    order = evidence.desk.blotter.orders[name]
    assert (order.status, order.filled, order.amount) == (OrderStatus.FILLED, ours.filled, ours.amount)
    book = evidence.desk.book
    assert {symbol: item.quantity for symbol, item in book.positions.items()} == dict(evidence.account.venue.holdings)
    assert book.cash == evidence.account.book.cash
    (claim,) = (record for *_, record in evidence.entries if isinstance(record, OrderClaim))
    assert claim.order_id.number == str(ours.number)


def test_without_the_owners_word_the_same_session_breaks_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owner, "claims", lambda *_: ())
    evidence = Rig(lost_beside_the_owners()).run()
    name, ours, _ = pair(evidence)
    (broken,) = judge(evidence)[1]
    assert broken.invariant == "I1"
    assert broken.what.startswith(f"{name}: booked 0 sh for 0 won, the broker has {ours.filled}")


def test_the_owner_looks_again_where_the_desk_did_not_take_their_word() -> None:
    rig = Rig(lost_beside_the_owners())
    usual, asked = Owner.claims, []

    def first_of_nobody(self: Owner, desk: object, now: int) -> tuple[OrderClaim, ...]:
        said = usual(self, desk, now)  # type: ignore[arg-type]
        asked.extend(said)
        return tuple(replace(one, why="changed on the way") if len(asked) == 1 else one for one in said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Owner, "claims", first_of_nobody)
        evidence = rig.run()
    assert len(asked) == 2  # a changed line has no signature, and the desk never heard of it
    assert len(notes(evidence, "request.taken")) == 1
    assert notes(evidence, "request.refused") == []
    assert judge(evidence)[1] == []


def test_what_the_broker_never_had_the_owner_does_not_find_there() -> None:
    evidence = Rig(lost_beside_the_owners()).run()
    name = pair(evidence)[0]
    owner = Owner(evidence.account, [], evidence.drill.ground.day, evidence.settings)
    lost = replace(evidence.desk.blotter.orders[name], status=OrderStatus.STUCK)
    desk = replace(evidence.desk, blotter=replace(evidence.desk.blotter, working={name: lost}))
    assert owner.claims(desk, 1) == ()
    (claim,) = owner.claims(desk, 10**12)
    assert (claim.intent_id, claim.order_id) == (name, None)
    assert owner.claims(desk, 10**12 + 1) == ()
