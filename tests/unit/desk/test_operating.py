"""A person's requests: they go the way of every order and are answered under their own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from haetae.desk import step
from haetae.domain import codec
from haetae.domain.events import (
    Cancel,
    CancelRequest,
    Command,
    ManualOrder,
    Note,
    OperatorCommand,
    OperatorState,
    Submit,
)
from haetae.domain.orders import OrderStatus, Side
from haetae.krx import Rulebook
from haetae.sim import FillModel
from rigs.desk_day import DAY, DeskDay, codes, loose, minutes, open_day, session_start

SYMBOLS = codes(12)
START = session_start(SYMBOLS)


def day_of_six_minutes(**options: object) -> DeskDay:
    day = open_day(SYMBOLS, settings=loose(), **options)  # type: ignore[arg-type]
    day.feed(START, day.snapshot(START.at))
    for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
        day.minute(piece)
    return day


def told(commands: Sequence[Command], kind: str) -> list[Note]:
    return [c for c in commands if isinstance(c, Note) and c.kind == kind]


def wish(day: DeskDay, *, quantity: int = 3, offset: int = 0, request_id: str = "r1") -> ManualOrder:
    symbol = next(s for s in SYMBOLS if s not in {o.intent.symbol for o in day.desk.blotter.orders.values()})
    price = Rulebook.on(DAY).floor_tick(day.desk.price(symbol)) + offset
    at = day.desk.tape.price_at + 1
    return ManualOrder(at, request_id, symbol, Side.BUY, quantity, price, "owner", "test")


def test_a_persons_order_passes_the_guards_and_is_sent() -> None:
    day = day_of_six_minutes()
    made = day.feed(wish(day))
    (sent,) = [c for c in made if isinstance(c, Submit)]
    assert sent.order.quantity == 3
    assert "G01" in sent.order.guard_codes and "G15" in sent.order.guard_codes
    assert told(made, "request.taken")[0].data["request_id"] == "r1"


def test_a_persons_order_of_any_size_is_cut_or_refused_by_the_guards() -> None:
    day = day_of_six_minutes()
    made = day.feed(wish(day, quantity=900_000))
    assert all(c.order.quantity < 900_000 for c in made if isinstance(c, Submit))
    day = day_of_six_minutes()
    made = day.feed(wish(day, offset=1))
    assert not [c for c in made if isinstance(c, Submit)]
    assert told(made, "intent.denied")[0].data["codes"] == ["G09"]
    assert told(made, "request.refused")


def test_the_kill_switch_refuses_a_persons_order_too() -> None:
    day = day_of_six_minutes()
    day.feed(OperatorCommand(day.desk.tape.price_at + 1, OperatorState.HALT, "owner", "drill"))
    made = day.feed(wish(day))
    assert not [c for c in made if isinstance(c, Submit)]
    assert told(made, "intent.denied")[0].data["codes"] == ["G01"]


def test_the_same_request_twice_is_one_order() -> None:
    day = day_of_six_minutes()
    order = wish(day)
    day.feed(order)
    again = day.feed(replace(order, at=order.at + 1))
    assert not [c for c in again if isinstance(c, Submit)]
    assert told(again, "request.refused")


def test_a_request_before_any_session_is_refused() -> None:
    day = open_day(SYMBOLS, settings=loose())
    order = ManualOrder(START.at, "r1", SYMBOLS[0], Side.BUY, 1, 50_000, "owner", "test")
    _, made = step(day.desk, order, Rulebook.on(DAY))
    assert [c.kind for c in made if isinstance(c, Note)] == ["request.refused"]


def test_an_open_order_is_cancelled_on_request_and_a_finished_one_is_not() -> None:
    day = day_of_six_minutes(model=FillModel(volume_share_ppm=1))
    order = next(o for o in day.desk.blotter.open_orders() if o.status is OrderStatus.WORKING)
    asked = CancelRequest(day.desk.tape.price_at + 1, "c1", order.intent.intent_id, "owner", "test")
    made = day.feed(asked)
    assert [c.intent_id for c in made if isinstance(c, Cancel)] == [order.intent.intent_id]
    assert told(made, "request.taken")
    later = day.feed(replace(asked, request_id="c2"), replace(asked, request_id="c3", intent_id="NOSUCH"))
    assert not [c for c in later if isinstance(c, Cancel)]
    assert [n.data["request_id"] for n in told(later, "request.refused")] == ["c2", "c3"]


def test_requests_survive_the_journal() -> None:
    day = day_of_six_minutes()
    for record in (wish(day), CancelRequest(1, "c1", "I", "owner", "test")):
        assert codec.decode(codec.encode(record)) == record


def test_an_order_of_nothing_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="is no order"):
        ManualOrder(1, "r", "005930", Side.BUY, 0, 1, "o", "w")
