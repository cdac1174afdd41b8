import warnings
from itertools import pairwise

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from haetae.backtest import BacktestSettings, run_policy
from haetae.features import minute
from haetae.policies import NetPolicy
from haetae.policies.actions import ActionMap
from haetae.policies.artefact import NetArtefact
from haetae.policies.network import forward, new_weights
from haetae.policies.observe import Scaler, observation_names
from haetae.rl.accounts import Accounts, Group
from haetae.rl.data import decision_rows, prepare_window, split_sessions
from haetae.rl.env import TradingEnv
from haetae.rl.settings import EnvSettings
from panels import minute_panel

SETTINGS = EnvSettings(episode_sessions=2, limits=ActionMap(max_weight=0.3, gross=0.9, band=0.01, turnover_cap=0.5))


@pytest.fixture(scope="module")
def material():
    panel = minute_panel(4, 6, seed=3, volume=8_000)
    features = minute.batch(panel)
    scaler = Scaler.fit(features)
    return panel, features, scaler, prepare_window(panel, features, scaler, SETTINGS)


def test_rewards_add_up_to_the_return_of_the_account_to_the_won(material):
    window = material[3]
    group = Group(window, SETTINGS, 3)
    rng = np.random.default_rng(1)
    group.reset(1)
    ended = False
    while not ended:
        before = group.equity.copy()
        rewards, ended = group.step(rng.normal(-1, 1.5, (3, 6)))
        returns = (group.equity - before) / before
        assert np.allclose(rewards.sum(axis=1) * group.reward_unit, returns, atol=1e-7)
    fees, taxes = group.costs
    assert (fees > 0).all() and (taxes > 0).all()
    assert group.row == window.last_rows[2]


def test_actions_matter(material):
    group = Group(material[3], SETTINGS, 2)
    group.reset(0)
    for _ in range(5):
        group.step(np.array([[8.0] * 6, [-8.0] * 6]))
    assert group.equity[0] != group.equity[1] == SETTINGS.cash


def test_an_observation_does_not_change_when_the_future_does(material):
    _panel, _features, scaler, window = material
    mixed = minute_panel(4, 6, seed=3, volume=8_000, shock_from=int(window.rows[8]) + 1)
    altered = prepare_window(mixed, minute.batch(mixed), scaler, SETTINGS)
    one, two = Group(window, SETTINGS, 1), Group(altered, SETTINGS, 1)
    one.reset(0)
    two.reset(0)
    scores = np.random.default_rng(2).normal(-1, 1.5, (9, 1, 6))
    for place in range(9):
        a, b = one.observe()[0], two.observe()[0]
        assert a.tobytes() == b.tobytes(), place
        rewards = one.step(scores[place])[0], two.step(scores[place])[0]
    assert not np.array_equal(*rewards)


def test_training_accounts_and_a_backtest_of_the_same_net_agree_to_the_won(material):
    panel, features, scaler, window = material
    names = minute.NAMES
    weights = new_weights(len(observation_names(names)), 8, np.random.default_rng(5), score_bias=-0.5, log_std=-1.0)
    weights["ws"] *= 20
    net = NetArtefact(weights, scaler, names, SETTINGS.limits)
    whole = EnvSettings(episode_sessions=4, limits=SETTINGS.limits)
    group = Group(window, whole, 1)
    group.reset(0)
    path, ended = [], False
    while not ended:
        _, ended = group.step(forward(weights, group.observe()[0]).scores)
        path.append((group.row, int(group.equity[0])))
    result = run_policy(
        panel,
        NetPolicy(net, "net"),
        decision_rows(panel, whole),
        name="net",
        features=features,
        feature_names=names,
        settings=BacktestSettings(cash=whole.cash, min_order_won=0, cash_floor_ppm=0),
    )
    assert result.orders > 20
    assert [(row, int(result.equity[row])) for row, _ in path] == path


def test_many_groups_repeat_with_the_seed(material):
    def trace(seed):
        rng = np.random.default_rng(seed)
        env = Accounts(material[3], SETTINGS, groups=2, accounts=2)
        told = [env.reset(rng)[0]]
        for _ in range(40):
            seen, active, rewards, ends = env.step(rng.normal(-1, 1, (4, 6)), rng)
            told += [seen, active, rewards, ends]
        return b"".join(np.ascontiguousarray(x).tobytes() for x in told)

    assert trace(1) == trace(1) != trace(2)


def test_gymnasium_accepts_the_environment(material):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on bounds; failures are assertions
        check_env(TradingEnv(material[3], SETTINGS), skip_render_check=True)


def test_an_episode_ends_as_a_truncation_after_its_sessions(material):
    env = TradingEnv(material[3], SETTINGS)
    _, first = env.reset(seed=1, options={"session": 0})
    truncated, steps = False, 0
    while not truncated:
        _, _, terminated, truncated, info = env.step(np.full(6, -8.0, np.float32))
        steps += 1
        assert not terminated
    assert info["equity"] == first["equity"] and info["row"] == material[3].last_rows[1]
    assert steps == int((material[3].session_of <= 1).sum())


def test_sessions_are_split_whole_and_in_order():
    panel = minute_panel(7, 2, seed=1)
    edges = split_sessions(panel, (0.6, 0.2, 0.2))
    assert edges[0][0] == 0 and edges[-1][1] == len(panel)
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    assert [len(panel.rows(*e).sessions()) for e in edges] == [4, 1, 2]
    with pytest.raises(ValueError):
        split_sessions(panel.rows(0, 381), (0.5, 0.5))
