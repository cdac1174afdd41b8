"""Append-only files of sealed lines: each line seals the one before it, so that none can be taken out unnoticed.

Appending is safe beside other processes and after a power cut: a half-written last line is dropped by the next
writer. Here: lines of any text. Not here: what they mean (``trials``, ``shadow``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.errors import ModelError, Text
from haetae.ports import Passing, pass_by
from haetae.registry.durable import make_directory, refusals, sync, writer_lock


@dataclass(frozen=True, slots=True)
class SealedLines:
    """One file of sealed lines; an absent file is an empty one.

    ``key`` is the JSON name under which a line keeps its text, ``title`` what people call the file.
    """

    path: Path
    key: str
    title: Text
    passing: Passing = field(default=pass_by, compare=False)

    def append(self, texts: Iterable[str]) -> int:
        """Append texts durably and return how many lines the file holds now."""
        passing = self.passing
        make_directory(self.path.parent, passing)
        with writer_lock(self.path.with_name(self.path.name + ".lock")):
            known, seal, whole = self._opened()
            lines = []
            for text in texts:
                seal = _seal(seal, text)
                lines.append(json.dumps({"seal": seal, self.key: text}, ensure_ascii=False) + "\n")
            fresh = not self.path.exists()
            with refusals(self.path), self.path.open("w+b" if fresh else "r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())  # a dead writer's lines first: ours must not reach the disk without them
                file.seek(whole)
                file.write("".join(lines).encode())
                file.flush()
                passing("registry.lines_written")
                os.fsync(file.fileno())
                passing("registry.lines_synced")
            with refusals(self.path):  # of an old file too: who made it may have died before its name was on the disk
                sync(self.path.parent)
        return len(known) + len(lines)

    def read(self) -> tuple[str, ...]:
        """Return all texts, oldest first; raises ``ModelError`` where the file was tampered with."""
        return tuple(self._opened()[0])

    def damaged(self, why: str) -> ModelError:
        """Return the error that says what is wrong with the file."""
        return ModelError(
            Text(ko=f"{self.title.ko}이 손상되었습니다: {self.path}", en=f"{self.title.en} is damaged: {self.path}"),
            expected="sealed lines, each following the one before",
            found=why,
            next_step=Text(ko="백업에서 되살리세요", en="restore it from a backup"),
        )

    def _opened(self) -> tuple[list[str], str, int]:
        """Return the texts, the last seal, and how many bytes of the file are whole lines."""
        if not self.path.exists():
            return [], "", 0
        with refusals(self.path):
            content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        texts, seal = [], ""
        for number, (sealed, text) in enumerate(self._lines(content[:whole]), start=1):
            seal = _seal(seal, text)
            if seal != sealed:
                raise self.damaged(f"line {number} does not follow the one before it")
            texts.append(text)
        return texts, seal, whole

    def _lines(self, content: bytes) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(content.splitlines(), start=1):
            try:
                record = json.loads(line)
                sealed, text = record["seal"], record[self.key]
            except (ValueError, KeyError, TypeError) as fault:
                raise self.damaged(f"line {number}: {fault}") from fault
            if not isinstance(text, str):
                raise self.damaged(f"line {number}: {self.key} is no text")
            yield sealed, text


def _seal(before: str, text: str) -> str:
    return hashlib.sha256((before + text).encode()).hexdigest()
