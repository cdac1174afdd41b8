"""Pictures as plotly dictionaries: candles with our executions, equity, fear & greed, bars.

A candle that rose is red and one that fell is blue; an execution is a triangle with a dark edge,
pointing up under the bar for a buy, down above it for a sale. Axes run over traded bars only, so
nights and holidays leave no gap. Plain dictionaries, so that equal data gives an equal picture.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from haetae.dashboard.figures import BLUE, GREY, KST, RED
from haetae.dashboard.words import COMPONENT, SIDE, say, word
from haetae.service import schemas

Figure = dict[str, Any]
_FONT = "Pretendard, 'Noto Sans KR', NanumSquareRound, NanumGothic, sans-serif"
_GRID = "#eeece9"
_OWN, _OTHER = "#b45309", "#57534e"
_MOOD_STEPS = ((0, 25, "#c9dbf6"), (25, 45, "#e3ecfa"), (45, 55, "#f2f1ef"), (55, 75, "#fbe4e5"), (75, 100, "#f5c6c9"))


def _layout(height: int, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "height": height,
        "margin": {"l": 70, "r": 40, "t": 10, "b": 36},
        "font": {"family": _FONT, "size": 13, "color": "#44403c"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {"gridcolor": _GRID},
        "yaxis": {"gridcolor": _GRID, "zerolinecolor": "#a8a29e"},
    }
    return base | more


def _traded_axis(labels: Sequence[str], ticks: int = 8) -> dict[str, Any]:
    """Return an axis over the bars that exist, with about ``ticks`` labels."""
    every = max(1, len(labels) // ticks)
    return {
        "type": "category",
        "tickmode": "array",
        "tickvals": list(labels[::every]),
        "gridcolor": _GRID,
    }


def _label(at: dt.datetime, table: str) -> str:
    return at.astimezone(KST).strftime("%y-%m-%d" if table == "daily" else "%m-%d %H:%M")


def candles(bars: schemas.Candles) -> Figure:
    """Return the bars, their volume below, and our executions on them."""
    labels = [_label(bar.at, bars.table) for bar in bars.rows]
    price = {
        "type": "candlestick",
        "name": bars.name,
        "x": labels,
        "open": [bar.open for bar in bars.rows],
        "high": [bar.high for bar in bars.rows],
        "low": [bar.low for bar in bars.rows],
        "close": [bar.close for bar in bars.rows],
        "increasing": {"line": {"color": RED, "width": 1}, "fillcolor": RED},
        "decreasing": {"line": {"color": BLUE, "width": 1}, "fillcolor": BLUE},
        "showlegend": False,
    }
    volume = {
        "type": "bar",
        "name": say("거래량", "Volume"),
        "x": labels,
        "y": [bar.volume for bar in bars.rows],
        "marker": {"color": "#d6d3d1"},
        "yaxis": "y2",
        "showlegend": False,
    }
    layout = _layout(
        460,
        xaxis=_traded_axis(labels) | {"rangeslider": {"visible": False}, "anchor": "y2"},
        yaxis={"domain": [0.24, 1.0], "gridcolor": _GRID, "tickformat": ",d"},
        yaxis2={"domain": [0.0, 0.18], "gridcolor": _GRID, "tickformat": "~s", "nticks": 3},
        bargap=0.2,
    )
    return {"data": [price, volume, *_executions(bars, labels)], "layout": layout}


def _executions(bars: schemas.Candles, labels: Sequence[str]) -> list[Figure]:
    """Return one trace of triangles a side; a fill lies on the bar that was open when it happened."""
    starts = [bar.at for bar in bars.rows]
    drawn = []
    for side, colour, shape in (("buy", RED, "triangle-up"), ("sell", BLUE, "triangle-down")):
        points = []
        for fill in bars.fills:
            place = sum(start <= fill.at for start in starts) - 1
            if fill.side == side and place >= 0:
                points.append((labels[place], fill))
        if points:
            drawn.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": say("우리 ", "Our ") + word(SIDE, side),
                    "x": [label for label, _ in points],
                    "y": [fill.price for _, fill in points],
                    "text": [f"{word(SIDE, side)} {fill.quantity:,} @ {fill.price:,}" for _, fill in points],
                    "hovertemplate": "%{text}<extra></extra>",
                    "marker": {
                        "symbol": shape,
                        "size": 13,
                        "color": colour,
                        "line": {"color": "#1c1917", "width": 1.5},
                    },
                }
            )
    return drawn


def equity(told: schemas.Equity) -> Figure:
    """Return our equity and the benchmark as change since the first point, in per cent."""
    labels = [_label(point.at, "minute") for point in told.points]
    own = [point.equity for point in told.points]
    other = [point.benchmark for point in told.points]
    lines = [
        _line(labels, _change(own), say("우리 평가액", "Our equity"), _OWN, 2.4),
        _line(labels, _change(other), say(told.benchmark_ko, told.benchmark_en), _OTHER, 1.4),
    ]
    layout = _layout(
        340, xaxis=_traded_axis(labels), yaxis={"ticksuffix": "%", "gridcolor": _GRID, "zerolinecolor": "#a8a29e"}
    )
    return {"data": lines, "layout": layout}


def _change(values: Sequence[int]) -> list[float]:
    return [round(100.0 * (value / values[0] - 1.0), 4) for value in values] if values and values[0] else []


def _line(x: Sequence[str], y: Sequence[float], name: str, colour: str, width: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": width},
        "hovertemplate": "%{y:+.2f}%",
    }


def gauge(value: float) -> Figure:
    """Return fear (blue) to greed (red) as a dial."""
    dial = {
        "type": "indicator",
        "mode": "gauge+number",
        "value": round(value, 1),
        "number": {"font": {"size": 40}},
        "gauge": {
            "axis": {"range": [0, 100], "tickvals": [0, 25, 45, 55, 75, 100]},
            "bar": {"color": "#1c1917", "thickness": 0.18},
            "borderwidth": 0,
            "steps": [{"range": [low, high], "color": colour} for low, high, colour in _MOOD_STEPS],
        },
    }
    return {"data": [dial], "layout": _layout(200, margin={"l": 34, "r": 40, "t": 30, "b": 10})}


def mood_line(told: schemas.MoodHistory) -> Figure:
    """Return the index over time, with its components one click away."""
    days = [row.day.strftime("%y-%m-%d") for row in told.rows]
    main = {
        "type": "scatter",
        "mode": "lines",
        "name": say("공포·탐욕", "Fear & greed"),
        "x": days,
        "y": [round(row.value, 1) for row in told.rows],
        "line": {"color": _OWN, "width": 2.4},
        "hovertemplate": "%{y:.0f}",
    }
    names = sorted({name for row in told.rows for name in row.components})
    parts = [
        {
            "type": "scatter",
            "mode": "lines",
            "visible": "legendonly",
            "name": word(COMPONENT, name),
            "x": days,
            "y": [row.components.get(name) for row in told.rows],
            "line": {"width": 1.2},
            "hovertemplate": "%{y:.0f}",
        }
        for name in names
    ]
    bands = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": low, "y1": high, "fillcolor": colour}
        | {"opacity": 0.45, "layer": "below", "line": {"width": 0}}
        for low, high, colour in _MOOD_STEPS
    ]
    layout = _layout(
        260, xaxis=_traded_axis(days), yaxis={"range": [0, 100], "tickvals": [0, 25, 50, 75, 100]}, shapes=bands
    )
    return {"data": [main, *parts], "layout": layout}


def bars(names: Sequence[str], values: Sequence[float], *, unit: str, height: int, digits: int = 1) -> Figure:
    """Return named signed values as lying bars, red above zero and blue below, largest at the top."""
    order = sorted(range(len(names)), key=lambda place: values[place])
    drawn = {
        "type": "bar",
        "orientation": "h",
        "x": [values[place] for place in order],
        "y": [names[place] for place in order],
        "marker": {"color": [RED if values[place] > 0 else BLUE if values[place] < 0 else GREY for place in order]},
        "text": [f"{values[place]:+,.{digits}f}{unit}" for place in order],
        "textposition": "auto",
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    layout = _layout(
        height,
        hovermode="closest",
        margin={"l": 10, "r": 20, "t": 6, "b": 30},
        yaxis={"automargin": True},
        xaxis={"gridcolor": _GRID, "zerolinecolor": "#a8a29e", "ticksuffix": unit},
    )
    return {"data": [drawn], "layout": layout}
