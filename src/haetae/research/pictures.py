"""Pictures of the learning part of the report as plotly JSON, in the look of the house (``backtest.charts``).

Plain dictionaries: equal figures give equal bytes. Every picture shows the study's scores beside the others and the
one-line scores; one that has no data is left out. Not here: the figures (``judging``), the page (``chapters``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haetae.backtest.charts import OTHERS, OWN, Figure, layout
from haetae.ml.quality_groups import THIRDS

Figures = Mapping[str, Any]
_SHOWN_FEATURES = 15
_NEUTRAL = "#94a3b8"
_UNDER_TITLE = {"orientation": "h", "y": -0.35}
"""Where an axis has a title, the legend stands below it."""


def pictures(learned: Figures, leading: str) -> dict[str, Figure]:
    """Return all pictures by the ids of their places on the page."""
    own = learned["models"][leading]
    models = leading_first(learned["models"], leading)
    scores = {**models, **learned["yardsticks"]}
    drawn = {
        "decay": _decay(scores, leading),
        "deciles": _deciles(models, leading),
        "rolling": _rolling(scores, leading),
        "rolling_neutral": _rolling(scores, leading, "neutral"),
        "periods": _periods(models, leading),
        "turnover": _turnover(models, leading),
        "importance": _importance(own),
        "years": _groups({name: one["years"] for name, one in scores.items()}, leading),
        "sizes": _pair({name: own["sizes"][name] for name in THIRDS if name in own["sizes"]}),
        "sectors": _pair(own["sectors"]),
    }
    return {name: figure for name, figure in drawn.items() if figure["data"]}


def leading_first(models: Figures, leading: str) -> dict[str, Any]:
    """Return the same models with the leading one in front; JSON keeps them by name."""
    return {leading: models[leading], **models}


def _date(day: int) -> str:
    return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"


def _colour(place: int, name: str, leading: str) -> str:
    return OWN if name == leading else OTHERS[place % len(OTHERS)]


def _line(name: str, x: Sequence[Any], y: Sequence[Any], place: int, leading: str, mode: str = "lines") -> Figure:
    strong = name == leading
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {
            "color": _colour(place, name, leading),
            "width": 2.5 if strong else 1.4,
            "dash": "solid" if strong else "dot",
        },
    }


def _decay(scores: Figures, leading: str) -> Figure:
    lines = [
        _line(name, horizons, [one["decay"][at]["mean"] for at in horizons], place, leading, "lines+markers")
        for place, (name, one) in enumerate(scores.items())
        if (horizons := sorted(one["decay"], key=int))
    ]
    placed = layout("순위 IC", legend=_UNDER_TITLE)
    placed["xaxis"] |= {"title": {"text": "보유 거래일 sessions held"}, "type": "category"}
    return {"data": lines, "layout": placed}


def _deciles(models: Figures, leading: str) -> Figure:
    bars = [
        {
            "type": "bar",
            "name": name,
            "x": list(range(1, len(one["deciles"]["excess_bp"]) + 1)),
            "y": [None if value is None else round(value, 2) for value in one["deciles"]["excess_bp"]],
            "marker": {"color": _colour(place, name, leading)},
            "visible": True if name == leading else "legendonly",
        }
        for place, (name, one) in enumerate(models.items())
    ]
    placed = layout("평균 초과 (bp, 보유 기간마다)", bargap=0.15, legend=_UNDER_TITLE)
    placed["xaxis"] |= {"title": {"text": "점수 십분위 (10이 가장 높음) tenth by score"}, "dtick": 1}
    return {"data": bars, "layout": placed}


def _rolling(scores: Figures, leading: str, kind: str = "raw") -> Figure:
    lines = [
        _line(name, [_date(day) for day in one["rolling"]["days"]], one["rolling"][kind], place, leading)
        for place, (name, one) in enumerate(scores.items())
        if one["rolling"]["days"]
    ]
    return {"data": lines, "layout": layout("순위 IC, 63거래일 평균")}


def _periods(models: Figures, leading: str) -> Figure:
    lines = []
    for place, (name, one) in enumerate(models.items()):
        days = [_date(day) for day in one["periods"]["days"]]
        net = [round(100.0 * value, 3) for value in one["periods"]["net"]]
        lines.append(_line(name, days, net, place, leading))
        if name == leading:
            gross = [round(100.0 * value, 3) for value in one["periods"]["gross"]]
            lines.append({**_line(f"{name} (비용 전)", days, gross, place, leading), "line": _thin(_NEUTRAL)})
    return {"data": [line for line in lines if line["x"]], "layout": layout("상위 10 % 누적 초과 (%)")}


def _thin(colour: str) -> dict[str, Any]:
    return {"color": colour, "width": 1.4, "dash": "dash"}


def _turnover(models: Figures, leading: str) -> Figure:
    lines = [
        _line(
            name,
            [_date(day) for day in one["periods"]["days"][1:]],
            [round(100.0 * value, 2) for value in one["periods"]["turnover"][1:]],
            place,
            leading,
        )
        for place, (name, one) in enumerate(models.items())
        if len(one["periods"]["days"]) > 1
    ]
    for line in lines[1:]:
        line["visible"] = "legendonly"
    return {"data": lines, "layout": layout("상위 10 % 중 바뀐 이름 (%)")}


def _importance(own: Figures) -> Figure:
    shown = list(reversed(own["importance"][:_SHOWN_FEATURES]))
    bars = [_flat("이득 gain", [name for name, _ in shown], [value for _, value in shown], OWN)]
    if own.get("shap"):
        known = dict(own["shap"])
        bars.append(_flat("|SHAP|", [name for name, _ in shown], [known.get(name) for name, _ in shown], OTHERS[0]))
    placed = layout("", hovermode="closest", legend=_UNDER_TITLE)
    placed["margin"] = {**placed["margin"], "l": 150}
    placed["xaxis"] |= {"title": {"text": "몫 share"}}
    placed["yaxis"] |= {"dtick": 1}  # every name, not every other one
    return {"data": bars if shown else [], "layout": placed}


def _flat(name: str, y: list[str], x: list[Any], colour: str) -> Figure:
    return {"type": "bar", "orientation": "h", "name": name, "y": y, "x": x, "marker": {"color": colour}}


def _groups(scores: Mapping[str, Figures], leading: str) -> Figure:
    bars = [
        {
            "type": "bar",
            "name": name,
            "x": list(groups),
            "y": [one["mean"] for one in groups.values()],
            "marker": {"color": _colour(place, name, leading)},
        }
        for place, (name, groups) in enumerate(scores.items())
        if groups
    ]
    placed = layout("순위 IC", bargap=0.2)
    placed["xaxis"] |= {"type": "category"}
    return {"data": bars, "layout": placed}


def _pair(groups: Figures) -> Figure:
    """Return rank IC of groups, raw and with the low-volatility rank taken out."""
    names = list(groups)
    bars = [
        {"type": "bar", "name": "그대로 raw", "x": names, "y": [groups[name]["mean"] for name in names],
         "marker": {"color": OWN}},
        {"type": "bar", "name": "저변동성 제거 neutral", "x": names,
         "y": [groups[name]["neutral_mean"] for name in names], "marker": {"color": OTHERS[0]}},
    ]  # fmt: skip
    placed = layout("순위 IC", bargap=0.2)
    placed["xaxis"] |= {"type": "category"}
    return {"data": bars if names else [], "layout": placed}
