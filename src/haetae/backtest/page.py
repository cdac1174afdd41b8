"""The report of a run as one self-contained HTML page, Korean first.

The page inlines plotly.js and its data, so it opens offline and asks no server for anything; it reads
on a telephone and in the dark. Everything it shows comes from ``figures``, which stand in the page as
JSON too. Not here: the figures (``report``), words of judgement (``verdict``), pictures (``charts``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from haetae.backtest import charts
from haetae.backtest.evidence import Evidence
from haetae.backtest.report import figures
from haetae.backtest.result import Result
from haetae.backtest.verdict import ReportNotes
from haetae.domain.units import day_from

_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("total_return", "총수익률", "total return", "percent"),
    ("cagr", "연환산 수익률", "CAGR", "percent"),
    ("volatility", "연 변동성", "volatility", "percent"),
    ("sharpe", "샤프 비율 (± 표준오차)", "Sharpe (± s.e.)", "sharpe"),
    ("sortino", "소르티노 비율", "Sortino", "ratio"),
    ("calmar", "칼마 비율", "Calmar", "ratio"),
    ("max_drawdown", "최대 낙폭", "max drawdown", "percent"),
    ("drawdown_sessions", "최장 회복 기간 (거래일)", "longest drawdown, sessions", "count"),
    ("hit_rate", "수익일 비율", "hit rate of days", "percent"),
    ("best_day", "최고의 날", "best day", "percent"),
    ("worst_day", "최악의 날", "worst day", "percent"),
    ("turnover", "연 회전율 (편도)", "turnover, one-sided", "times"),
    ("exposure", "평균 투자 비중", "exposure", "percent"),
    ("fees_won", "수수료 (원)", "fees, won", "count"),
    ("taxes_won", "거래세 (원)", "taxes, won", "count"),
    ("cost_drag", "연 비용", "cost drag", "percent"),
    ("orders", "주문 수", "orders", "count"),
    ("fill_rate", "체결률", "fill rate", "percent"),
)
NAMES_SHOWN = 10
"""Best and worst names on the page; all of them are in the JSON."""


def html(
    run: Result,
    benchmarks: Sequence[Result],
    title: str,
    notes: ReportNotes | None = None,
    evidence: Evidence | None = None,
) -> str:
    """Return the report as one HTML document without outside references.

    Parameters
    ----------
    run : Result
        The run the report is about.
    benchmarks : sequence of Result
        At least one that is no bound; raises ``ValueError`` otherwise, for a return alone says nothing.
    title : str
        Heading of the page.
    evidence : Evidence, optional
        From ``gather``. What is missing from it is said to be missing.
    """
    data = figures(run, benchmarks, notes, evidence)
    return render(data, pictures(run, benchmarks, data), title, bound=run.bound)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the page that others write: safe HTML, and plotly pictures by the ids of their places in it."""

    html: str
    pictures: Mapping[str, charts.Figure] = field(default_factory=dict)


def render(
    data: Mapping[str, Any],
    drawn: Mapping[str, charts.Figure],
    title: str,
    *,
    bound: bool = False,
    chapters: Sequence[Chapter] = (),
) -> str:
    """Return the page of figures and pictures that were made before, as they come back from JSON.

    Parameters
    ----------
    data : mapping
        From ``figures``.
    drawn : mapping
        From ``pictures``.
    bound : bool
        The run itself knows the future.
    chapters : sequence of Chapter
        Shown before the examinations of the run, in order.
    """
    from jinja2 import Environment, PackageLoader, select_autoescape
    from plotly.offline import get_plotlyjs

    page = Environment(
        loader=PackageLoader("haetae.backtest", "."),
        autoescape=select_autoescape(["j2", "html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"percent": percent, "points": points, "ratio": ratio, "won": won, "day": day, "mark": _mark}
    sides = [data["metrics"], *(side["metrics"] for side in data["benchmarks"].values())]
    best, worst = data["names"][:NAMES_SHOWN], data["names"][NAMES_SHOWN:][-NAMES_SHOWN:]
    more = {name: figure for chapter in chapters for name, figure in chapter.pictures.items()}
    return page.get_template("report.html.j2").render(
        title=title,
        data=data,
        period=f"{day(data['from'])} ~ {day(data['to'])}",
        columns=[(data["name"], bound), *((name, side["bound"]) for name, side in data["benchmarks"].items())],
        table=[(ko, en, [_shown(side, name, style) for side in sides]) for name, ko, en, style in _ROWS],
        names=best + worst,
        chapters=[chapter.html for chapter in chapters],
        plotly=get_plotlyjs(),
        pictures=_script_safe({**drawn, **more}),
        figures=_script_safe(data),
    )


def pictures(run: Result, benchmarks: Sequence[Result], data: Mapping[str, Any]) -> dict[str, charts.Figure]:
    """Return the pictures of a run by the ids of their places on the page."""
    runs = [run, *benchmarks]
    best = next(one for one in benchmarks if one.name == data["best_benchmark"])
    drawn = {
        "equity": charts.equity_figure(runs),
        "drawdown": charts.drawdown_figure(runs),
        "monthly": charts.monthly_figure(run),
        "costs": charts.cost_figure(run),
        "exposure": charts.exposure_figure([run, best]),
    }
    if data["overfitting"]:
        drawn["logits"] = charts.logit_figure(data["overfitting"])
    return drawn


def percent(value: float | None, digits: int = 2) -> str:
    """Return a ratio as per cent, a dash for None."""
    return "-" if value is None else f"{100 * value:,.{digits}f} %"


def points(value: float | None) -> str:
    """Return a difference of ratios as signed percentage points, a dash for None."""
    return "-" if value is None else f"{100 * value:+,.2f} %p"


def ratio(value: float | None) -> str:
    """Return a ratio with two digits, a dash for None."""
    return "-" if value is None else f"{value:,.2f}"


def won(value: float | None) -> str:
    """Return whole won, a dash for None; from ten thousand million on in 억 (10**8)."""
    if value is None:
        return "-"
    return f"{value / 1e8:,.0f}억 원" if abs(value) >= 1e10 else f"{round(value):,d}원"


def day(value: int | None) -> str:
    """Return a day yyyymmdd in ISO form, a dash for None."""
    return "-" if value is None else str(day_from(value))


def _mark(passed: bool | None) -> str:  # noqa: FBT001 - a template filter takes its value by place
    return {True: "✓", False: "✗", None: "?"}[passed]


def _shown(side: Mapping[str, Any], name: str, style: str) -> str:
    value = side[name]
    if value is None:
        return "-"
    match style:
        case "percent":
            return percent(value)
        case "sharpe":
            error = side["sharpe_se"]
            return f"{value:.2f} ± {error if error is not None else math.nan:.2f}"
        case "times":
            return f"{value:,.1f}"
        case "count":
            return f"{value:,d}"
    return ratio(value)


def _script_safe(value: object) -> str:
    """Return JSON that cannot close the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
