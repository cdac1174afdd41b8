"""The sentence at the end: does a model do more than a bare low-volatility score?

Three figures decide, all out of sample and all shown: the model's rank IC, what is left of it without the
low-volatility ranks, and the rank IC of the low-volatility score itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from haetae.domain.errors import Text
from haetae.ml.quality import RankQuality

SURE_T: Final = 2.0
"""Newey-West t from which a mean counts as different from none: one in forty by luck, on one side."""


class Finding(Enum):
    """What the figures say."""

    NOTHING = "nothing"
    ONLY_LOW_VOLATILITY = "only-low-volatility"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding and its sentence."""

    finding: Finding
    sentence: Text


def _shown(value: float) -> str:
    return f"{value:+.4f}"


def verdict(model: RankQuality, low_volatility: RankQuality) -> Verdict:
    """Return what a model's test figures say beside those of the low-volatility score."""
    figures_ko = (
        f"시험 순위 IC {_shown(model.mean)} (t {model.t:+.1f}), 저변동성을 뺀 뒤 {_shown(model.neutral_mean)} "
        f"(t {model.neutral_t:+.1f}), 저변동성 점수만 {_shown(low_volatility.mean)} (t {low_volatility.t:+.1f})."
    )
    figures_en = (
        f"Test rank IC {_shown(model.mean)} (t {model.t:+.1f}), without low volatility {_shown(model.neutral_mean)} "
        f"(t {model.neutral_t:+.1f}), the low-volatility score alone {_shown(low_volatility.mean)} "
        f"(t {low_volatility.t:+.1f})."
    )
    if model.neutral_t >= SURE_T:
        above = model.mean >= low_volatility.mean
        return Verdict(
            Finding.MORE,
            Text(
                ko="예: 모델은 저변동성 이상을 압니다"
                + ("" if above else ". 다만 저변동성 점수 자체의 IC가 더 높습니다")
                + f". {figures_ko}",
                en="Yes: the model knows more than low volatility"
                + ("" if above else ", though the low-volatility score alone has the higher IC")
                + f". {figures_en}",
            ),
        )
    if model.t >= SURE_T:
        return Verdict(
            Finding.ONLY_LOW_VOLATILITY,
            Text(
                ko=f"아니오: 모델은 저변동성을 다시 찾았을 뿐입니다. {figures_ko}",
                en=f"No: the model has only found low volatility again. {figures_en}",
            ),
        )
    return Verdict(
        Finding.NOTHING,
        Text(
            ko=f"아니오: 모델에서 우연과 구별되는 것을 보지 못했습니다. {figures_ko}",
            en=f"No: nothing about the model can be told from luck. {figures_en}",
        ),
    )
