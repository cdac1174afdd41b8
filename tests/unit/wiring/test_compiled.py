"""The few bars that ready the compiled loops must reach them all: orders, fills, sales with tax."""

from __future__ import annotations

import pytest

from haetae.backtest import Ground, Listing, run_strategy
from haetae.policies import LIBRARY
from haetae.wiring.compiled import few_bars


@pytest.mark.parametrize("minutes", [True, False])
def test_the_few_bars_are_bought_and_sold(minutes: bool) -> None:
    panel = few_bars(minutes=minutes)
    ground = Ground(panel, 2, Listing(), panel.traded)
    for strategy in (LIBRARY["sma_cross"](fast=2, slow=4), LIBRARY["reversal_5"](look_back=1, top=1)):
        found = run_strategy(strategy, ground)
        assert found.bought[-1] > 0
        assert minutes or (found.sold[-1] > 0 and found.taxes[-1] > 0)
