"""What the stages tell: lines and tables from the facts they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haetae.domain.errors import Text
from haetae.wiring.screen import Screen

NOT_AI = Text(ko="판단: 오프라인 규칙 (AI 아님)", en="decider: offline rules (not AI)")
_PLAIN = 10.0
"""Figures from here on are shown with one decimal."""


def decider(env: Mapping[str, str]) -> Text:
    """Return who reviews the legs."""
    model = env.get("HAETAE_LLM_MODEL", "")
    if not env.get("HAETAE_LLM_BASE_URL"):
        return NOT_AI
    return Text(ko=f"판단: 언어 모델 {model}", en=f"decider: language model {model}")


def line(screen: Screen, ko: str, en: str) -> None:
    """Say one line."""
    screen.say(Text(ko=ko, en=en))


def counts(screen: Screen, title: Text, rows: Mapping[str, int]) -> None:
    """Show how often each thing occurred."""
    head = (Text(ko="항목", en="what"), Text(ko="건수", en="count"))
    screen.table(title, head, [(name, f"{count:,}") for name, count in rows.items()] or [("-", "0")])


def rankers(screen: Screen, figures: Mapping[str, Any], horizon: int) -> None:
    """Show the rank IC of every model and every one-line score, whatever they are."""
    names = ("lightgbm", "xgboost", "catboost", "ensemble")
    rows = [(name, figures[name]) for name in names] + list(figures["baselines"].items())
    columns = ("rank_ic", "icir", "t", "decile_net_bp")
    screen.table(
        Text(ko=f"표본 밖 순위 상관, {horizon}거래일", en=f"out-of-sample rank IC, {horizon} sessions"),
        tuple(Text(ko=t, en=t) for t in ("", "rank IC", "ICIR", "t", "net bp")),
        [(name, *(number(found[k]) for k in columns)) for name, found in rows],
    )


def backtest(screen: Screen, figures: Mapping[str, Any]) -> None:
    """Show the policy beside every baseline, after costs."""
    heads = (("", ""), ("수익률 %", "return %"), ("낙폭 %", "drawdown %"), ("비용 원", "cost won"))
    rows = [("PPO", figures["policy"]), *figures["baselines"].items()]
    screen.table(
        Text(ko="시험 구간, 비용 포함", en="test sessions, after costs"),
        tuple(Text(ko=ko, en=en) for ko, en in heads),
        [
            (name, percent(f["total_return"]), percent(f["max_drawdown"]), f"{f['fees_won'] + f['taxes_won']:,}")
            for name, f in rows
        ],
    )


def outcomes(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    """Show what became of executed and refused legs alike."""
    heads = (("상태", "status"), ("실행", "executed"), ("건수", "count"), ("평균 bp", "mean bp"))
    screen.table(
        Text(ko="결정의 결과 (실행하지 않은 것도 같은 자로)", en="outcomes of decisions, executed or not"),
        tuple(Text(ko=ko, en=en) for ko, en in heads),
        [(r["status"], "O" if r["executed"] else "-", str(r["count"]), number(r["mean_bp"])) for r in rows],
    )


def number(value: float | None) -> str:
    """Return a figure with its sign, a dash where there is none."""
    if value is None or value != value:
        return "-"
    return f"{value:+.3f}" if abs(value) < _PLAIN else f"{value:+,.1f}"


def percent(value: float | None) -> str:
    """Return a ratio in percent with its sign."""
    return "-" if value is None or value != value else f"{100 * value:+.2f}"
