"""The commands of the page on fear & greed, run as they stand on a small lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from documented import Reader, has_shell, read
from mood_lake import make_mood_lake
from real_moods import recorded
from rigs.running import ROOT

pytestmark = pytest.mark.skipif(not has_shell(), reason="bash, curl or python3 is not there")

PAGE = read("docs/fear-greed.md")


def test_the_page_leads_from_a_lake_to_a_day_a_history_and_a_running_day(tmp_path: Path) -> None:
    reader = Reader(PAGE, tmp_path)
    make_mood_lake(tmp_path / "data" / "lake")
    (tmp_path / "cnn.csv").write_text("date,fear_greed,rating\n2021-03-23,55.5,greed\n", encoding="utf-8")
    told = reader.run("mood")
    assert told.count("0 fear · 100 greed") == 3
    assert "CNN 55.5 · greed (2021-03-23, 2021-03-24~)" in told
    assert {each.name for each in tmp_path.iterdir()} >= {"mood.csv", "mood.svg"}
    assert PAGE.names == {"mood"}


def test_the_page_says_from_when_there_is_a_value() -> None:
    assert f"첫 값은 {recorded()['first_value']}입니다" in (ROOT / "docs/fear-greed.md").read_text(encoding="utf-8")
