"""What a power cut may leave of recorded writes: every legal mixture of what was not yet forced to the disk.

The model is that of ALICE (Pillai and others, 2014), pessimistic: a write is durable after fsync of its file, a name
after fsync of its folder, a rename is atomic, and everything else may have happened, in any combination, in part or
not at all. A folder whose own name is lost takes all it holds with it.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rigs.tracing import Call

ACK = "ack"
"""A write to a file of this name says that what was asked so far is acknowledged."""


@dataclass(frozen=True, slots=True)
class Op:
    """One change: ``kind`` of write, cut, name, unname, folder, sync, folder_sync, ack."""

    kind: str
    path: str = ""
    ino: int = 0
    offset: int = 0
    data: bytes = b""
    size: int = 0
    gone: str = ""

    @property
    def homes(self) -> set[str]:
        """Folders whose sync makes a change of names durable."""
        return {str(Path(each).parent) for each in (self.path, self.gone) if each}


class Tree:
    """Turns calls into changes of a folder's files; keeps what is named what while it reads."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, int] = {}
        self._folders: set[str] = {self._root}
        self._offsets: dict[int, int] = {}
        self._appends: set[int] = set()
        self._sizes: dict[int, int] = {}
        self._inode_of: dict[int, int] = {}
        self._count = 0
        self.ops: list[Op] = []

    def read(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self._take(call)

    def _inside(self, path: str) -> bool:
        return path.startswith(self._root + "/") or path == self._root

    def _take(self, call: Call) -> None:
        is_data = call.name in ("write", "pwrite64")
        paths = [] if is_data else [os.path.normpath(text.decode()) for text in call.texts[:2]]
        match call.name:
            case "openat" | "open" | "creat":
                self._open(call)
            case "write" | "pwrite64":
                self._write(call)
            case "lseek":
                self._offsets[call.fd] = call.result
            case "ftruncate":
                self._cut(call.fd, int(call.rest.rpartition(",")[2]))
            case "fsync" | "fdatasync":
                if call.path in self._folders:
                    self.ops.append(Op("folder_sync", call.path))
                elif call.fd in self._inode_of and self._inside(call.path.removesuffix(" (deleted)")):
                    self.ops.append(Op("sync", ino=self._inode_of[call.fd]))
            case "rename" | "renameat" | "renameat2":
                self._rename(paths[0], paths[1])
            case "link" | "linkat":
                if self._inside(paths[1]):
                    self._names[paths[1]] = self._names[paths[0]]
                    self.ops.append(Op("name", paths[1], self._names[paths[1]]))
            case "unlink" | "unlinkat":
                if self._names.pop(paths[0], None) is not None:
                    self.ops.append(Op("unname", gone=paths[0]))
                elif paths[0] in self._folders and paths[0] != self._root:
                    self._folders.discard(paths[0])
                    self.ops.append(Op("unname", gone=paths[0]))
            case "mkdir" | "mkdirat":
                if self._inside(paths[0]) and paths[0] not in self._folders:
                    self._folders.add(paths[0])
                    self.ops.append(Op("folder", paths[0]))

    def _open(self, call: Call) -> None:
        path = call.path
        self._inode_of.pop(call.fd, None)
        if not self._inside(path) or path in self._folders:
            return
        self._offsets[call.fd] = 0
        (self._appends.add if "O_APPEND" in call.rest else self._appends.discard)(call.fd)
        fresh = path not in self._names
        if fresh:
            if not re.search("O_CREAT", call.rest):
                return
            self._count += 1
            self._names[path], self._sizes[self._count] = self._count, 0
            self.ops.append(Op("name", path, self._count))
        self._inode_of[call.fd] = self._names[path]
        if "O_TRUNC" in call.rest and not fresh:
            self._cut(call.fd, 0)

    def _cut(self, fd: int, size: int) -> None:
        ino = self._inode_of.get(fd)
        if ino is not None and self._sizes[ino] != size:
            self._sizes[ino] = size
            self.ops.append(Op("cut", ino=ino, size=size))

    def _write(self, call: Call) -> None:
        if call.path.endswith("/" + ACK):
            self.ops.append(Op("ack"))
            return
        ino = self._inode_of.get(call.fd)
        if ino is None:
            return
        data = call.texts[0][: call.result]
        if call.name == "pwrite64":
            offset = int(call.rest.rpartition(",")[2])
        else:
            offset = self._sizes[ino] if call.fd in self._appends else self._offsets[call.fd]
            self._offsets[call.fd] = offset + len(data)
        self._sizes[ino] = max(self._sizes[ino], offset + len(data))
        self.ops.append(Op("write", ino=ino, offset=offset, data=data))

    def _rename(self, old: str, new: str) -> None:
        if old in self._names:
            self._names[new] = self._names.pop(old)
            self.ops.append(Op("name", new, self._names[new], gone=old))
        elif old in self._folders:
            self._folders.discard(old)
            self._folders.add(new)
            for path in [path for path in self._names if path.startswith(old + "/")]:
                self._names[new + path[len(old) :]] = self._names.pop(path)
            self.ops.append(Op("folder", new, gone=old))


def _durable(ops: Sequence[Op], place: int) -> bool:
    op = ops[place]
    if op.kind in ("write", "cut"):
        return any(later.kind == "sync" and later.ino == op.ino for later in ops[place + 1 :])
    synced = {later.path for later in ops[place + 1 :] if later.kind == "folder_sync"}
    return op.homes <= synced


def cuts(
    ops: Sequence[Op], root: Path, dice: random.Random, *, start: int = 0
) -> Iterator[tuple[int, dict[str, bytes | None]]]:
    """Yield (acknowledged so far, files left) for every cut and legal mixture, equal ones once.

    ``None`` stands for a folder. ``start`` is the first place a cut may come.
    """
    seen: set[tuple[int, str]] = set()
    for end in range(start, len(ops) + 1):
        prefix = ops[:end]
        acked = sum(op.kind == "ack" for op in prefix)
        changes = [n for n, op in enumerate(prefix) if op.kind in ("write", "cut", "name", "unname", "folder")]
        pending = [n for n in changes if not _durable(prefix, n)]
        firm = set(changes) - set(pending)
        for chosen, torn in _mixtures(pending, prefix, dice):
            files = _left(prefix, firm | chosen, torn, str(root))
            mark = hashlib.sha256(repr(sorted(files.items(), key=lambda item: item[0])).encode()).hexdigest()
            if (acked, mark) not in seen:
                seen.add((acked, mark))
                yield acked, files


def _mixtures(pending: list[int], ops: Sequence[Op], dice: random.Random) -> Iterator[tuple[set[int], int]]:
    everything = set(pending)
    yield set(), -1
    yield everything, -1
    for each in pending:
        yield {each}, -1
        yield everything - {each}, -1
        if ops[each].kind == "write" and len(ops[each].data) > 1:
            yield everything, each
    for _ in range(2 if len(pending) > 2 else 0):
        yield {each for each in pending if dice.random() < 0.5}, -1


def _left(ops: Sequence[Op], applied: set[int], torn: int, root: str) -> dict[str, bytes | None]:
    content: dict[int, bytearray] = {}
    names: dict[str, int] = {}
    folders: set[str] = set()
    for place in sorted(applied):
        op = ops[place]
        if op.kind == "write":
            data = op.data[: len(op.data) // 2] if place == torn else op.data
            held = content.setdefault(op.ino, bytearray())
            if len(held) < op.offset + len(data):
                held.extend(bytes(op.offset + len(data) - len(held)))
            held[op.offset : op.offset + len(data)] = data
        elif op.kind == "cut":
            held = content.setdefault(op.ino, bytearray())
            del held[op.size :]
            held.extend(bytes(op.size - len(held)))
        elif op.kind == "folder":
            folders.discard(op.gone)
            folders.add(op.path)
            if op.gone:
                for path in [path for path in names if path.startswith(op.gone + "/")]:
                    names[op.path + path[len(op.gone) :]] = names.pop(path)
        else:
            names.pop(op.gone, None)
            folders.discard(op.gone)
            if op.path:
                names[op.path] = op.ino
    return _visible(names, folders, content, root)


def _visible(
    names: dict[str, int], folders: set[str], content: dict[int, bytearray], root: str
) -> dict[str, bytes | None]:
    def there(path: str) -> bool:
        home = str(Path(path).parent)
        return home == root or (home in folders and there(home))

    files: dict[str, bytes | None] = {path: None for path in folders if there(path)}
    files.update({path: bytes(content.get(ino, b"")) for path, ino in names.items() if there(path)})
    return files


def lay(files: dict[str, bytes | None], root: Path, into: Path) -> None:
    """Write what a cut left, moved from where it was recorded to another folder."""
    into.mkdir(parents=True)
    for path in sorted(files):
        target = into / Path(path).relative_to(root)
        content = files[path]
        if content is None:
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(content)
            target.chmod(0o600)  # what holds a secret is refused where others may read it
