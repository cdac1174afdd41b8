"""The documents say what the program does: commands exist, tables equal the code's, links lead somewhere."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from haetae.cli.bench import FOLDER, names
from haetae.cli.main import build
from page_tables import TABLES, shown

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OWN = {"test", "check", "setup", "zoo", "mutate"}
"""Verbs of ``run.py`` itself."""


def shown_commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        spans = re.findall(r"`([^`\n]+)`", text)
        for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL):
            spans += [line.split("#")[0].strip() for line in block.splitlines()]
        for span in spans:
            line = re.sub(r"^(\w+=\S+ )+", "", span)
            match = re.match(r"(?:python3 run\.py|haetae) (.+)", line)
            if match and match[1][:1] not in "<X…":
                found.append((page.name, match[1]))
    return sorted(set(found))


@functools.cache
def commands() -> Any:
    """Return the tree of commands; making it takes a tenth of a second, and the pages show some hundred commands."""
    return typer.main.get_command(build())


def check_against(command: Any, words: list[str], shown: str) -> None:
    """Walk down the tree; every option shown must exist where the walk ends."""
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{shown}: no {words[0]}"
        command = command.commands[words[0]]
        words = words[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    for word in words:
        if word.startswith("-"):
            assert word.split("=")[0] in known, f"{shown}: no option {word}"


@pytest.mark.parametrize(("page", "shown"), shown_commands())
def test_a_command_that_is_shown_exists(page: str, shown: str) -> None:
    words = [word for word in shlex.split(shown) if word not in ("…", "...")]
    if words[0] in OWN:
        return
    check_against(commands(), words, f"{page}: {shown}")


def test_the_search_for_commands_finds_them() -> None:
    shown = [command for page, command in shown_commands() if page == "README.md"]
    assert "demo" in shown
    assert any(command.startswith("lake import") for command in shown)


def test_links_lead_to_files() -> None:
    lost = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                lost.append(f"{page.name}: {target}")
    assert lost == []


@pytest.mark.parametrize(("page", "name", "told"), TABLES, ids=[name for _, name, _ in TABLES])
def test_a_table_of_a_page_equals_the_code(page: str, name: str, told: Callable[[], str]) -> None:
    wanted, found = told().splitlines(), shown(page, name).splitlines()
    stray = [line for line in found if line not in wanted]
    lacking = [line for line in wanted if line not in found]
    assert found == wanted, f"{page}: run tests/page_tables.py\nnot in the code: {stray}\nnot on the page: {lacking}"


def test_every_benchmark_is_told_of() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `python3 run\.py bench ([\w-]+)`", text, re.MULTILINE)
    assert sorted(told) == names(FOLDER)


def test_every_decision_is_dated_and_titled() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.match(r"\d{4}-\d{2}-\d{2}-", page.name), page.name
        assert text.startswith("# "), page.name


def test_the_map_of_the_house_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = sorted(path.parent.name for path in (ROOT / "src" / "haetae").glob("*/__init__.py"))
    assert [room for room in rooms if f"**{room}**" not in text] == []


def test_the_map_of_the_house_names_files_that_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("### Rooms with many files")[1].split("##")[0]
    lost = []
    for line in text.splitlines():
        room = re.match(r"\| \*\*(\w+)\*\*", line)
        for name in re.findall(r"`([\w/*]+\.py)`", line) if room else ():
            if not list((ROOT / "src" / "haetae" / room[1]).glob(name)):
                lost.append(f"{room[1]}/{name}")
    assert lost == []
