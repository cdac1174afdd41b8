"""The whole trading life in its short form, as a user runs it: one process tree, real sockets."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "src"),
    "OMP_WAIT_POLICY": "passive",
    "PYTHONUTF8": "1",
    "COLUMNS": "120",
}
SHORT_S = 200


def haetae(*arguments, check=True, language="ko", timeout=SHORT_S):
    done = subprocess.run(
        [sys.executable, "-m", "haetae.cli.main", *map(str, arguments)],
        cwd=ROOT,
        env={**ENVIRONMENT, "HAETAE_LANG": language},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def test_the_demo_selects_fifty_names_and_says_why_not_the_others(demo):
    facts = demo["facts"]
    assert len(facts["universe"]) == len(set(facts["universe"])) == 50
    assert sum(facts["exclusions"].values()) >= 50
    assert facts["rows_daily"] > 100 * 150
    assert facts["rows_minute"] > 50 * 381


def test_the_demo_reports_every_model_beside_baselines(demo):
    facts = demo["facts"]
    assert {"lightgbm", "xgboost", "catboost"} <= set(facts["ml"])
    assert all("rank_ic" in facts["ml"][name] for name in ("lightgbm", "xgboost", "catboost"))
    assert facts["rl"]["test"]["policy"]["return"] is not None
    assert len(facts["rl"]["test"]) >= 3
    assert len(facts["backtest"]["baselines"]) >= 4


def test_the_demo_trades_two_sessions_and_every_step_is_counted(demo):
    facts = demo["facts"]
    assert len(facts["sessions"]) == 2
    assert sum(facts["decisions"].values()) > 0
    assert facts["orders"] > 0
    assert facts["fills"] > 0


def test_the_shock_of_the_second_day_fires_the_escape(demo):
    first, second = demo["facts"]["sessions"]
    assert first["escape"]["level"] == "normal"
    assert second["escape"]["level"] == "exit_all"
    assert demo["facts"]["escape"]["fired"]


def test_journal_and_broker_agree_to_the_won(demo):
    facts = demo["facts"]
    assert facts["reconciled"] is True
    books = facts["reconciliation"]
    assert books["journal"] == books["emulator"]
    assert books["journal"]["cash"] > 0


def test_the_report_is_one_self_contained_page(demo):
    page = Path(demo["facts"]["files"]["report"]).read_text(encoding="utf-8")
    assert "plotly" in page.lower()
    assert 'src="http' not in page
    assert "해태" in page


def test_the_screen_is_korean_and_says_that_the_rules_are_no_ai(demo):
    assert "AI 아님" in demo["screen"]
    assert "1/" in demo["screen"]


def test_folding_the_journal_gives_the_same_commands(demo):
    told = demo["out"].parent / "replay.json"
    haetae("journal", "replay", demo["facts"]["files"]["journal"], "--json", told)
    record = json.loads(told.read_text())
    assert record["differences"] == 0
    assert record["events"] > 500
    assert record["commands"] > 100


def test_a_changed_byte_of_the_journal_is_found(demo, tmp_path):
    source = sqlite3.connect(demo["facts"]["files"]["journal"])
    copy = tmp_path / "journal.db"
    target = sqlite3.connect(copy)
    source.backup(target)
    (seq,) = target.execute("SELECT max(seq) / 2 FROM entries").fetchone()
    (payload,) = target.execute("SELECT payload FROM entries WHERE seq = ?", (seq,)).fetchone()
    spoilt = bytes([payload[0] ^ 1]) + payload[1:]
    with target:
        for (trigger,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f'DROP TRIGGER "{trigger}"')
        target.execute("UPDATE entries SET payload = ? WHERE seq = ?", (spoilt, seq))
    target.close()
    done = haetae("journal", "verify", copy, check=False)
    assert done.returncode == 5
    assert str(seq) in done.stdout + done.stderr


def test_a_second_run_resumes_and_keeps_its_figures(demo, tmp_path):
    out, facts_file = tmp_path / "out", tmp_path / "again.json"
    shutil.copytree(demo["kept"], out)
    started = time.monotonic()
    haetae("demo", "--short", "--out", out, "--json", facts_file)
    again = json.loads(facts_file.read_text())
    assert again["universe"] == demo["facts"]["universe"]
    assert again["fills"] == demo["facts"]["fills"]
    assert time.monotonic() - started < 60


def test_one_seed_gives_one_result_in_any_folder(demo, tmp_path):
    """Facts, models, ledger and every byte of the journal; only time, memory and places differ."""
    out, facts_file = tmp_path / "out", tmp_path / "facts.json"
    haetae("demo", "--short", "--fresh", "--seed", "7", "--out", out, "--json", facts_file)
    first, second = (told_without_places(facts) for facts in (demo["facts"], json.loads(facts_file.read_text())))
    assert first == second
    assert journal_head(demo["out"]) == journal_head(out)
    for name in ("universe.json", "ledger.json", "journal.plan.json", "scores.npy"):
        assert (demo["out"] / name).read_bytes() == (out / name).read_bytes(), name


def told_without_places(facts):
    kept = {name: value for name, value in facts.items() if name not in {"seconds", "rss_mb", "files"}}
    return {**kept, "backtest": {name: value for name, value in facts["backtest"].items() if name != "report"}}


def journal_head(out):
    with sqlite3.connect(f"file:{out / 'journal.db'}?mode=ro", uri=True) as db:
        return db.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()


def test_an_interrupt_stops_cleanly_and_leaves_no_process(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "haetae.cli.main", "demo", "--short", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if "2/" in line:
            break
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert process.returncode == 130, rest[-2000:]
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left.stdout == ""


def test_a_folder_in_use_is_refused_with_the_next_step(demo, tmp_path):
    import fcntl

    out = tmp_path / "out"
    out.mkdir()
    (out / ".haetae-demo").touch()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = haetae("demo", "--short", "--out", out, check=False)
    assert done.returncode == 2
    assert "--out" in done.stdout + done.stderr


def test_the_bars_of_a_lake_trade_over_the_same_wire(demo, tmp_path):
    facts_file = tmp_path / "facts.json"
    lake = demo["facts"]["files"]["lake"]
    haetae("demo", "--short", "--lake", lake, "--out", tmp_path / "out", "--json", facts_file)
    facts = json.loads(facts_file.read_text())
    assert facts["synthetic"] is False
    assert len(facts["universe"]) == 50
    assert [day["day"] for day in facts["sessions"]] == [day["day"] for day in demo["facts"]["sessions"]]
    assert facts["escape"]["fired"]
    assert facts["reconciled"] is True
