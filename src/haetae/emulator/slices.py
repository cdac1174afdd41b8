"""Rows of a tape as slices of the market that orders meet.

Not here: the tape (``tape``), the orders (``accounts``).
"""

from __future__ import annotations

import numpy as np

from haetae.domain.market import Slice
from haetae.emulator.bridge import STEPS
from haetae.emulator.session import Printed
from haetae.emulator.world import World


def micro_slice(session: Printed, row: int, world: World, symbols: list[str]) -> Slice:
    """Return one tape row as the slice that orders meet: from its print toward the next of its minute.

    Where an auction or an interruption ends or begins the print stands alone.
    """
    tape = session.tape
    columns = np.array([world.column[symbol] for symbol in symbols], dtype=np.int64)
    price, volume = tape.price[row, columns], tape.volume[row, columns]
    after = price
    last = len(tape.end) - 1
    if row % STEPS != STEPS - 1 and row < last and session.in_minutes:
        alone = tape.single[row, columns] | tape.held[row + 1, columns] | tape.single[row + 1, columns]
        after = np.where((volume > 0) & ~alone, tape.price[row + 1, columns], price)
    return Slice(
        start=int(tape.start[row]),
        end=int(tape.end[row]),
        symbols=tuple(symbols),
        open=price.copy(),
        high=np.maximum(price, after),
        low=np.minimum(price, after),
        close=after.copy(),
        volume=volume.copy(),
        traded=volume > 0,
    )


def singles(session: Printed, row: int, world: World, symbols: list[str]) -> frozenset[str]:
    """Return the symbols whose print of a row is the single price of an auction."""
    tape = session.tape
    return frozenset(symbol for symbol in symbols if tape.single[row, world.column[symbol]])
