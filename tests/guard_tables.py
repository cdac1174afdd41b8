"""The table of the guards' page, from the guards themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from haetae.guards import CEILINGS, FLOORS, GUARDS, Limits


def guard_tables(page: str, table: Callable[..., str]) -> tuple[tuple[str, str, Callable[[], str]], ...]:
    """Return the tables of a page with their names."""

    def guards() -> str:
        head = [
            "코드",
            "이름 / name",
            "무엇을 지키나 / protects",
            "한도 = 기본 (상·하한) / limits",
            "탈출도 / escapes",
            "근거 / source",
        ]
        rows = [
            [
                guard.code,
                f"{guard.name.ko}<br>{guard.name.en}",
                f"{guard.protects.ko}<br>{guard.protects.en}",
                "<br>".join(_limit(name) for name in guard.limits) or "-",
                "예" if guard.escape else "-",
                guard.source,
            ]
            for guard in sorted(GUARDS, key=lambda guard: guard.code)
        ]
        return table(head, rows)

    def remedies() -> str:
        rows = [
            [guard.code, guard.remedy.ko, guard.remedy.en] for guard in sorted(GUARDS, key=lambda guard: guard.code)
        ]
        return table(["코드", "걸리면", "when it fires"], rows)

    return ((page, "guards", guards), (page, "remedies", remedies))


def _limit(name: str) -> str:
    default = next(item.default for item in fields(Limits) if item.name == name)
    told = f"`{name}` = {_value(default)}"
    if name in CEILINGS:
        told += f" (≤ {_value(CEILINGS[name])})"
    return told + (f" (≥ {_value(FLOORS[name])})" if name in FLOORS else "")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return "없음" if isinstance(value, frozenset) else str(value)
