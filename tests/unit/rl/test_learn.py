"""Falsification: an agent that cannot find a leak is broken, and one that finds gold in noise is worse."""

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest

from haetae.backtest import Listing, run_policy
from haetae.features import minute
from haetae.krx import FeeSchedule
from haetae.policies import NetPolicy
from haetae.policies.actions import ActionMap
from haetae.policies.artefact import MANIFEST_FILE
from haetae.rl import EnvSettings, LearnSettings, Material, PpoSettings, learn
from haetae.rl.data import decision_rows
from panels import minute_panel

LIMITS = ActionMap(max_weight=0.5, gross=0.98, band=0.02, turnover_cap=1.0)
SETTINGS = LearnSettings(
    env=EnvSettings(episode_sessions=1, limits=LIMITS),
    ppo=PpoSettings(updates=80, horizon=12, hidden=16, score_bias=-1.0, learning_rate=1e-2, log_std=0.0),
    parts=(0.6, 0.2, 0.2),
)


def _learn(panel, features, names, settings=SETTINGS, seeds=(1,), tell=None):
    generators = {seed: np.random.default_rng(seed) for seed in seeds}
    return learn(Material(panel, features, names), generators, np.random.default_rng(0), settings, tell=tell)


def _leak(panel, settings):
    rows = decision_rows(panel, settings.env)
    coming = np.zeros((*panel.close.shape, 1), np.float32)
    for row, following in pairwise(rows):
        coming[row, :, 0] = np.log(panel.close[following] / panel.close[row])
    return coming


@pytest.fixture(scope="module")
def wild():
    return minute_panel(15, 6, seed=8, volatility=0.003, volume=400_000)


@pytest.fixture(scope="module")
def leaked(wild):
    return _learn(wild, _leak(wild, SETTINGS), ("coming",))


def test_an_agent_given_the_future_earns_a_good_part_of_what_it_is_worth(leaked):
    test = leaked.figures["test"]
    bound = test["baselines"]["미래를 아는 상한선 (불가능)"]["total_return"]
    assert bound > 0.2
    assert test["policy"]["total_return"] > 0.5 * bound
    assert test["better_than_best"] and test["t_excess"] is not None


def test_an_agent_given_noise_finds_no_gold(wild):
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((*wild.close.shape, 3)).astype(np.float32)
    learned = _learn(wild, noise, ("a", "b", "c"))
    bound = learned.figures["test"]["baselines"]["미래를 아는 상한선 (불가능)"]["total_return"]
    assert learned.figures["test"]["policy"]["total_return"] < 0.1 * bound
    assert learned.figures["test"]["excess_over_best"] < 0.1 * bound


def test_the_same_policy_earns_less_the_more_it_pays(wild, leaked):
    policy = NetPolicy.from_files(leaked.files)
    ends = [
        run_policy(
            wild,
            policy,
            decision_rows(wild, SETTINGS.env),
            name="x",
            features=_leak(wild, SETTINGS),
            feature_names=("coming",),
            listing=Listing(fees=FeeSchedule(fee_ppb=fee)),
        ).equity[-1]
        for fee in (0, 500_000, 2_000_000)
    ]
    assert ends[0] > ends[1] > ends[2]


def test_figures_name_every_seed_every_baseline_and_travel_with_the_policy():
    panel = minute_panel(6, 5, seed=2)
    quick = dataclasses.replace(SETTINGS, ppo=dataclasses.replace(SETTINGS.ppo, updates=2))
    told = []
    learned = _learn(panel, minute.batch(panel), minute.NAMES, quick, (3, 4), lambda *line: told.append(line))
    figures = learned.figures
    assert figures["seeds"] == [3, 4] and figures["trials"] == 2 and figures["chosen_seed"] in (3, 4)
    assert set(figures["test"]["per_seed"]) == {"3", "4"}
    assert len(figures["test"]["baselines"]) == 5
    spans = figures["windows"]
    assert spans["train"]["to"] < spans["validation"]["from"] <= spans["validation"]["to"] < spans["test"]["from"]
    assert json.loads(learned.files[MANIFEST_FILE])["provenance"] == json.loads(json.dumps(figures))
    assert [line[0] for line in told] == ["train seed 3"] * 2 + ["train seed 4"] * 2 + ["evaluate"] * 2
    again = _learn(panel, minute.batch(panel), minute.NAMES, quick, (3, 4))
    assert again.files == learned.files and again.card == learned.card
    assert learned.card.model_id == NetPolicy.from_files(learned.files, minute.NAMES).policy_id


def test_scores_bring_the_rank_policy_among_the_baselines():
    panel = minute_panel(5, 6, seed=2)
    quick = dataclasses.replace(SETTINGS, ppo=dataclasses.replace(SETTINGS.ppo, updates=1))
    scores = np.arange(6, dtype=np.float32)[None]
    material = Material(panel, minute.batch(panel), minute.NAMES, scores)
    learned = learn(material, {1: np.random.default_rng(1)}, np.random.default_rng(0), quick)
    names = [run.name for run in learned.test_benchmarks]
    assert names[-2] == "모델 점수 순위 정책" and learned.test_benchmarks[-1].bound
    assert learned.test_benchmarks[-2].bought[-1] > 0


def test_choice_uses_validation_and_never_the_test():
    panel = minute_panel(6, 5, seed=2)
    quick = dataclasses.replace(SETTINGS, ppo=dataclasses.replace(SETTINGS.ppo, updates=2))
    learned = _learn(panel, minute.batch(panel), minute.NAMES, quick, (3, 4, 5))
    by_validation = {int(seed): one["total_return"] for seed, one in learned.figures["validation"]["per_seed"].items()}
    assert learned.figures["chosen_seed"] == max(by_validation, key=by_validation.get)
