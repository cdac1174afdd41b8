"""Each fault of the broker alone, five seeds each: whatever goes wrong, the invariants hold."""

from __future__ import annotations

import pytest

from rigs.single_faults import drilled, held


@pytest.mark.parametrize("fault", drilled("B"))
def test_the_invariants_hold_under_this_fault(fault: str) -> None:
    held(fault)
