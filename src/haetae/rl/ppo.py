"""PPO in plain numpy: one file, one loop, the same numbers for the same seed.

Roll out the policy in all environments, estimate how much better each symbol's score did than the
critic expected (one advantage per symbol, because rewards add up over symbols exactly), then take
a few clipped gradient steps. Not here: the environment (``vector``), the mathematics (``gradients``),
what is made of the result (``train``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from haetae.policies.network import FloatBlock, Weights, forward, new_weights
from haetae.rl.gradients import Adam, Batch, LossParts, log_probability, loss_and_gradient
from haetae.rl.settings import PpoSettings

Progress: TypeAlias = Callable[[int, int, "UpdateNote"], None]


class ManyAccounts(Protocol):
    """What training needs of an environment: ``N`` accounts, ``S`` symbols, ``K`` columns."""

    def reset(self, rng: np.random.Generator) -> tuple[FloatBlock, FloatBlock]:
        """Start all episodes; return observation ``(N, S, K)`` and active mask ``(N, S)``."""
        ...

    def step(
        self, scores: FloatBlock, rng: np.random.Generator
    ) -> tuple[FloatBlock, FloatBlock, FloatBlock, FloatBlock]:
        """Act; return observation, active mask, rewards ``(N, S)`` and ends ``(N,)`` (1 where an episode ended)."""
        ...


@dataclass(frozen=True, slots=True)
class UpdateNote:
    """Figures of one update: mean reward of a decision (summed over symbols) and parts of the last loss."""

    update: int
    decisions: int
    mean_reward: float
    loss: LossParts
    noise: float
    gradient_norm: float


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """``T`` decisions of ``N`` accounts; ``last_values`` is the critic's view after the last one."""

    observation: FloatBlock
    active: FloatBlock
    actions: FloatBlock
    log_prob: FloatBlock
    values: FloatBlock
    rewards: FloatBlock
    ends: FloatBlock
    last_values: FloatBlock


def advantages(rollout: Rollout, discount: float, smoothing: float) -> tuple[FloatBlock, FloatBlock]:
    """Return generalised advantages and returns, each ``(T, N, S)`` (Schulman et al. 2016)."""
    result = np.zeros_like(rollout.rewards)
    carry = np.zeros_like(rollout.last_values)
    following = rollout.last_values
    for t in range(len(result) - 1, -1, -1):
        alive = (1.0 - rollout.ends[t])[:, None].astype(result.dtype)
        surprise = rollout.rewards[t] + discount * following * alive - rollout.values[t]
        carry = surprise + discount * smoothing * alive * carry
        result[t] = carry
        following = rollout.values[t]
    return result, result + rollout.values


def _roll_out(
    env: ManyAccounts,
    weights: Weights,
    start: tuple[FloatBlock, FloatBlock],
    settings: PpoSettings,
    rng: np.random.Generator,
) -> tuple[Rollout, tuple[FloatBlock, FloatBlock]]:
    observation, active = start
    kept: list[tuple[FloatBlock, ...]] = []
    for _ in range(settings.horizon):
        run = forward(weights, observation)
        noise = rng.standard_normal(run.scores.shape, dtype=np.float32)
        actions = run.scores + np.exp(weights["log_std"]) * noise
        log_prob = log_probability(actions, run.scores, weights["log_std"])
        following, following_active, rewards, ends = env.step(actions, rng)
        kept.append((observation, active, actions, log_prob, run.values, rewards, ends))
        observation, active = following, following_active
    seen, on, drawn, log_probs, values, rewards, ends = (np.stack(column) for column in zip(*kept, strict=True))
    last_values = forward(weights, observation).values
    return Rollout(seen, on, drawn, log_probs, values, rewards, ends, last_values), (observation, active)


def _batches(rollout: Rollout, settings: PpoSettings) -> Batch:
    advantage, returns = advantages(rollout, settings.discount, settings.smoothing)
    on = rollout.active > 0
    centre, spread = (float(advantage[on].mean()), float(advantage[on].std())) if on.any() else (0.0, 1.0)
    advantage = (advantage - centre) / (spread + 1e-8)

    def flat(block: FloatBlock) -> FloatBlock:
        return block.reshape(-1, *block.shape[2:]).astype(np.float32, copy=False)

    return Batch(
        observation=flat(rollout.observation),
        actions=flat(rollout.actions),
        log_prob=flat(rollout.log_prob),
        advantages=flat(advantage),
        returns=flat(returns),
        active=flat(rollout.active),
    )


def train(
    env: ManyAccounts,
    inputs: int,
    settings: PpoSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> tuple[Weights, list[UpdateNote]]:
    """Train a net from nothing and return its weights and the story of the training.

    Parameters
    ----------
    env : ManyAccounts
        Environments that act together.
    inputs : int
        Columns of the observation.
    rng : numpy Generator
        The only source of chance; the same state gives the same weights bit for bit on one machine.
    progress : callable, optional
        Called after each update with (updates done, updates in all, note).
    """
    weights = new_weights(inputs, settings.hidden, rng, score_bias=settings.score_bias, log_std=settings.log_std)
    adam = Adam.of(weights)
    state = env.reset(rng)
    notes: list[UpdateNote] = []
    decisions = 0
    for update in range(settings.updates):
        rollout, state = _roll_out(env, weights, state, settings, rng)
        batch = _batches(rollout, settings)
        done = update / max(settings.updates - 1, 1)
        rate = settings.learning_rate + (settings.final_rate - settings.learning_rate) * done
        size = len(batch.actions)
        for _ in range(settings.epochs):
            for part in np.array_split(rng.permutation(size), settings.minibatches):
                piece = Batch(*(getattr(batch, name)[part] for name in Batch.__slots__))
                loss, gradient = loss_and_gradient(
                    weights,
                    piece,
                    clip=settings.clip,
                    value_weight=settings.value_weight,
                    entropy_weight=settings.entropy_weight,
                )
                norm = adam.apply(weights, gradient, rate, settings.max_gradient)
        decisions += size
        reward = float(rollout.rewards.sum(axis=-1).mean())
        notes.append(UpdateNote(update + 1, decisions, reward, loss, float(np.exp(weights["log_std"][0])), norm))
        if progress is not None:
            progress(update + 1, settings.updates, notes[-1])
    return weights, notes
