"""Settings of training; lengths in bars, sessions or decisions, ratios without unit."""

from __future__ import annotations

from dataclasses import dataclass, field

from haetae.domain.units import Won
from haetae.policies.actions import ActionMap


@dataclass(frozen=True, slots=True)
class EnvSettings:
    """How an episode runs.

    Attributes
    ----------
    decision_minutes : int
        Bars from one decision to the next. 30: a round trip costs about 0.25 %, more than most
        names move in fewer minutes.
    begin_minute, end_minute : int
        First and last minute of the session that may decide; 5 and 370 are 09:05 and 15:10.
    episode_sessions : int
        Length of an episode. 2: one night is part of what the policy must learn to bear.
    work_bars : int
        Bars in which an unfinished decision is re-ordered. 5, as in a backtest.
    cash : won
        Cash at the start of an episode.
    limits : ActionMap
        From scores to weights.
    """

    decision_minutes: int = 30
    begin_minute: int = 5
    end_minute: int = 370
    episode_sessions: int = 2
    work_bars: int = 5
    cash: Won = 100_000_000
    limits: ActionMap = field(default_factory=ActionMap)


@dataclass(frozen=True, slots=True)
class PpoSettings:
    """Proximal policy optimisation (Schulman et al. 2017) with one advantage per symbol.

    Attributes
    ----------
    updates : int
        Rollouts with an optimisation each.
    horizon : int
        Decisions per environment and rollout.
    groups, accounts : int
        Environments are ``groups`` start points in time with ``accounts`` accounts each.
    hidden : int
        Width of the net. 32: thousands of weights, not hundreds of thousands; the data is small.
    epochs, minibatches : int
        Passes over a rollout, and pieces per pass.
    discount, smoothing : float
        Gamma and lambda of the advantage estimate. 0.95: about twenty decisions ahead.
    clip : float
        How far a probability may move before its gradient is cut.
    learning_rate, final_rate : float
        Adam's step at the start and the end, linear in between.
    value_weight, entropy_weight : float
        Weights of the critic's loss and of the exploration bonus.
    max_gradient : float
        Global norm above which gradients are scaled down.
    score_bias, log_std : float
        First score of every symbol and first exploration noise (logarithm).
    """

    updates: int = 60
    horizon: int = 24
    groups: int = 8
    accounts: int = 4
    hidden: int = 32
    epochs: int = 4
    minibatches: int = 4
    discount: float = 0.95
    smoothing: float = 0.9
    clip: float = 0.2
    learning_rate: float = 3e-3
    final_rate: float = 3e-4
    value_weight: float = 0.5
    entropy_weight: float = 1e-3
    max_gradient: float = 1.0
    score_bias: float = -1.5
    log_std: float = -0.7


@dataclass(frozen=True, slots=True)
class LearnSettings:
    """A whole training run.

    Attributes
    ----------
    parts : three floats
        Shares of the sessions for training, validation and test, in time order.
    """

    env: EnvSettings = field(default_factory=EnvSettings)
    ppo: PpoSettings = field(default_factory=PpoSettings)
    parts: tuple[float, float, float] = (0.6, 0.2, 0.2)
