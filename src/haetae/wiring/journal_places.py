"""Which journal a folder has: the file in it, or the database it was bound to.

A desk that begins with ``HAETAE_JOURNAL__ADDRESS`` set binds its folder to that database by a small file beside the
place of the journal, which names host and database and holds no secret. Whoever opens the folder's journal later needs
the same address and is refused with another one, or when a journal file lies there too: nobody could say which is true.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from haetae.config import changed
from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import OperatorCommand, OperatorState
from haetae.domain.secret import Secret
from haetae.domain.units import Instant
from haetae.journal import ChainedJournal, Holder, JournalDb, JournalSettings, restored_unreconciled
from haetae.ports import Passing, pass_by
from haetae.wiring.records import write_text

PREFIX = "HAETAE_JOURNAL__"
ADDRESS = f"{PREFIX}ADDRESS"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def journal_settings(env: Mapping[str, str] | None = None) -> JournalSettings:
    """Return the settings of journals with what the environment says of them."""
    told = os.environ if env is None else env
    given = {name.removeprefix(PREFIX).lower(): told[name] for name in told if name.startswith(PREFIX) and told[name]}
    return changed(JournalSettings(), given, f"{PREFIX}*") if given else JournalSettings()


def this_process() -> Holder:
    """Return this process as the holder of a lease that it renews at least every few seconds."""
    boot = _BOOT.read_text("ascii").strip() if _BOOT.is_file() else ""
    return Holder(socket.gethostname(), os.getpid(), boot, time.monotonic)


def open_journal(
    path: Path,
    *,
    env: Mapping[str, str] | None = None,
    read_only: bool = False,
    holder: Holder | None = None,
    passing: Passing = pass_by,
) -> ChainedJournal:
    """Open the journal of the folder in which ``path`` is the place of a journal file.

    Parameters
    ----------
    env : where a bound folder finds the address and its password; the process's own by default.
    holder : ``this_process()`` where the lease is renewed all the time; none keeps it until this process ends.
    """
    settings = journal_settings(env)
    bound = bound_to(path)
    if bound is None:
        return JournalDb(path, settings, read_only=read_only, holder=holder, passing=passing)
    address = _agreed(path, bound, settings.address)
    made: ChainedJournal = _extra("postgres").PostgresJournal(
        address, settings, read_only=read_only, holder=holder, passing=passing
    )
    return made


def begun(path: Path, env: Mapping[str, str] | None = None) -> bool:
    """Say whether that journal holds anything yet."""
    if bound_to(path) is None:
        return path.exists()
    with open_journal(path, env=env, read_only=True) as journal:
        return journal.head[0] > 0


def marker(path: Path) -> Path:
    """Return the file that binds a folder to a database."""
    return path.with_suffix(".address")


def bound_to(path: Path) -> str | None:
    """Return the host and database a folder is bound to; None where its journal is a file."""
    try:
        return marker(path).read_text("utf-8").strip()
    except FileNotFoundError:
        return None


def bind(path: Path, env: Mapping[str, str] | None = None) -> str | None:
    """Bind a folder that has no journal yet to the database the environment names; return what it is bound to."""
    settings = journal_settings(env)
    if settings.address is None:
        return bound_to(path)
    server = _extra("server")
    name = str(server.name_of(server.url_of(settings.address)))
    _agreed(path, bound_to(path) or name, settings.address)
    if bound_to(path) is None:
        write_text(marker(path), name + "\n")
    return name


def migrated(path: Path, env: Mapping[str, str] | None = None) -> str:
    """Bring the tables of a folder's journal to this program's version; return what they are now."""
    if bind(path, env) is None:
        with open_journal(path, env=env, read_only=not path.is_file()):
            return "sqlite"
    settings = journal_settings(env)
    return f"postgresql {_extra('server').migrate(_agreed(path, bound_to(path) or '', settings.address), settings)}"


def halt_if_restored(journal: ChainedJournal, now: Instant) -> OperatorCommand | None:
    """Return the command a desk begins with when its journal was put back from a copy: stay halted until a release.

    The broker knows of orders and fills that the copy does not; the comparison at the start shows them, and a person
    decides.
    """
    if not restored_unreconciled(journal):
        return None
    why = "restored from a copy: compare with the broker, then release (docs/journal.md)"
    return OperatorCommand(now, OperatorState.HALT, "journal", why)


def _agreed(path: Path, bound: str, address: Secret | None) -> Secret:
    """Return the address where everything speaks of one journal; raises ``ConfigError``."""
    if path.exists():
        raise ConfigError(
            Text(ko="일지가 둘입니다: 파일과 데이터베이스", en="there are two journals: a file and a database"),
            expected=Text(ko="둘 중 하나", en="one of them"),
            found=f"{path}, {bound}",
            next_step=Text(
                ko=f"{ADDRESS} 없이 실행하거나, 파일을 다른 폴더로 옮긴 뒤 `haetae journal restore`",
                en=f"run without {ADDRESS}, or move the file away and `haetae journal restore` it",
            ),
        )
    server = _extra("server")
    named = None if address is None else str(server.name_of(server.url_of(address)))
    if address is None or named != bound:
        raise ConfigError(
            Text(ko="이 폴더의 일지는 다른 데이터베이스에 있습니다", en="this folder's journal is in a database"),
            expected=f"{ADDRESS}: {bound}",
            found=named or "-",
            next_step=f"export {ADDRESS}=postgresql://…",
        )
    return address


def _extra(name: str) -> ModuleType:
    try:
        if name == "postgres":
            from haetae.journal import postgres

            return postgres
        from haetae.journal import server
    except ImportError as fault:
        raise ConfigError(
            Text(ko="PostgreSQL 을 쓰는 부분이 설치되지 않았습니다", en="the part for PostgreSQL is not installed"),
            expected="haetae[postgres]",
            found=str(fault.name),
            next_step="pip install 'haetae[postgres]'",
        ) from fault
    return server
