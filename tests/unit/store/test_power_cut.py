"""A power cut drops what was not synced. The disk is modelled: every legal loss at every point is opened and read.

The calls of a writer are recorded. A file's bytes are sure after its ``fsync``, a name (made, renamed,
removed) after the ``fsync`` of its folder; before that each may have reached the disk or not, bytes also
in part. From any such state a reader must find the old version or the new one, and the new one once
the write has returned; and every version that the log offers must be whole.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings
from lake_rows import KEYS, bars


@dataclass
class Inode:
    """Bytes of a file: those that are sure, and those written since."""

    sure: bytes = b""
    written: bytes = b""


@dataclass
class Op:
    """A change of names in one folder: ``name`` now means ``inode`` (None: nothing; a str: a new folder)."""

    folder: str
    name: str
    inode: Inode | str | None


@dataclass
class Disk:
    """Records what a writer asks of the disk below ``root``; ``cuts`` are the states between two calls."""

    root: Path
    inodes: dict[str, Inode] = field(default_factory=dict)
    pending: list[Op] = field(default_factory=list)
    sure: list[Op] = field(default_factory=list)
    handles: dict[int, str] = field(default_factory=dict)
    cuts: list[tuple[list[Op], list[Op], dict[int, tuple[bytes, bytes]]]] = field(default_factory=list)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("open", "write", "fsync", "rename", "link", "unlink", "mkdir"):
            patch.setattr(os, name, self._watched(getattr(os, name), getattr(self, f"_{name}")))

    def _watched(self, call: Callable[..., object], note: Callable[..., None]) -> Callable[..., object]:
        def watched(*given: object, **named: object) -> object:
            result = call(*given, **named)
            note(result, *given)
            self.snap()
            return result

        return watched

    def snap(self) -> None:
        every = {id(op.inode): op.inode for op in [*self.sure, *self.pending] if isinstance(op.inode, Inode)}
        bytes_now = {key: (inode.sure, inode.written) for key, inode in every.items()}
        self.cuts.append((list(self.sure), list(self.pending), bytes_now))

    def _named(self, path: object, inode: Inode | str | None) -> None:
        where = Path(os.fsdecode(path))  # type: ignore[arg-type]
        if isinstance(inode, Inode):
            self.inodes[str(where)] = inode
        self.pending.append(Op(str(where.parent), where.name, inode))

    def _open(self, handle: int, path: object, flags: int, *_mode: int) -> None:
        self.handles[handle] = os.fsdecode(path)  # type: ignore[arg-type]
        if flags & os.O_CREAT and not str(path).endswith("_lock"):
            self._named(path, Inode())

    def _write(self, count: int, handle: int, content: bytes) -> None:
        self.inodes[self.handles[handle]].written += bytes(content)[:count]

    def _fsync(self, _none: None, handle: int) -> None:
        path = self.handles[handle]
        if os.path.isdir(path):
            self.sure += [op for op in self.pending if op.folder == path]
            self.pending = [op for op in self.pending if op.folder != path]
        else:
            inode = self.inodes[path]
            inode.sure, inode.written = inode.sure + inode.written, b""

    def _rename(self, _none: None, draft: object, path: object) -> None:
        self._named(path, self.inodes[str(draft)])
        self._named(draft, None)

    def _link(self, _none: None, draft: object, path: object) -> None:
        self._named(path, self.inodes[str(draft)])

    def _unlink(self, _none: None, path: object) -> None:
        self._named(path, None)

    def _mkdir(self, _none: None, path: object, *_mode: int) -> None:
        self._named(path, "folder")


def laid(disk: Disk, cut: int, chance: random.Random, base: dict[str, bytes], target: Path) -> None:
    """Write to ``target`` one of the states that a power cut may leave: the sure, and some of the rest."""
    sure, pending, content = disk.cuts[cut]
    files: dict[str, bytes] = dict(base)
    folders = {str(up) for name in base for up in Path(name).parents} | {str(disk.root)}
    for op in [*sure, *(op for op in pending if chance.random() < 0.5)]:
        path = f"{op.folder}/{op.name}"
        if op.inode is None:
            files.pop(path, None)
        elif isinstance(op.inode, str):
            folders.add(path)
        else:
            kept, loose = content[id(op.inode)]
            files[path] = kept + loose[: chance.choice([0, len(loose) // 2, len(loose)])]
    for path, data in files.items():
        if all(str(up) in folders for up in Path(path).parents if up.is_relative_to(disk.root)):
            place = target / Path(path).relative_to(disk.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def state_of(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != "_lock"}


SETTINGS = StoreSettings(checkpoint_every=2, keep_versions=2, sweep_every=3)


@pytest.mark.parametrize("before", [0, 1, 2, 5], ids=["the first", "with a checkpoint", "with a clean-up", "both"])
def test_after_a_power_cut_a_reader_finds_the_old_version_or_the_new_one(
    fresh, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    top = fresh()
    root = top / "deep" / "lake"
    lake = Lake(root, SETTINGS)
    for price in range(1, before + 1):
        lake.write("daily", bars(price), keys=KEYS)
    disk, base = Disk(root if before else top), state_of(root)
    disk.watch(monkeypatch)
    lake.write("daily", bars(before + 1), keys=KEYS)
    monkeypatch.undo()
    disk.snap()
    seen = []
    for cut in range(len(disk.cuts)):
        for turn in range(4):
            place = fresh()
            laid(disk, cut, random.Random(f"{before} {cut} {turn}"), base, place)
            found = Lake(place if before else place / "deep" / "lake", SETTINGS)
            prices = set(found.read("daily").column("close").to_pylist())
            assert found.check() == ()
            for known in found.history("daily"):
                assert set(found.read("daily", version=known.version).column("close").to_pylist()) == {known.version}
            assert prices in ({before + 1}, {before} if before else set()), (cut, turn)
            if cut == len(disk.cuts) - 1:
                assert prices == {before + 1}
            seen.append(prices)
            if turn == 0:
                found.write("daily", bars(99), keys=KEYS)
                assert set(found.read("daily").column("close").to_pylist()) == {99}
    assert {before + 1} in seen
    assert ({before} if before else set()) in seen
