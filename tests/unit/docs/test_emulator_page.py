"""The page on the emulator names each option in both languages, and each state and group a script may use."""

from __future__ import annotations

import re

import pytest
import typer

from documented import read
from haetae.cli.main import build
from haetae.emulator.faults.occasions import GROUPS
from haetae.emulator.faults.script import State, check_script
from page_tables import ROOT

PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
KOREAN, ENGLISH = PAGE.split("## English\n")


def options() -> set[str]:
    """Return what ``emulator run`` shows in its help."""
    command = typer.main.get_command(build()).commands["emulator"].commands["run"]  # type: ignore[attr-defined]
    shown = [option for option in command.params if not getattr(option, "hidden", False)]
    return {name for option in shown for name in option.opts if name.startswith("--")}


@pytest.mark.parametrize("part", [KOREAN, ENGLISH], ids=["korean", "english"])
def test_each_option_has_its_row_and_each_row_its_option(part: str) -> None:
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `--")]
    assert {name for row in rows for name in re.findall(r"`(--[\w-]+)`", row)} == options()


def test_states_and_groups_of_scripts_are_those_of_the_code() -> None:
    (state,) = re.findall(r"`state`\(([^)]*)\)", KOREAN)
    assert state.split(", ") == [each.value for each in State]
    for part, pattern in ((KOREAN, r"묶음 ([^)]*)\)"), (ENGLISH, r"groups ([a-z, ]*)\)")):
        (groups,) = re.findall(pattern, part)
        assert groups.split(", ") == list(GROUPS)


def test_the_scripts_that_are_shown_have_no_mistakes() -> None:
    files = read("docs/emulator.md").files
    assert set(files) == {"lost-answer.toml", "rough-morning.toml"}
    for name, text in files.items():
        script, mistakes = check_script(text)
        assert (mistakes, bool(script.faults)) == ([], True), name
