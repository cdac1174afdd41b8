"""Figures of the report as plotly.js JSON: data and layout, nothing drawn here.

Plain dictionaries rather than plotly's Python objects: the same input gives the same bytes, and a
report takes milliseconds. Not here: the page around them (``page``).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.drawdowns import drawdown, equity_path
from haetae.backtest.metrics import monthly_returns
from haetae.backtest.result import Result

OWN = "#ea580c"
OWN_AREA = "rgba(234,88,12,0.15)"
OTHERS = ("#3b82f6", "#16a34a", "#a855f7", "#0891b2", "#ca8a04", "#ec4899", "#64748b", "#65a30d", "#94a3b8")
"""Of middle lightness: they stand out from a white page and from a dark one."""
Figure = dict[str, Any]


def _dates(result: Result) -> list[str]:
    return [f"{d // 10_000:04d}-{d // 100 % 100:02d}-{d % 100:02d}" for d in result.daily_days().tolist()]


def layout(y_title: str, **more: Any) -> dict[str, Any]:
    """Return the look of every picture of the house, over which ``more`` lies."""
    base: dict[str, Any] = {
        "margin": {"l": 60, "r": 20, "t": 10, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Pretendard, 'Noto Sans KR', 'Apple SD Gothic Neo', sans-serif", "size": 12},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.12},
        "yaxis": {"title": {"text": y_title}, "gridcolor": "#e2e8f0", "zerolinecolor": "#94a3b8"},
        "xaxis": {"gridcolor": "#f1f5f9"},
    }
    return base | more


def _line(result: Result, y: NDArray[np.float64], place: int, *, digits: int = 4) -> Figure:
    first = place == 0
    return {
        # The bound that knows the future would flatten every real line; a click on its name shows it.
        "visible": "legendonly" if result.bound else True,
        "type": "scatter",
        "mode": "lines",
        "name": result.name,
        "x": _dates(result),
        "y": [round(float(v), digits) for v in y],
        "line": {
            "color": OWN if first else OTHERS[(place - 1) % len(OTHERS)],
            "width": 2.5 if first else 1.4,
            "dash": "solid" if first else "dot",
        },
    }


def equity_figure(runs: Sequence[Result]) -> Figure:
    """Return equity of each run as a multiple of its start; the first run is drawn strong."""
    lines = [_line(run, run.daily_equity() / run.initial_cash, place) for place, run in enumerate(runs)]
    return {"data": lines, "layout": layout("평가액 (시작=1)")}


def drawdown_figure(runs: Sequence[Result]) -> Figure:
    """Return the percentage under the running peak of each run."""
    lines = []
    for place, run in enumerate(runs):
        lines.append(_line(run, 100.0 * drawdown(equity_path(run))[1:], place, digits=3))
    lines[0] |= {"fill": "tozeroy", "fillcolor": OWN_AREA}
    return {"data": lines, "layout": layout("낙폭 (%)")}


def monthly_figure(run: Result) -> Figure:
    """Return the calendar of monthly returns, in per cent; months without sessions stay empty."""
    table = monthly_returns(run)
    years = sorted(table)
    cells = [[100.0 * table[y][m] if m in table[y] else None for m in range(1, 13)] for y in years]
    text = [[f"{v:+.1f}" if v is not None else "" for v in row] for row in cells]
    reach = max([5.0, *(abs(v) for row in cells for v in row if v is not None)])
    heat = {
        "type": "heatmap",
        "z": [[None if v is None else round(v, 3) for v in row] for row in cells],
        "x": [f"{m}월" for m in range(1, 13)],
        "y": [f"{y}년" for y in years],
        "text": text,
        "texttemplate": "%{text}",
        "zmin": -reach,
        "zmax": reach,
        "colorscale": [[0, "#1d4ed8"], [0.5, "#ffffff"], [1, "#dc2626"]],
        "showscale": False,
        "hovertemplate": "%{y} %{x}: %{z:.2f} %<extra></extra>",
    }
    axis = {"title": {"text": ""}, "autorange": "reversed", "type": "category"}
    return {"data": [heat], "layout": layout("", yaxis=axis, hovermode="closest")}


def cost_figure(run: Result) -> Figure:
    """Return cumulative fees and taxes of the run, in won, stacked."""
    rows = run.session_rows()
    series = (("수수료 fees", run.fees, "#f59e0b"), ("거래세 taxes", run.taxes, "#b91c1c"))
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "stackgroup": "cost",
            "name": name,
            "x": _dates(run),
            "y": column[rows].tolist(),
            "line": {"color": colour, "width": 1},
        }
        for name, column, colour in series
    ]
    return {"data": data, "layout": layout("누적 비용 (원)")}


def exposure_figure(runs: Sequence[Result]) -> Figure:
    """Return the share of equity that is not cash, in per cent."""
    lines = []
    for place, run in enumerate(runs):
        rows = run.session_rows()
        held = 100.0 * (1.0 - run.cash[rows] / np.maximum(run.equity[rows], 1))
        lines.append(_line(run, held, place, digits=2))
    return {"data": lines, "layout": layout("투자 비중 (%)")}


def logit_figure(found: Mapping[str, Any]) -> Figure:
    """Return how the chosen trial ranked elsewhere, as bars of logits; at or below 0 is overfit."""
    edges, counts = found["logit_edges"], found["logit_counts"]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    bars = {
        "type": "bar",
        "x": [round(x, 4) for x in middles],
        "y": counts,
        "marker": {"color": ["#b91c1c" if x <= 0 else "#15803d" for x in middles]},
        "hovertemplate": "%{x:.2f}: %{y}<extra></extra>",
    }
    placed = layout("절반의 수", bargap=0.05, hovermode="closest")
    placed["xaxis"] |= {"title": {"text": "로짓 logit"}}
    return {"data": [bars], "layout": placed}
