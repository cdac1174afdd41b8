"""``haetae emulator``: ports, ends, and scripts of faults, from the command line."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from haetae.cli.emulator import chosen_ports
from haetae.cli.main import main
from haetae.emulator.faults.catalogue import CATALOGUE

SMALL = ["--listed", "120", "--history", "30", "--sessions", "1", "--speed", "0"]
DOORS = ("rest_real", "rest_mock", "ws_real", "ws_mock", "control")


def start(*arguments: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src"), "HAETAE_LANG": "en"}
    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", *SMALL, *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def five_free() -> int:
    """Return a port that is free together with the four after it."""
    for base in range(23_000, 60_000, 7):
        sockets = []
        try:
            for port in range(base, base + 5):
                sockets.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
        return base
    raise AssertionError("no five ports in a row are free")


def free_of(base: int) -> bool:
    try:
        for port in range(base, base + 5):
            socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_serves_on_five_ports_from_a_base_and_ends_cleanly(how: signal.Signals, code: int) -> None:
    base = five_free()
    with start("--port-base", str(base)) as child:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        assert [int(ready[name].rsplit(":", 1)[1]) for name in DOORS] == list(range(base, base + 5))
        assert ready["now"] == 1_795_395_600_000_000_000
        child.send_signal(how)
        told, faults = child.communicate(timeout=30)
        assert (child.returncode, told, faults) == (code, "", "")
    assert free_of(base)


def test_named_ports_win_over_a_base_and_a_base_over_free_ones() -> None:
    none: dict[str, int | None] = dict.fromkeys(DOORS)
    assert chosen_ports(None, none, none, free=False) == {f"{name}_port": None for name in DOORS}
    assert set(chosen_ports(None, none, none, free=True).values()) == {0}
    found = chosen_ports(9_000, {**none, "ws_real": 1}, {**none, "control": 2}, free=True)
    assert list(found.values()) == [9_000, 9_001, 1, 9_003, 2]


def test_former_names_of_the_ports_still_work() -> None:
    with start("--free-ports", "--rest-real-port", "0", "--control-port", "0") as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["control"].startswith("http://127.0.0.1:")
        child.terminate()
        assert child.wait(30) == 0


SCRIPT = '[[fault]]\nid = "T03"\nwhat = { how = "vanish" }\n\n[[fault]]\nid = "X1"\n'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clock", "tomorrow"], ["tomorrow", "2026-11-23T08:30"]),
        (["--clock", "2031-01-06T10:00"], ["2031-01-06"]),
        (["--faults", "SCRIPT"], ["line 3", "closed | reset | silent", "line 6", "X1"]),
        (["--faults", "/nowhere/faults.toml"], ["/nowhere/faults.toml"]),
        (["--keys", "SCRIPT"], ["keys file"]),
        (["--notice-fields", "24"], ["23, 26"]),
        (["--mock-notice-fields", "24"], ["23, 26"]),
        (["--trade-fields", "48"], ["--trade-fields", "47"]),
        (["--speed", "nan"], ["--speed"]),
        (["--speed", "-1"], ["--speed", "0"]),
        (["--port-base", "65535"], ["--port-base", "65531"]),
        (["--first-day", "2026-11-22"], ["2026-11-22", "--first-day 2026-11-23"]),
        (["--tls", "/proc/nothing"], ["/proc/nothing"]),
    ],
)
def test_bad_input_is_one_clear_message_and_nothing_is_bound(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(SCRIPT)
    base = five_free()
    ports = [] if "--port-base" in arguments else ["--port-base", str(base)]
    given = [str(path) if argument == "SCRIPT" else argument for argument in arguments]
    with start(*ports, *given) as child:
        told, faults = child.communicate(timeout=60)
    assert child.returncode not in (0, None)
    assert told == ""
    assert faults.startswith("error: ")
    assert "Traceback" not in faults
    assert faults.count("error: ") == 1
    assert all(word in faults for word in words), faults
    assert free_of(base)


def test_faults_are_explained_in_korean_with_an_example(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["emulator", "faults", "list"]) == 0
    told = capsys.readouterr().out
    for entry in CATALOGUE:
        assert f"{entry.id}  {entry.words.ko}" in told
        assert entry.example.splitlines()[0] in told
    facts = tmp_path / "facts.json"
    assert main(["emulator", "faults", "list", "t03", "B01", "--json", str(facts)]) == 0
    assert [row["id"] for row in json.loads(facts.read_text())["faults"]] == ["T03", "B01"]
    assert "T04" not in capsys.readouterr().out
    assert main(["emulator", "faults", "list", "T99"]) == 2
    assert "T99" in capsys.readouterr().err


def test_a_script_is_checked_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text("\n".join(entry.example for entry in CATALOGUE if entry.needs != "calendar"))
    assert main(["emulator", "faults", "check", str(path)]) == 0
    assert "이상 없음" in capsys.readouterr().out
    path.write_text(SCRIPT)
    assert main(["emulator", "faults", "check", str(path)]) == 2
    told = capsys.readouterr().err
    assert "line 3" in told
    assert "line 6" in told
