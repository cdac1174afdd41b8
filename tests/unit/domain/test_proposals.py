"""The one rule of what a proposal may say."""

from __future__ import annotations

import numpy as np
import pytest

from haetae.domain.decisions import Proposal
from haetae.domain.proposals import proposal_fault

NAMES = ("000660", "005930")


@pytest.mark.parametrize(
    ("targets", "fault"),
    [
        ({NAMES[0]: float("nan")}, "not in [0, 1]"),
        ({NAMES[0]: float("inf")}, "not in [0, 1]"),
        ({NAMES[0]: -0.1}, "not in [0, 1]"),
        ({NAMES[0]: 0.6, NAMES[1]: 0.5}, "sum to"),
        ({"AAPL": 0.1}, "not in today's universe"),
        ({NAMES[0]: "half"}, "not in [0, 1]"),
        ({NAMES[0]: True}, "not in [0, 1]"),
        ({NAMES[0]: np.float32(0.5), NAMES[1]: 0}, ""),
        ({NAMES[0]: 1.0}, ""),
        ({}, ""),
    ],
)
def test_a_policy_is_not_trusted(targets: dict, fault: str) -> None:
    found = proposal_fault(Proposal("P", 1, "p", targets), set(NAMES))
    assert (fault in str(found)) if fault else found is None
