"""Records that are made often: the same signature, checks and frozenness as the usual making."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from haetae.domain.orders import Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.records import made_often, unchecked


@made_often
@dataclass(frozen=True, slots=True)
class Basket:
    """One field of every kind."""

    name: str
    count: int = 3
    held: dict[str, int] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Refuse an empty basket."""
        if self.count <= 0:
            raise ValueError("empty")


def test_a_record_is_made_with_defaults_and_by_name() -> None:
    one, other = Basket("a"), Basket(held={"x": 1}, name="b", count=2)
    assert (one.name, one.count, one.held, one.seen) == ("a", 3, {}, [])
    assert (other.name, other.count, other.held) == ("b", 2, {"x": 1})
    assert one.held is not Basket("a").held
    assert one.seen is not Basket("a").seen


def test_its_signature_has_the_fields_in_their_order() -> None:
    assert list(inspect.signature(Basket).parameters) == ["name", "count", "held"]
    for wrong in ({}, {"name": "a", "other": 1}, {"name": "a", "seen": []}):
        with pytest.raises(TypeError):
            Basket(**wrong)


def test_it_stays_frozen_and_checks_itself() -> None:
    with pytest.raises(FrozenInstanceError):
        Basket("a").count = 4  # type: ignore[misc]
    with pytest.raises(ValueError, match="empty"):
        Basket("a", 0)
    with pytest.raises(ValueError, match="empty"):
        replace(Basket("a"), count=-1)


def test_equal_records_are_equal_and_survive_storage() -> None:
    intent = OrderIntent("I", "D", "005930", Side.BUY, 1, OrderKind.LIMIT, 100, 5)
    order = Order(intent, 1, OrderStatus.NEW)
    assert order == Order(replace(intent), 1, OrderStatus.NEW)
    assert hash(order) == hash(Order(intent, 1, OrderStatus.NEW))
    assert pickle.loads(pickle.dumps(order)) == order


def test_a_part_of_what_was_checked_is_made_without_checks() -> None:
    made = unchecked(Basket)("a", 0)
    assert (made.name, made.count, made.held, made.seen) == ("a", 0, {}, [])
    assert type(made) is Basket
    with pytest.raises(TypeError):
        unchecked(Basket)()


def test_a_class_without_slots_is_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        made_often(dataclass(frozen=True)(type("Loose", (), {"__annotations__": {"a": int}})))
