"""The log of a table: which files make it, version by version, in the format of Delta Lake.

``<table>/_delta_log/00000000000000000007.json`` is the entry that makes version 7 of version 6, a line
of JSON per action (``actions``). A version exists when its entry does, and an entry is put where
nothing was, so two writers cannot both make version 7: the one that comes second reads again. Files
that no version names do not exist for readers. Every ten versions the state is also kept whole
(``checkpoint``), and a reader begins there. Entries are never changed, so a version number names the
same rows for ever, until the clean-up drops old versions.

Here: listing, reading, committing, dropping. Not here: the rows (``lake``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

import haetae
from haetae.domain.errors import DataError, Text
from haetae.ports import Passing, pass_by
from haetae.ports.tables import TableSpec
from haetae.store import former
from haetae.store.actions import (
    PROTOCOL,
    SCHEMA,
    Action,
    Change,
    Commit,
    FileEntry,
    Snapshot,
    actions_of,
    commit_of,
    entry_of,
    metadata_of,
    seal_of,
)
from haetae.store.checkpoint import checkpoint_bytes, snapshot_of
from haetae.store.objects import LOG, Objects
from haetae.store.schema import SCHEMA_VERSION

_ENTRY, _CHECKPOINT = ".json", ".checkpoint.parquet"
_POINTER = "_last_checkpoint"
_LOOKS = 4
"""A reader beside the clean-up may find an entry gone that it has just seen listed; then it looks again."""

ENGINE = f"haetae/{haetae.__version__}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The versions that have an entry and those that have a checkpoint, ascending."""

    entries: tuple[int, ...]
    checkpoints: tuple[int, ...]

    @property
    def newest(self) -> int | None:
        """The newest version, or None of a table never made."""
        return max((*self.entries[-1:], *self.checkpoints[-1:]), default=None)

    @property
    def oldest(self) -> int:
        """The oldest version that can still be read: from it on no entry is missing.

        A clean-up that was cut off may leave some of the entries it was dropping, in no order.
        """
        start = self.newest or 0
        while start in self.entries:
            start -= 1
        return 0 if start < 0 else min((each for each in self.checkpoints if each >= start), default=start)


def name_of(version: int, ending: str = _ENTRY) -> str:
    """Return the file name of a version's entry."""
    return f"{version:020d}{ending}"


def _numbers(names: Sequence[str], ending: str) -> tuple[int, ...]:
    found = (name.removesuffix(ending) for name in names if name.endswith(ending))
    return tuple(int(number) for number in found if len(number) == 20 and number.isdigit())


class Log:
    """The versions of one table; keeps the newest it has read, since an entry never changes."""

    def __init__(self, objects: Objects, spec: TableSpec, checkpoint_every: int, passing: Passing = pass_by) -> None:
        """Take the place and the table; nothing is read yet."""
        self._passing = passing
        self._objects = objects
        self._spec = spec
        self._folder = f"{spec.name}/{LOG}"
        self._every = checkpoint_every
        self._kept: tuple[Snapshot, object] | None = None

    # -- reading -----------------------------------------------------------------------------

    def listing(self) -> Listing:
        """Return what the log holds now; a table of the former format is refused with what to do."""
        return self._listed("")

    def _listed(self, after: str) -> Listing:
        names = self._objects.names(self._folder, after)
        if not names and not after:
            former.refuse(self._objects, self._spec.name)
        return Listing(_numbers(names, _ENTRY), _numbers(names, _CHECKPOINT))

    def newest(self) -> int:
        """Return the newest version, 0 for a table nobody wrote."""
        kept = self._still()
        seen = self._listed(name_of(kept.version) if kept else "").newest
        return kept.version if kept and seen is None else seen or 0

    def load(self, version: int | None = None) -> Snapshot:
        """Return a version, the newest one by default.

        Raises ``DataError`` if the version is not there, its entry is cut or was edited, or it was written
        by a newer schema.
        """
        missing = FileNotFoundError()
        for look in range(_LOOKS):
            base = None if look else self._still()
            if base is not None and version is not None and version <= base.version:
                if version == base.version:
                    return base
                base = None
            listing = self._listed(name_of(base.version) if base else "")
            newest = listing.newest if listing.newest is not None else base.version if base else 0
            wanted = newest if version is None else version
            try:
                if wanted > newest or (base is None and wanted < listing.oldest):
                    raise self._absent(wanted)
                return self._load(listing, base, wanted)
            except FileNotFoundError as fault:
                missing = fault
        raise self._damaged(str(missing.filename), "it is gone") from missing

    def _still(self) -> Snapshot | None:
        """Return what was kept if its entry is still the one that was read."""
        if self._kept is None:
            return None
        snapshot, mark = self._kept
        try:
            there = self._objects.mark(f"{self._folder}/{name_of(snapshot.version)}")
        except OSError:
            there = self
        if there != mark:
            self._kept = None
            return None
        return snapshot

    def _load(self, listing: Listing, base: Snapshot | None, wanted: int) -> Snapshot:
        if wanted == 0 and base is None and not listing.entries:
            return Snapshot(self._spec.name)
        snapshot = self._folded(base or self._base(listing, wanted), wanted, listing)
        newer = self._kept is None or snapshot.version > self._kept[0].version
        if newer and snapshot.version in listing.entries:
            self._kept = (snapshot, self._objects.mark(f"{self._folder}/{name_of(snapshot.version)}"))
        return snapshot

    def _base(self, listing: Listing, wanted: int) -> Snapshot:
        known = [each for each in listing.checkpoints if each <= wanted]
        if not known:
            return Snapshot(self._spec.name, -1)
        name = f"{self._folder}/{name_of(known[-1], _CHECKPOINT)}"
        content = self._objects.read(name)
        try:
            return snapshot_of(self._spec, known[-1], content)
        except (ValueError, KeyError, TypeError, StopIteration, pa.ArrowInvalid) as fault:
            raise self._damaged(name, str(fault)) from fault

    def _folded(self, base: Snapshot, wanted: int, listing: Listing) -> Snapshot:
        files = {entry.path: entry for entry in base.files}
        state = base
        for version in range(base.version + 1, wanted + 1):
            if version not in listing.entries:
                raise FileNotFoundError(2, "it is gone", f"{self._folder}/{name_of(version)}")
            actions = self._actions(version)
            state = self._applied(state, version, actions, files)
        return replace(state, files=tuple(sorted(files.values(), key=lambda entry: entry.part)))

    def _actions(self, version: int) -> list[Action]:
        name = f"{self._folder}/{name_of(version)}"
        try:
            content = self._objects.read(name)
            actions = [json.loads(line) for line in content.split(b"\n") if line]
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as fault:
            raise self._damaged(name, str(fault)) from fault
        return actions

    def _applied(self, before: Snapshot, version: int, actions: list[Action], files: dict[str, FileEntry]) -> Snapshot:
        name = f"{self._folder}/{name_of(version)}"
        try:
            info = next(action["commitInfo"] for action in actions if "commitInfo" in action)
            if "seal" not in info:
                raise ValueError(f"it was written by another program: {info.get('engineInfo', 'unnamed')}")
            if info["seal"] != seal_of(before.seal, actions):
                raise ValueError("its seal does not match its content and the entry before it")
            meta = before.meta
            for action in actions:
                if "metaData" in action:
                    meta = action["metaData"]
                    if int(meta["configuration"][SCHEMA]) > SCHEMA_VERSION:
                        raise ValueError(f"schema {meta['configuration'][SCHEMA]} is newer than {SCHEMA_VERSION}")
                elif "remove" in action:
                    del files[action["remove"]["path"]]
                elif "add" in action:
                    entry = entry_of(self._spec, action["add"])
                    files[entry.path] = entry
                elif action.get("protocol", PROTOCOL) != PROTOCOL:
                    raise ValueError(f"it asks for {action['protocol']}")
            made = commit_of(version, actions)
            return Snapshot(self._spec.name, version, (), meta, info["seal"], made.at_ms, made)
        except (ValueError, KeyError, TypeError, IndexError, StopIteration) as fault:
            raise self._damaged(name, f"{type(fault).__name__}: {fault}") from fault

    def history(self) -> Iterator[tuple[Commit, Snapshot]]:
        """Yield every version that can still be read with who made it, oldest first; version 0 is left out."""
        listing = self.listing()
        state: Snapshot | None = None
        for version in range(max(1, listing.oldest), (listing.newest or 0) + 1):
            state = self._load(listing, state, version)
            made = state.commit
            if made is None and version in listing.entries:
                made = commit_of(version, self._actions(version))
            yield made or Commit(version, state.at_ms, "", "", 0), state

    # -- writing -----------------------------------------------------------------------------

    def commit(self, before: Snapshot, change: Change, at_ms: int) -> Snapshot | None:
        """Make the version after ``before`` exist, durably; None if another writer was first.

        The files it names must be durable already.
        """
        version = before.version + 1 if before.meta is not None else 0
        at_ms = max(at_ms, before.at_ms)
        actions = actions_of(self._spec, before.seal, change, at_ms, ENGINE)
        name = f"{self._folder}/{name_of(version)}"
        content = "".join(json.dumps(action, ensure_ascii=False) + "\n" for action in actions).encode()
        if not self._objects.create(name, content) and self._objects.read(name) != content:
            return None
        gone = {entry.path for entry in change.removed}
        files = [entry for entry in before.files if entry.path not in gone]
        files = sorted([*files, *change.added], key=lambda entry: entry.part)
        meta = before.meta if change.meta is None else change.meta
        after = Snapshot(self._spec.name, version, tuple(files), meta, actions[0]["commitInfo"]["seal"], at_ms)
        self._kept = (after, self._objects.mark(name))
        if version and version % self._every == 0:
            self.write_checkpoint(after)
        return after

    def create(self, at_ms: int, *, by: str = "") -> None:
        """Make version 0, the empty table, if nothing is there."""
        change = Change("CREATE TABLE", meta=metadata_of(self._spec, {}, None, at_ms), protocol=True, by=by)
        self.commit(Snapshot(self._spec.name), change, at_ms)

    def keep_whole(self, version: int) -> None:
        """Keep the whole state of a version, so that the entries before it may go."""
        listing = self.listing()
        if version not in listing.checkpoints:
            newest = not any(each > version for each in listing.checkpoints)
            self.write_checkpoint(self._folded(self._base(listing, version), version, listing), point=newest)

    def write_checkpoint(self, snapshot: Snapshot, *, point: bool = True) -> None:
        """Keep the whole state of a version, and point at it for readers that look there first."""
        content, pointer = checkpoint_bytes(self._spec, snapshot)
        self._objects.put(f"{self._folder}/{name_of(snapshot.version, _CHECKPOINT)}", content)
        self._passing("lake.checkpoint_written")
        if point:
            self._objects.put(f"{self._folder}/{_POINTER}", pointer.encode())
            self._passing("lake.checkpoint_pointed")

    def before(self, version: int) -> list[str]:
        """Return the names of entries and checkpoints of versions before one, oldest first."""
        listing = self.listing()
        names = [name_of(each) for each in listing.entries if each < version]
        names += [name_of(each, _CHECKPOINT) for each in listing.checkpoints if each < version]
        return [f"{self._folder}/{name}" for name in sorted(names)]

    # -- refusals ----------------------------------------------------------------------------

    def _absent(self, version: int) -> DataError:
        table, listing = self._spec.name, self.listing()
        known = listing.newest is not None
        return DataError(
            Text(ko=f"'{table}'의 버전 {version}이 없습니다", en=f"table '{table}' has no version {version}"),
            expected=f"{max(1, listing.oldest)} - {listing.newest}"
            if known
            else Text(ko="표가 있는 레이크", en="a lake with that table"),
            found=str(version) if known else "no such table",
            next_step=Text(
                ko="레이크에 아직 남은 버전을 쓰거나 그 표를 다시 수집하세요",
                en="ask for a version the lake still keeps, or collect the table again",
            ),
        )

    def _damaged(self, name: str, detail: str) -> DataError:
        version = name.rsplit("/", 1)[-1].split(".")[0].lstrip("0") or "0"
        return DataError(
            Text(
                ko=f"레이크의 기록이 손상되었습니다: {self._objects.address}/{name}",
                en=f"an entry of the lake's log is damaged: {self._objects.address}/{name} ({detail})",
            ),
            expected=Text(ko="쓰인 그대로의 기록", en="the entry as it was written"),
            found=detail,
            next_step=Text(
                ko=f"백업에서 그 파일을 되살리거나, {version} 이전 버전을 읽으세요",
                en=f"restore the file from a backup, or read a version before {version}",
            ),
        )
