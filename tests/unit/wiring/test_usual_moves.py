"""The usual moves of a session: medians by the minute, of whole sessions, or none."""

from __future__ import annotations

import numpy as np
import pytest

from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.wiring.usual_moves import FEWEST_SESSIONS, moves_of
from rigs.desk_day import DAY

SYMBOLS = ("000100", "000110")


def panel(sizes: list[int], *, silent: bool = False, minutes: int = 381) -> Panel:
    """Sessions whose prices go up and down by so many won a minute."""
    days = trading_days(DAY.replace(month=1), DAY)[: len(sizes)]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    start, end = (np.concatenate([side[:minutes] for side in sides]) for sides in zip(*edges, strict=True))
    stamps = np.repeat([yyyymmdd(day) for day in days], minutes).astype(np.int32)
    turn = np.tile(np.arange(minutes) % 2, len(sizes)) * np.repeat(sizes, minutes)
    close = np.stack([100_000 + turn, np.zeros_like(turn) if silent else 100_000 + 2 * turn], axis=1).astype(np.int64)
    return Panel(SYMBOLS, stamps, start, end, close, close, close, close, close, close > 0)


def test_each_minute_is_the_median_of_the_sessions_means_over_five_minutes() -> None:
    usual = moves_of(panel([100, 200, 300, 400, 5_000]))
    assert usual is not None
    assert (usual.sessions, usual.window, usual.symbols) == (5, 5, SYMBOLS)
    assert usual.names.shape == (381, 2)
    assert usual.names[0].tolist() == [0, 0]
    assert usual.names[200].tolist() == pytest.approx([2_996, 5_983], abs=12)
    assert usual.market[200] == pytest.approx(4_490, abs=12)


def test_too_few_or_broken_sessions_tell_nothing() -> None:
    assert moves_of(panel([100] * (FEWEST_SESSIONS - 1))) is None
    assert moves_of(panel([100] * 6, minutes=380)) is None


def test_a_name_without_prices_is_not_known_and_does_not_count_in_the_market() -> None:
    usual = moves_of(panel([100] * 6, silent=True))
    assert usual is not None
    assert usual.names[200, 1] == 0
    assert usual.market[200] == usual.names[200, 0] > 0
