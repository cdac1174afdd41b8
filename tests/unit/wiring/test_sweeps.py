"""Sweeps on a stretch: the folder, resuming, the book of trials, and walk-forward without a look ahead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haetae.backtest.sweep.executors import Here
from haetae.backtest.sweep.folds import WalkForward, folds_of
from haetae.backtest.sweep.points import Job, Outcome, Status
from haetae.backtest.sweep.scoring import Objective
from haetae.backtest.sweep.spelling import read_space
from haetae.backtest.sweep.work import Work
from haetae.domain.errors import ConfigError, DataError, StrategyError
from haetae.policies.library import LIBRARY
from haetae.registry.trials import TrialBook
from haetae.wiring.sweeps import Plan, SearchKind, explore, plan_of, sweep_work
from haetae.wiring.sweeps_folder import SweepFolder, clear, read_returns
from haetae.wiring.sweeps_report import sweep_facts
from haetae.wiring.sweeps_walking import walk_forward
from panels import daily_panel
from rigs.sweeping import stretch, stretch_on

GRID = ("fast=3,5,8,30", "slow=10,20")


def plan(*axes: str, strategy: str = "sma_cross", **more: Any) -> Plan:
    space = read_space(LIBRARY[strategy], axes or GRID, {})
    return plan_of(strategy, space, more.pop("kind", SearchKind.GRID), **more)


class Counting(Here):
    """Runs here, notes what it ran, and may be interrupted after so many points."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.ran: list[Job] = []
        self._stop_after = stop_after

    def map(self, work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        for outcome in super().map(work, jobs):
            if len(self.ran) == self._stop_after:
                raise KeyboardInterrupt
            self.ran.append(outcome.job)
            yield outcome


def explored(folder: Path, made: Plan, executor: Here | None = None, ground: Any = None, **more: Any) -> Any:
    ground = ground or stretch(200, 5)
    return explore(
        made, ground, folder / "out", work=sweep_work(made, ground), executor=executor or Here(),
        book=TrialBook(folder / "trials.jsonl"), **more,
    )  # fmt: skip


def test_every_finished_point_is_kept_with_its_returns_and_is_a_trial(tmp_path: Path) -> None:
    found = explored(tmp_path, plan())
    assert [each.job.ordinal for each in found.outcomes] == list(range(8))
    fate = {(each.job.parameters["fast"], each.job.parameters["slow"]): each.status for each in found.outcomes}
    assert {pair for pair, status in fate.items() if status is Status.REFUSED} == {(30, 10), (30, 20)}
    done = [each for each in found.outcomes if each.status is Status.DONE]
    kept = read_returns(tmp_path / "out", done)
    np.testing.assert_array_equal(kept, np.array([each.returns for each in done]))
    assert kept.shape == (6, 140)
    trials = TrialBook(tmp_path / "trials.jsonl").trials()
    assert len(trials) == 6
    assert {trial.why for trial in trials} == {"sweep"}
    assert all(trial.parameters["fraction"] == 0.02 for trial in trials)
    assert trials[0].sharpe == pytest.approx(done[0].returns.mean() / done[0].returns.std(ddof=1))


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Counting(stop_after=3)
    with pytest.raises(KeyboardInterrupt):
        explored(tmp_path, plan(), first)
    assert len(TrialBook(tmp_path / "trials.jsonl").trials()) == 3
    second = Counting()
    found = explored(tmp_path, plan(), second)
    assert found.resumed == 3
    assert {job.key for job in first.ran} & {job.key for job in second.ran} == set()
    assert len(first.ran) + len(second.ran) == 8
    whole = explored(tmp_path / "whole", plan())
    assert (tmp_path / "out" / "returns.npy").read_bytes() == (tmp_path / "whole" / "out" / "returns.npy").read_bytes()
    assert [dict(each.figures) for each in found.outcomes] == [dict(each.figures) for each in whole.outcomes]
    assert len(TrialBook(tmp_path / "trials.jsonl").trials()) == 6


def test_a_search_that_learns_resumes_to_the_same_points(tmp_path: Path) -> None:
    made = plan("fast=2:12", "slow=15:60", kind=SearchKind.OPTUNA, n=20)
    with pytest.raises(KeyboardInterrupt):
        explored(tmp_path, made, Counting(stop_after=11))
    again = explored(tmp_path, made)
    whole = explored(tmp_path / "whole", made)
    assert [each.job for each in again.outcomes] == [each.job for each in whole.outcomes]
    assert again.resumed == 11


def test_a_finished_sweep_runs_nothing_and_books_nothing_again(tmp_path: Path) -> None:
    explored(tmp_path, plan())
    idle = Counting()
    assert explored(tmp_path, plan(), idle).resumed == 8
    assert idle.ran == []
    assert len(TrialBook(tmp_path / "trials.jsonl").trials()) == 6


def test_a_trial_lost_between_the_log_and_the_book_is_booked_by_the_next_run(tmp_path: Path) -> None:
    explored(tmp_path, plan())
    (tmp_path / "trials.jsonl").unlink()
    explored(tmp_path, plan())
    assert len(TrialBook(tmp_path / "trials.jsonl").trials()) == 6


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"made": plan("fast=3,5", "slow=10,20")}, "space"),
        ({"made": plan("look_back=3,5", "top=1,2", strategy="reversal_5")}, "strategy"),
        ({"made": plan(seed=8)}, "seed"),
        ({"made": plan(objective=Objective.RETURN)}, "search"),
        ({"ground": stretch(210, 5)}, "sessions"),
    ],
)  # fmt: skip
def test_a_folder_begun_with_something_else_is_refused(tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    explored(tmp_path, plan())
    with pytest.raises(ConfigError) as caught:
        explored(tmp_path, changed.get("made", plan()), ground=changed.get("ground"))
    assert named in caught.value.found
    assert "--fresh" in str(caught.value.next_step)
    clear(tmp_path / "out")
    explored(tmp_path, changed.get("made", plan()), ground=changed.get("ground"))


def test_a_fresh_start_removes_what_a_sweep_made_and_nothing_else(tmp_path: Path) -> None:
    explored(tmp_path, plan())
    (tmp_path / "out" / "notes.txt").write_text("mine")
    clear(tmp_path / "out")
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"notes.txt", ".lock"}
    clear(tmp_path / "absent")


def test_a_half_written_last_line_is_dropped_and_its_point_run_again(tmp_path: Path) -> None:
    explored(tmp_path, plan())
    kept = tmp_path / "out" / "points.jsonl"
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-40])
    again = Counting()
    explored(tmp_path, plan(), again)
    assert len(again.ran) == 1
    assert kept.read_bytes() == whole


def test_a_changed_record_or_return_is_found(tmp_path: Path) -> None:
    explored(tmp_path, plan())
    kept = tmp_path / "out" / "points.jsonl"
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(b'"orders": ', b'"orders": 1', 1))
    with pytest.raises(DataError, match="damaged") as caught:
        explored(tmp_path, plan())
    assert "line 1: the checksum" in caught.value.found
    kept.write_bytes(whole)
    returns = np.load(tmp_path / "out" / "returns.npy", mmap_mode="r+")
    returns[2, 5] += 1e-9
    returns.flush()
    with pytest.raises(DataError) as caught:
        explored(tmp_path, plan())
    assert "row 2 of returns.npy" in caught.value.found


def test_two_sweeps_do_not_write_one_folder(tmp_path: Path) -> None:
    with SweepFolder(tmp_path, {"a": 1}, 2, 3), pytest.raises(ConfigError, match="another sweep"):
        SweepFolder(tmp_path, {"a": 1}, 2, 3)
    with SweepFolder(tmp_path, {"a": 1}, 2, 3) as folder:
        assert folder.done == {}


class Deadly(Here):
    """Says of the third point that its process ended."""

    def map(self, work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        for outcome in super().map(work, jobs):
            yield Outcome(outcome.job, Status.DIED, reason="SIGKILL") if outcome.job.ordinal == 2 else outcome


def test_a_point_that_died_ends_the_sweep_after_the_others_and_is_run_again(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="1 points") as caught:
        explored(tmp_path, plan(), Deadly())
    assert "SIGKILL" in caught.value.found
    again = Counting()
    assert explored(tmp_path, plan(), again).resumed == 7
    assert [job.ordinal for job in again.ran] == [2]


def test_the_facts_count_every_trial_and_name_the_best(tmp_path: Path) -> None:
    ground, made, book = stretch(200, 5), plan(), TrialBook(tmp_path / "trials.jsonl")
    earlier = plan("fast=4", "slow=9,11")
    explored(tmp_path / "earlier", earlier, ground=ground)
    (tmp_path / "earlier" / "trials.jsonl").rename(tmp_path / "trials.jsonl")
    found = explored(tmp_path, made, ground=ground)
    facts = sweep_facts(made, ground, found, tmp_path / "out", book)
    assert (facts["points"], facts["done"], facts["refused"]) == (8, 6, 2)
    assert facts["luck"]["trials"] == 8
    scores = [each["score"] for each in facts["top"]]
    assert scores == sorted(scores, reverse=True)
    assert facts["best"] == facts["top"][0]
    assert facts["luck"]["told_from_luck"] is False
    assert json.loads(json.dumps(facts)) == facts


def test_a_sweep_without_a_point_to_choose_is_an_error(tmp_path: Path) -> None:
    ground, made = stretch(200, 5), plan("fast=30", "slow=10,20")
    found = explored(tmp_path, made, ground=ground)
    with pytest.raises(StrategyError, match="no point to choose") as caught:
        sweep_facts(made, ground, found, tmp_path / "out", TrialBook(tmp_path / "trials.jsonl"))
    assert "lengths of the means" in caught.value.found


WALK = WalkForward(60, 30, 30)


def walked(folder: Path, ground: Any, made: Plan, walk: WalkForward = WALK) -> dict[str, Any]:
    return walk_forward(
        made, ground, walk, folder / "walk", executor=Here(), book=TrialBook(folder / "trials.jsonl"),
        progress=lambda *_: None, with_baselines=False,
    )  # fmt: skip


def test_a_walk_forward_joins_its_tests_and_tells_what_was_lost(tmp_path: Path) -> None:
    ground = stretch(220, 5, first=20)
    facts = walked(tmp_path, ground, plan())
    assert len(facts["folds"]) == 5
    assert facts["from"] == facts["folds"][0]["test"][0]
    assert facts["to"] == facts["folds"][-1]["test"][1]
    for fold in facts["folds"]:
        assert fold["train"][1] < fold["test"][0]
        assert fold["chosen"]["parameters"].keys() == {"fast", "slow"}
    inside = np.mean([fold["chosen"]["score"] for fold in facts["folds"]])
    outside = np.mean([fold["test_score"] for fold in facts["folds"]])
    assert facts["decay"]["in_sample"] == pytest.approx(inside)
    assert facts["decay"]["lost"] == pytest.approx(inside - outside)
    returns = np.load(tmp_path / "walk" / "returns_oos.npy")
    assert len(returns) == facts["out_of_sample"]["sessions"] == 140
    assert np.prod(1 + returns) - 1 == pytest.approx(facts["out_of_sample"]["total_return"])
    assert (tmp_path / "walk" / "report.html").stat().st_size > 10_000
    assert json.loads((tmp_path / "walk" / "walk.json").read_text())["decay"] == facts["decay"]
    assert len(TrialBook(tmp_path / "trials.jsonl").trials()) == 5 * 6
    again = walked(tmp_path, ground, plan())
    assert all(fold["resumed"] == 8 for fold in again["folds"])
    assert again["out_of_sample"] == facts["out_of_sample"]
    with pytest.raises(ConfigError, match="begun with another"):
        walked(tmp_path, ground, plan(), WalkForward(60, 20, 20))


def test_a_fold_without_a_choice_stays_in_cash_and_one_without_any_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="no point to choose"):
        walked(tmp_path, stretch(220, 5, first=20), plan("fast=30", "slow=10"))


@pytest.mark.parametrize("strategy", ["sma_cross", "reversal_5"])
@given(fold=st.integers(0, 2), seed=st.integers(0, 1_000))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bar_after_a_train_window_changes_what_is_chosen_on_it(
    tmp_path_factory: pytest.TempPathFactory, strategy: str, fold: int, seed: int
) -> None:
    axes = GRID if strategy == "sma_cross" else ("look_back=2,5,9", "top=1,2,3")
    made = plan(*axes, strategy=strategy)
    known = daily_panel(160, 5, seed)
    cut = folds_of(known.days, 20, WALK)[fold].train[1]
    other = daily_panel(160, 5, seed, shock_from=cut)
    assert (known.close[cut:] != other.close[cut:]).any()
    assert (known.close[:cut] == other.close[:cut]).all()
    sides = []
    for panel in (known, other):
        folder = tmp_path_factory.mktemp("walk")
        facts = walked(folder, stretch_on(panel, 20), made)
        sides.append([(each["chosen"], each["done"]) for each in facts["folds"][: fold + 1]])
    assert sides[0] == sides[1]
