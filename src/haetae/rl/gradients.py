"""Loss of PPO and its gradient for the net of ``policies.network``, by hand in numpy.

Every formula is checked against finite differences in float64 by the tests. The loss is a mean
over active (row, symbol) pairs, so its size does not depend on how many symbols trade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.policies.network import FloatBlock, Pass, Weights, forward

_LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows of a rollout, ``B`` rows of ``S`` symbols.

    Attributes
    ----------
    observation : (B, S, K)
    actions, log_prob, advantages, returns : (B, S)
        What was drawn, with which log-probability, and what came of it.
    active : (B, S)
        1 where the symbol could be traded, else 0: nothing is learned there.
    """

    observation: FloatBlock
    actions: FloatBlock
    log_prob: FloatBlock
    advantages: FloatBlock
    returns: FloatBlock
    active: FloatBlock


@dataclass(frozen=True, slots=True)
class LossParts:
    """Value of the loss and what it is made of; ``kl`` estimates how far the policy moved."""

    total: float
    policy: float
    value: float
    entropy: float
    clipped: float
    kl: float


def log_probability(actions: FloatBlock, scores: FloatBlock, log_std: FloatBlock) -> FloatBlock:
    """Return the log-density of each symbol's normal draw, same shape as ``scores``."""
    z = (actions - scores) * np.exp(-log_std)
    return -0.5 * z * z - log_std - np.asarray(0.5 * _LOG_2PI, scores.dtype)


def loss_and_gradient(
    weights: Weights, batch: Batch, *, clip: float, value_weight: float, entropy_weight: float
) -> tuple[LossParts, Weights]:
    """Return the PPO loss of a batch and its gradient with respect to every weight."""
    run = forward(weights, batch.observation)
    count = float(max(batch.active.sum(), 1.0))
    log_std = weights["log_std"]
    log_prob = log_probability(batch.actions, run.scores, log_std)
    ratio = np.exp(np.clip(log_prob - batch.log_prob, -20.0, 20.0))
    plain = ratio * batch.advantages
    cut = np.clip(ratio, 1.0 - clip, 1.0 + clip) * batch.advantages
    free = (plain <= cut) & (batch.active > 0)
    policy = -float((np.minimum(plain, cut) * batch.active).sum()) / count
    error = (run.values - batch.returns) * batch.active
    value = 0.5 * float((error * error).sum()) / count
    entropy = float(log_std[0]) + 0.5 * (1.0 + _LOG_2PI)
    parts = LossParts(
        total=policy + value_weight * value - entropy_weight * entropy,
        policy=policy,
        value=value,
        entropy=entropy,
        clipped=1.0 - float(free.sum()) / count,
        kl=float(((batch.log_prob - log_prob) * batch.active).sum()) / count,
    )
    to_log_prob = np.where(free, -plain, 0.0).astype(run.scores.dtype) / run.scores.dtype.type(count)
    z = (batch.actions - run.scores) * np.exp(-log_std)
    to_scores = to_log_prob * z * np.exp(-log_std)
    to_log_std = float((to_log_prob * (z * z - 1.0)).sum()) - entropy_weight
    to_values = error * run.scores.dtype.type(value_weight / count)
    gradient = backward(weights, batch.observation, run, to_scores, to_values)
    gradient["log_std"] = np.full_like(log_std, to_log_std)
    return parts, gradient


def backward(
    weights: Weights, observation: FloatBlock, run: Pass, to_scores: FloatBlock, to_values: FloatBlock
) -> Weights:
    """Return the gradient of every layer given the gradients at both heads, each ``(B, S)``."""
    rows, symbols, inputs = observation.shape
    hidden = run.second.shape[-1]
    flat_second = run.second.reshape(-1, hidden)
    to_second = to_scores[..., None] * weights["ws"] + to_values[..., None] * weights["wv"]
    to_second *= 1.0 - run.second * run.second
    flat = to_second.reshape(-1, hidden)
    per_row = to_second.sum(axis=1)
    to_first = (flat @ weights["w2"].T).reshape(rows, symbols, hidden)
    to_first += ((per_row @ weights["wc"].T) / symbols)[:, None, :].astype(to_first.dtype)
    to_first *= 1.0 - run.first * run.first
    flat_first = to_first.reshape(-1, hidden)
    return {
        "w1": observation.reshape(-1, inputs).T @ flat_first,
        "b1": flat_first.sum(axis=0),
        "w2": run.first.reshape(-1, hidden).T @ flat,
        "wc": run.context.T @ per_row,
        "b2": per_row.sum(axis=0),
        "ws": flat_second.T @ to_scores.ravel(),
        "bs": np.array([to_scores.sum()], dtype=to_scores.dtype),
        "wv": flat_second.T @ to_values.ravel(),
        "bv": np.array([to_values.sum()], dtype=to_values.dtype),
    }


@dataclass(slots=True, eq=False)
class Adam:
    """Adam (Kingma and Ba 2015) with gradients scaled down to a global norm; changes weights in place."""

    first: Weights
    second: Weights
    steps: int = 0

    @classmethod
    def of(cls, weights: Weights) -> Adam:
        """Start with zero moments."""
        return cls({k: np.zeros_like(v) for k, v in weights.items()}, {k: np.zeros_like(v) for k, v in weights.items()})

    def apply(self, weights: Weights, gradient: Weights, rate: float, max_gradient: float) -> float:
        """Make one step and return the gradient's norm before scaling."""
        norm = float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradient.values())))
        scale = min(1.0, max_gradient / max(norm, 1e-12))
        self.steps += 1
        correction = np.sqrt(1.0 - 0.999**self.steps) / (1.0 - 0.9**self.steps)
        for name, value in weights.items():
            g = gradient[name] * value.dtype.type(scale)
            self.first[name] += value.dtype.type(0.1) * (g - self.first[name])
            self.second[name] += value.dtype.type(0.001) * (g * g - self.second[name])
            step = rate * correction * self.first[name] / (np.sqrt(self.second[name]) + 1e-8)
            value -= step.astype(value.dtype)
        return norm
