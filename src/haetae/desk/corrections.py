"""The books after what no order of ours did: a person signs for it, and the broker's newest figures must agree.

Here: adoption of a holding traded by hand, correction of fees and taxes. Not here: the arithmetic (``ledger``),
who may sign (the wiring checks a signature before it becomes an event).
"""

from __future__ import annotations

from haetae.desk.turn import Turn
from haetae.domain.events import CostCorrection, ManualAdoption
from haetae.domain.units import Won
from haetae.execution import Difference, DifferenceKind
from haetae.ledger import adopt, correct_costs

_BY_PERSON = frozenset({DifferenceKind.EXTERNAL, DifferenceKind.CORPORATE_ACTION, DifferenceKind.UNEXPLAINED})


def on_adoption(turn: Turn, event: ManualAdoption) -> None:
    """Take a difference of a holding into the books where the newest reading shows exactly that; else refuse."""
    if any(order.status.doubtful for order in turn.state.blotter.open_of(event.symbol)):
        turn.refuse(event, "an order of this name is of unknown fate: what it traded would be booked twice")
        return
    for item in turn.state.account.differences:
        if item.what == "position" and item.symbol == event.symbol:
            break
    else:
        turn.refuse(event, "the newest reading shows no difference in this name")
        return
    if item.kind not in _BY_PERSON:
        turn.refuse(event, f"the difference is {item.kind.value}")
        return
    now = turn.state.book.quantity(event.symbol)
    if (item.ours, item.theirs - item.ours) != (now, event.shares):
        turn.refuse(event, f"the broker holds {item.theirs}, the books {now} shares")
        return
    turn.change(book=adopt(turn.state.book, event.symbol, event.shares, event.paid))
    turn.stand()
    _settle(turn, item)
    turn.note(
        "position.adopted",
        request_id=event.request_id,
        who=event.who,
        why=event.why,
        signature=event.signature,
        symbol=event.symbol,
        shares=event.shares,
        paid=event.paid,
        cash=turn.state.book.cash,
    )
    turn.note("request.taken", request_id=event.request_id, who=event.who, symbol=event.symbol)


def on_cost_correction(turn: Turn, event: CostCorrection) -> None:
    """Book the broker's fees and taxes where the newest reading shows exactly this difference; else refuse."""
    if _fee(turn.state.account.differences) != event.amount:
        turn.refuse(event, "the newest reading shows no such difference of fees")
        return
    _correct(turn, event.amount, event.who, event.why)
    turn.note("request.taken", request_id=event.request_id, who=event.who, amount=event.amount)


def correct_by_policy(turn: Turn) -> None:
    """Book the broker's fees and taxes of the day before, where the settings say that its word is enough."""
    amount = _fee(turn.state.account.differences)
    if amount and turn.state.settings.correct_costs:
        _correct(turn, amount, "policy", "the first reading of the day")


def _fee(differences: tuple[Difference, ...]) -> Won:
    """Return by how much the broker's cash is above ours because of fees, 0 where it is not."""
    return sum(item.theirs - item.ours for item in differences if item.kind is DifferenceKind.FEE)


def _settle(turn: Turn, item: Difference) -> None:
    """Take a difference that the books no longer have off the list, so that it is booked once."""
    turn.account(differences=tuple(each for each in turn.state.account.differences if each is not item))


def _correct(turn: Turn, amount: Won, who: str, why: str) -> None:
    turn.change(book=correct_costs(turn.state.book, amount))
    turn.stand()
    for item in turn.state.account.differences:
        if item.kind is DifferenceKind.FEE:
            _settle(turn, item)
    turn.note("costs.corrected", amount=amount, who=who, why=why, cash=turn.state.book.cash)
