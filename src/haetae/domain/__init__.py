"""The nouns of the platform and their units.

Here: frozen records without behaviour beyond their invariants, the error tree, the JSON codec of
records. Not here: market rules (``krx``), arithmetic of the books (``ledger``), order admission
(``guards``). Money, prices, share counts and instants are integers; floats are ratios only.
"""
