import numpy as np
import pytest

from haetae.policies.network import forward, new_weights
from haetae.rl.gradients import Adam, Batch, log_probability, loss_and_gradient

SETTINGS = {"clip": 0.2, "value_weight": 0.5, "entropy_weight": 0.01}


def _case(seed=0, rows=7, symbols=5, inputs=6, hidden=4):
    rng = np.random.default_rng(seed)
    weights = new_weights(inputs, hidden, rng, score_bias=-0.3, log_std=-0.4)
    weights = {k: (v + 0.3 * rng.standard_normal(v.shape)).astype(np.float64) for k, v in weights.items()}
    observation = rng.standard_normal((rows, symbols, inputs))
    scores = forward(weights, observation).scores
    actions = scores + 0.7 * rng.standard_normal(scores.shape)
    old = log_probability(actions, scores, weights["log_std"]) + 0.3 * rng.standard_normal(scores.shape)
    active = (rng.random(scores.shape) < 0.8).astype(np.float64)
    return weights, Batch(
        observation, actions, old, rng.standard_normal(scores.shape), rng.standard_normal(scores.shape), active
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_gradient_equals_finite_differences(seed):
    weights, batch = _case(seed)
    _, gradient = loss_and_gradient(weights, batch, **SETTINGS)
    assert set(gradient) == set(weights)
    step = 1e-6
    for name, value in weights.items():
        numeric = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            kept = value[place]
            value[place] = kept + step
            up = loss_and_gradient(weights, batch, **SETTINGS)[0].total
            value[place] = kept - step
            down = loss_and_gradient(weights, batch, **SETTINGS)[0].total
            value[place] = kept
            numeric[place] = (up - down) / (2 * step)
        assert np.allclose(gradient[name], numeric, rtol=1e-5, atol=1e-8), name


def test_nothing_is_learned_from_symbols_that_could_not_trade():
    weights, batch = _case()
    still = Batch(
        batch.observation, batch.actions, batch.log_prob, batch.advantages, batch.returns, np.zeros_like(batch.active)
    )
    _, gradient = loss_and_gradient(weights, still, clip=0.2, value_weight=0.5, entropy_weight=0.0)
    assert all(not g.any() for g in gradient.values())


def test_adam_follows_its_definition_and_limits_the_norm():
    weights = {"a": np.array([1.0, -2.0])}
    adam = Adam.of(weights)
    norm = adam.apply(weights, {"a": np.array([3.0, 4.0])}, rate=0.1, max_gradient=1.0)
    assert norm == 5.0
    scaled = np.array([0.6, 0.8])
    m, v = 0.1 * scaled / 0.1, 0.001 * scaled**2 / 0.001
    assert np.allclose(weights["a"], np.array([1.0, -2.0]) - 0.1 * m / np.sqrt(v), atol=1e-6)
