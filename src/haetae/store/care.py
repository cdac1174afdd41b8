"""Care for a lake: find damage, drop old versions and what dead writers left.

The clean-up goes from what readers see to what they do not: first a whole state of the oldest kept
version, then the entries before it, then the files that no kept version names. A reader or a crash
in between finds every version either whole or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from haetae.domain.errors import DataError
from haetae.store.durable import TEMPORARY
from haetae.store.files import damage
from haetae.store.log import Log
from haetae.store.objects import LOG, Objects


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not what it was when it was written."""

    table: str
    path: str
    detail: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What a clean-up dropped of a table (or would): versions, files, bytes."""

    table: str
    versions: int
    files: int
    bytes: int


def check(
    objects: Objects, logs: Mapping[str, Log], progress: Callable[[str, int, int], None] | None = None
) -> tuple[Fault, ...]:
    """Return every log entry and every file of the current versions that is damaged."""
    faults: list[Fault] = []
    files = []
    for table, log in logs.items():
        try:
            for _ in log.history():
                pass
            files += [(table, entry) for entry in log.load().files]
        except DataError as fault:
            faults.append(Fault(table, f"{objects.address}/{table}", str(fault)))
    for done, (table, entry) in enumerate(files, start=1):
        name = f"{table}/{entry.path}"
        detail = damage(objects, name, entry)
        if detail:
            faults.append(Fault(table, f"{objects.address}/{name}", detail))
        if progress:
            progress(table, done, len(files))
    return tuple(faults)


def sweep(objects: Objects, log: Log, table: str, keep: int, grace_ms: int | None, *, dry_run: bool = False) -> Swept:
    """Drop all but the newest ``keep`` versions and the files none of them names; see ``Lake.vacuum``.

    The caller holds the writer's place. Files that no version names are spared while they are younger
    than ``grace_ms``: they may be those of a writer on another machine (None: there is none).
    """
    listing = log.listing()
    newest = listing.newest or 0
    first = max(listing.oldest, newest - keep + 1)
    named = {entry.path for commit, seen in log.history() if commit.version >= first for entry in seen.files}
    old = log.before(first)
    spared_from = None if grace_ms is None else objects.moment(table) - grace_ms
    doomed = [
        found
        for found in objects.walk(table)
        if _left_behind(found.name.removeprefix(f"{table}/"), named)
        and (spared_from is None or found.modified_ms <= spared_from)
    ]
    if not dry_run:
        if old:
            log.keep_whole(first)
        objects.remove(old)
        objects.remove([found.name for found in doomed])
    gone = max(0, first - max(listing.oldest, 1))
    return Swept(table, gone, len(doomed), sum(found.bytes for found in doomed))


def _left_behind(name: str, named: set[str]) -> bool:
    if name.endswith(TEMPORARY):
        return True
    return name.endswith(".parquet") and not name.startswith(f"{LOG}/") and name not in named
