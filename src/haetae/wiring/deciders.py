"""Who reviews a leg and who looks back: a language model where one is configured, else none."""

from __future__ import annotations

from collections.abc import Mapping

from haetae.ports import Clock, Critic, Decider


def open_decider(env: Mapping[str, str], clock: Clock) -> Decider | None:
    """Return the configured model as a decider; ``None`` where ``HAETAE_LLM_BASE_URL`` is not set."""
    return None


def open_critic(env: Mapping[str, str], clock: Clock) -> Critic | None:
    """Return the configured model as a critic; ``None`` where ``HAETAE_LLM_BASE_URL`` is not set."""
    return None
