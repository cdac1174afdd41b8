"""Words: never more than the examinations carry."""

import dataclasses
import math

import numpy as np
import pytest

from haetae.backtest import ReportNotes, Trials, compare, figures, gather, html, measure, stress
from haetae.backtest.evidence import Evidence
from haetae.backtest.verdict import checks, verdict
from runs import run_of

RNG = np.random.default_rng(5)
NOISE = RNG.normal(0, 0.01, 400)
GOOD = run_of(NOISE * 0.2 + 0.002 + 1e-3 * RNG.normal(size=400), "good")
INDEX = run_of(NOISE, "index")


def _all_made(run=GOOD, index=INDEX, **other):
    returns = RNG.normal(0, 0.01, (401, 8))
    returns[:, 3] = run.daily_returns()
    made = {
        "trials": Trials.from_returns(returns),
        "dice": np.random.default_rng(1),
        "stress": stress(lambda _cost, _delay: run),
    }
    return gather(run, [index], **(made | other))


def _said(run, index, evidence=None, **notes):
    found = figures(run, [index], ReportNotes(**notes), evidence)
    return found["verdict"]["ko"], {one["key"]: one["passed"] for one in found["checks"]}


def test_even_what_passes_everything_is_only_not_refuted():
    said, passed = _said(GOOD, INDEX, _all_made())
    assert set(passed.values()) == {True}
    assert "반증하지 못했습니다" in said and "앞날의 수익을 뜻하지는 않습니다" in said


def test_a_gain_nobody_examined_is_no_ground():
    said, passed = _said(GOOD, INDEX)
    assert "낫습니다" in said and "하지 않은 검사" in said and "반증하지 못했습니다" not in said
    assert [key for key, one in passed.items() if one is not None] == ["excess"]


@pytest.mark.parametrize(
    ("key", "spoilt"),
    [
        ("deflated_sharpe", {"trials": Trials.counted(10**9, 0.3)}),
        ("costs", {"stress": stress(lambda cost, _: run_of(np.full(400, -0.01 if cost == 2_000_000 else 0.01)))}),
        ("delay", {"stress": stress(lambda _, delay: run_of(np.full(400, -0.01 if delay == 1 else 0.01)))}),
        ("overfitting", {"trials": Trials.from_returns(np.random.default_rng(6).normal(0, 0.01, (401, 8)))}),
    ],
)
def test_one_failed_examination_takes_the_ground_away(key, spoilt):
    said, passed = _said(GOOD, INDEX, _all_made(**spoilt))
    assert passed[key] is False
    assert "통과하지 못한 검사" in said and "반증하지 못했습니다" not in said


def test_an_interval_that_holds_zero_fails():
    weak = run_of(NOISE + 0.0002 * RNG.normal(size=400), "weak")
    _, passed = _said(weak, INDEX, _all_made(run=weak))
    assert passed["interval"] is False


def test_luck_is_not_called_a_gain():
    same = run_of(NOISE[:100] + 1e-5 * RNG.normal(size=100))
    said, _ = _said(same, run_of(NOISE[:100], "b"), _all_made())
    assert "구별되지 않습니다" in said and "낫습니다" not in said
    assert "못합니다" in _said(run_of(NOISE[:100] - 0.002 + 1e-4 * RNG.normal(size=100)), run_of(NOISE[:100], "b"))[0]


def test_a_run_equal_to_its_benchmark_cannot_be_told_from_it():
    said, passed = _said(INDEX, dataclasses.replace(INDEX, name="same"))
    assert "구별되지 않습니다" in said and "nan" not in said and passed["excess"] is False


@pytest.mark.parametrize(("notes", "bound"), [({"synthetic": True}, False), ({}, True)])
def test_what_is_not_real_is_no_evidence_however_good(notes, bound):
    said, _ = _said(dataclasses.replace(GOOD, bound=bound), INDEX, _all_made(), **notes)
    assert "근거가 아닙니다" in said and "반증하지 못했습니다" not in said


def test_a_short_record_fails_whatever_its_ratio():
    short = run_of(np.full(100, 0.002) + 1e-3 * RNG.normal(size=100), "short")
    evidence = Evidence(deflated=gather(short, [INDEX], trials=Trials.from_sharpes([0.1])).deflated)
    record = next(one for one in checks(measure(short), compare(short, INDEX), evidence) if one.key == "record")
    assert record.passed is False and "252" in record.found.ko


def test_a_count_alone_is_deflated_by_the_spread_of_chance():
    run = run_of(NOISE + 0.0015)
    many = figures(run, [INDEX], ReportNotes(trials=200))
    assert (
        many["deflated_sharpe"]["probability"]
        < figures(run, [INDEX], ReportNotes(trials=1))["deflated_sharpe"]["probability"]
    )
    assert "분산을 몰라" in " ".join(one["ko"] for one in many["warnings"])
    told = figures(run, [INDEX], ReportNotes(trials=200, trial_sharpe_sd=0.01))
    assert (
        told["deflated_sharpe"]["spread_known"]
        and told["deflated_sharpe"]["hurdle"] < many["deflated_sharpe"]["hurdle"]
    )


def test_trials_of_the_evidence_go_before_those_of_the_notes():
    found = figures(GOOD, [INDEX], ReportNotes(trials=3), _all_made())
    assert found["trials"] == 8


def test_the_verdict_is_about_the_best_benchmark_that_does_not_know_the_future():
    bound = dataclasses.replace(run_of(np.full(30, 0.05), "seer"), bound=True)
    page = html(run_of(np.zeros(30)), [run_of(np.full(30, -0.01), "b"), run_of(np.full(30, 0.01), "a"), bound], "t")
    assert "가장 나은 비교 대상(a)" in page


def test_both_languages_say_the_same_figures():
    against = compare(GOOD, INDEX)
    told = verdict(GOOD, INDEX, against, ReportNotes(), checks(measure(GOOD), against, _all_made()))
    for text in (told.ko, told.en):
        assert f"t = {against.t_excess:.2f}" in text and f"{100 * against.excess_return:+.2f}" in text
    assert math.isfinite(against.t_excess)


def test_an_index_is_said_to_be_one():
    account = dataclasses.replace(INDEX, name="account", assumptions={})
    told = [one["ko"] for one in figures(GOOD, [INDEX, account])["warnings"] if "지수입니다" in one["ko"]]
    assert len(told) == 1 and told[0].startswith("index")
