"""The table of transitions of an order, written from the code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from haetae.execution import TRANSITIONS, Step, When
from haetae.execution.life import Cause

Table = Callable[..., str]
_WHEN = {When.ALWAYS: "", When.NONE: "체결 없음 / none", When.PART: "일부 체결 / a part", When.WHOLE: "전부 체결 / all"}


def order_tables(page: str, table: Table) -> tuple[tuple[str, str, Callable[[], str]], ...]:
    """Return the tables of the page of an order's life."""
    return ((page, "transitions", partial(transitions, table)),)


def transitions(table: Table) -> str:
    """Return every transition that leads somewhere; events that change nothing are told as one line at the end."""
    rows = [
        [f"`{row.before.value}`", _named(row.cause), _WHEN[row.when], f"`{row.after.value}`"]
        for row in TRANSITIONS
        if row.before is not row.after
    ]
    stay = sum(row.before is row.after for row in TRANSITIONS)
    head = ["상태 / state", "무엇이 / cause", "체결 / executed", "다음 / next"]
    korean = f"상태를 바꾸지 않는 {stay}가지가 더 있고, 그 밖은 일어날 수 없습니다."
    return f"{table(head, rows)}\n\n{korean} / {stay} more change nothing; no others can happen."


def _named(cause: Cause) -> str:
    return f"*{cause.value}*" if isinstance(cause, Step) else f"`{cause.__name__}`"
