"""The picture of a report."""

import dataclasses
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from haetae.backtest import png
from haetae.domain.errors import ConfigError
from runs import run_of

RNG = np.random.default_rng(1)
RUN = run_of(RNG.normal(0, 0.01, 120), "전략")
INDEX = run_of(RNG.normal(0, 0.01, 120), "KOSPI")
BOUND = dataclasses.replace(run_of(np.full(120, 0.05), "seer"), bound=True)


def _drawn():
    pytest.importorskip("matplotlib", reason="the extra report is not installed")


def test_it_is_a_png_and_the_same_every_time():
    _drawn()
    picture = png(RUN, [INDEX], title="momentum")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n") and len(picture) > 10_000
    assert picture == png(RUN, [INDEX], title="momentum")
    assert picture != png(RUN, [run_of(RNG.normal(0, 0.01, 120), "KOSPI")], title="momentum")


def test_a_korean_name_leaves_no_empty_boxes():
    _drawn()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert png(RUN, [dataclasses.replace(INDEX, name="코스피")], title="보고서")


def test_a_bound_is_left_out_and_does_not_count_as_a_benchmark():
    _drawn()
    assert png(RUN, [INDEX, BOUND]) == png(RUN, [INDEX])
    with pytest.raises(ValueError, match="at least one benchmark"):
        png(RUN, [BOUND])


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError) as refused:
        png(RUN, [INDEX])
    assert "haetae[report]" in refused.value.next_step and "report" in str(refused.value.expected)


def test_the_room_is_imported_without_drawing_libraries():
    asked = (
        "import sys, haetae.backtest as b; print([m for m in ('matplotlib', 'plotly', 'pandas') if m in sys.modules])"
    )
    source = Path(__file__).parents[3] / "src"
    told = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, env={"PYTHONPATH": str(source)}
    )
    assert told.stdout.strip() == "[]", told.stderr
