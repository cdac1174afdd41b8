"""``haetae deploy`` against a real SSH server on loopback, started here with keys of its own."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.cloud.releases import SCRIPT, Host, Running
from haetae.domain.units import instant_at
from haetae.wiring import clouds

GOOD = "test ! -e unwell"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """A server that lets one fresh key in; yields the ``--ssh`` options that reach it."""
    server = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(server).exists() or not shutil.which("ssh"):
        pytest.skip("no sshd binary (apt install openssh-server)")
    home = tmp_path_factory.mktemp("sshd")
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / key)], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = _free_port()
    (home / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {home}/host\nPidFile {home}/pid\n"
        f"AuthorizedKeysFile {home}/user.pub\nStrictModes no\nUsePAM no\nUseDNS no\nPasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
    )
    child = subprocess.Popen([server, "-D", "-e", "-f", str(home / "sshd_config")], stderr=subprocess.DEVNULL)
    options = (
        f"Port={port}", f"IdentityFile={home}/user", "IdentitiesOnly=yes", "StrictHostKeyChecking=accept-new",
        f"UserKnownHostsFile={home}/known", "LogLevel=ERROR",
    )  # fmt: skip
    for _ in range(50):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.1)
    yield options
    child.terminate()
    child.wait(timeout=10)


@dataclass
class Place:
    """A checkout to release from and a folder that stands for the host's."""

    ssh: tuple[str, ...]
    checkout: Path
    root: Path

    def commit(self, tag: str, **files: str) -> None:
        for name, text in files.items():
            (self.checkout / name).write_text(text)
        for words in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", tag], ["tag", tag]):
            author = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
            subprocess.run(["git", "-C", str(self.checkout), *author, *words], check=True)

    def deploy(self, verb: str, *words: str, setup: str = "echo ready >env", **given: str) -> int:
        more = [word for key, value in given.items() for word in (f"--{key}", value)]
        if verb == "push":
            more += ["--checkout", str(self.checkout), "--setup", setup]
        if verb in ("activate", "rollback"):
            more += ["--restart", given.get("restart", "cat version >>../../started"), "--health", GOOD, "--tries", "1"]
        if verb == "status":
            more += ["--health", GOOD]
        reached = [word for option in self.ssh for word in ("--ssh", option)]
        address = f"{getpass.getuser()}@127.0.0.1"
        return main(["deploy", verb, *words, "--host", address, "--root", str(self.root), *reached, *more])

    def current(self) -> str:
        return os.readlink(self.root / "current").removeprefix("releases/")

    def host(self) -> Host:
        options = tuple(word for each in self.ssh for word in ("-o", each))
        return Host(f"{getpass.getuser()}@127.0.0.1", str(self.root), options)


@pytest.fixture
def place(sshd: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Sunday, an empty host, and a checkout with release v1."""
    monkeypatch.setattr(clouds.SystemClock, "now", lambda _: instant_at(dt.date(2026, 11, 22), 120000))
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", str(checkout)], check=True)
    made = Place(sshd, checkout, tmp_path / "host")
    made.commit("v1", version="one\n")
    return made


def test_push_activate_push_activate_rollback(place: Place, tmp_path: Path) -> None:
    assert place.deploy("push") == 0
    assert not (place.root / "current").exists(), "a push runs nothing"
    assert (place.root / "releases/v1/env").read_text() == "ready\n"
    assert place.deploy("activate", "v1") == 0
    place.commit("v2", version="two\n")
    assert place.deploy("push") == 0
    assert place.current() == "v1"
    assert place.deploy("activate", "v2") == 0
    assert place.current() == "v2"
    assert place.deploy("rollback") == 0
    assert place.current() == "v1"
    assert (place.root / "started").read_text() == "one\ntwo\none\n"
    record = tmp_path / "status.json"
    assert place.deploy("status", json=str(record)) == 0
    told = json.loads(record.read_text())
    assert (told["current"], told["previous"], told["health"]) == ("v1", "v2", "ok")
    assert told["releases"] == ["v1", "v2"]
    assert place.deploy("rollback") == 0
    assert place.current() == "v2", "going back twice is where one was"


def test_an_unwell_release_is_undone_by_itself(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.deploy("push") == 0
    assert place.deploy("activate", "v1") == 0
    place.commit("v2", version="two\n", unwell="")
    assert place.deploy("push") == 0
    assert place.deploy("activate", "v2") == 8
    said = capsys.readouterr().err
    assert "v2 is unwell, v1 runs again" in said
    assert "옛 판이 돌고 있습니다" in said
    assert place.current() == "v1"
    assert (place.root / "started").read_text() == "one\ntwo\none\n"
    assert "active v1 again" in (place.root / "releases.log").read_text()


def test_a_restart_that_fails_is_undone_too(place: Place) -> None:
    assert place.deploy("push") == 0
    assert place.deploy("activate", "v1") == 0
    place.commit("v2", version="two\n")
    assert place.deploy("push") == 0
    with pytest.raises(Exception, match="refused") as fault:
        place.host().activate("v2", Running(restart='test "$(cat version)" = one', health=GOOD, tries=1))
    assert "v1 runs again" in fault.value.found
    assert place.current() == "v1"


def test_the_first_release_cannot_be_undone_and_says_so(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.commit("v0", unwell="")
    assert place.deploy("push", release="v0") == 0
    assert place.deploy("activate", "v0") == 8
    assert "열린 포지션" in capsys.readouterr().err


def test_a_set_up_that_fails_leaves_no_release(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.deploy("push", setup="echo no room >&2; exit 1") == 8
    assert "no room" in capsys.readouterr().err
    assert list((place.root / "releases").iterdir()) == []
    assert place.deploy("push") == 0, "mended, the same push works"


def test_the_same_release_again_is_harmless_and_another_content_is_refused(place: Place) -> None:
    assert place.deploy("push") == 0
    assert place.deploy("push") == 0
    place.commit("v2", version="two\n")
    assert place.deploy("push", release="v1") == 8
    assert (place.root / "releases/v1/version").read_text() == "one\n"


def test_old_releases_go_but_never_the_two_that_matter(place: Place) -> None:
    assert place.deploy("push") == 0
    assert place.deploy("activate", "v1") == 0
    for number in range(2, 8):
        shutil.copytree(place.root / "releases/v1", place.root / f"releases/v{number}")
    for number in range(1, 8):
        os.utime(place.root / f"releases/v{number}", (number, number))
    assert place.deploy("activate", "v2") == 0
    place.commit("v8", version="eight\n")
    assert place.deploy("push") == 0
    assert {path.name for path in (place.root / "releases").iterdir()} == {"v1", "v2", "v4", "v5", "v6", "v7", "v8"}


@pytest.mark.parametrize(
    ("verb", "words", "found"),
    [("activate", ("v9",), "there is no release v9"), ("rollback", (), "no release ran before")],
)
def test_what_is_not_there_is_not_run(
    verb: str, words: tuple[str, ...], found: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.deploy(verb, *words) == 8
    assert found in capsys.readouterr().err


def test_an_unreachable_host_is_told_with_the_next_step(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.ssh = (f"Port={_free_port()}", *place.ssh[1:])
    assert place.deploy("push") == 8
    said = capsys.readouterr().err
    assert "닿지 못했거나" in said
    assert "haetae deploy status" in said


def test_a_call_cut_off_while_it_is_sent_does_nothing(place: Place) -> None:
    assert place.deploy("push") == 0
    whole = SCRIPT.read_bytes()
    for share in (0.3, 0.6, 0.9, 0.99):
        cut = whole[: int(len(whole) * share)]
        words = ["sh", "-s", "--", "activate", str(place.root), "v1", "true", GOOD, "1", "0"]
        subprocess.run(words, input=cut, capture_output=True, check=False)
        assert not (place.root / "current").exists()


def test_an_upload_cut_off_in_the_middle_leaves_no_release(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.deploy("push") == 0
    (place.root / "incoming/v2.tar.gz").write_bytes(b"half")
    with pytest.raises(Exception, match="refused") as fault:
        place.host()._script("unpack", "v2", "0" * 64, "true")
    assert "did not arrive whole" in fault.value.found
    assert {path.name for path in (place.root / "releases").iterdir()} == {"v1"}


def test_a_connection_lost_during_an_activation_still_ends_in_a_well_release(place: Place) -> None:
    assert place.deploy("push") == 0
    assert place.deploy("activate", "v1") == 0
    place.commit("v2", version="two\n", unwell="")
    assert place.deploy("push") == 0
    host, slow = place.host(), Running(restart="sleep 1", health=GOOD, tries=1)
    words = ["sh", "-s", "--", "activate", str(place.root), "v2", *slow.words()]
    lost = subprocess.Popen([*host._ssh, " ".join(f"'{word}'" for word in words)], stdin=subprocess.PIPE)
    assert lost.stdin is not None
    lost.stdin.write(SCRIPT.read_bytes())
    lost.stdin.close()
    for _ in range(100):
        if "activating v2" in (place.root / "releases.log").read_text():
            break
        time.sleep(0.05)
    lost.send_signal(signal.SIGKILL)
    lost.wait(timeout=10)
    for _ in range(100):
        if "active v1 again" in (place.root / "releases.log").read_text():
            break
        time.sleep(0.1)
    assert place.current() == "v1"
    assert place.deploy("activate", "v1") == 0, "the lock went with the call"


def test_two_releases_at_once_are_refused(place: Place) -> None:
    assert place.deploy("push") == 0
    held = subprocess.Popen(["flock", str(place.root / ".lock"), "sleep", "30"])
    for _ in range(100):
        taken = subprocess.run(["flock", "-n", str(place.root / ".lock"), "true"], check=False).returncode
        if taken:
            break
        time.sleep(0.05)
    try:
        assert place.deploy("activate", "v1") == 8
    finally:
        held.terminate()
        held.wait(timeout=10)


@pytest.mark.parametrize(
    ("day", "hhmmss", "open_market"),
    [
        (dt.date(2026, 11, 23), 130000, True), (dt.date(2026, 11, 23), 81500, True),
        (dt.date(2026, 11, 23), 154500, True), (dt.date(2026, 11, 23), 160000, False),
        (dt.date(2026, 11, 23), 75000, False), (dt.date(2026, 11, 22), 130000, False),
        (dt.date(2026, 12, 25), 130000, False), (dt.date(2026, 11, 19), 163500, True),
    ],
)  # fmt: skip
def test_market_hours_refuse_a_switch_by_the_calendar_of_the_exchange(
    day: dt.date, hhmmss: int, open_market: bool
) -> None:
    at = instant_at(day, hhmmss)
    if open_market:
        with pytest.raises(Exception, match="market is open"):
            clouds.refuse_market_hours(at)
    else:
        clouds.refuse_market_hours(at)


def test_in_market_hours_only_force_switches_and_pushing_is_always_allowed(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clouds.SystemClock, "now", lambda _: instant_at(dt.date(2026, 11, 23), 130000))
    assert place.deploy("push") == 0
    assert place.deploy("activate", "v1") == 4
    assert "장중" in capsys.readouterr().err
    assert not (place.root / "current").exists()
    assert place.deploy("activate", "v1", "--force") == 0


def test_only_what_is_committed_is_released(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place.checkout / "version").write_text("changed\n")
    assert place.deploy("push") == 2
    assert "version" in capsys.readouterr().err
    place.checkout = tmp_path
    assert place.deploy("push") == 2
    assert "Git" in capsys.readouterr().err


@pytest.mark.parametrize("words", [{"release": "../../etc"}, {"release": "-rf"}, {"root": "/tmp/a b; rm"}])
def test_names_that_could_reach_elsewhere_are_refused(words: dict[str, str], place: Place) -> None:
    assert place.deploy("push", **words) == 2
    assert not place.root.exists()


def test_the_script_of_the_host_passes_the_shell_checker() -> None:
    checker = shutil.which("shellcheck", path=f"{Path(os.sys.executable).parent}:{os.environ['PATH']}")
    if checker is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([checker, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_usual_set_up_makes_a_release_that_starts_itself(place: Place) -> None:
    """The real preparation with a starter that stands in for the installation of a gigabyte."""
    (place.checkout / "locks").mkdir()
    starter = (
        "import os, sys\n"
        "if sys.argv[1] == 'setup':\n    os.makedirs(os.environ['HAETAE_VENV'])\n"
        "else:\n    print(os.environ['HAETAE_VENV'], *sys.argv[1:])\n"
    )
    (place.checkout / "locks/full.txt").write_text("# nothing\n")
    place.commit("v3", **{"run.py": starter})
    assert place.deploy("push", setup="-") == 0
    started = place.root / "releases/v3/bin/haetae"
    said = subprocess.run([started, "health", "--deep"], capture_output=True, text=True, check=True).stdout.split()
    assert said[1:] == ["health", "--deep"]
    assert Path(said[0]).parent == place.root / "venvs"
    assert Path(said[0]).is_dir()
