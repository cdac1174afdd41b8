"""The way from a demo to real money, as CheckList.md walks it; every command there is run here or named here."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rigs.running import ENVIRONMENT, ROOT, haetae

ELSEWHERE = {
    "setup": "tests/unit/bootstrap",
    "test": "this run",
    "check": "the house's own checks",
    "demo": "tests/e2e/test_demo.py; the folder used here is its result",
    "version": "tests/unit/cli",
    "lake": "tests/unit/cli/test_verbs.py",
    "research": "tests/unit/research, benchmarks",
    "features": "tests/unit/cli/test_features.py, tests/e2e/test_documented.py",
    "feargreed": "tests/e2e/test_documented_mood.py",
    "universe": "tests/unit/cli/test_universe.py, tests/e2e/test_documented.py",
    "train": "tests/unit/cli/test_train.py",
    "backtest": "tests/e2e/test_documented.py, tests/e2e/test_sweep.py, tests/unit/cli/test_backtest.py",
    "strategy": "tests/e2e/test_documented.py, tests/e2e/test_strategies.py",
    "emulator": "tests/unit/cli/test_verbs.py",
    "journal": "tests/e2e/test_demo.py",
    "llm": "tests/unit/llm",
    "collect": "tests/e2e/test_collect.py, tests/e2e/test_documented_collecting.py",
    "serve": "tests/e2e/test_dashboard.py",
    "token": "tests/unit/service",
    "infra": "tests/unit/cloud",
    "deploy": "tests/unit/cloud",
}
"""First words of commands that other tests run."""


def walked():
    text = (ROOT / "CheckList.md").read_text(encoding="utf-8")
    return [shlex.split(found) for found in re.findall(r"`python3 run\.py ([^`]+)`", text)]


@pytest.fixture(scope="module")
def home(demo, tmp_path_factory):
    """A user's folder after chapter 1: a finished demo in data/demo, a key file, no account yet."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(demo["kept"], home / "data" / "demo")
    (home / "data" / "demo" / "operator.jsonl").unlink(missing_ok=True)
    return home


@pytest.fixture(scope="module")
def emulator(home):
    """A stepped emulator on the evening the demo's lake ends, for the account of chapter 5."""
    command = ["emulator", "run", "--free-ports", "--with-parent", "--seed", "7", "--speed", "0"]
    command += ["--listed", "130", "--history", "190", "--clock", "2026-11-20T18:00"]
    process = subprocess.Popen(
        [sys.executable, "-m", "haetae.cli.main", *command], stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=home
    )
    ready = json.loads(process.stdout.readline())
    folder = home / "KIS" / "config"
    folder.mkdir(parents=True)
    keys = {
        "my_app": "PSREALKEY000000000000000000000000000",
        "my_sec": "s" * 180,
        "paper_app": "PSMOCKKEY000000000000000000000000000",
        "paper_sec": "t" * 180,
        "my_htsid": "haetae",
        "my_acct_stock": "50012345",
        "my_paper_stock": "50054321",
        "my_prod": "01",
        "prod": ready["rest_real"],
        "ops": ready["ws_real"],
        "vps": ready["rest_mock"],
        "vops": ready["ws_mock"],
    }
    (folder / "kis_devlp.yaml").write_text("\n".join(f'{name}: "{value}"' for name, value in keys.items()))
    yield ready
    process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture(scope="module")
def walk(home, emulator):
    """Run the commands of chapters 4 to 6 in their order; returns what each one said."""
    said = {}
    for words in walked():
        line = " ".join(words)
        if words[0] in ELSEWHERE or line in said:
            continue
        here = [word.replace("~", str(home)) for word in words]
        if words[:2] == ["trade", "arm"]:
            here += ["--account-number", "50012345"]
        if words[:2] == ["trade", "paper"] and "--emulator" not in words:
            here += ["--control", emulator["control"]]
        if "data/live" in line and not (home / "data" / "live" / "journal.db").exists():
            shutil.copytree(home / "data" / "paper", home / "data" / "live", dirs_exist_ok=True)
        said[line] = haetae(*here, check=False, cwd=home, HOME=str(home))
    return said


def of(walk, start):
    found = [done for line, done in walk.items() if line.startswith(start)]
    assert found, start
    return found


def test_every_command_of_the_checklist_does_what_it_says(walk):
    shut = [line for line, done in walk.items() if done.returncode != 0]
    assert [line for line in shut if not line.startswith("trade live")] == [], [
        walk[line].stdout[-800:] + walk[line].stderr[-800:] for line in shut
    ]


def test_a_paper_day_on_the_emulator_agrees_to_the_won(walk, home):
    said = of(walk, "trade paper --emulator")[0].stdout
    assert "계좌 대사: 일치" in said
    assert "원 단위까지 일치" in said
    facts = json.loads((home / "data" / "paper" / "facts.json").read_text())
    assert facts["sessions"][0]["day"] == "2026-11-25"
    assert facts["orders"] > 0
    assert facts["reviews"] == sum(facts["decisions"].values())
    assert facts["reconciliation"]["journal"] == facts["reconciliation"]["emulator"]


def test_a_paper_day_folds_again_to_the_same_commands(walk, home):
    done = haetae("journal", "replay", home / "data" / "paper" / "journal.db")
    assert "다른 명령 0건" in done.stdout


def test_a_paper_day_on_the_mock_account_agrees_with_its_ledger(walk, home):
    said = of(walk, "trade paper --from")[0].stdout
    assert "계좌 대사: 일치" in said
    assert "원 단위까지 일치" in said
    assert oct((home / ".haetae" / "secrets.env").stat().st_mode)[-3:] == "600"


def test_real_money_stays_shut_in_a_test_even_with_todays_token(walk):
    done = of(walk, "trade live")[0]
    assert done.returncode == 2
    assert "LIVE_BUILD" in done.stderr
    assert not Path(ROOT / "src" / "haetae" / "LIVE_BUILD").exists()


def test_the_doctor_found_the_account_the_hosts_and_the_models(walk):
    said = of(walk, "doctor")[0].stdout
    assert "fail" not in said
    assert said.count("ok ") >= 6


def test_a_halt_given_before_the_day_keeps_the_desk_still(walk, home):
    desk = home / "data" / "paper"
    haetae("kill", "--halt", "--out", desk)
    haetae("trade", "paper", "--emulator", "--out", desk)
    facts = json.loads((desk / "facts.json").read_text())
    assert facts["orders"] == 0
    assert facts["sessions"][0]["day"] > "2026-11-25"
