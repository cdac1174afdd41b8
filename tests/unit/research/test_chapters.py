"""The first sentence of a report says no more than its figures carry."""

from __future__ import annotations

from typing import Any

import pytest

from haetae.research.chapters import verdict


def learned(*, t: float = 8.0, neutral_t: float = 5.0, net: float = 12.0, one_line: float = 4.0) -> dict[str, Any]:
    """Return the figures of a study with one model and one one-line score."""
    everyone = {"mean": 0.05, "t": t, "neutral_mean": 0.02, "neutral_t": neutral_t}
    return {
        "models": {"lightgbm": {"all": everyone, "decile": {"long_net_bp": net}}},
        "yardsticks": {"low_volatility_60": {"decile": {"long_net_bp": one_line}}},
    }


@pytest.mark.parametrize(
    ("figures", "said", "unsaid"),
    [
        (learned(), "After costs it beats the one-line scores (+12.0 against +4.0 bp)", "nothing is left"),
        (learned(net=3.0), "does not beat the one-line scores (+3.0 against +4.0 bp)", "it beats"),
        (learned(net=-8.9, one_line=-10.0), "After costs nothing is left (-8.9 bp", "it beats"),
        (learned(neutral_t=1.0), "without low volatility little is left", "Something is left"),
        (learned(t=1.0), "cannot be told from luck", "order the names"),
    ],
)
def test_the_sentence_follows_the_figures(figures: dict[str, Any], said: str, unsaid: str) -> None:
    told = verdict(figures, "lightgbm")
    assert said in told.en
    assert unsaid not in told.en
