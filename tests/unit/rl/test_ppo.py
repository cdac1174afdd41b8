import numpy as np

from haetae.policies.network import forward
from haetae.rl.ppo import Rollout, advantages, train
from haetae.rl.settings import PpoSettings


class Signs:
    """A toy with a known answer: the reward of a symbol is its score, clipped, times its first column."""

    def __init__(self, accounts=16, symbols=5):
        self.shape = (accounts, symbols)

    def _next(self, rng):
        self.seen = rng.standard_normal((*self.shape, 3)).astype(np.float32)
        return self.seen, np.ones(self.shape, np.float32)

    def reset(self, rng):
        return self._next(rng)

    def step(self, scores, rng):
        rewards = (np.clip(scores, -1, 1) * self.seen[..., 0]).astype(np.float32)
        return *self._next(rng), rewards, np.ones(self.shape[0], np.float32)


SETTINGS = PpoSettings(
    updates=25, horizon=16, hidden=8, epochs=4, minibatches=2, score_bias=0.0, learning_rate=1e-2, final_rate=1e-3
)


def test_training_finds_the_known_answer():
    weights, notes = train(Signs(), 3, SETTINGS, np.random.default_rng(0))
    rows = np.random.default_rng(9).standard_normal((200, 5, 3)).astype(np.float32)
    scores = np.clip(forward(weights, rows).scores, -1, 1)
    best = np.abs(rows[..., 0]).mean()
    assert (scores * rows[..., 0]).mean() > 0.85 * best
    assert notes[-1].mean_reward > notes[0].mean_reward
    assert notes[-1].noise < notes[0].noise


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    short = PpoSettings(updates=3, horizon=8, hidden=8, epochs=2, minibatches=2)
    told = []
    one, _ = train(Signs(), 3, short, np.random.default_rng(5), lambda done, of, note: told.append((done, of)))
    two, _ = train(Signs(), 3, short, np.random.default_rng(5))
    other, _ = train(Signs(), 3, short, np.random.default_rng(6))
    assert all(one[k].tobytes() == two[k].tobytes() for k in one)
    assert any(one[k].tobytes() != other[k].tobytes() for k in one)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_advantages_equal_the_sum_written_out():
    rng = np.random.default_rng(1)
    steps, accounts, symbols = 6, 2, 3
    rewards, values = rng.standard_normal((2, steps, accounts, symbols))
    last = rng.standard_normal((accounts, symbols))
    ends = np.zeros((steps, accounts))
    ends[2, 0] = 1.0
    blank = np.zeros_like(rewards)
    rollout = Rollout(blank, blank, blank, blank, values, rewards, ends, last)
    result, returns = advantages(rollout, discount=0.9, smoothing=0.8)
    following = np.concatenate([values[1:], last[None]])
    alive = (1 - ends)[..., None]
    surprise = rewards + 0.9 * following * alive - values
    for t in range(steps):
        total, factor = np.zeros((accounts, symbols)), np.ones((accounts, 1))
        for later in range(t, steps):
            total += factor * surprise[later]
            factor = factor * 0.9 * 0.8 * alive[later]
        assert np.allclose(result[t], total)
    assert np.allclose(returns, result + values)
