"""What a model must show before it changes its state: pure rules over figures that others measured.

Two steps are asked for. Into shadow: the out-of-sample gate. In charge: the same gate, a deflated Sharpe ratio with
every trial counted, a probability of overfitting, and what its forecasts came to in shadow, on their own and beside the
model in charge on the same days. A figure that is missing is a demand that failed, by its name.
Not here: where figures come from (``research``, ``registry.shadow``), who confirms (``wiring.models``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from haetae.domain.errors import Text
from haetae.domain.learning import ModelState
from haetae.domain.promotion import Demand, ShadowOutcome
from haetae.ml.quality import newey_west_t
from haetae.ml.settings import PromotionSettings

POLICY: Final = "policy"
MADE_BY: Final = ("code", "data", "trial", "costs", "scaler")
"""What a card must name of its making."""
METRICS: Final[dict[str, Text]] = {
    "test_rank_ic": Text(ko="표본 밖 순위 IC의 평균", en="mean rank IC out of sample"),
    "test_rank_ic_t": Text(ko="그 평균의 t (Newey-West)", en="its t value (Newey-West)"),
    "test_rank_ic_neutral": Text(ko="저변동성 순위를 뺀 순위 IC", en="rank IC without the low-volatility rank"),
    "test_net_bp": Text(ko="상위 10 %의 초과, 비용 후 (bp)", en="best tenth over all, after costs (bp)"),
    "test_one_line_net_bp": Text(ko="가장 나은 한 줄 점수의 같은 값", en="the same of the best one-line score"),
    "test_control_t": Text(ko="섞은 라벨 학습의 |t| 중 최댓값", en="largest |t| of fits on shuffled labels"),
    "test_daily_return": Text(ko="정책의 하루 평균 수익률, 비용 후", en="mean daily return of a policy, after costs"),
    "test_excess_over_best": Text(ko="가장 나은 비교 대상보다 번 비율", en="excess over the best benchmark"),
    "test_t_excess": Text(ko="그 초과의 t", en="its t value"),
    "sharpe": Text(ko="일 샤프 비율", en="daily Sharpe ratio"),
    "sharpe_spread": Text(ko="샤프 비율의 오차 계수 (Mertens)", en="Mertens' factor of its error"),
    "sharpe_sessions": Text(ko="그 기록의 거래일 수", en="sessions of that record"),
    "trials": Text(ko="시도한 설정의 수", en="configurations tried"),
    "trials_spread": Text(ko="시도들의 일 샤프 비율의 표준편차", en="standard deviation of their daily ratios"),
    "pbo": Text(ko="과최적화 확률", en="probability of backtest overfitting"),
}
"""Names of the figures on a card that the rules read."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of a model on the day it is weighed.

    Attributes
    ----------
    metrics, provenance : mapping
        Of its card; ``METRICS`` names what is read.
    trials : int
        Every configuration tried, as the book of trials counts today; 0 where nobody counted.
    deflated : float
        Deflated Sharpe ratio with those trials, NaN where it cannot be computed.
    horizon : int
        Sessions its outcomes overlap by; 0 for a policy.
    shadow, champion_shadow : sequence of ShadowOutcome
        Of forecasts written down in time, while in shadow or in charge; ascending by day.
    champion : str
        The model in charge, empty if none.
    """

    kind: str
    metrics: Mapping[str, float]
    provenance: Mapping[str, str]
    trials: int
    deflated: float
    horizon: int
    shadow: Sequence[ShadowOutcome]
    champion: str
    champion_shadow: Sequence[ShadowOutcome]


def demands(case: Case, to: ModelState, settings: PromotionSettings) -> tuple[Demand, ...]:
    """Return everything asked of a model for a state, met or not; retiring asks for nothing."""
    if to not in (ModelState.SHADOW, ModelState.CHAMPION):
        return ()
    gate = _policy_gate(case, settings) if case.kind == POLICY else _ranker_gate(case, settings)
    gate = (_made_by(case), *gate)
    if to is ModelState.SHADOW:
        return gate
    return (*gate, _deflated(case, settings), _overfitting(case, settings), *_in_shadow(case, settings))


def failed(found: Sequence[Demand]) -> tuple[Demand, ...]:
    """Return the demands that were not met."""
    return tuple(one for one in found if not one.met)


_MISSING = Text(ko="측정되지 않음", en="not measured")


def _value(case: Case, name: str) -> float:
    return float(case.metrics.get(name, math.nan))


def _shown(value: float, form: str = "+.4f") -> Text:
    return _MISSING if math.isnan(value) else Text(ko=format(value, form), en=format(value, form))


def _made_by(case: Case) -> Demand:
    absent = [name for name in MADE_BY if not case.provenance.get(name)]
    listed = ", ".join(absent)
    found = Text(ko=f"없음: {listed}", en=f"missing: {listed}") if absent else Text(ko="모두 있음", en="all there")
    name = Text(ko="무엇으로 만들었는지 적혀 있다", en="it is written down what made it")
    return Demand("provenance", name, ", ".join(MADE_BY), found, not absent)


def _ranker_gate(case: Case, settings: PromotionSettings) -> tuple[Demand, ...]:
    ic, t = _value(case, "test_rank_ic"), _value(case, "test_rank_ic_t")
    neutral, control = _value(case, "test_rank_ic_neutral"), _value(case, "test_control_t")
    net, one_line = _value(case, "test_net_bp"), _value(case, "test_one_line_net_bp")
    floor, quiet = settings.min_neutral_rank_ic, settings.max_control_t
    hurdle = one_line if math.isnan(one_line) else max(one_line, 0.0)  # cash earns nothing and pays nothing
    return (
        Demand("rank_ic", Text(ko="표본 밖 순위 IC", en="rank IC out of sample"), "> 0", _shown(ic), ic > 0),
        Demand(
            "rank_ic_t",
            Text(ko="그 t 값", en="its t value"),
            f">= {settings.min_t:g}",
            _shown(t, "+.2f"),
            t >= settings.min_t,
        ),
        Demand(
            "neutral_rank_ic",
            Text(ko="저변동성을 뺀 순위 IC", en="rank IC without low volatility"),
            f">= {floor:g}",
            _shown(neutral),
            neutral >= floor,
        ),
        Demand(
            "beats_one_line",
            Text(ko="비용 후 한 줄 점수와 0보다 낫다 (bp)", en="beats the one-line scores and 0 after costs (bp)"),
            "> one-line, 0" if math.isnan(one_line) else f"> {hurdle:+.1f}",
            _shown(net, "+.1f"),
            net > hurdle,
        ),
        Demand(
            "control",
            Text(ko="섞은 라벨은 조용하다 (|t|)", en="shuffled labels stay quiet (|t|)"),
            f"<= {quiet:g}",
            _shown(control, ".2f"),
            control <= quiet,
        ),
    )


def _policy_gate(case: Case, settings: PromotionSettings) -> tuple[Demand, ...]:
    excess, t = _value(case, "test_excess_over_best"), _value(case, "test_t_excess")
    return (
        Demand(
            "excess",
            Text(ko="가장 나은 비교 대상을 이긴다", en="ahead of the best benchmark"),
            "> 0",
            _shown(excess),
            excess > 0,
        ),
        Demand(
            "excess_t",
            Text(ko="그 t 값", en="its t value"),
            f">= {settings.min_excess_t:g}",
            _shown(t, "+.2f"),
            t >= settings.min_excess_t,
        ),
    )


def _deflated(case: Case, settings: PromotionSettings) -> Demand:
    name = Text(ko="모든 시도를 센 샤프 확률 (DSR)", en="Sharpe ratio with every trial counted (DSR)")
    asked = f">= {settings.min_deflated_sharpe:g}"
    if case.trials < 1:
        uncounted = Text(ko="시도를 세지 않음", en="nobody counted the trials")
        return Demand("deflated_sharpe", name, asked, uncounted, met=False)
    value = _shown(case.deflated, ".3f")
    found = Text(ko=f"{value.ko} (시도 {case.trials}개)", en=f"{value.en} ({case.trials} trials)")
    return Demand("deflated_sharpe", name, asked, found, case.deflated >= settings.min_deflated_sharpe)


def _overfitting(case: Case, settings: PromotionSettings) -> Demand:
    found = _value(case, "pbo")
    name = Text(ko="과최적화 확률 (PBO)", en="probability of overfitting (PBO)")
    ceiling = settings.max_overfitting
    return Demand("overfitting", name, f"<= {ceiling:g}", _shown(found, ".3f"), found <= ceiling)


def _in_shadow(case: Case, settings: PromotionSettings) -> tuple[Demand, ...]:
    sessions, wanted = len(case.shadow), settings.min_shadow_sessions
    return (
        Demand(
            "shadow_sessions",
            Text(ko="shadow에서 제때 적은 날 (결과까지 앎)", en="days forecast in shadow, outcome known"),
            f">= {wanted}",
            Text(ko=f"{sessions}", en=f"{sessions}"),
            sessions >= wanted,
        ),
        _kept_promise(case, settings),
        _beside_champion(case, settings),
    )


def _kept_promise(case: Case, settings: PromotionSettings) -> Demand:
    promise = _value(case, "test_daily_return" if case.kind == POLICY else "test_rank_ic")
    values = np.array([one.value for one in case.shadow])
    name = Text(ko="shadow가 약속보다 나쁘지 않다 (t)", en="shadow is no worse than promised (t)")
    asked = f">= {-settings.max_shortfall_t:g}"
    if len(values) < 2 or math.isnan(promise):
        return Demand("shadow_quality", name, asked, _MISSING, met=False)
    t = newey_west_t(values - promise, case.horizon)
    mean = float(values.mean())
    told = f"{_shown(t, '+.2f').en} ({mean:+.4f} / {promise:+.4f})"
    return Demand("shadow_quality", name, asked, Text(ko=told, en=told), t >= -settings.max_shortfall_t)


def _beside_champion(case: Case, settings: PromotionSettings) -> Demand:
    name = Text(ko="같은 날 지금 모델보다 낫다", en="better than the model in charge on the same days")
    asked = f"> 0, >= {settings.min_shadow_sessions}"
    if not case.champion:
        none = Text(ko="맡은 모델이 없음", en="none is in charge")
        return Demand("same_days", name, asked, none, met=True)
    theirs = {one.day: one.value for one in case.champion_shadow}
    pairs = [one.value - theirs[one.day] for one in case.shadow if one.day in theirs]
    if not pairs:
        return Demand("same_days", name, asked, _MISSING, met=False)
    lead = float(np.mean(pairs))
    found = Text(
        ko=f"{lead:+.4f} ({len(pairs)}일, {case.champion})", en=f"{lead:+.4f} ({len(pairs)} days, {case.champion})"
    )
    return Demand("same_days", name, asked, found, lead > 0 and len(pairs) >= settings.min_shadow_sessions)
