"""A power cut drops what was not synced: by then nothing that a manifest names may be among it.

The calls of a write are recorded, and the rules are checked that every legal loss follows from:
bytes are synced before the name is given, names before the manifest is named, new folders in their
parents; and when the write returns, nothing is left unsynced.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pyarrow as pa
import pytest

from haetae.store.lake import Lake


class Disk:
    """Watches the calls of a writer and keeps what a power cut would lose."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.paths: dict[int, Path] = {}
        self.unsynced_bytes: set[Path] = set()
        self.unsynced_names: dict[Path, set[Path]] = {}
        self.manifests = 0
        for name in ("open", "write", "fsync", "rename", "mkdir"):
            patch.setattr(os, name, self._watch(getattr(os, name), getattr(self, f"_{name}")))

    @staticmethod
    def _watch(call, note):
        def watched(*given, **named):
            result = call(*given, **named)
            note(result, *given)
            return result

        return watched

    def _open(self, handle: int, path: object, flags: int, *_mode: int) -> None:
        self.paths[handle] = Path(str(path))

    def _write(self, _count: int, handle: int, _content: object) -> None:
        self.unsynced_bytes.add(self.paths[handle])

    def _fsync(self, _none: None, handle: int) -> None:
        self.unsynced_bytes.discard(self.paths[handle])
        self.unsynced_names.pop(self.paths[handle], None)

    def _mkdir(self, _none: None, path: object, *_mode: int) -> None:
        self.unsynced_names.setdefault(Path(str(path)).parent, set()).add(Path(str(path)))

    def _rename(self, _none: None, draft: object, path: object) -> None:
        assert Path(str(draft)) not in self.unsynced_bytes, f"{path} gets its name before its bytes are safe"
        if Path(str(path)).parent.name == "_log":
            self.manifests += 1
            assert not self.unsynced_bytes
            assert not self.unsynced_names, "a manifest names files whose names a power cut would lose"
        self.unsynced_names.setdefault(Path(str(path)).parent, set()).add(Path(str(path)))


@pytest.mark.parametrize("write", [1, 2])
def test_a_version_exists_only_when_all_it_names_is_on_the_disk(
    in_memory: Path, monkeypatch: pytest.MonkeyPatch, fresh, write: int
) -> None:
    lake = Lake(fresh() / "deep" / "lake")
    one = pa.array([1, 1], pa.int64())
    rows = pa.table(
        {
            "symbol": ["A", "A"], "day": pa.array([dt.date(2025, 1, 2), dt.date(2026, 1, 2)], pa.date32()),
            "open": one, "high": one, "low": one, "close": one, "volume": one,
        }
    )  # fmt: skip
    if write == 2:
        lake.write("daily", rows.slice(1), keys=("symbol", "day"))
    disk = Disk(monkeypatch)
    lake.write("daily", rows, keys=("symbol", "day"))
    monkeypatch.undo()
    assert disk.manifests == 1
    assert not disk.unsynced_bytes
    assert not disk.unsynced_names
