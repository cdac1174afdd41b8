"""The proof that an order was never taken is led for each lost order by itself."""

from __future__ import annotations

from dataclasses import replace

from haetae.domain.orders import Order, OrderStatus
from haetae.domain.units import NS_PER_SECOND
from haetae.execution import NOTHING_KNOWN
from unit.execution.test_reconciling import AT, SYMBOL, look, order


def lost(key: str, symbol: str = SYMBOL) -> Order:
    made = order(OrderStatus.UNKNOWN, number=None, key=key)
    return replace(made, intent=replace(made.intent, symbol=symbol))


def test_an_order_whose_name_moved_does_not_keep_the_others_from_their_proof() -> None:
    orders, known = [lost("I1"), lost("I2", "000660")], NOTHING_KNOWN
    for second in (10, 60, 130):
        found = look(orders, after_s=second, known=known, positions={SYMBOL: 10})
        known = found.known
    assert found.absent == ("I2",)


def test_readings_that_missed_one_order_do_not_count_for_another() -> None:
    first, second, known = lost("I1"), lost("I2"), NOTHING_KNOWN
    for after, orders, absent in (
        (125, [first], ()),
        (130, [first], ()),
        (140, [first, second], ("I1",)),
        (150, [second], ()),
        (160, [second], ("I2",)),
    ):
        found = look(orders, after_s=after, known=known)
        known = found.known
        assert found.absent == absent


def test_the_count_of_readings_says_since_when_the_order_is_missing() -> None:
    known = look([lost("I1")], after_s=10).known
    assert known.readings == {"missing:I1": (1, AT + 10 * NS_PER_SECOND)}
    again = look([lost("I1")], after_s=60, known=known).known
    assert again.readings == {"missing:I1": (2, AT + 10 * NS_PER_SECOND)}
