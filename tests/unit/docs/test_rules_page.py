"""The page of the market's rules: what its example says is so, and every table of the rules has its place."""

from __future__ import annotations

import ast
import re
from typing import Any

from page_tables import ROOT
from rule_tables import RULES

PAGE = (ROOT / "docs" / "market-rules.md").read_text(encoding="utf-8")


def test_the_example_gives_what_its_comments_say() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    known: dict[str, Any] = {}
    checked = 0
    for line in block.splitlines():
        expression, _, comment = (part.strip() for part in line.partition("  # "))
        if not comment:
            exec(expression, known)
            continue
        said = re.sub(r" \(10억분율.*", "", comment)
        found = repr(eval(expression, known))
        assert found == said or ast.literal_eval(found) == ast.literal_eval(said), line
        checked += 1
    assert checked == 3


def test_every_table_stands_under_a_heading_of_its_own() -> None:
    names = re.findall(r"<!-- ([a-z-]+):begin -->", PAGE)
    assert names == [name for name, _ in RULES]
    headings = re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
    assert max(part.count(":begin -->") for part in headings) == 1
