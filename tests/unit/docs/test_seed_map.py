"""Every line of the page the project began with has a place, and every place named for it exists."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from haetae.cli.main import build

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
LINES, BRANCHES = 24, 16


def rows(name: str) -> list[list[str]]:
    between = TEXT.split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0]
    return [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in between.strip().splitlines()[2:]]


def places() -> list[tuple[str, str]]:
    """Each ``(seed line, place)``: the spans of code and the rooms in every cell but the first."""
    found = []
    for row in [*rows("seed"), *rows("tree")]:
        for cell in row[1:]:
            found += [(row[0], place) for place in re.findall(r"`([^`]+)`|\*\*(\w+)\*\*", cell)]
    return [(line, code or f"src/haetae/{room}/__init__.py") for line, (code, room) in found]


@functools.cache
def commands() -> Any:
    return typer.main.get_command(build())


def has_verb(words: list[str]) -> bool:
    command = commands()
    for word in words:
        if word.startswith("-"):
            return any(word in option.opts for option in command.params)
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            return False
    return True


def exists(place: str) -> bool:
    if place.startswith("haetae "):
        return has_verb(shlex.split(place)[1:])
    return (ROOT / place).exists()


def test_the_tables_hold_every_line_of_the_seed() -> None:
    assert len(rows("seed")) == LINES
    assert len(rows("tree")) == BRANCHES
    assert all(len(row) == 3 and all("`" in cell or "**" in cell for cell in row[1:]) for row in rows("seed"))


@pytest.mark.parametrize(("line", "place"), sorted(set(places())))
def test_the_place_of_a_line_exists(line: str, place: str) -> None:
    assert exists(place), f"{line}: {place}"


def test_a_place_that_is_not_there_is_noticed() -> None:
    assert not exists("haetae fly")
    assert not exists("haetae demo --moon")
    assert not exists("infra/moon.yaml")
    assert not exists("src/haetae/moon/__init__.py")
