"""Laws of the house that a linter does not know: sizes, who prints, who clears orders, the contracts."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
PACKAGE = sorted((ROOT / "src" / "haetae").rglob("*.py"))
LONGEST = 400
"""Lines; a longer file gives its reason in a line that starts with `# long:`."""


def test_a_long_file_gives_its_reason() -> None:
    silent = []
    for path in [*SOURCES, ROOT / "run.py"]:
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST and not any(line.strip().startswith("# long: ") for line in lines):
            silent.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
    assert silent == []


def test_every_room_and_module_says_what_lives_there() -> None:
    dumb = [str(path.relative_to(ROOT)) for path in PACKAGE if not ast.get_docstring(ast.parse(path.read_text()))]
    assert dumb == []


def calls_of(path: Path, *names: str) -> list[str]:
    """Places where one of the names is called."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_only_the_command_line_prints() -> None:
    spoken = []
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            if is_print and path.parent.name != "cli":
                spoken.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert spoken == []


def test_only_the_guards_clear_an_order() -> None:
    counter = ROOT / "src" / "haetae" / "emulator" / "accounts.py"  # the broker's side: any client's order enters here
    rooms = [path for path in PACKAGE if "guards" not in path.parts and path != counter]
    assert [place for path in rooms for place in calls_of(path, "ClearedOrder")] == []


def test_no_room_reads_the_environment_but_the_faces_and_the_wiring() -> None:
    rooms = [path for path in PACKAGE if not {"cli", "dashboard", "wiring"} & set(path.parts)]
    reads = [place for path in rooms for place in calls_of(path, "getenv")]
    for path in rooms:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "environ":
                reads.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert reads == []


def test_names_without_meaning_are_not_used_for_rooms() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert [str(path) for path in PACKAGE if empty & {path.stem, *path.parts}] == []


def test_no_settings_default_to_real_money() -> None:
    import tomllib

    for path in sorted((ROOT / "configs").glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        tomllib.loads(text)
        assert "live_allowed = true" not in text, path


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    code = "import sys; from importlinter.cli import lint_imports_command as c; sys.argv = ['x', '--no-cache']; c()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
