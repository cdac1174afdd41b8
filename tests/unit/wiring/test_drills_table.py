"""The table of faults is whole: drilled here by class, or proven where it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from haetae.wiring.drills.faults import FAULTS, How
from haetae.wiring.drills.plan import DRAWN
from haetae.wiring.drills.scenes import DAYS, SCENES
from rigs.single_faults import drilled

ROOT = Path(__file__).resolve().parents[3]
PROVEN_ELSEWHERE = [fault for fault in FAULTS if fault.how is How.ELSEWHERE or fault.where]


@pytest.mark.parametrize("fault", PROVEN_ELSEWHERE, ids=lambda fault: fault.id)
def test_what_is_proven_elsewhere_is_there(fault) -> None:
    assert fault.where
    for where in fault.where:
        file, _, name = where.partition("::")
        assert name.startswith("test_"), f"{where} names no test"
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), where


def test_every_class_has_its_module() -> None:
    classes = ("T", "B", "MD", "PSC", "LOX")
    told = [name for letters in classes for name in drilled(letters)]
    assert sorted(told) == sorted(fault.id for fault in FAULTS if fault.how is not How.ELSEWHERE)
    assert len(list(Path(__file__).parent.glob("test_drills_of_*.py"))) == len(classes)


def test_the_table_is_whole() -> None:
    assert len(FAULTS) == 101
    counts = {letter: sum(fault.id[0] == letter for fault in FAULTS) for letter in "TBMDPSCLOX"}
    assert counts == {"T": 21, "B": 21, "M": 10, "D": 4, "P": 10, "S": 8, "C": 3, "L": 10, "O": 6, "X": 8}
    assert {fault.id for fault in FAULTS if fault.how is How.RIG} == set(DRAWN)
    assert {fault.id for fault in FAULTS if fault.how is How.SCENE} == set(SCENES)
    assert {fault.id for fault in FAULTS if fault.how is How.DAY} == set(DAYS)
