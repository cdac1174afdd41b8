"""``haetae backtest run`` and ``audit``, ``haetae strategy``: what is printed, the JSON, the exit code."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import strategy_lake
from haetae.cli.main import main
from haetae.policies import LIBRARY
from haetae.ports.tables import TABLES
from haetae.registry.trials import TrialBook
from haetae.store.lake import Lake

SPAN = ("--from", strategy_lake.FROM, "--to", strategy_lake.TO)
SYMBOLS = strategy_lake.panel().symbols
HEAD = "import numpy as np\nfrom haetae.policies import Proposal, SignalStrategy, Strategy, TargetStrategy\n\n\n"
VIEW = HEAD + "class Bad(Strategy):\n    every = 'week'\n\n    def propose(self, view):\n        return {}\n"
SIGNALS = HEAD + "class Bad(SignalStrategy):\n    def signals(self, panel):\n        {}\n"
TARGETS = HEAD + "class Bad(TargetStrategy):\n    every = 'week'\n\n    def targets(self, task):\n        {}\n"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strategy_lake.make_lake(tmp_path_factory.mktemp("backtests"))


@pytest.fixture
def refused(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Run a strategy that must be refused; return its one message, and prove that nothing was written of it."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *more: str, code: int, verb: str = "run") -> str:
        (tmp_path / "bad.py").write_text(text, encoding="utf-8")
        capsys.readouterr()
        command = ["backtest", verb, "bad.py", "--lake", str(lake), *SPAN, "--symbols", ",".join(SYMBOLS), *more]
        assert main([*command, "--json", "figures.json"]) == code
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert not (tmp_path / "figures.json").exists()
        assert not list(tmp_path.glob("data/backtests/**/report.*"))
        assert not TrialBook(tmp_path / "data" / "trials.jsonl").trials()
        return told.err

    return run


def fields(message: str, *expected: str) -> None:
    for each in expected:
        assert each in message, message


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ("self.hold(view, {view.symbols[2]: float('nan')})", f"{SYMBOLS[2]}: nan"),
        ("self.hold(view, {view.symbols[0]: 0.7, view.symbols[1]: 0.7})", "1.4"),
        ("self.hold(view, {'NOSUCH': 0.1})", "NOSUCH: not a symbol of the view"),
        ("self.hold(view, {view.symbols[1]: -0.2})", f"{SYMBOLS[1]}: -0.2"),
        ("self.hold(view, {view.symbols[1]: 'half'})", f"{SYMBOLS[1]}: half"),
        ("Proposal('p', view.at, 'p', {view.symbols[2]: float('inf')})", f"{SYMBOLS[2]}: inf"),
        ("{view.symbols[0]: 0.5}", "0.5"),
    ],
)
def test_a_proposal_that_cannot_be_meant_stops_the_run(refused: Callable[..., str], weights: str, found: str) -> None:
    fields(refused(VIEW.format(weights), code=2), "this proposal cannot be meant" if "hold" in weights else "", found,
           "2025-05-", "+09:00", "in propose()")  # fmt: skip


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("found = np.zeros(panel.close.shape)\n        found[300, 2] = np.nan\n        return found", "nan"),
        ("return np.full(panel.close.shape, 3)", "3"),
        ("return np.zeros((2, 2), np.int8)", "shape (2, 2)"),
    ],
)
def test_signals_that_cannot_be_meant_stop_the_run(refused: Callable[..., str], body: str, found: str) -> None:
    message = refused(SIGNALS.format(body), code=2)
    fields(message, found, "mend signals()")
    if found == "nan":
        fields(message, SYMBOLS[2], "+09:00")


@pytest.mark.parametrize(("value", "found"), [("0.1", "1.400000"), ("-1.0", "-1.0"), ("np.inf", "inf"), ("1.4", "1.4")])
def test_targets_that_cannot_be_meant_stop_the_run(refused: Callable[..., str], value: str, found: str) -> None:
    body = f"found = task.empty()\n        found[task.rows] = {value}\n        return found"
    fields(refused(TARGETS.format(body), code=2), found, "2025-05-", "mend targets()")


def test_a_fraction_of_140_percent_is_refused(refused: Callable[..., str]) -> None:
    text = SIGNALS.format("return np.zeros(panel.close.shape, np.int8)")
    fields(refused(text, "--set", "fraction=1.4", code=2), "fraction=1.4", "0 < fraction <= 1")


def test_minutes_asked_of_daily_bars_are_refused(refused: Callable[..., str]) -> None:
    fields(refused(VIEW.replace("'week'", "'30m'").format("self.hold(view, {})"), code=2), "--bars minute")


@pytest.mark.parametrize("pair", ["top=5", "=5", "top", "every=day"])
def test_parameters_that_are_none_are_refused(refused: Callable[..., str], pair: str) -> None:
    refused(VIEW.format("self.hold(view, {})"), "--set", pair, code=2)


@pytest.mark.parametrize("lot", [0, -1])
def test_a_lot_that_is_none_names_the_symbol_and_the_day(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lot: int
) -> None:
    copy = Path(shutil.copytree(lake, tmp_path / "lake"))
    rows = Lake(copy).read("instruments")
    lots = np.where(np.array(rows.column("symbol").to_pylist()) == SYMBOLS[4], lot, 1)
    place = rows.column_names.index("lot")
    spoilt = rows.set_column(place, "lot", pa.array(lots, rows.schema.field("lot").type))
    Lake(copy).write("instruments", spoilt, keys=TABLES["instruments"].keys)
    capsys.readouterr()
    command = ["backtest", "run", "cash", "--lake", str(copy), *SPAN, "--out", str(tmp_path / "out")]
    assert main([*command, "--trials", str(tmp_path / "trials.jsonl")]) == 3
    fields(capsys.readouterr().err, f"{SYMBOLS[4]}: the trading lot does not fit", f"lot {lot}", "as of", "mend lot")
    assert not (tmp_path / "trials.jsonl").exists()


def spoilt_bars(lake: Path, folder: Path, change: Callable[[dict[str, object]], None]) -> list[str]:
    """Return the command that runs on a copy of the lake in which one row of the daily bars was changed."""
    copy = Path(shutil.copytree(lake, folder / "lake"))
    (row,) = (
        each
        for each in Lake(copy).read("daily", symbols=[SYMBOLS[4]]).to_pylist()
        if each["day"].isoformat() == "2025-06-10"
    )
    change(row)
    schema = Lake(copy).read("daily", symbols=[SYMBOLS[4]]).schema
    Lake(copy).write("daily", pa.Table.from_pylist([row], schema=schema), keys=TABLES["daily"].keys)
    named = ("--symbols", ",".join(SYMBOLS[2:6]), "--out", str(folder / "out"), "--no-baselines")
    return ["backtest", "run", "equal_weight", "--lake", str(copy), *named, "--trials", str(folder / "trials.jsonl")]


def test_a_bar_whose_high_is_below_its_low_stops_the_run(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = spoilt_bars(lake, tmp_path, lambda row: row.update(high=row["low"] - 10))  # type: ignore[operator]
    capsys.readouterr()
    assert main([*command, *SPAN]) == 3
    fields(capsys.readouterr().err, SYMBOLS[4], "2025-06-10", "high")
    assert not (tmp_path / "trials.jsonl").exists()


def test_a_day_of_a_year_without_rules_stops_the_run_and_names_it(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = dt.date(2031, 3, 4)
    command = spoilt_bars(lake, tmp_path, lambda row: row.update(day=later))
    capsys.readouterr()
    assert main([*command, "--from", strategy_lake.FROM, "--to", "2031-12-30"]) in (3, 4)
    fields(capsys.readouterr().err, "2031")
    assert not (tmp_path / "trials.jsonl").exists()


def test_an_audit_prints_every_check_and_passes_an_honest_strategy(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "audit.json"
    command = ["backtest", "audit", "equal_weight", "--lake", str(lake), *SPAN, "--symbols", ",".join(SYMBOLS)]
    assert main([*command, "--trials", "5", "--json", str(facts)]) == 0
    told = capsys.readouterr().out
    record = json.loads(facts.read_text())
    for one in record["checks"]:
        assert f"] {one['check'].replace('_', ' ')}: {one['said']['en']}" in told
    assert record["passed"] is True
    assert record["synthetic"] is False
    assert told.rstrip().endswith("every check passed.")


def test_an_audit_of_a_cheat_exits_with_one_and_says_where(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peek = "return np.sign(np.diff(panel.close, axis=0, append=panel.close[-1:])).astype(np.int8)"
    (tmp_path / "peek.py").write_text(SIGNALS.format(peek))
    command = [
        "backtest",
        "audit",
        str(tmp_path / "peek.py"),
        "--lake",
        str(lake),
        *SPAN,
        "--symbols",
        ",".join(SYMBOLS),
    ]
    assert main([*command, "--trials", "5", "--json", str(tmp_path / "audit.json")]) == 1
    told = capsys.readouterr().out
    fields(told, "[FAIL] look ahead: it sees the future", "[FAIL] noise", "do not believe the figures")
    record = json.loads((tmp_path / "audit.json").read_text())
    moved = next(one for one in record["checks"] if one["check"] == "look_ahead")["numbers"]["moved"]
    assert moved["symbol"] in SYMBOLS


def test_days_belong_to_a_lake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "audit", "cash", "--from", "2025-01-02"]) == 2
    fields(capsys.readouterr().err, "--lake", "2025-01-02")


def test_a_strategy_that_is_never_asked_cannot_be_audited(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    span = ("--from", "2025-05-07", "--to", "2025-05-16", "--symbols", ",".join(SYMBOLS))
    assert main(["backtest", "audit", "equal_weight", "--lake", str(lake), *span]) == 2
    fields(capsys.readouterr().err, "never asked", "month")


def test_a_run_prints_its_figures_beside_the_baselines(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "run.json"
    command = ["backtest", "run", "reversal_5", "--set", "top=4", "--lake", str(lake), *SPAN, "--out", str(tmp_path)]
    more = ["--symbols", ",".join(SYMBOLS), "--trials", str(tmp_path / "trials.jsonl"), "--json", str(facts)]
    assert main([*command, *more]) == 0
    told = capsys.readouterr().out
    record = json.loads(facts.read_text())
    fields(told, "> reversal_5(look_back=5,top=4)", *record["benchmarks"], str(tmp_path / "report.html"))
    assert record["strategy"]["parameters"]["top"] == 4
    assert len(TrialBook(tmp_path / "trials.jsonl").trials()) == 1


def test_the_ready_strategies_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["strategy", "list", "--json", str(tmp_path / "list.json")]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in LIBRARY)
    assert json.loads((tmp_path / "list.json").read_text())["sma_cross"]["parameters"]["slow"] == 60


def test_the_bars_there_are_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "audit", "cash", "--bars", "hourly"]) == 2
    fields(capsys.readouterr().err, "hourly", "daily, minute")
