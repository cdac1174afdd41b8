"""The first layout: entries with their chain, the head, the lease and five projections."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KINDS: dict[str, Any] = {"s": sa.Text, "i": sa.BigInteger, "f": sa.Double, "b": sa.LargeBinary, "n": sa.SmallInteger}


def _create(name: str, columns: str, *more: Any, keys: int = 1) -> None:
    pairs = [word.split(":") for word in columns.split()]
    made: list[Any] = [
        sa.Column(column, _KINDS[kind], primary_key=place < keys, nullable=False, autoincrement=False)
        for place, (column, kind) in enumerate(pairs)
    ]
    op.create_table(name, *made, *more)


def upgrade() -> None:
    """Lay an empty journal."""
    _create("entries", "seq:i at:i kind:s packed:n payload:b hash:s")
    op.create_index("entries_by_kind", "entries", ["kind", "seq"])
    _create("meta", "name:s value:s")
    _create(
        "lease",
        "one:n epoch:i host:s pid:i boot:s expiry_ms:i seal:s",
        sa.CheckConstraint("one = 1", name="one_lease"),
    )
    _create(
        "orders",
        "intent_id:s decision_id:s symbol:s side:s quantity:i limit_price:i escape:i status:s order_number:s"
        " filled:i amount:i submitted_at:i updated_at:i seq:i",
    )
    _create(
        "fills",
        "day:s branch:s number:s cumulative:i intent_id:s symbol:s side:s quantity:i price:i amount:i at:i seq:i",
        keys=4,
    )
    _create(
        "decisions",
        "decision_id:s symbol:s side:s status:s decider:s action:s confidence:f proposed:i quantity:i limit_price:i"
        " denied_by:s at:i seq:i",
    )
    _create(
        "reviews",
        "decision_id:s symbol:s side:s status:s executed:i label:s outcome_bp:f slippage_bp:f cost:i resolved_at:i"
        " seq:i",
    )
    _create(
        "lessons",
        "lesson_id:s trigger_rule:s effect:s evidence:s support:i mean_gain_bp:f state:s created_at:i seq:i",
    )
