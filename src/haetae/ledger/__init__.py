"""Books of the account: a fold over fills and corporate actions, exact to the won."""

from haetae.ledger.books import Mark, apply_fill, deposit, mark, open_book, settle, settled_cash
from haetae.ledger.corrections import adopt, correct_costs
from haetae.ledger.rights import exchange, grant, receive

__all__ = [
    "Mark",
    "adopt",
    "apply_fill",
    "correct_costs",
    "deposit",
    "exchange",
    "grant",
    "mark",
    "open_book",
    "receive",
    "settle",
    "settled_cash",
]
