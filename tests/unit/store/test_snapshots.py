"""Kept selections: one file each that never changes, found by day or by the first digits of its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from haetae.domain.errors import DataError
from haetae.store.lake import Lake
from haetae.store.objects import Folder
from haetae.store.snapshots import FOLDER, Snapshots
from lake_rows import KEYS, bars


def identity(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


@pytest.fixture
def shelf(tmp_path: Path) -> Snapshots:
    return Snapshots(Folder(tmp_path), identity)


def test_the_first_to_keep_a_content_names_what_it_was_made_from(shelf: Snapshots) -> None:
    first, is_new = shelf.keep({"day": "2026-11-20", "universe": ["A"]}, {"code": "one"}, 1)
    again, is_new_again = shelf.keep({"universe": ["A"], "day": "2026-11-20"}, {"code": "two"}, 2)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert again.made == {"code": "one"}


def test_those_of_a_day_come_in_the_order_in_which_they_were_kept(shelf: Snapshots) -> None:
    late, _ = shelf.keep({"day": "2026-11-20", "n": 1}, {}, 9)
    early, _ = shelf.keep({"day": "2026-11-20", "n": 2}, {}, 3)
    other, _ = shelf.keep({"day": "2026-11-19", "n": 1}, {}, 5)
    assert shelf.of_day("2026-11-20") == (early, late)
    assert shelf.names()[0] == ("2026-11-19", other.id)
    assert shelf.of_day("2026-11-18") == ()
    assert shelf.get(late.id[:8]) == late


def test_a_short_name_must_fit_one_only(shelf: Snapshots) -> None:
    with pytest.raises(DataError, match="no snapshot"):
        shelf.get("0000")
    kept = [shelf.keep({"day": "2026-11-20", "n": n}, {}, n)[0] for n in range(40)]
    with pytest.raises(DataError, match="several snapshots"):
        shelf.get("")
    with pytest.raises(DataError):
        shelf.get(kept[0].id[:3])


@pytest.mark.parametrize("spoil", ["content", "id", "half", "list"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, shelf: Snapshots, spoil: str) -> None:
    kept, _ = shelf.keep({"day": "2026-11-20", "universe": ["A"]}, {}, 1)
    (path,) = (tmp_path / FOLDER).iterdir()
    text = path.read_text()
    path.write_text(
        {
            "content": text.replace('"A"', '"B"'),
            "id": text.replace(kept.id, kept.id[::-1]),
            "half": text[: len(text) // 2],
            "list": "[]",
        }[spoil]
    )
    with pytest.raises(DataError, match="damaged") as refusal:
        shelf.get(kept.id)
    assert path.name in str(refusal.value.message)


def test_the_folder_is_no_table_of_the_lake(tmp_path: Path, shelf: Snapshots) -> None:
    lake = Lake(tmp_path)
    lake.write("daily", bars(10), keys=KEYS)
    shelf.keep({"day": "2026-11-20"}, {}, 1)
    assert tuple(lake.versions()) == ("daily",)
    assert lake.check() == ()
    lake.vacuum("daily", keep=1)
    assert len(shelf.names()) == 1
