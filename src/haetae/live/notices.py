"""Which of the desk's notes people are told, in what words, how urgently; and how a storm becomes one message.

Here: ``notice_of`` (a table by kind of note) and ``Storms`` (the same message again is counted). Pure: instants come
with the notes. Not here: channels and their keys (the wiring's ``notifying``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from haetae.domain.errors import Text
from haetae.domain.events import Note
from haetae.domain.notices import Notice, Urgency
from haetae.domain.units import NS_PER_SECOND, Instant

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """How notes of one kind are told: ``same`` names the fields that make two of them the same message."""

    urgency: Urgency
    title: Text
    same: tuple[str, ...] = ()
    urgency_of: Callable[[Data], Urgency | None] | None = None
    """Decides by the note's own data; None tells nobody."""


def _by_level(data: Data) -> Urgency:
    return Urgency.WARNING if data.get("level") == "NO_BUYS" else Urgency.PAGE


def _by_difference(data: Data) -> Urgency | None:
    return None if data.get("difference") == "lagging" else Urgency.PAGE


def _by_agreement(data: Data) -> Urgency:
    return Urgency.NEWS if data.get("reconciled", True) else Urgency.PAGE


NEWS, WARNING, PAGE = Urgency.NEWS, Urgency.WARNING, Urgency.PAGE
TELLINGS: Mapping[str, Telling] = {
    "day.opened": Telling(NEWS, Text(ko="거래일 시작", en="the day begins")),
    "day.closed": Telling(NEWS, Text(ko="거래일 끝", en="the day is over"), urgency_of=_by_agreement),
    "run.resumed": Telling(WARNING, Text(ko="다시 시작함: 저널에서 되살림", en="restarted from the journal")),
    "run.failed": Telling(PAGE, Text(ko="데스크가 멈췄습니다", en="the desk has stopped")),
    "fill.booked": Telling(NEWS, Text(ko="체결", en="filled")),
    "intent.denied": Telling(WARNING, Text(ko="가드가 거절", en="a guard refused"), ("codes",)),
    "order.rejected": Telling(WARNING, Text(ko="주문 거절", en="an order was rejected"), ("code",)),
    "order.became_unknown": Telling(WARNING, Text(ko="주문 결과를 모름", en="an order's fate is unknown")),
    "order.became_stuck": Telling(
        PAGE, Text(ko="결과를 알아내지 못한 주문", en="an order's fate stays unknown"), ("intent_id",)
    ),
    "order.returned": Telling(
        PAGE, Text(ko="끝난 주문의 체결", en="a fill of an order that had ended"), ("intent_id",)
    ),
    "order.surprised": Telling(
        WARNING, Text(ko="예상과 다른 주문 소식", en="an order's news did not fit"), ("remark",)
    ),
    "execution.exceeded": Telling(PAGE, Text(ko="의도보다 많이 체결됨", en="more was filled than intended")),
    "reconcile.differed": Telling(
        PAGE, Text(ko="증권사와 장부가 다름", en="books and broker differ"), ("difference", "symbol"), _by_difference
    ),
    "budget.exhausted": Telling(PAGE, Text(ko="하루 명령 한도를 다 씀", en="the day's commands are used up")),
    "operator.changed": Telling(WARNING, Text(ko="킬 스위치", en="kill switch"), ("state",)),
    "escape.raised": Telling(PAGE, Text(ko="변동성 탈출", en="volatility escape"), ("level",), _by_level),
    "escape.lowered": Telling(NEWS, Text(ko="탈출 단계 내려감", en="the escape steps down"), ("level",)),
    "escape.left_name": Telling(WARNING, Text(ko="한 종목에서 나감", en="one name is left"), ("symbol",)),
    "escape.queued_at_limit": Telling(
        PAGE, Text(ko="하한가에서 팔리지 않음", en="an exit waits at the lower limit"), ("symbol",)
    ),
    "escape.sold_unseen": Telling(PAGE, Text(ko="시세를 모른 채 팖", en="sold without a price of now"), ("why",)),
    "permit.revoked": Telling(PAGE, Text(ko="실거래 허가 취소", en="the live permit is revoked")),
    "loop.blocked": Telling(PAGE, Text(ko="프로그램이 움직이지 않음", en="the program does not move")),
    "crash.looped": Telling(PAGE, Text(ko="되풀이되는 종료: 멈춤", en="it keeps crashing: stopped")),
    "preopen.failed": Telling(PAGE, Text(ko="개장 전 점검 실패", en="a check before the open failed"), ("checks",)),
    "preopen.warned": Telling(WARNING, Text(ko="개장 전 점검 주의", en="a check before the open warns"), ("checks",)),
    "lease.lost": Telling(PAGE, Text(ko="다른 프로세스가 이어받음", en="another process has taken over")),
}
"""Notes that people are told; every other kind stays in journal and log."""

_SHOWN = 12
"""Fields of a note that a message shows; the journal has them all."""


def notice_of(note: Note) -> Notice | None:
    """Return what people are told of a note, None where they are not."""
    telling = TELLINGS.get(note.kind)
    if telling is None:
        return None
    urgency = telling.urgency if telling.urgency_of is None else telling.urgency_of(note.data)
    if urgency is None:
        return None
    shown = {name: _plain(value) for name, value in list(note.data.items())[:_SHOWN] if name != "book"}
    said = ", ".join(f"{name}={value}" for name, value in shown.items())
    key = ":".join([note.kind, *(str(_plain(note.data.get(name, ""))) for name in telling.same)])
    return Notice(note.at, urgency, note.kind, telling.title, Text(ko=said, en=said), key, shown)


def _plain(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


@dataclass(slots=True)
class _Storm:
    since: Instant
    last: Notice
    more: int = 0


class Storms:
    """Lets the first of equal messages pass and counts the rest; the count is told when its time is over."""

    def __init__(self, storm_s: int) -> None:
        """Count for ``storm_s`` seconds after a message that passed."""
        self._span = storm_s * NS_PER_SECOND
        self._storms: dict[str, _Storm] = {}

    def admit(self, notice: Notice) -> Notice | None:
        """Return the notice if it is to be sent now; a more urgent one of the same key always is."""
        storm = self._storms.get(notice.key)
        if storm is not None and notice.at < storm.since + self._span and notice.urgency <= storm.last.urgency:
            storm.more += 1
            storm.last = notice
            return None
        self._storms[notice.key] = _Storm(notice.at, notice)
        return notice

    def over(self, now: Instant, *, all_of_them: bool = False) -> list[Notice]:
        """Return one notice for every storm whose time is over: the last of it, and how many there were."""
        ended = [key for key, storm in self._storms.items() if all_of_them or now >= storm.since + self._span]
        told = []
        for key in ended:
            storm = self._storms.pop(key)
            if storm.more:
                told.append(_counted(storm.last, storm.more))
        return told


def _counted(last: Notice, more: int) -> Notice:
    title = Text(ko=f"{last.title.ko} (같은 소식 {more}건 더)", en=f"{last.title.en} ({more} more of the same)")
    return replace(last, title=title, data={**last.data, "more": more})
