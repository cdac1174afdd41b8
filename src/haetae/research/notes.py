"""Sentences of the report: which window this is, and the learning figures beside the yardsticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haetae.domain.panel import Panel
from haetae.research.settings import ResearchSettings


def window_text(panel: Panel, settings: ResearchSettings) -> str:
    """Return in words which part of the data the report covers."""
    return (
        f"{int(panel.days[0])}~{int(panel.days[-1])}, 모두 표본 외 "
        f"(walk-forward, 라벨 {settings.horizon_sessions}거래일, "
        f"퍼지와 금지 구간 {settings.walk.embargo_rows}거래일). "
        "어떤 설정도 이 구간의 결과를 보고 고르지 않았습니다."
    )


def _line(name: str, parts: Mapping[str, Any]) -> str:
    everyone, universe = parts["all"], parts["universe"]
    return (
        f"{name}: 순위 IC {_shown(everyone['mean'])} (t {_shown(everyone['t'], 1)}, 저변동성 제거 후 "
        f"{_shown(everyone['neutral_mean'])}), 유니버스 {_shown(universe['mean'])} (t {_shown(universe['t'], 1)}), "
        f"십분위 차익 {_shown(parts['decile']['gross_bp'], 1)} bp (비용 후 {_shown(parts['decile']['net_bp'], 1)}), "
        f"유니버스 상위 20 % 초과 {_shown(parts['universe_fifth']['long_bp'], 1)} bp "
        f"(비용 후 {_shown(parts['universe_fifth']['long_net_bp'], 1)})"
    )


def _shown(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:+.{digits}f}"


def remarks(figures: Mapping[str, Any], settings: ResearchSettings, *, adjusted: bool) -> tuple[str, ...]:
    """Return lines for the report: models first, then the one-line scores they must beat."""
    lines = [_line(f"모델 {name}", parts) for name, parts in figures["models"].items()]
    lines += [_line(f"한 줄 점수 {name}", parts) for name, parts in figures["yardsticks"].items()]
    lines += [_line(f"섞은 라벨 {place}", parts) for place, parts in enumerate(figures["shuffled_labels"], start=1)]
    lines.append(
        f"포트폴리오는 첫 모델({settings.kinds[0].value})의 점수를 따릅니다. 다른 점수의 성과를 보고 고르지 않았습니다."
    )
    if adjusted:
        lines.append("수정주가입니다: 가격 수준은 뒤의 분할을 알고 있어 호가 단위와 수량이 실제와 다를 수 있습니다.")
    return tuple(lines)
