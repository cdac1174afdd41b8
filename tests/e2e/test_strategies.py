"""A stranger's first hour: a new strategy from the template runs and is audited at once, in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import strategy_lake
from rigs.running import haetae

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strategy_lake.make_lake(tmp_path_factory.mktemp("strangers"))


@pytest.mark.parametrize("form", ["view", "signals"])
def test_the_template_runs_and_passes_its_audit_at_once(lake: Path, tmp_path: Path, form: str) -> None:
    told = haetae("strategy", "new", "first_try", "--form", form, cwd=tmp_path, language="en").stdout
    assert "written: first_try.py" in told
    where = ("--lake", lake, "--from", strategy_lake.FROM, "--to", strategy_lake.TO)
    where += ("--symbols", ",".join(strategy_lake.panel().symbols))
    haetae("backtest", "run", "first_try.py", *where, "--json", "run.json", cwd=tmp_path)
    figures = json.loads((tmp_path / "run.json").read_text())
    assert figures["metrics"]["orders"] > 0
    assert (tmp_path / "data" / "backtests" / "first_try" / "report.html").is_file()
    haetae("backtest", "audit", "first_try.py", *where, "--trials", 5, "--json", "audit.json", cwd=tmp_path)
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert [one for one in audit["checks"] if one["verdict"] == "fail"] == []
    assert audit["strategy"]["code"] == figures["strategy"]["code"]


def test_an_audit_needs_no_lake_and_speaks_korean_first(tmp_path: Path) -> None:
    haetae("strategy", "new", "first_try", cwd=tmp_path)
    told = haetae("backtest", "audit", "first_try.py", "--trials", 5, cwd=tmp_path).stdout
    assert "합성 시장" in told
    assert told.rstrip().endswith("모든 검사를 통과했습니다.")


def test_the_strategy_that_knows_the_future_is_refused_belief(tmp_path: Path) -> None:
    done = haetae("backtest", "audit", "perfect_foresight", "--trials", 5, cwd=tmp_path, check=False, language="en")
    assert done.returncode == 1
    assert "[FAIL] look ahead: it sees the future" in done.stdout
