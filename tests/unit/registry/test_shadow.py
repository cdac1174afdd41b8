"""The shadow record: written once, sealed, and only words in time count."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from haetae.domain.errors import ModelError
from haetae.domain.promotion import ShadowOutcome, ShadowScores
from haetae.registry.shadow import ShadowBook

DAY = dt.date(2026, 1, 5)


def said(day: int = 0, *, in_time: bool = True, **fields: object) -> ShadowScores:
    whole = ShadowScores("new", "abc", DAY + dt.timedelta(days=day), 100 + day, in_time, "bars", 5, {"005930": 0.25})
    return dataclasses.replace(whole, **fields)  # type: ignore[arg-type]


def outcome(day: int = 0, value: float = 0.05) -> ShadowOutcome:
    return ShadowOutcome("new", DAY + dt.timedelta(days=day), DAY + dt.timedelta(days=day + 6), value, 200)


def test_what_was_said_comes_back_and_a_second_writing_changes_nothing(tmp_path: Path) -> None:
    book = ShadowBook(tmp_path)
    assert book.scores() == ()
    assert not list(tmp_path.iterdir())
    assert book.say([said(0), said(1, model_id="old")]) == 2
    assert book.say([said(0), said(1), said(0, at=999, in_time=False, data="later bars")]) == 1
    assert ShadowBook(tmp_path).scores("new") == (said(0), said(1))


@pytest.mark.parametrize("other", [{"values": {"005930": 0.5}}, {"content_hash": "abd"}, {"horizon": 1}])
def test_another_word_for_the_same_day_is_refused(tmp_path: Path, other: dict[str, object]) -> None:
    book = ShadowBook(tmp_path)
    book.say([said()])
    with pytest.raises(ModelError, match="another record"):
        book.say([said(**other)])
    book.resolve([outcome()])
    with pytest.raises(ModelError, match="another record"):
        book.resolve([outcome(value=0.5)])
    assert book.scores() == (said(),)
    assert book.outcomes() == (outcome(),)


def test_only_words_in_time_since_the_model_went_to_shadow_count(tmp_path: Path) -> None:
    book = ShadowBook(tmp_path)
    book.say([said(2), said(0), said(1, in_time=False), said(3)])
    book.resolve([outcome(2), outcome(0), outcome(1)])
    assert [one.day for one in book.counted("new", since=0)] == [DAY, DAY + dt.timedelta(days=2)]
    assert [one.day for one in book.counted("new", since=101)] == [DAY + dt.timedelta(days=2)]
    assert book.counted("old", since=0) == ()


@pytest.mark.parametrize("file", ["scores.jsonl", "outcomes.jsonl"])
def test_a_line_taken_out_or_changed_is_found(tmp_path: Path, file: str) -> None:
    book = ShadowBook(tmp_path)
    book.say([said(0), said(1)])
    book.resolve([outcome(0, -0.2), outcome(1, 0.2)])
    path = tmp_path / "shadow" / file
    whole = path.read_text()
    for torn in (whole.split("\n", 1)[1], whole.replace("new", "old", 1), whole.replace("{", "[", 1)):
        path.write_text(torn)
        with pytest.raises(ModelError, match="damaged"):
            book.counted("new", since=0)
    path.write_text(whole + '{"seal": "half')
    assert len(book.counted("new", since=0)) == 2
