import json

import pytest

from haetae.domain.errors import ConfigError
from haetae.wiring.demo.folder import Folder, free_folder


def test_a_second_run_continues_after_the_finished_stages(tmp_path):
    first = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    first.finish("collect", 1.5, {"rows_daily": 10})
    first.close()
    second = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    assert second.finished("collect")
    assert second.facts["rows_daily"] == 10


@pytest.mark.parametrize(("identity", "fresh"), [({"seed": 2}, False), ({"seed": 1}, True)])
def test_another_seed_or_a_fresh_run_starts_over(tmp_path, identity, fresh):
    first = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    first.finish("collect", 1.5, {"rows_daily": 10})
    (first.path / "lake").mkdir()
    first.close()
    second = Folder(tmp_path / "out", identity, fresh=fresh)
    assert not second.finished("collect")
    assert not (second.path / "lake").exists()


def test_two_runs_do_not_share_a_folder(tmp_path):
    held = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    with pytest.raises(ConfigError, match="another run"):
        Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    other = free_folder(tmp_path / "out", {"seed": 1}, fresh=False)
    assert other.path.name == "out-2"
    held.close()


def test_a_torn_facts_file_starts_over(tmp_path):
    first = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    first.finish("collect", 1.0, {})
    first.close()
    (tmp_path / "out" / "facts.json").write_text('{"done": ["coll')
    second = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    assert not second.finished("collect")


def test_facts_are_json_for_other_programs(tmp_path):
    folder = Folder(tmp_path / "out", {"seed": 1}, fresh=False)
    folder.finish("collect", 1.0, {"한글": 1})
    assert json.loads((tmp_path / "out" / "facts.json").read_text())["한글"] == 1


def test_a_folder_of_somebody_else_is_never_emptied(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="not made by the demo"):
        Folder(tmp_path, {"seed": 1}, fresh=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
