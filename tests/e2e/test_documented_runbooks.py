"""The runbooks run as they stand, in a folder as a desk leaves it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from documented import Reader, has_shell, read
from haetae.cli.init import ACCOUNT
from haetae.journal import JournalDb
from haetae.kis.settings import KisSettings
from haetae.wiring import accounts, backups, operators
from haetae.wiring.signing import is_signed
from rigs.desk_day import DAY
from rigs.desk_folder import make_folder
from rigs.running import ENVIRONMENT

pytestmark = [
    pytest.mark.skipif(not has_shell(), reason="bash, curl or python3 is not there"),
    pytest.mark.timeout(240),
]

BOOKS = {
    "kill": "kill", "start-of-day": "start", "stuck-order": "stuck", "escape-fired": "escape",
    "restore-from-backup": "restore",
}  # fmt: skip

KEYS = f"""paper_app: "PSKEY{"0" * 31}"
paper_sec: "{"s" * 180}"
my_paper_stock: "50012345"
my_prod: "01"
my_htsid: "user1"
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A broker on this machine: the kill switch of a dead desk asks it for what is open."""
    command = ["emulator", "run", "--free-ports", "--with-parent", "--seed", "7", "--speed", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "haetae.cli.main", *command, "--clock", "2026-11-23T10:00"],
        stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=tmp_path_factory.mktemp("broker"),
    )  # fmt: skip
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, broker: dict[str, str]) -> Path:
    """A reader's folder whose desk has traded a day with an escape, and copied its journal."""
    home = tmp_path_factory.mktemp("reader")
    make_folder(home / "data" / "paper")
    backups.copy_journal(home / "data" / "paper" / "journal.db", DAY)
    hosts = f'vps: "{broker["rest_mock"]}"\nvops: "{broker["ws_mock"]}"\n'
    (home / "keys.yaml").write_text(KEYS + hosts, encoding="utf-8")
    accounts.make_account(home / ACCOUNT, home / "keys.yaml", "mock")
    return home


def key(desk: Path) -> KisSettings:
    return accounts.read_account(desk / ACCOUNT, {}, reading=True)[1]


def told(desk: Path, name: str) -> str:
    return Reader(read(f"docs/runbooks/{name}.md"), desk).run(BOOKS[name])


def states(desk: Path) -> list[str]:
    return [w.state.value for w in operators.given(desk / "data" / "paper") if isinstance(w, operators.Order)]


def test_every_runbook_has_its_block_and_no_other() -> None:
    for name, block in BOOKS.items():
        assert read(f"docs/runbooks/{name}.md").names == {block}


def test_halting_reducing_and_exporting_do_what_the_pages_say(desk: Path) -> None:
    said = told(desk, "kill")
    assert "halt:" in said
    assert "not reached" not in said
    assert "the chain holds" in told(desk, "stuck-order")
    assert states(desk) == ["halt", "reduce_only"]
    said = [each.wish for each in operators.given(desk / "data" / "paper") if isinstance(each, operators.Request)]
    assert [each.order_id and each.order_id.number for each in said if is_signed(each, key(desk))] == ["117057", None]
    assert int(told(desk, "escape-fired").split()[-1]) > 0


def test_the_plan_of_the_exam_day_is_an_hour_late(desk: Path) -> None:
    assert "10:00" in told(desk, "start-of-day")


def test_a_damaged_journal_is_put_aside_and_the_copy_verifies(desk: Path) -> None:
    journal = desk / "data" / "paper" / "journal.db"
    journal.write_bytes(journal.read_bytes()[:5_000] + b"\0" * 400)
    assert "the chain holds" in told(desk, "restore-from-backup")
    assert (desk / "data" / "paper" / "damaged" / "journal.db").exists()
    with JournalDb(journal, read_only=True) as restored:
        assert restored.verify() > 100
