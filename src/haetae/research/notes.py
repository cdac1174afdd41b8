"""Sentences of the report: which window this is, and what must be held against it."""

from __future__ import annotations

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


def remarks(settings: ResearchSettings, *, adjusted: bool) -> tuple[str, ...]:
    """Return what a reader must hold against the figures of the portfolio."""
    leading = settings.kinds[0].value
    lines = [
        f"포트폴리오는 첫 모델({leading})의 점수를 따릅니다. 다른 점수의 성과를 보고 고르지 않았습니다. "
        f"The portfolio follows {leading}, whatever the others show."
    ]
    if adjusted:
        lines.append(
            "수정주가입니다: 가격 수준은 뒤의 분할을 알고 있어 호가 단위와 수량이 실제와 다를 수 있습니다. "
            "Adjusted prices: their level knows of later splits."
        )
    return tuple(lines)
