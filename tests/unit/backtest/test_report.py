"""Figures, their form, and the page."""

import dataclasses
import importlib.resources
import json
import re
import time

import jsonschema
import numpy as np
import pytest

from haetae.backtest import (
    BacktestSettings,
    Evidence,
    ReportNotes,
    Trials,
    best_benchmark,
    figures,
    gather,
    html,
    run,
    stress,
)
from haetae.backtest.page import percent, points, won
from haetae.backtest.report import plain
from panels import daily_panel
from runs import DAYS, costly, run_of

SCHEMA = json.loads(importlib.resources.files("haetae.backtest").joinpath("report.schema.json").read_text())


def _page(**notes):
    rng = np.random.default_rng(0)
    run = costly(run_of(rng.normal(0, 0.01, 60), "전략"))
    index = run_of(rng.normal(0, 0.01, 60), "KOSPI 지수")
    return html(run, [index], "보고서 <제목>", ReportNotes(**notes))


@pytest.fixture(scope="module")
def whole():
    """A traded run with every examination made."""
    panel = daily_panel(300, 6, seed=1, drift=0.0008)
    rng = np.random.default_rng(2)

    def targets(top):
        grid = np.full(panel.close.shape, np.nan)
        for row in range(20, 299, 10):
            best = np.argsort(panel.close[row] / panel.close[row - 20])[-top:]
            grid[row] = 0.0
            grid[row, best] = 1.0 / top
        return grid

    def rerun(cost_multiple_ppm, delay_bars):
        settings = BacktestSettings(cost_multiple_ppm=cost_multiple_ppm, delay_bars=delay_bars)
        return run(panel, targets(2), name="x", settings=settings)

    trials = Trials.from_returns(
        np.column_stack([run(panel, targets(k), name="t").daily_returns() for k in range(1, 6)])
    )
    mine = run(panel, targets(2), name="상위 2종목")
    benchmarks = [
        run(panel, targets(6), name="equal_weight"),
        dataclasses.replace(rerun(0, 0), name="bound", bound=True),
    ]
    evidence = gather(mine, benchmarks, trials=trials, dice=rng, stress=stress(rerun))
    return mine, benchmarks, ReportNotes(survivorship="없음", window="시험 구간", remarks=["비고"]), evidence


def test_every_figure_has_the_form_of_the_schema(whole):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = figures(*whole)
    jsonschema.validate(json.loads(json.dumps(found)), SCHEMA)
    for key in ("deflated_sharpe", "overfitting", "intervals", "stress", "trips", "capacity", "names", "months"):
        assert found[key], key
    assert found["schema"] == SCHEMA["title"]
    assert set(found) == set(SCHEMA["properties"])


def test_a_bare_report_has_the_same_form_and_says_what_is_missing():
    found = figures(run_of(np.full(30, 0.001)), [run_of(np.zeros(30), "index")])
    jsonschema.validate(json.loads(json.dumps(found)), SCHEMA)
    assert found["trials"] == 0 and found["intervals"] is None and found["trips"] is None
    assert {one["key"] for one in found["checks"] if one["passed"] is None} == {
        "interval",
        "deflated_sharpe",
        "overfitting",
        "costs",
        "delay",
        "record",
    }


def test_the_page_of_every_examination_shows_them(whole):
    page = html(whole[0], whole[1], "t", *whole[2:])
    for mark in ("intervals", "deflated", "overfitting", "stress", "years", "names", "trips", "capacity", "logits"):
        assert f'id="{mark}"' in page
    assert "미래를 아는 상한선" in page and "비고" in page
    assert "계산하지 않았습니다" not in page.split("<body>")[1]


def test_a_strategy_that_loses_before_costs_is_said_to():
    lost = stress(lambda cost, _delay: run_of([-0.1 - cost / 1e8]))
    told = html(run_of(np.zeros(30)), [run_of(np.zeros(30), "b")], "t", None, Evidence(stress=lost))
    assert "비용이 없어도 손실입니다" in told and "수익이 0이 되는 비용" not in told


def test_exposure_is_drawn_beside_that_of_the_best_benchmark():
    worse, better = run_of(np.full(30, -0.01), "worse"), run_of(np.full(30, 0.01), "better")
    page = html(run_of(np.zeros(30)), [worse, better], "t")
    pictures = json.loads(re.search(r"const pictures = (.*);\n", page).group(1))
    assert [line["name"] for line in pictures["exposure"]["data"]] == ["run", "better"]
    assert [line["name"] for line in pictures["equity"]["data"]] == ["run", "worse", "better"]


def test_the_page_asks_no_server_for_anything(whole):
    page = html(whole[0], whole[1], "t", *whole[2:])
    outside = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.S)
    assert not re.search(r"(src|href)\s*=|url\(|@import", outside)
    assert "Plotly.react" in page and len(page) > 1_000_000


def test_the_page_shows_benchmark_costs_and_warnings_in_korean_first():
    page = _page(trials=12, survivorship="상장폐지 종목 포함", synthetic=True)
    for text in ("KOSPI 지수", "수수료", "거래세", "1,234,567", "시도한 설정 12개", "상장폐지 종목 포함", "합성 시장"):
        assert text in page
    assert 'lang="ko"' in page
    assert page.index("성과 요약") < page.index("Summary, after all costs")


def test_what_is_unknown_is_said():
    page = _page()
    assert "세지 않았습니다" in page and "생존 편향: 상장폐지 종목의 포함 여부를 모릅니다" in page
    assert "시도한 설정의 수를 모릅니다" in page and "다시 돌려 보지 않았습니다" in page


def test_names_cannot_inject_markup():
    page = _page(remarks=["<img src=x>", "</script><b>", "<!--"])
    body = page.split("<body>")[1]
    assert "<img" not in page and "보고서 &lt;제목&gt;" in page and "<!--" not in body
    assert page.count("</script>") == 3


def test_a_report_without_a_benchmark_that_can_be_beaten_is_refused():
    bound = dataclasses.replace(run_of(np.zeros(5)), bound=True)
    for benchmarks in ([], [bound]):
        for made in (
            lambda b=benchmarks: html(run_of(np.zeros(5)), b, "x"),
            lambda b=benchmarks: figures(run_of([0]), b),
        ):
            with pytest.raises(ValueError, match="at least one benchmark"):
                made()


def test_two_benchmarks_of_one_name_are_refused():
    same = run_of(np.zeros(5), "same")
    with pytest.raises(ValueError, match="one name"):
        figures(run_of(np.zeros(5)), [same, same])


def test_the_best_benchmark_is_the_best_over_the_sessions_of_the_run():
    run_ = run_of(np.zeros(20))
    early = run_of(np.concatenate([np.full(20, 0.01), np.full(80, -0.01)]), "early")
    late = run_of(np.concatenate([np.zeros(20), np.full(80, 0.01)]), "late")
    assert best_benchmark(run_, [late, early]).name == "early"


def test_the_embedded_figures_are_the_json_figures(whole):
    page = html(whole[0], whole[1], "t", *whole[2:])
    embedded = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.S)
    assert json.loads(embedded.group(1)) == json.loads(json.dumps(figures(*whole)))
    run_, index = costly(run_of(np.full(30, 0.001))), run_of(np.zeros(30), "index")
    assert figures(run_, [index])["benchmarks"]["index"]["comparison"]["excess_return"] == pytest.approx(
        1.001**30 - 1, abs=1e-6
    )


def test_the_same_input_gives_the_same_page(whole):
    assert html(whole[0], whole[1], "t", *whole[2:]) == html(whole[0], whole[1], "t", *whole[2:])


def test_what_has_no_form_in_json_is_refused():
    assert plain({"a": (1, float("nan"), float("inf"), None)}) == {"a": [1, None, None, None]}
    with pytest.raises(TypeError):
        plain({"a": np.zeros(2)})


def test_numbers_as_people_read_them():
    assert (percent(0.1234), percent(None)) == ("12.34 %", "-")
    assert points(-0.05) == "-5.00 %p"
    assert (won(1_234_567.4), won(123_456_789_012), won(None)) == ("1,234,567원", "1,235억 원", "-")


def test_gather_makes_what_can_be_made():
    rng = np.random.default_rng(3)
    run_, index = run_of(rng.normal(0, 0.01, 100)), run_of(rng.normal(0, 0.01, 100), "index")
    assert gather(run_, [index]) == Evidence()
    few = gather(run_, [index], trials=Trials.from_returns(rng.normal(0, 0.01, (31, 4))))
    assert few.deflated.trials == 4 and few.overfitting is None
    many = gather(run_, [index], trials=Trials.from_returns(rng.normal(0, 0.01, (32, 4))), dice=rng)
    assert many.overfitting.trials == 4 and many.intervals.benchmark == "index"


def test_a_report_of_five_years_beside_ten_benchmarks_takes_less_than_two_seconds():
    rng = np.random.default_rng(4)
    count = len(DAYS) - 1
    days = np.concatenate([DAYS + 20_000 * k for k in range(3)])[:1250]

    def longer(name):
        one = run_of(rng.normal(0.0003, 0.01, count), name)
        path = np.tile(one.equity, 3)[:1250]
        none = np.zeros(1250, np.int64)
        columns = {n: none.copy() for n in ("cash", "fees", "taxes", "bought", "sold")}
        return dataclasses.replace(one, days=days, equity=path, **columns)

    runs = [longer(f"run {k}") for k in range(11)]
    trials = Trials.from_returns(rng.normal(0, 0.01, (1250, 100)))
    spent = []
    for _ in range(2):
        began = time.process_time()
        page = html(runs[0], runs[1:], "t", None, gather(runs[0], runs[1:], dice=rng, trials=trials))
        spent.append(time.process_time() - began)
        assert len(page) > 1_000_000
    assert min(spent) < 2.0, spent
