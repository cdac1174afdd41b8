"""Executors: the same outcomes everywhere, and a worker that dies."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from haetae.backtest import BacktestSettings
from haetae.backtest.sweep.executors import Here
from haetae.backtest.sweep.points import Outcome, Status
from haetae.backtest.sweep.processes import Cores, share, shared
from haetae.backtest.sweep.work import Work, work_of
from haetae.domain.errors import DataError
from haetae.wiring.sweeps_shipping import ship
from rigs.sweeping import Damaged, Fatal, jobs, stretch

NUMBERS = {"numbers": np.arange(1_000, dtype=np.float64)}


def by_key(outcomes: list[Outcome]) -> dict[str, tuple[object, ...]]:
    return {
        each.job.key: (each.job, each.status, dict(each.figures), each.returns.tobytes(), each.reason)
        for each in outcomes
    }


def silent(_line: str) -> None:
    """Tell nobody."""


def test_arrays_come_back_from_their_files_as_they_were_and_cannot_be_written(tmp_path: Path) -> None:
    arrays = {"a.days": np.arange(5, dtype=np.int32), "b": np.eye(3), "c": np.zeros((2, 2), np.bool_)}
    share(arrays, tmp_path / "shared")
    found = shared(tmp_path / "shared")
    assert sorted(found) == sorted(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert not found[name].flags.writeable


def test_processes_and_this_process_give_the_same_bits(tmp_path: Path) -> None:
    ground = stretch(200, 5).ground
    work = work_of(ground, ship("sma_cross"), BacktestSettings())
    points = [{"fast": fast, "slow": slow} for fast in (3, 5, 8, 40) for slow in (20, 30)]
    wanted = by_key(list(Here().map(work, jobs(points, ground.first, len(ground.panel)))))
    with Cores(2, tmp_path / "scratch", silent) as cores:
        found = by_key(list(cores.map(work, jobs(points, ground.first, len(ground.panel)))))
        half = by_key(list(cores.map(work, jobs(points[:3], ground.first, 150))))
    assert found == wanted
    assert sum(status is Status.REFUSED for _, status, *_ in found.values()) == 2
    assert half == by_key(list(Here().map(work, jobs(points[:3], ground.first, 150))))
    assert not (tmp_path / "scratch").exists()


def test_a_worker_that_dies_is_told_of_and_replaced_and_its_point_tried_again(tmp_path: Path) -> None:
    told: list[str] = []
    work = Work(NUMBERS, Fatal(3, str(tmp_path / "died")))
    with Cores(2, tmp_path / "scratch", told.append) as cores:
        found = list(cores.map(work, jobs([{"number": number} for number in range(8)])))
    assert sorted(each.job.ordinal for each in found) == list(range(8))
    assert all(each.status is Status.DONE for each in found)
    assert len(told) == 1
    assert "SIGKILL" in told[0]
    assert "'number': 3" in told[0]


def test_a_point_that_kills_every_worker_is_given_up_and_the_others_finish(tmp_path: Path) -> None:
    told: list[str] = []
    with Cores(2, tmp_path / "scratch", told.append) as cores:
        found = list(cores.map(Work(NUMBERS, Fatal(3)), jobs([{"number": number} for number in range(8)])))
    fate = {each.job.parameters["number"]: each.status for each in found}
    assert fate == {number: Status.DIED if number == 3 else Status.DONE for number in range(8)}
    assert len(told) == 2
    (lost,) = (each for each in found if each.status is Status.DIED)
    assert "SIGKILL" in lost.reason


def test_an_expected_error_of_a_worker_is_raised_here(tmp_path: Path) -> None:
    with Cores(1, tmp_path / "scratch", silent) as cores, pytest.raises(DataError, match="damaged") as caught:
        list(cores.map(Work(NUMBERS, Damaged()), jobs([{"number": 1}])))
    assert caught.value.next_step == "collect them again"


def test_a_ground_travels_whole() -> None:
    ground = stretch(120, 4).ground
    ground = dataclasses.replace(ground, shares_outstanding=np.full(4, 1_000_000))
    work = work_of(ground, ship("cap_weight"), BacktestSettings())
    (found,) = Here().map(work, jobs([{}], ground.first, len(ground.panel)))
    assert found.status is Status.DONE
    assert found.figures["orders"]


def test_what_a_strategy_of_ones_own_breaks_on_is_a_refusal_with_the_line(tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text(
        "import numpy as np\n"
        "from haetae.policies import SignalStrategy\n"
        "class Mine(SignalStrategy):\n"
        "    part: int = 1\n"
        "    def signals(self, panel):\n"
        "        first = len(panel) // self.part\n"
        "        return np.zeros(panel.close.shape, np.int8)\n"
    )
    ground = stretch(120, 4).ground
    work = work_of(ground, ship(str(source)), BacktestSettings())
    broken, fine = Here().map(work, jobs([{"part": 0}, {"part": 1}], ground.first, len(ground.panel)))
    assert broken.status is Status.REFUSED
    assert "ZeroDivisionError" in broken.reason
    assert "line 6" in broken.reason
    assert fine.status is Status.DONE
