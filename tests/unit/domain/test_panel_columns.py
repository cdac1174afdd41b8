"""Some symbols of a panel keep their bars and their days."""

from __future__ import annotations

import numpy as np

from random_panels import daily_panel


def test_columns_keep_every_block_of_their_symbols() -> None:
    panel = daily_panel(3, symbols=6, sessions=20)
    places = np.array([1, 4])
    part = panel.columns(places)
    assert part.symbols == (panel.symbols[1], panel.symbols[4])
    assert np.array_equal(part.days, panel.days)
    for name in ("open", "high", "low", "close", "volume", "traded"):
        block = getattr(part, name)
        assert np.array_equal(block, getattr(panel, name)[:, places])
        assert block.flags.c_contiguous and not block.flags.writeable
