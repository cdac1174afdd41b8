"""Which journal a folder has, and what the command line does with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.journal_suite import ENTRIES, note, story
from haetae.cli.main import main
from haetae.domain.errors import ConfigError
from haetae.domain.events import OperatorState
from haetae.domain.secret import Secret
from haetae.journal import JournalDb, restored_unreconciled
from haetae.wiring import journal_places, journals
from haetae.wiring.clocks import SystemClock
from haetae.wiring.journal_places import ADDRESS, begun, bind, halt_if_restored, marker, open_journal, this_process
from rigs import postgres

FIRST_VERSION = Path(__file__).resolve().parents[2] / "golden" / "journal" / "v1.db"


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    found = postgres.start()
    yield found
    found.end()


@pytest.fixture
def database(server: postgres.Server) -> Iterator[Secret]:
    made = server.new_database()
    yield made
    server.drop(made)


def test_a_folder_has_a_file_unless_it_is_bound(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert not begun(path)
    with open_journal(path, env={"HAETAE_JOURNAL__BATCH": "3"}, holder=this_process()) as journal:
        assert isinstance(journal, JournalDb)
        assert journal.settings.batch == 3
        assert journal.lease._row.pid == os.getpid()
        assert journal.lease._row.expiry_ms > 0
    assert begun(path)
    assert bind(path, {}) is None


def test_a_desk_with_a_file_is_not_bound_to_a_database(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy", reason="extra postgres")
    path = tmp_path / "journal.db"
    open_journal(path, env={}).close()
    with pytest.raises(ConfigError, match="two journals"):
        bind(path, {ADDRESS: "postgresql://u:canary@h/d"})
    assert not marker(path).exists()
    with open_journal(path, env={ADDRESS: "postgresql://u:canary@h/d"}, read_only=True) as journal:
        assert isinstance(journal, JournalDb)


def test_a_bound_folder_wants_its_own_address(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy", reason="extra postgres")
    path = tmp_path / "journal.db"
    env = {ADDRESS: "postgresql://u:canary@h/d"}
    assert bind(path, env) == "postgresql://h/d"
    assert bind(path, env) == "postgresql://h/d"
    assert bind(path, {}) == "postgresql://h/d"
    assert "canary" not in marker(path).read_text()
    for other in ({}, {ADDRESS: "postgresql://u:canary@h/other"}):
        with pytest.raises(ConfigError, match="in a database") as refused:
            open_journal(path, env=other)
        assert "canary" not in repr(refused.value) + refused.value.found
    with pytest.raises(ConfigError, match="in a database"):
        bind(path, {ADDRESS: "postgresql://u:canary@h/other"})
    path.touch()
    with pytest.raises(ConfigError, match="two journals"):
        open_journal(path, env=env)


@pytest.mark.parametrize("name", ["postgres", "server"])
def test_without_the_extra_the_next_step_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, f"haetae.journal.{name}", None)
    monkeypatch.delattr(f"haetae.journal.{name}", raising=False)
    with pytest.raises(ConfigError, match="not installed") as refused:
        journal_places._extra(name)
    assert refused.value.expected == "haetae[postgres]"


def test_a_restored_journal_begins_halted_until_a_person_releases_it(tmp_path: Path) -> None:
    with open_journal(tmp_path / "journal.db", env={}) as journal:
        story(journal)
        assert halt_if_restored(journal, 7) is None
    assert journals.back_up(journal.path, tmp_path / "copy.db", {}) == ENTRIES  # type: ignore[attr-defined]
    assert journals.restore(tmp_path / "copy.db", tmp_path / "new.db", SystemClock(), {}) == ENTRIES
    with open_journal(tmp_path / "new.db", env={}) as journal:
        halt = halt_if_restored(journal, 7)
        assert halt is not None
        assert (halt.at, halt.state, halt.who) == (7, OperatorState.HALT, "journal")


def test_the_command_line_copies_restores_rebuilds_and_migrates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, copy, back = tmp_path / "journal.db", tmp_path / "copy.db", tmp_path / "back.db"
    with JournalDb(path) as journal:
        story(journal)
        assert main(["journal", "backup", str(path), str(copy)]) == 0
        digests = journal.digests()
    assert main(["journal", "backup", str(path), str(copy)]) == 5
    assert main(["journal", "restore", str(copy), str(path)]) == 5
    assert main(["journal", "restore", str(copy), str(back)]) == 0
    assert main(["journal", "verify", str(back)]) == 0
    assert f"{ENTRIES + 1:,}" in capsys.readouterr().out
    assert main(["journal", "rebuild", str(back)]) == 0
    told = capsys.readouterr().out
    assert all(digest in told for digest in digests.values())
    old = tmp_path / "old.db"
    shutil.copy(FIRST_VERSION, old)
    assert main(["journal", "verify", str(old)]) == 5
    assert f"haetae journal migrate {old}" in capsys.readouterr().err
    assert main(["journal", "migrate", str(old)]) == 0
    assert main(["journal", "verify", str(old)]) == 0
    assert main(["journal", "migrate", str(tmp_path / "nowhere.db")]) == 5
    assert not (tmp_path / "nowhere.db").exists()


def test_a_folder_bound_to_a_database_is_used_by_the_same_commands(
    tmp_path: Path, database: Secret, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    with JournalDb(tmp_path / "file.db") as journal:
        story(journal)
        head = journal.head
    monkeypatch.setenv(ADDRESS, database.reveal())
    assert main(["journal", "restore", str(tmp_path / "file.db"), str(path)]) == 5
    assert "haetae journal migrate" in capsys.readouterr().err
    assert main(["journal", "migrate", str(path)]) == 0
    assert not begun(path)
    assert main(["journal", "restore", str(tmp_path / "file.db"), str(path)]) == 0
    assert begun(path)
    assert not path.exists()
    assert main(["journal", "verify", str(path)]) == 0
    assert main(["journal", "backup", str(path), str(copy)]) == 0
    assert main(["journal", "export", str(path), str(tmp_path / "all.jsonl")]) == 0
    assert main(["journal", "rebuild", str(path)]) == 0
    with JournalDb(copy, read_only=True) as copied, open_journal(path) as kept:
        assert list(copied.raw())[ENTRIES - 1].digest == head[1]
        assert copied.digests() == kept.digests()
        assert restored_unreconciled(kept)
        kept.append("event", [note(1)], durable=True)
    told = capsys.readouterr()
    assert database.reveal() not in told.out + told.err
