"""Books of the account: a fold over fills, exact to the won."""

from haetae.ledger.books import Mark, apply_fill, deposit, mark, open_book, settle, settled_cash

__all__ = ["Mark", "apply_fill", "deposit", "mark", "open_book", "settle", "settled_cash"]
