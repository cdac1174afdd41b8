"""The plan of a trading day from the calendar: named steps with their instants, and what a late start does with each.

Here: ``agenda`` (the steps of a day, late opens and short days included) and ``due`` (what remains at an instant).
Not here: who performs a step (the wiring's trading days); hours and holidays (``krx``). All instants are KST days'.

Late starts follow one written rule: a step whose result the rest of the day stands on is done late (``MAKE_UP``); a
moment of the market that has passed is skipped (``PASS``); what needs the market as it was then is skipped and said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from haetae.domain.errors import Text
from haetae.domain.units import NS_PER_MINUTE, Instant, instant_at
from haetae.krx import Rulebook

TOKEN_BEFORE_ENTRY_MIN = 10
"""The day's token is there before orders may be entered, in time to mend what prevents it."""
UP_BEFORE_OPEN_MIN = 10
"""The desk is up ten minutes before the open."""
CHECKS_BEFORE_UP_MIN = 10
COLLECT_AFTER_CLOSE_MIN = 30
"""Half an hour after the close the day's bars are final."""
CATCH_UP_AT = 70_000
"""Yesterday's last corrections are published by then; KIS is back from its nightly maintenance."""


class Late(Enum):
    """What a start after a step's instant does."""

    MAKE_UP = "make up"
    """Do it now."""
    PASS = "pass"  # noqa: S105 - a rule, not a secret
    """Go on without it: the market does not wait."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a day; it lasts until the next one begins."""

    name: str
    at: Instant
    title: Text
    late: Late


_TITLES = {
    "catch_up": Text(ko="모자란 일봉 수집, 50종목, 점수", en="missing bars, fifty names, scores"),
    "token": Text(ko="오늘의 접근 토큰", en="the day's token"),
    "checks": Text(ko="개장 전 점검", en="checks before the open"),
    "desk": Text(ko="저널 되살림, 계좌 대사, 데스크 시작", en="journal folded, account compared, desk up"),
    "opening_auction": Text(ko="시가 동시호가", en="opening call auction"),
    "open": Text(ko="개장", en="continuous trading"),
    "closing_auction": Text(ko="종가 동시호가", en="closing call auction"),
    "close": Text(ko="폐장, 마지막 대사", en="close, last comparison"),
    "collect": Text(ko="마감 뒤 수집", en="collection after the close"),
    "review": Text(ko="회고", en="review"),
    "backup": Text(ko="저널 사본", en="copy of the journal"),
}


def agenda(rules: Rulebook) -> tuple[Step, ...]:
    """Return the steps of a trading day, ascending."""
    session, minute = rules.session, NS_PER_MINUTE
    up = session.open_at - UP_BEFORE_OPEN_MIN * minute
    collect = session.close_at + COLLECT_AFTER_CLOSE_MIN * minute
    token = session.orders_from - TOKEN_BEFORE_ENTRY_MIN * minute
    make_up, skip = Late.MAKE_UP, Late.PASS
    steps = [Step(name, at, _TITLES[name], late) for name, at, late in (
        ("catch_up", instant_at(rules.day, CATCH_UP_AT), make_up),
        ("token", token, make_up),
        ("checks", up - CHECKS_BEFORE_UP_MIN * minute, make_up),
        ("desk", up, make_up),
        ("opening_auction", session.orders_from, skip),
        ("open", session.open_at, skip),
        ("closing_auction", session.auction_from, skip),
        ("close", session.close_at, skip),
        ("collect", collect, make_up),
        ("review", collect, make_up),
        ("backup", collect, make_up),
    )]  # fmt: skip
    return tuple(sorted(steps, key=lambda step: step.at))


def at_of(rules: Rulebook, name: str) -> Instant:
    """Return when a step of a day begins; raises ``KeyError`` for a name no day has."""
    return {step.name: step.at for step in agenda(rules)}[name]


def due(steps: tuple[Step, ...], now: Instant) -> tuple[tuple[Step, str], ...]:
    """Return what a start at an instant does with each step: ``waits``, ``late`` (made up now) or ``passed``."""
    said = {Late.MAKE_UP: "late", Late.PASS: "passed"}
    return tuple((step, "waits" if step.at > now else said[step.late]) for step in steps)
