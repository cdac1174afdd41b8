"""What readings of cumulative rows tell of an order: each share once, whatever order readings come in."""

import dataclasses
import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.orders import Accepted, BrokerOrderId, Canceled, Expired, Filled, Rejected, Replaced, Side
from haetae.domain.units import instant_at
from haetae.kis.wire.envelope import build_reply, read_reply
from haetae.kis.wire.operations import OPERATIONS
from haetae.kis.working import OrderRow, Rows, Working

DAY = dt.date(2026, 11, 23)
SENT = instant_at(DAY, 93_000)
NOW = instant_at(DAY, 93_100)


def row(number=1, **changed) -> OrderRow:
    base = OrderRow(
        number=number,
        original=0,
        branch="06010",
        symbol="005930",
        side=Side.BUY,
        quantity=10,
        limit_price=71_000,
        filled=0,
        amount=0,
        left=10,
        canceled=0,
        refused=0,
        clock=93_000,
        is_cancel=False,
    )
    return dataclasses.replace(base, **changed)


def working(*, unknown: bool = False, **changed) -> Working:
    made = Working("intent", "005930", Side.BUY, 10, 71_000, SENT, unknown=unknown, **changed)
    if not unknown:
        made.name(BrokerOrderId(DAY, "06010", "1"))
    return made


def tell(order: Working, *rows: OrderRow, closed: bool = False):
    return order.tell({one.number: one for one in rows}, NOW, NOW, closed=closed)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=12))
def test_every_share_is_told_once_whichever_readings_are_seen(readings):
    order = working()
    told: list[Filled] = []
    highest = 0
    for filled in sorted(readings):
        highest = filled
        now = row(filled=filled, amount=filled * 71_000, left=10 - filled)
        told += [event for event in tell(order, now) if isinstance(event, Filled)]
        told += [event for event in tell(order, now) if isinstance(event, Filled)]
    assert sum(event.fill.quantity for event in told) == highest
    assert sum(event.fill.amount for event in told) == highest * 71_000
    assert [event.fill.cumulative for event in told] == sorted({event.fill.cumulative for event in told})


def test_the_price_of_a_fill_comes_from_amounts():
    order = working()
    tell(order, row(filled=4, amount=4 * 70_900, left=6))
    (event,) = tell(order, row(filled=10, amount=4 * 70_900 + 6 * 71_000, left=0))
    assert (event.fill.quantity, event.fill.price, event.fill.cumulative) == (6, 71_000, 10)


def test_a_row_that_is_not_visible_yet_tells_nothing():
    order = working()
    assert tell(order) == []
    assert order.open


def test_a_cumulative_figure_that_falls_is_a_contradiction_not_an_event():
    order = working()
    tell(order, row(filled=5, amount=355_000, left=5))
    assert tell(order, row(filled=3, amount=213_000, left=7)) == []
    assert order.contradicted


def test_a_cancel_is_told_after_its_fills():
    order = working()
    events = tell(order, row(filled=3, amount=213_000, left=0, canceled=7))
    assert [type(event) for event in events] == [Filled, Canceled]
    assert events[1].filled == 3
    assert tell(order, row(filled=3, amount=213_000, left=0, canceled=7)) == []


def test_a_refusal_by_the_exchange_is_a_rejection():
    (event,) = tell(working(), row(left=0, refused=10))
    assert isinstance(event, Rejected)
    assert event.code == "EXCHANGE"


def test_what_is_left_without_a_cancel_has_expired_with_the_session_and_may_go_on_elsewhere_before():
    order = working()
    assert tell(order, row(left=0)) == []
    (event,) = tell(order, row(left=0), closed=True)
    assert isinstance(event, Expired)


def test_an_open_rest_expires_with_the_session_only():
    order = working()
    assert tell(order, row(left=10)) == []
    (event,) = tell(order, row(left=10), closed=True)
    assert isinstance(event, Expired)


def test_a_filled_order_says_nothing_more():
    order = working()
    tell(order, row(filled=10, amount=710_000, left=0))
    assert not order.open
    assert tell(order, row(filled=10, amount=710_000, left=0), closed=True) == []


def test_fills_go_on_over_a_change_of_number():
    order = working()
    tell(order, row(filled=4, amount=284_000, left=6))
    order.name(BrokerOrderId(DAY, "06010", "2"))
    old = row(filled=4, amount=284_000, left=0)
    assert tell(order, old) == []
    (event,) = tell(order, old, row(2, original=1, quantity=6, filled=6, amount=420_000, left=0))
    assert (event.fill.quantity, event.fill.cumulative) == (6, 10)
    assert event.fill.order_id.number == "2"
    assert not order.open


def test_after_a_restart_older_numbers_are_found_through_the_originals():
    order = Working("intent", "005930", Side.BUY, 10, 70_000, SENT, filled=4, amount=284_000)
    order.name(BrokerOrderId(DAY, "06010", "2"))
    old = row(filled=4, amount=284_000, left=0)
    (event,) = tell(order, old, row(2, original=1, quantity=6, filled=1, amount=70_000, left=5))
    assert event.fill.cumulative == 5
    assert not order.contradicted


def adopt(order: Working, *rows: OrderRow, claimed=frozenset()) -> OrderRow | None:
    return order.adopt({one.number: one for one in rows}, set(claimed), DAY, skew_s=2, within_s=15)


def test_an_order_changed_in_the_owners_app_goes_on_under_its_new_number():
    order = working()
    old = row(quantity=10, filled=2, amount=142_000, left=0)
    new = row(number=5, original=1, quantity=8, limit_price=70_900, filled=3, amount=212_700, left=5)
    told = tell(order, old, new)
    assert [type(event) for event in told] == [Replaced, Filled]
    assert (told[0].order_id.number, told[0].limit_price) == ("5", 70_900)
    assert (told[1].fill.quantity, told[1].fill.cumulative, told[1].fill.amount) == (5, 5, 354_700)
    assert tell(order, old, new) == []
    order.name(BrokerOrderId(DAY, "06010", "5"))  # the answer to a change of our own comes after the reading
    assert tell(order, old, new) == []
    assert [type(event) for event in tell(order, old, dataclasses.replace(new, filled=8, amount=567_200, left=0))] == [
        Filled
    ]


def test_a_part_that_somebody_changed_leaves_the_rest_open():
    order = working()
    rest, part = row(left=6), row(number=5, original=1, quantity=4, left=0, canceled=4)
    assert [type(event) for event in tell(order, rest, part)] == [Replaced]
    assert order.open
    ended = tell(order, dataclasses.replace(rest, left=0, canceled=6), part)
    assert [type(event) for event in ended] == [Canceled]


def test_an_unknown_order_is_adopted_when_exactly_one_new_row_fits():
    order = working(unknown=True)
    found = adopt(order, row(7), row(8, symbol="000660"))
    assert found.number == 7
    event = order.accepted(found, DAY, NOW)
    assert isinstance(event, Accepted)
    assert event.order_id == BrokerOrderId(DAY, "06010", "7")
    assert order.open and not order.unknown


def test_two_rows_that_fit_are_nobody():
    assert adopt(working(unknown=True), row(7), row(8)) is None


def test_rows_that_cannot_be_ours_are_never_adopted():
    order = working(unknown=True, known=frozenset({7}))
    for stranger in (
        row(7),
        row(8, side=Side.SELL),
        row(8, quantity=11),
        row(8, limit_price=71_100),
        row(8, clock=92_957),
        row(8, clock=93_016),
        row(8, original=3),
    ):
        assert adopt(order, stranger) is None
    assert adopt(order, row(8), claimed={8}) is None


def test_a_broker_clock_two_seconds_behind_is_allowed_for():
    assert adopt(working(unknown=True), row(8, clock=92_958)).number == 8


def test_nothing_is_concluded_from_an_empty_list():
    order = working(unknown=True)
    assert adopt(order) is None
    assert tell(order, closed=True) == []
    assert order.open


def test_rows_are_read_by_number_and_cancel_requests_are_marked():
    operation = OPERATIONS["inquire-daily-ccld"]
    payload = build_reply(
        operation,
        {
            "output1": [
                {"odno": "    117057", "pdno": "005930", "sll_buy_dvsn_cd": "01", "ord_qty": 10, "cnc_cfrm_qty": ""},
                {
                    "odno": 117058,
                    "orgn_odno": 117057,
                    "pdno": "005930",
                    "sll_buy_dvsn_cd_name": "현금매도취소*",
                    "ord_qty": 10,
                },
            ]
        },
    )
    rows = Rows()
    found = rows.read([read_reply(operation, "TTTC0081R", 200, "D", payload)], DAY)
    assert found[117057].side is Side.SELL
    assert found[117057].canceled == 0
    assert found[117058].is_cancel
    assert not found[117057].is_cancel
    assert [order.order_id.number for order in rows.orders(DAY)] == ["117057"]


def test_a_row_is_read_again_once_its_text_has_changed():
    operation, rows = OPERATIONS["inquire-daily-ccld"], Rows()

    def reading(*filled: int) -> dict[int, OrderRow]:
        output = [{"odno": n, "pdno": "005930", "ord_qty": 10, "tot_ccld_qty": f} for n, f in enumerate(filled, 1)]
        payload = build_reply(operation, {"output1": output})
        return rows.read([read_reply(operation, "TTTC0081R", 200, "D", payload)], DAY)

    first, again, later = reading(0, 10), reading(0, 10), reading(4, 10)
    assert again[1] is first[1]
    assert (later[1].filled, later[2]) == (4, first[2])
    assert [order.filled for order in rows.orders(DAY)] == [4, 10]
    assert reading(4).keys() == {1}
    assert len(rows.orders(DAY)) == 1
