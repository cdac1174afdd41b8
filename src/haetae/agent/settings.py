"""Settings of the agent's review, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass

MIN_CONFIDENCE_FLOOR = 0.5
"""Configuration cannot lower the gate below a coin toss."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """How a reply is asked for and what it must reach."""

    min_confidence: float = 0.65
    """Entries need at least this (guard G23); raw words of a model are over-confident, so not lower."""

    ttl_s: int = 60
    """A reply older than a minute bar speaks about another market."""

    max_bytes: int = 65_536
    """A decision has a few hundred bytes; more is an attack or a fault."""

    max_depth: int = 6
    """The schema is three levels deep."""

    nonce_salt: str = "haetae"
    """Mixed into the echo word of each question, so that an answer to another question does not fit."""

    mode: str = "paper"
    """Told to the model: backtest, paper, shadow or live. It changes nothing else."""

    def __post_init__(self) -> None:
        """Refuse a gate that is none."""
        if not MIN_CONFIDENCE_FLOOR <= self.min_confidence <= 1.0:
            raise ValueError(f"min_confidence {self.min_confidence} is not in [{MIN_CONFIDENCE_FLOOR}, 1]")
