"""Selections that were made, beside the tables they were made from: one file each, named by its content.

``_universe/<day>-<id>.json`` holds ``{"id", "content", "made", "stored_at"}``. A file never changes: the id is the hash
of ``content``, checked on reading. ``made`` notes the code and the versions of tables of the time it was first made.
Not here: what the content means and how its id is made (``universe.snapshots``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from haetae.domain.errors import DataError, Text
from haetae.store.objects import Objects

FOLDER: Final = "_universe"
"""Readers of Delta tables pass over names with an underscore."""

_LEAST_DIGITS: Final = 4
"""Of an id that is given short."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A selection as it was stored.

    ``made`` holds ``code`` (names the source) and ``tables`` (version and exact bytes of each table that was read);
    ``stored_at`` is an instant.
    """

    id: str
    content: Mapping[str, Any]
    made: Mapping[str, Any]
    stored_at: int


class Snapshots:
    """The selections beside the tables of one lake; ``identity`` gives the id of a content."""

    def __init__(self, objects: Objects, identity: Callable[[Mapping[str, Any]], str]) -> None:
        """Take the place; nothing is made before the first selection is kept."""
        self._objects = objects
        self._identity = identity

    def keep(self, content: Mapping[str, Any], made: Mapping[str, Any], at: int) -> tuple[Stored, bool]:
        """Store a selection unless it is there already; return what is stored, and whether it is new."""
        stored = Stored(self._identity(content), content, made, at)
        text = json.dumps(
            {"id": stored.id, "content": content, "made": made, "stored_at": at}, ensure_ascii=False, sort_keys=True
        )
        if self._objects.create(_name(content["day"], stored.id), text.encode("utf-8")):
            return stored, True
        return self._load(_name(content["day"], stored.id)), False

    def names(self) -> tuple[tuple[str, str], ...]:
        """Return ``(day, id)`` of everything stored, ascending."""
        found = [name.removesuffix(".json") for name in self._objects.names(FOLDER) if name.endswith(".json")]
        return tuple((name[:10], name[11:]) for name in found if not name.startswith("."))

    def of_day(self, day: str) -> tuple[Stored, ...]:
        """Return the selections of a day (``2026-11-20``), the one stored last at the end."""
        found = [self._load(_name(day, each)) for known, each in self.names() if known == day]
        return tuple(sorted(found, key=lambda stored: (stored.stored_at, stored.id)))

    def get(self, given: str) -> Stored:
        """Return the selection of an id, or of its first digits where only one begins with them."""
        found = [(day, each) for day, each in self.names() if each.startswith(given)]
        if len(given) >= _LEAST_DIGITS and len(found) == 1:
            return self._load(_name(*found[0]))
        several = len(found) > 1
        raise DataError(
            Text(
                ko=f"'{given}' 로 시작하는 스냅샷이 여럿입니다" if several else f"'{given}' 스냅샷이 없습니다",
                en=f"several snapshots begin with '{given}'" if several else f"there is no snapshot '{given}'",
            ),
            expected=Text(
                ko=f"저장된 스냅샷의 번호, 앞 {_LEAST_DIGITS}자 이상",
                en=f"the id of a stored snapshot, {_LEAST_DIGITS} digits or more",
            ),
            found=", ".join(f"{each} ({day})" for day, each in (found or self.names())[-5:]) or "no snapshots",
            next_step="haetae universe list",
        )

    def _load(self, name: str) -> Stored:
        try:
            told = json.loads(self._objects.read(name))
            stored = Stored(told["id"], told["content"], told["made"], told["stored_at"])
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise self._damaged(name, f"{type(fault).__name__}: {fault}") from fault
        found = self._identity(stored.content)
        if not found == stored.id == name.removesuffix(".json")[-len(found) :]:
            raise self._damaged(name, f"content {found}, id {stored.id}")
        return stored

    def _damaged(self, name: str, found: str) -> DataError:
        return DataError(
            Text(ko=f"스냅샷 파일이 손상되었습니다: {name}", en=f"the file of a snapshot is damaged: {name}"),
            expected=Text(ko="이름과 같은 해시의 내용", en="content whose hash is in its name"),
            found=found,
            next_step=Text(
                ko=f"{self._objects.address}/{name} 을 지우고 그날을 다시 고르세요",
                en=f"remove {self._objects.address}/{name} and select that day again",
            ),
        )


def _name(day: str, identity: str) -> str:
    return f"{FOLDER}/{day}-{identity}.json"
