"""Days of paper trading under a script of faults: nothing is sent twice, nothing is lost, a kill is survived."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haetae.domain.events import Note, Submit
from haetae.journal import JournalDb
from haetae.wiring import journals
from rigs.running import ROOT, haetae

SHIPPED = ROOT / "configs" / "faults" / "paper-week.toml"
ONE_DAY = """
seed = 7
[[process]]
id = "P01"
day = 1
at = "11:10:00"
[[process]]
id = "P08"
day = 1
at = "13:30:00"
[[shock]]
day = 1
at = "13:05:00"
return_bp = -600
[[fault]]
id = "T03"
where = { operation = "order" }
when = { every = 4 }
times = 3
[[fault]]
id = "T15"
when = { at = "10:05:00" }
[[fault]]
id = "B01"
where = { operation = "order" }
when = { every = 5 }
what = { seconds = 45 }
times = 2
[[fault]]
id = "M03"
where = { symbol = "005930" }
when = { at = "11:30:00" }
"""


def traded(demo, out: Path, script: Path, sessions: int) -> dict:
    told = out.with_suffix(".json")
    words = ["trade", "paper", "--emulator", "--sessions", str(sessions), "--faults", script]
    haetae(*words, "--from", demo["kept"], "--out", out, "--json", told, timeout=1_500)
    return json.loads(told.read_text())


def judged(out: Path, facts: dict, sessions: int) -> None:
    """What must hold however many days it were."""
    week = facts["week"]
    assert week["agrees"]
    assert facts["reconciliation"]["journal"] == facts["reconciliation"]["emulator"]
    assert len(facts["sessions"]) == sessions
    assert all(day["reconciled"] for day in facts["sessions"])
    assert -9 in week["ends"], "the kill happened"
    assert week["ends"][-1] == 0
    assert {row["id"]: row.get("exit") for row in week["strikes"]}["P08"] == 2, "a second desk was refused"
    assert week["escapes"], "an escape happened"
    with JournalDb(out / "journal.db", read_only=True) as journal:
        journal.verify()
        sent = [r.order.intent.intent_id for *_, r in journal.entries(kind="command") if isinstance(r, Submit)]
    assert len(sent) == len(set(sent)), "no intent was sent twice"
    assert journals.replay(out / "journal.db").differences == 0
    assert (out / "backups").is_dir()
    with JournalDb(out / "journal.db", read_only=True) as journal:
        runs = [record.kind for *_, record in journal.entries(kind="run") if isinstance(record, Note)]
    assert "run.resumed" in runs


@pytest.mark.timeout(600)
def test_a_day_under_faults_with_a_kill_in_the_middle_agrees_with_the_emulator(demo, tmp_path: Path) -> None:
    script = tmp_path / "day.toml"
    script.write_text(ONE_DAY)
    facts = traded(demo, tmp_path / "day", script, 1)
    judged(tmp_path / "day", facts, 1)
    assert {"P01", "P08", "T03", "T15", "B01", "M03"} <= set(facts["week"]["kinds_struck"])


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_shipped_week_of_faults_is_survived(demo, tmp_path: Path) -> None:
    facts = traded(demo, tmp_path / "week", SHIPPED, 5)
    judged(tmp_path / "week", facts, 5)
    struck = facts["week"]["kinds_struck"]
    for kind in "TBMP":
        assert any(name.startswith(kind) for name in struck), kind


def test_faults_ask_for_an_emulator_of_their_own(demo, tmp_path: Path) -> None:
    done = haetae("trade", "paper", "--faults", SHIPPED, "--out", tmp_path / "d", check=False)
    assert done.returncode == 2
    assert "에뮬레이터" in done.stderr
