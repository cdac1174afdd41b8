"""The check against ambient time and dice: every ban fires, what is fine passes, the house keeps it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ambient import CLOCKS, DICE, LOOP, SEAMS, SET_ORDER, check, main, uses_in

ROOT = Path(__file__).resolve().parents[3]


def names(source: str) -> list[str]:
    return [use.name for use in uses_in(source)]


@pytest.mark.parametrize("name", sorted(CLOCKS | DICE))
def test_each_banned_name_is_found_however_it_is_imported(name: str) -> None:
    module, _, last = name.rpartition(".")
    top = name.partition(".")[0]
    assert name in names(f"import {top}\nvalue = {name}()\n")
    assert name in names(f"import {top} as other\nvalue = other{name[len(top) :]}()\n")
    owner = module if module in ("time", "os", "uuid") else ""
    if owner:
        assert name in names(f"from {owner} import {last} as other\nvalue = other()\n")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import random\nrandom.shuffle(x)", "random.shuffle"),
        ("from random import Random\nRandom(1)", "random.Random"),
        ("import secrets\nsecrets.token_hex(4)", "secrets.token_hex"),
        ("import datetime as dt\ndt.datetime.now(dt.UTC)", "datetime.datetime.now"),
        ("from datetime import date\ndate.today()", "datetime.date.today"),
        ("import numpy as np\nnp.random.default_rng()", "numpy.random.default_rng"),
        ("key = id(thing)", "id"),
        ("key = hash(name) % 7", "hash"),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(2)", "asyncio.sleep"),
        ("import asyncio\nnow = asyncio.get_running_loop().time()", LOOP),
        ("loop = given\nnow = loop.time()", LOOP),
        ("for x in {a, b}:\n    send(x)", SET_ORDER),
        ("for x in set(names):\n    send(x)", SET_ORDER),
        ("rows = [f(x) for x in left & frozenset(right)]", SET_ORDER),
        ("row = tuple(set(names))", SET_ORDER),
        ("text = ','.join({a, b})", SET_ORDER),
        ("def f(names: set[str]):\n    for name in names:\n        send(name)", SET_ORDER),
        ("class A:\n    def f(self):\n        self.x: set[str] = set()\n        return list(self.x)", SET_ORDER),
        ("names = set(rows)\nmade = {name: 1 for name in names}", SET_ORDER),
        ("rows = [*{a, b}, c]", SET_ORDER),
    ],
)
def test_each_ban_fires(source: str, found: str) -> None:
    assert found in names(source)


@pytest.mark.parametrize(
    "source",
    [
        "for x in sorted({a, b}):\n    send(x)",
        "total = sum(set(rows)) + len({a, b}) + max(names | {c})",
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)",
        "now = clock.now()\nawaited = clock.sleep(3)",
        "names = set(rows)\nnames = sorted(names)\nfor name in names:\n    send(name)",
        "import datetime as dt\nday = dt.date(2026, 11, 28)",
        "value = dice.random() + rng.permutation(3)[0]",
        "class A:\n    def hash(self):\n        return self.hash()",
        "kept = {x for x in set(rows)}",
    ],
)
def test_what_is_given_may_be_used(source: str) -> None:
    assert names(source) == []


def test_a_seam_permits_only_its_own_names_and_must_be_used(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import time\nnow = time.time()\nkey = id(now)\n")
    wrong, idle = check(tmp_path, {"a.py": {"time.time": "why", "hash": "why"}, "b.py": {"id": "why"}})
    assert [use.name for use in wrong] == ["id"]
    assert idle == ["a.py: hash", "b.py: id"]


def test_the_house_takes_time_and_dice_through_its_seams_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out
    assert all(reason for names in SEAMS.values() for reason in names.values())


def test_the_check_is_a_command_that_fails(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import time\nnow = time.time()\n")
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "ambient.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "a.py:2: time.time" in done.stdout
    assert "ambient.py" in (ROOT / "run.py").read_text(encoding="utf-8")
