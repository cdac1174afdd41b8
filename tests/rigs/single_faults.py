"""Single faults of the table by class: a module of tests each, so that several workers share them."""

from __future__ import annotations

from haetae.wiring.drills.faults import FAULTS, How
from haetae.wiring.drills.matrix import SEEDS, run_single


def drilled(letters: str) -> list[str]:
    """Return the faults of some classes that are drilled, not proven elsewhere."""
    return [fault.id for fault in FAULTS if fault.id[0] in letters and fault.how is not How.ELSEWHERE]


def held(fault: str) -> None:
    """Let a fault happen with every seed; fail with everything that did not hold."""
    wrong = {seed: found for seed in range(SEEDS) if (found := run_single(fault, seed))}
    assert not wrong, "\n".join(
        f"{fault} seed {seed}: {one.invariant} {one.what}" for seed in wrong for one in wrong[seed]
    )
