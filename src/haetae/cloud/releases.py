"""Releases on a host by SSH: push, activate, roll back, look.

The host's side is one shell script (``remote.sh``) that is sent with every call. A push leaves a complete
release or none; an activation that does not become healthy puts the release before it back by itself,
also when the connection is lost meanwhile. How the host is reached (a key, a jump, a Systems Manager
session) is the matter of SSH's own configuration.

Here: archives, calls, refusals in words. Not here: when the market forbids it (``wiring.clouds``).
"""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from haetae.cloud.aws import CloudError
from haetae.domain.errors import ConfigError, Text

SCRIPT = Path(__file__).with_name("remote.sh")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNREACHED = 255
_OPTIONS = (
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "ServerAliveInterval=10",
    "-o",
    "ServerAliveCountMax=3",
)
_NEXT = {
    20: Text(ko="옛 판이 돌고 있습니다. `deploy status` 로 원인을 보세요", en="the old one runs; see `deploy status`"),
    21: Text(ko="먼저 `deploy push`", en="first `deploy push`"),
    22: Text(ko="그것이 끝난 뒤 다시 실행하세요", en="run again when it has ended"),
    23: Text(ko="호스트의 setup.log 를 보세요. 바뀐 것은 없습니다", en="see setup.log there; nothing has changed"),
    24: Text(ko="다른 --release 이름을 쓰세요", en="use another name with --release"),
    25: Text(ko="다시 push 하세요. 바뀐 것은 없습니다", en="push again; nothing has changed"),
    26: Text(ko="`deploy activate 판` 으로 고르세요", en="choose with `deploy activate VERSION`"),
    27: Text(ko="지금 호스트를 직접 보세요: 열린 포지션!", en="look at the host now: positions may be open"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Running:
    """How a release is started and asked on the host; both run in the folder of the release."""

    restart: str = "sudo systemctl restart haetae.target"
    health: str = "./bin/haetae health --deep"
    tries: int = 10
    pause_s: int = 3
    """Ten tries three seconds apart: loading the libraries takes about ten seconds on a small host."""

    def words(self) -> tuple[str, ...]:
        """Return the arguments of the script, in its order."""
        return (self.restart, self.health, str(self.tries), str(self.pause_s))


@dataclass(frozen=True, slots=True)
class HostState:
    """What stands on a host; empty texts where there is nothing, ``health`` is ``ok`` or the last complaint."""

    current: str
    previous: str
    releases: tuple[str, ...]
    health: str
    log: tuple[str, ...]


def archive(checkout: Path) -> tuple[str, bytes]:
    """Return the version and the packed files of a checkout's last commit.

    Raises ``ConfigError`` where there is no repository or something is not committed, because what
    runs must be what the history says.
    """

    def git(*words: str) -> bytes:
        done = subprocess.run(["git", "-C", str(checkout), *words], capture_output=True, check=False)
        if done.returncode:
            raise ConfigError(
                Text(ko="Git 저장소가 아닙니다", en="not a Git repository"),
                expected=Text(ko="커밋이 있는 체크아웃", en="a checkout with a commit"),
                found=done.stderr.decode(errors="replace").strip() or str(checkout),
                next_step="--checkout",
            )
        return done.stdout

    if changed := git("status", "--porcelain").decode():
        raise ConfigError(
            Text(ko="커밋되지 않은 것이 있습니다", en="something is not committed"),
            expected=Text(ko="깨끗한 체크아웃", en="a clean checkout"),
            found=", ".join(line[3:] for line in changed.splitlines()[:5]),
            next_step="git commit",
        )
    version = git("describe", "--tags", "--always").decode().strip()
    return version, git("archive", "--format=tar.gz", "HEAD")


class Host:
    """One host with releases under ``root``."""

    def __init__(self, address: str, root: str = "/opt/haetae", options: tuple[str, ...] = ()) -> None:
        """Take what ``ssh`` takes: ``user@name`` or a name of its configuration, and more options."""
        if address.startswith("-") or not re.fullmatch(r"/[\w./-]+", root):
            raise ConfigError(
                Text(ko="호스트나 폴더가 이상합니다", en="the host or the folder is malformed"),
                expected="user@host, /opt/haetae",
                found=f"{address}, {root}",
                next_step="--host user@host --root /opt/haetae",
            )
        self._ssh = ("ssh", *_OPTIONS, *options, "--", address)
        self._address = address
        self._root = root

    def _call(self, command: str, fed: bytes) -> str:
        try:
            done = subprocess.run([*self._ssh, command], input=fed, capture_output=True, check=False)
        except FileNotFoundError as fault:
            raise ConfigError(
                Text(ko="ssh 가 없습니다", en="there is no ssh"),
                expected="OpenSSH",
                found=str(fault),
                next_step="apt install openssh-client",
            ) from fault
        said = done.stdout.decode(errors="replace")
        if done.returncode == 0:
            return said
        if done.returncode == _UNREACHED:
            raise CloudError(
                Text(
                    ko="호스트에 닿지 못했거나 연결이 끊겼습니다",
                    en="the host was not reached or the line was cut",
                ),
                expected=self._address,
                found=(done.stderr.decode(errors="replace").strip().splitlines() or ["-"])[-1],
                next_step=Text(
                    ko="`haetae deploy status` 로 어디까지 되었는지 보고 다시 실행하세요",
                    en="see how far it came with `haetae deploy status` and run again",
                ),
            )
        faults = [line[6:] for line in said.splitlines() if line.startswith("fault=")]
        raise CloudError(
            Text(ko="호스트가 거절했습니다", en="the host refused"),
            found=faults[-1] if faults else (done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}"),
            next_step=_NEXT.get(done.returncode, Text(ko="호스트를 확인하세요", en="look at the host")),
        )

    def _script(self, verb: str, *words: str) -> str:
        return self._call(shlex.join(["sh", "-s", "--", verb, self._root, *words]), SCRIPT.read_bytes())

    def push(self, version: str, packed: bytes, *, setup: str = "-") -> str:
        """Bring a release to the host and make it ready; return its version.

        Pushing the same content again is harmless; another content under a known version is refused.
        """
        if not _VERSION.fullmatch(version):
            raise ConfigError(
                Text(ko="판 이름이 이상합니다", en="the name of the release is malformed"),
                expected="v1.2.3",
                found=version,
                next_step="--release v1.2.3",
            )
        incoming = f"{self._root}/incoming"
        part, whole = shlex.quote(f"{incoming}/{version}.part"), shlex.quote(f"{incoming}/{version}.tar.gz")
        self._call(f"mkdir -p {shlex.quote(incoming)} && cat >{part} && mv {part} {whole}", packed)
        self._script("unpack", version, hashlib.sha256(packed).hexdigest(), setup)
        return version

    def activate(self, version: str, running: Running) -> None:
        """Make a release the one that runs; if it is unwell the one before runs again and this raises."""
        self._script("activate", version, *running.words())

    def rollback(self, running: Running) -> None:
        """Make the release that ran before the one that runs."""
        self._script("rollback", *running.words())

    def status(self, running: Running) -> HostState:
        """Return what stands on the host."""
        rows = [line.partition("=") for line in self._script("status", running.health).splitlines()]

        def values(key: str) -> tuple[str, ...]:
            return tuple(value for name, _, value in rows if name == key)

        return HostState(
            "".join(values("current")), "".join(values("previous")), values("release"),
            "".join(values("health")), values("log"),
        )  # fmt: skip
