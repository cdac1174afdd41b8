"""The documents say what the program does: commands exist, tables equal the code's, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from haetae.cli.main import build
from haetae.kis.wire.frames import STREAMS
from haetae.kis.wire.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OWN = {"test", "check", "setup"}
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
    check_against(typer.main.get_command(build()), words, f"{page}: {shown}")


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


def operations_table() -> str:
    lines = [
        "| 이름 | 하는 일 | 호출 | TR 실전 | TR 모의 | 쪽당 | 쓰는 곳 | 주의 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for call in OPERATIONS.values():
        real, mock = (call.real, call.mock or "없음") if call.real else ("-", "-")
        rows = str(call.page_rows) if call.page_rows else "-"
        rows += f" / {call.page_rows_mock}" if call.page_rows_mock else ""
        told = [call.name, call.korean, f"{call.method} `{call.path}`", real, mock, rows, call.used or "-", call.quirks]
        lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines)


def streams_table() -> str:
    lines = ["| TR 실전 | TR 모의 | 무엇 | 값 개수 | 암호화 |", "|---|---|---|---|---|"]
    for stream in {stream.real: stream for stream in STREAMS.values()}.values():
        widths = sorted(set(stream.widths.values()))
        secret = "예" if stream.encrypted else "아니오"
        told = [stream.real, stream.mock or "없음", stream.korean, " / ".join(map(str, widths)), secret]
        lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines)


@pytest.mark.parametrize(("name", "table"), [("operations", operations_table), ("streams", streams_table)])
def test_the_tables_of_the_broker_equal_the_codecs(name: str, table: Any) -> None:
    text = (ROOT / "KIS_API.md").read_text(encoding="utf-8")
    shown = text.split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0].strip()
    assert shown == table(), f"KIS_API.md must hold between its {name} marks:\n{table()}"


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
