"""Days of paper trading under a script of faults: nothing is sent twice, nothing is lost, a kill is survived."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from haetae.domain.events import Note, Submit
from haetae.journal import JournalDb
from haetae.wiring import journals
from rigs.running import ROOT, haetae

SHIPPED = ROOT / "configs" / "faults" / "paper-week.toml"
SMALL = """
[research.universe]
size = 12
buffer = 4
[desk.limits]
reconcile_age_s = 120
"""
"""Twelve names in place of fifty: the same days, faults and code in a fraction of the time."""
TURNING = """
from haetae.policies import Proposal, Strategy, View


class Turning(Strategy):
    every = "30m"

    def propose(self, view: View) -> Proposal:
        first = view.minutes.days[-1] + len(view.minutes) // 30
        held = {view.symbols[(first + k) % len(view.symbols)]: 0.02 for k in range(5)}
        return self.hold(view, held, close_others=True)
"""
"""Always something held, and something to buy and to sell every half hour."""


@pytest.fixture
def begun_from(demo, tmp_path: Path) -> Path:
    """A folder to begin from: the demo's lake, and no model that would speak in shadow every evening."""
    source = tmp_path / "source"
    shutil.copytree(demo["kept"] / "lake", source / "lake", copy_function=os.link)
    (source / "models").mkdir()
    shutil.copy(demo["kept"] / "facts.json", source)
    return source


def traded(source: Path, out: Path) -> dict:
    told, small, turning = out.with_suffix(".json"), out.with_suffix(".toml"), out.with_suffix(".py")
    small.write_text(SMALL)
    turning.write_text(TURNING)
    words = ["trade", "paper", "--emulator", "--sessions", "5", "--faults", SHIPPED, "--config", small]
    words += ["--strategy", turning]
    haetae(*words, "--from", source, "--out", out, "--json", told, timeout=600)
    return json.loads(told.read_text())


def judged(out: Path, facts: dict) -> None:
    week = facts["week"]
    assert week["agrees"]
    assert facts["reconciliation"]["journal"] == facts["reconciliation"]["emulator"]
    assert len(facts["sessions"]) == 5
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


@pytest.mark.slow
@pytest.mark.timeout(660)
def test_five_days_under_the_shipped_faults_agree_with_the_emulator(begun_from: Path, tmp_path: Path) -> None:
    facts = traded(begun_from, tmp_path / "week")
    judged(tmp_path / "week", facts)
    struck = facts["week"]["kinds_struck"]
    for kind in "TBMP":
        assert any(name.startswith(kind) for name in struck), kind


def test_faults_ask_for_an_emulator_of_their_own(demo, tmp_path: Path) -> None:
    done = haetae("trade", "paper", "--faults", SHIPPED, "--out", tmp_path / "d", check=False)
    assert done.returncode == 2
    assert "에뮬레이터" in done.stderr
