"""Orders from decision to execution: planning of legs, order life, reconciliation.

Here: ``plan_legs`` (weights to whole shares at collared prices), ``advance`` and ``Blotter`` (the
life of orders with exactly-once fills), ``reconcile`` (ours beside the broker's, classed).
Not here: whether an order may be sent (``guards``), what we own (``ledger``), sending (``live``).
"""

from haetae.execution.blotter import Blotter, Outcome, Remark, carried, enter, record
from haetae.execution.claims import Unclaimable, others_rows, rows_claimed
from haetae.execution.comparing import facts
from haetae.execution.life import (
    TRANSITIONS,
    Step,
    Transition,
    When,
    advance,
    cancel_requested,
    conclude_absent,
    give_up,
    is_legal,
    new_part,
    take,
)
from haetae.execution.plan import intent_from, intent_name, limit_for, plan_legs
from haetae.execution.reconcile import (
    NOTHING_KNOWN,
    Difference,
    DifferenceKind,
    Known,
    Occasion,
    Reconciliation,
    reconcile,
)
from haetae.execution.settings import PlanSettings, ReconcileSettings

__all__ = [
    "NOTHING_KNOWN",
    "TRANSITIONS",
    "Blotter",
    "Difference",
    "DifferenceKind",
    "Known",
    "Occasion",
    "Outcome",
    "PlanSettings",
    "ReconcileSettings",
    "Reconciliation",
    "Remark",
    "Step",
    "Transition",
    "Unclaimable",
    "When",
    "advance",
    "cancel_requested",
    "carried",
    "conclude_absent",
    "enter",
    "facts",
    "give_up",
    "intent_from",
    "intent_name",
    "is_legal",
    "limit_for",
    "new_part",
    "others_rows",
    "plan_legs",
    "reconcile",
    "record",
    "rows_claimed",
    "take",
]
