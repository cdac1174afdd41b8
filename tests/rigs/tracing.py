"""A child process whose system calls are recorded or refused at the k-th one, by strace; exact, also inside SQLite.

`strace` attaches to a fork that waits, so nothing is started or imported anew. Where strace is missing or may not
attach, tests skip with the reason.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CHANGES = (
    "openat,open,creat,write,pwrite64,lseek,ftruncate,truncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,mkdir,mkdirat"
)
"""Calls that change files, or where the next write goes."""
_LINE = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*)>)?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_NAMED = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded: its name, texts (paths, data), the file it works on, its numbers and result."""

    name: str
    texts: tuple[bytes, ...]
    fd: int
    path: str
    rest: str
    result: int


@functools.cache
def why_not() -> str:
    """Say why strace cannot be used here, nothing where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    with tempfile.TemporaryDirectory() as folder:
        try:
            trace(lambda: os.write(os.open(f"{folder}/a", os.O_CREAT | os.O_WRONLY), b"a"), Path(folder) / "trace")
        except OSError as fault:
            return f"strace may not attach: {fault}"
    return ""


def attached(work: Callable[[], object], arguments: list[str], log: Path) -> int:
    """Run ``work`` in a fork with strace on it; return its exit status, negative for a signal."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        code = 70
        try:
            os.read(reading, 1)
            work()
            code = 0
        finally:
            os._exit(code)
    os.close(reading)
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(child), *arguments, "-o", str(log)], stderr=subprocess.PIPE, text=True
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        os.kill(child, 9)
        os.waitpid(child, 0)
        tracer.wait()
        raise OSError(said.strip())
    os.write(writing, b".")
    os.close(writing)
    _, status = os.waitpid(child, 0)
    tracer.wait(timeout=30)
    return os.waitstatus_to_exitcode(status)


def trace(work: Callable[[], object], log: Path) -> list[Call]:
    """Run ``work`` in a fork and return every call that changed a file, in order."""
    status = attached(work, ["-y", "-xx", "-s", "4000000", "-e", f"trace={CHANGES}"], log)
    deadline = time.monotonic() + 5
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    calls = list(_read(log))
    assert status in (0, -9), f"the traced child ended with {status}"
    return calls


def inject(work: Callable[[], object], what: str, log: Path) -> tuple[int, bool]:
    """Run ``work`` with an injection (`fsync:error=EIO:when=2`); return its status and whether it struck."""
    name = what.partition(":")[0]
    status = attached(work, ["-e", f"trace={name}", "-e", f"inject={what}"], log)
    struck = "(INJECTED)" in log.read_text(errors="replace") or status == -9
    return status, struck


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _read(log: Path) -> Iterator[Call]:
    for line in log.read_text(errors="replace").splitlines():
        if "unfinished" in line or "resumed" in line:
            raise AssertionError(f"two threads write at once: {line[:200]}")
        found = _LINE.match(line)
        if found is None or int(found[3]) < 0:
            continue
        name, inner, result, opened = found[1], found[2], int(found[3]), found[4]
        texts = tuple(_plain(each) for each in _TEXT.findall(inner))
        named = _NAMED.match(inner)
        fd, path = (int(named[1]), _plain(named[2]).decode()) if named else (-1, "")
        if name in ("openat", "open", "creat"):
            fd, path = result, _plain(opened or "").decode()
        yield Call(name, texts, fd, path, _TEXT.sub("", inner), result)


needs_strace = pytest.mark.skipif(bool(why_not()), reason=why_not() or "strace is there")
