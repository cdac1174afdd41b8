"""Every way out of the command line: its exit code and its one message."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from haetae.cli import faults, main
from haetae.domain.errors import BrokerError, ConfigError, DataError, HaetaeError, JournalError, ModelError, Text

TEXT = Text(ko="망가졌습니다", en="it broke")


def app_that_raises(fault: BaseException) -> typer.Typer:
    """A tree with one verb that fails in a given way."""
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.callback()
    def _root() -> None:
        """Keep `go` a sub-command."""

    @app.command()
    def go() -> None:
        raise fault

    return app


def run(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(main, "build", lambda: app_that_raises(fault))
    return main.main(["go"])


@pytest.mark.parametrize(
    ("kind", "code"),
    [(HaetaeError, 1), (ConfigError, 2), (DataError, 3), (JournalError, 5), (ModelError, 6), (BrokerError, 7)],
)
def test_each_kind_of_error_has_its_exit_code(
    kind: type[HaetaeError], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(kind(TEXT), monkeypatch) == code


def test_an_error_is_one_message_in_korean_by_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HAETAE_LANG", raising=False)
    run(DataError(TEXT, expected="3", found="4", next_step=Text(ko="고치세요", en="mend it")), monkeypatch)
    told = capsys.readouterr()
    assert told.err == "오류: 망가졌습니다\n  기대: 3\n  발견: 4\n  다음: 고치세요\n"
    assert told.out == ""


def test_the_same_error_in_english_and_without_empty_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    run(DataError(TEXT, found="4"), monkeypatch)
    assert capsys.readouterr().err == "error: it broke\n  found: 4\n"


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(KeyboardInterrupt(), monkeypatch) == 130


def test_an_exit_asked_for_by_a_verb_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(typer.Exit(9), monkeypatch) == 9


@pytest.mark.parametrize(("number", "sign"), [(28, "disk is full"), (13, "no permission"), (98, "port is in use")])
def test_a_refusal_of_the_system_is_explained(
    number: int, sign: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    assert run(OSError(number, "strerror", "/some/place"), monkeypatch) == 1
    told = capsys.readouterr().err
    assert sign in told
    assert "/some/place" in told
    assert "next:" in told


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError(), monkeypatch)


def test_an_unknown_command_names_the_nearest_and_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    assert main.main(["lkae"]) == faults.USAGE_EXIT
    told = capsys.readouterr().err
    assert "lkae" in told
    assert "lake" in told
    assert "`haetae --help`" in told


def test_an_unknown_option_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    assert main.main(["bench", "m60", "--jsn", "x"]) == faults.USAGE_EXIT
    told = capsys.readouterr().err
    assert "--jsn" in told
    assert "--json" in told


def test_a_missing_argument_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["lake", "import", "--kind", "daily"]) == faults.USAGE_EXIT
    assert "lake import --help" in capsys.readouterr().err


def test_version_and_help_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    assert main.main(["version"]) == 0
    assert main.main(["lake", "--help"]) == 0
    assert "import" in capsys.readouterr().out


HEAVY = ("numpy", "numba", "pyarrow", "duckdb", "pydantic", "aiohttp", "lightgbm", "sklearn", "scipy", "plotly")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from haetae.cli.main import main; main(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


def test_a_reader_that_went_away_is_no_error() -> None:
    code = "import sys; from haetae.cli.main import main; sys.exit(main(['version']))"
    with subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep(0.3); {code}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        told = child.stderr.read()
        assert child.wait(60) == faults.READER_GONE_EXIT
        assert told == b""
