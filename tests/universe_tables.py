"""Tables of ``docs/universe.md``: settings with their reasons, why a name is left out, what is flagged about one."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial

from haetae.domain.errors import Text
from haetae.universe import UniverseSettings
from haetae.universe.reasons import FLAGS, REASONS

Writer = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def reasons_of_settings() -> Mapping[str, str]:
    """Return the sentence that stands under each setting in the source."""
    (body,) = (node for node in ast.parse(inspect.getsource(UniverseSettings)).body if isinstance(node, ast.ClassDef))
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            assert isinstance(below.value, ast.Constant)
            found[field.target.id] = " ".join(str(below.value.value).replace("``", "`").split())
    return found


def _shown(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def settings(table: Writer) -> str:
    """Return every setting with its default and reason."""
    reasons, given = reasons_of_settings(), UniverseSettings()
    names = [field.name for field in dataclasses.fields(given)]
    return table(
        ["설정 / setting", "기본값 / default", "이유 / reason"],
        [[f"`{name}`", _shown(getattr(given, name)), reasons[name]] for name in names],
    )


def words(table: Writer, told: Mapping[str, Text]) -> str:
    """Return codes in both languages."""
    return table(["코드 / code", "뜻", "meaning"], [[f"`{code}`", text.ko, text.en] for code, text in told.items()])


def universe_tables(page: str, table: Writer) -> tuple[tuple[str, str, Callable[[], str]], ...]:
    """Return the tables of the page: page, name between the marks, and the function that tells it."""
    return (
        (page, "universe-settings", partial(settings, table)),
        (page, "universe-reasons", partial(words, table, REASONS)),
        (page, "universe-flags", partial(words, table, FLAGS)),
    )
