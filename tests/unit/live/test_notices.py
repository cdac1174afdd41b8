"""What people are told: by kind of note, how urgently, and once where it is the same again."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import haetae
from haetae.domain.events import Note
from haetae.domain.notices import Urgency
from haetae.live.notices import TELLINGS, Storms, notice_of

SECOND = 1_000_000_000


def told(kind: str, at: int = 0, **data: object):
    return notice_of(Note(at, kind, data))


@pytest.mark.parametrize(
    ("kind", "data", "urgency"),
    [
        ("fill.booked", {"symbol": "005930"}, Urgency.NEWS),
        ("intent.denied", {"codes": ["G12"]}, Urgency.WARNING),
        ("escape.raised", {"level": "NO_BUYS"}, Urgency.WARNING),
        ("escape.raised", {"level": "REDUCE"}, Urgency.PAGE),
        ("escape.raised", {"level": "EXIT_ALL"}, Urgency.PAGE),
        ("escape.queued_at_limit", {"symbol": "005930"}, Urgency.PAGE),
        ("order.became_stuck", {"intent_id": "A"}, Urgency.PAGE),
        ("reconcile.differed", {"difference": "unexplained"}, Urgency.PAGE),
        ("run.failed", {"fault": "x"}, Urgency.PAGE),
        ("day.closed", {"reconciled": False}, Urgency.PAGE),
        ("day.closed", {}, Urgency.NEWS),
    ],
)
def test_each_kind_has_its_urgency(kind: str, data: dict[str, object], urgency: Urgency) -> None:
    notice = told(kind, **data)
    assert notice is not None
    assert notice.urgency is urgency
    assert notice.title.ko != notice.title.en


def test_what_lags_and_what_is_of_the_desk_s_own_is_told_to_nobody() -> None:
    assert told("reconcile.differed", difference="lagging") is None
    assert told("proposal.planned", legs=3) is None


def test_a_message_shows_the_note_s_figures_and_never_the_books() -> None:
    notice = told("day.closed", day="2026-11-23", book="{…}")
    assert (notice.body.ko, dict(notice.data)) == ("day=2026-11-23", {"day": "2026-11-23"})


def test_every_kind_is_said_in_both_languages() -> None:
    for kind, telling in TELLINGS.items():
        assert telling.title.ko, kind
        assert telling.title.en, kind


def test_a_storm_is_one_message_and_a_count() -> None:
    storms = Storms(300)
    first = told("intent.denied", codes=["G12"])
    assert storms.admit(first) is first
    for second in range(1, 41):
        assert storms.admit(told("intent.denied", at=second * SECOND, codes=["G12"])) is None
    other = told("intent.denied", at=41 * SECOND, codes=["G08"])
    assert storms.admit(other) is other, "another guard is another message"
    assert storms.over(299 * SECOND) == []
    (counted,) = storms.over(300 * SECOND)
    assert counted.data["more"] == 40
    assert "40" in counted.title.ko
    assert storms.over(10**18) == [], "a message that came once is not told again"


def test_a_more_urgent_message_of_the_same_key_is_sent_at_once() -> None:
    storms = Storms(300)
    calm, urgent = told("day.closed"), told("day.closed", at=1, reconciled=False)
    assert storms.admit(calm) is calm
    assert storms.admit(urgent) is urgent


def test_at_the_end_every_count_is_told_whatever_the_time() -> None:
    storms = Storms(300)
    storms.admit(told("fill.booked"))
    storms.admit(told("fill.booked", at=1))
    (counted,) = storms.over(2, all_of_them=True)
    assert counted.data["more"] == 1


@given(st.lists(st.tuples(st.integers(0, 2_000), st.sampled_from(["G01", "G02", "G03"])), max_size=60))
def test_no_message_is_lost_by_counting(storm: list[tuple[int, str]]) -> None:
    storms, sent = Storms(100), 0
    for at, code in sorted(storm):
        for counted in storms.over(at * SECOND):
            sent += int(str(counted.data["more"]))
        sent += storms.admit(told("intent.denied", at=at * SECOND, codes=[code])) is not None
    for counted in storms.over(10**13, all_of_them=True):
        sent += int(str(counted.data["more"]))
    assert sent == len(storm)


def test_every_kind_that_people_are_told_of_is_said_somewhere() -> None:
    """A kind that was renamed where it is noted, and not here, would page nobody, ever."""
    root = Path(haetae.__file__).parent
    readers = ("live/notices.py", "dashboard/", "wiring/views/", "wiring/crashes/")
    files = [file for file in root.rglob("*.py") if not str(file.relative_to(root)).startswith(readers)]
    told: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) or (isinstance(node, ast.Call) and not _is_log(node)):
                told |= {
                    leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant) and leaf.value in TELLINGS
                }
    assert set(TELLINGS) - told == set()


def _is_log(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("info", "warning", "error")
