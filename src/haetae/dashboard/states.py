"""What a page shows instead of figures: the service is down, the token expired, nothing is there yet.

A state says what is so, what was expected and found, and the next step; it never shows a traceback
and never a zero in place of what is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from haetae.dashboard.client import Kind, Trouble
from haetae.dashboard.words import say
from haetae.domain.errors import ConfigError, HaetaeError, Text

_ICONS = {
    Kind.DOWN: ":material/cloud_off:",
    Kind.NO_TOKEN: ":material/key:",
    Kind.TOKEN_REFUSED: ":material/key_off:",
    Kind.ROLE_TOO_SMALL: ":material/lock:",
    Kind.NOTHING_THERE: ":material/inbox:",
    Kind.REFUSED: ":material/block:",
    Kind.FAULT: ":material/error:",
    Kind.UNREADABLE: ":material/sync_problem:",
}
_MILD = (Kind.NO_TOKEN, Kind.NOTHING_THERE)


def _told(message: str | Text) -> str:
    return say(message.ko, message.en) if isinstance(message, Text) else message


def explain(trouble: Trouble) -> None:
    """Show a trouble with its next step."""
    draw = st.info if trouble.kind in _MILD else st.error
    draw(_lines(trouble), icon=_ICONS[trouble.kind])


def misconfigured(fault: ConfigError) -> None:
    """Show that this process was started with settings it cannot use."""
    st.error(_lines(fault), icon=":material/settings_alert:")


def _lines(fault: HaetaeError) -> str:
    lines = [f"**{_told(fault.message)}**"]
    for name, told in (
        (say("기대", "Expected"), fault.expected),
        (say("발견", "Found"), fault.found),
        (say("다음", "Next"), fault.next_step),
    ):
        if _told(told):
            lines.append(f"{name}: `{_told(told).replace('`', '')}`")
    return "  \n".join(lines)


@contextmanager
def part() -> Iterator[None]:
    """Let one part of a page fail by itself: the rest stays readable.

    A service that is down or a token that is refused concerns the whole page and passes through.
    """
    try:
        yield
    except Trouble as trouble:
        if trouble.kind in (Kind.DOWN, Kind.NO_TOKEN, Kind.TOKEN_REFUSED):
            raise
        explain(trouble)


def nothing(text: str) -> None:
    """Say that there is nothing to show, which is not a fault."""
    st.info(text, icon=":material/inbox:")
