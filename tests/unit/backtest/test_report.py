import dataclasses
import json
import re

import numpy as np
import pytest

from haetae.backtest import ReportNotes, figures, html
from runs import costly, run_of


def _page(**notes):
    rng = np.random.default_rng(0)
    run = costly(run_of(rng.normal(0, 0.01, 60), "전략"))
    index = run_of(rng.normal(0, 0.01, 60), "KOSPI 지수")
    return html(run, [index], "보고서 <제목>", ReportNotes(**notes))


def test_the_page_asks_no_server_for_anything():
    page = _page()
    outside = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.S)
    assert not re.search(r"(src|href)\s*=", outside)
    assert "Plotly.newPlot" in page and len(page) > 1_000_000


def test_the_page_shows_benchmark_costs_and_warnings_in_korean_first():
    page = _page(trials=12, survivorship="상장폐지 종목 포함", synthetic=True)
    for text in ("KOSPI 지수", "수수료", "거래세", "1,234,567", "시도한 설정 12개", "상장폐지 종목 포함", "합성 시장"):
        assert text in page
    assert 'lang="ko"' in page


def test_what_is_unknown_is_said():
    page = _page()
    assert "세지 않았습니다" in page and "생존 편향: 상장폐지 종목의 포함 여부를 모릅니다" in page


def test_names_cannot_inject_markup():
    page = _page(remarks=["<img src=x>", "</script><b>"])
    assert "<img" not in page and "보고서 &lt;제목&gt;" in page
    assert page.count("</script>") == 3


def test_a_report_without_a_benchmark_that_can_be_beaten_is_refused():
    bound = dataclasses.replace(run_of(np.zeros(5)), bound=True)
    for benchmarks in ([], [bound]):
        with pytest.raises(ValueError):
            html(run_of(np.zeros(5)), benchmarks, "x")


def test_the_verdict_is_about_the_best_benchmark_that_does_not_know_the_future():
    bound = dataclasses.replace(run_of(np.full(30, 0.05), "seer"), bound=True)
    page = html(run_of(np.zeros(30)), [run_of(np.full(30, -0.01), "b"), run_of(np.full(30, 0.01), "a"), bound], "t")
    assert "가장 나은 비교 대상(a)" in page


def test_the_embedded_figures_are_the_json_figures():
    run, index = costly(run_of(np.full(30, 0.001))), run_of(np.zeros(30), "index")
    page = html(run, [index], "t")
    embedded = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.S)
    assert json.loads(embedded.group(1)) == json.loads(json.dumps(figures(run, [index])))
    assert figures(run, [index])["benchmarks"]["index"]["comparison"]["excess_return"] == pytest.approx(
        1.001**30 - 1, abs=1e-6
    )


def test_the_verdict_does_not_call_luck_a_gain():
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.01, 100)
    assert "구별되지 않습니다" in html(run_of(noise + 1e-5 * rng.normal(size=100)), [run_of(noise, "b")], "t")
    assert "낫습니다" in html(run_of(noise + 0.002 + 1e-4 * rng.normal(size=100)), [run_of(noise, "b")], "t")
