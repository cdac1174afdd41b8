"""The learning part of the report: what may be said of the scores, every figure beside the one-line scores, pictures.

Korean first. Not here: the page it stands in (``backtest.page``), pictures (``pictures``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haetae.backtest.page import Chapter
from haetae.domain.errors import Text
from haetae.ml.settings import PromotionSettings
from haetae.ml.yardsticks import LOW_VOLATILITY
from haetae.research.judging import best_of
from haetae.research.pictures import leading_first, pictures

Figures = Mapping[str, Any]
_PLACES: tuple[tuple[str, str, str], ...] = (
    ("decay", "순위 IC의 감쇠", "Decay over horizons"),
    ("deciles", "십분위", "Tenths by score"),
    ("rolling", "순위 IC의 흐름", "Rolling rank IC"),
    ("rolling_neutral", "저변동성을 뺀 흐름", "Rolling, without low volatility"),
    ("periods", "상위 10 %와 비용", "Best tenth, before and after costs"),
    ("turnover", "회전", "Turnover of the best tenth"),
    ("importance", "무엇을 보는가", "What the trees look at"),
    ("years", "해마다", "By year"),
    ("sizes", "크기별", "By size"),
    ("sectors", "업종별", "By sector"),
)


def learning(learned: Figures, leading: str, horizon: int) -> Chapter:
    """Return the chapter of a study's scores."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    drawn = pictures(learned, leading)
    page = Environment(
        loader=PackageLoader("haetae.research", "."),
        autoescape=select_autoescape(["j2", "html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"ic": _ic, "t": _t, "bp": _bp, "share": _share}
    html = page.get_template("chapters.html.j2").render(
        verdict=verdict(learned, leading),
        leading=leading,
        horizon=horizon,
        models=leading_first(learned["models"], leading),
        yardsticks=learned["yardsticks"],
        controls=learned["shuffled_labels"],
        places=[place for place in _PLACES if place[0] in drawn],
    )
    return Chapter(html, drawn)


def verdict(learned: Figures, leading: str) -> Text:
    """Return the strongest sentence that the out-of-sample figures carry."""
    asked = PromotionSettings()
    own = learned["models"][leading]
    everyone, net = own["all"], own["decile"]["long_net_bp"]
    best_line = best_of(learned["yardsticks"], "decile", "long_net_bp")
    told = f"{_ic(everyone['mean'])}, t = {_t(everyone['t'])}"
    if everyone["mean"] is None or everyone["t"] is None or everyone["mean"] <= 0 or everyone["t"] < asked.min_t:
        return Text(
            ko=f"{leading}의 점수는 표본 밖에서 우연과 구별되지 않습니다 (순위 IC {told}, {asked.min_t:g} 이상이어야).",
            en=f"The scores of {leading} cannot be told from luck (rank IC {told}; {asked.min_t:g} asked).",
        )
    ko = [f"{leading}의 점수는 표본 밖에서 순서를 맞힙니다 (순위 IC {told})."]
    en = [f"The scores of {leading} order the names out of sample (rank IC {told})."]
    neutral, neutral_t = everyone["neutral_mean"], everyone["neutral_t"]
    left = f"{_ic(neutral)}, t = {_t(neutral_t)}"
    if neutral is None or neutral_t is None or neutral_t < asked.min_t:
        ko.append(f"그러나 저변동성을 빼면 남는 것이 분명하지 않습니다 ({left}): 저변동성을 다시 찾은 것입니다.")
        en.append(f"But without low volatility little is left ({left}): it found that again.")
    else:
        ko.append(f"저변동성을 빼도 남습니다 ({left}).")
        en.append(f"Something is left without low volatility ({left}).")
    if net is None or best_line is None or net <= best_line:
        ko.append(f"비용을 내고 나면 한 줄 점수를 이기지 못합니다 ({_bp(net)} 대 {_bp(best_line)} bp).")
        en.append(f"After costs it does not beat the one-line scores ({_bp(net)} against {_bp(best_line)} bp).")
    elif net <= 0:
        ko.append(f"비용을 내고 나면 남는 것이 없습니다 ({_bp(net)} bp; 가장 나은 한 줄 점수 {_bp(best_line)} bp).")
        en.append(f"After costs nothing is left ({_bp(net)} bp; the best one-line score {_bp(best_line)} bp).")
    else:
        ko.append(f"비용을 내고도 한 줄 점수보다 낫습니다 ({_bp(net)} 대 {_bp(best_line)} bp).")
        en.append(f"After costs it beats the one-line scores ({_bp(net)} against {_bp(best_line)} bp).")
    return Text(ko=" ".join(ko), en=" ".join(en))


def metrics(learned: Figures, name: str) -> dict[str, float]:
    """Return what a model's card keeps of these figures, by the names of ``ml.promotion.METRICS``."""
    own = learned["models"][name]
    controls = [abs(one["all"]["t"]) for one in learned["shuffled_labels"] if one["all"]["t"] is not None]
    told = {
        "test_rank_ic": own["all"]["mean"],
        "test_rank_ic_t": own["all"]["t"],
        "test_rank_ic_neutral": own["all"]["neutral_mean"],
        "test_rank_icir": own["all"]["icir"],
        "test_net_bp": own["decile"]["long_net_bp"],
        "test_one_line_net_bp": best_of(learned["yardsticks"], "decile", "long_net_bp"),
        "test_low_volatility_rank_ic": learned["yardsticks"][LOW_VOLATILITY]["all"]["mean"],
        "test_control_t": max(controls) if controls else None,
    }
    return {key: float(value) for key, value in told.items() if value is not None}


def _ic(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _t(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _bp(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"
