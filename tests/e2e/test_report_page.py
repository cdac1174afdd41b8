"""The report in a real browser: on a desk and on a telephone, by day and by night."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haetae.backtest import BacktestSettings, ReportNotes, Trials, gather, html, run, stress
from panels import daily_panel

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is in locks/test.txt")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
CHARTS = 6
TALLEST_ROW = 110
"""Pixels; a first column squeezed to a letter a line makes rows several times as tall."""
READABLE = 4.5
"""Contrast of text that WCAG 2 asks for at level AA."""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]

CONTRAST = """elements => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => {
      v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(colour) && colour !== "transparent") return colour; }
    return "rgb(255, 255, 255)"; };
  return Math.min(...elements.map(one => {
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05); })); }"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    panel = daily_panel(300, 30, seed=3, drift=0.0004)
    rng = np.random.default_rng(4)

    def targets(top: int) -> np.ndarray:
        grid = np.full(panel.close.shape, np.nan)
        for row in range(20, 299, 10):
            grid[row] = 0.0
            grid[row, np.argsort(panel.close[row] / panel.close[row - 20])[-top:]] = 1.0 / top
        return grid

    def rerun(cost_multiple_ppm: int, delay_bars: int) -> Any:
        settings = BacktestSettings(cost_multiple_ppm=cost_multiple_ppm, delay_bars=delay_bars)
        return run(panel, targets(5), name="x", settings=settings)

    runs = [run(panel, targets(top), name=f"가장 오른 종목 {top}") for top in range(5, 13)]
    bound = dataclasses.replace(rerun(0, 0), name="perfect_foresight", bound=True)
    trials = Trials.from_returns(np.column_stack([one.daily_returns() for one in runs]))
    evidence = gather(runs[0], runs[1:], trials=trials, dice=rng, stress=stress(rerun))
    page = html(runs[0], [*runs[1:], bound], "해태 백테스트", ReportNotes(window="시험 구간"), evidence)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")], ids=str)
def page(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Any]:
    width, scheme = request.param
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.faults, opened.asked = [], []
    opened.on("pageerror", lambda fault: opened.faults.append(str(fault)))
    opened.on("console", lambda line: opened.faults.append(line.text) if line.type == "error" else None)
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(report.as_uri())
    opened.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {CHARTS}")
    yield opened
    opened.close()


def test_it_draws_whole_without_faults_and_asks_for_nothing_else(page: Any, report: Path) -> None:
    assert page.faults == []
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [report.as_uri()]
    assert page.locator(".js-plotly-plot").count() == CHARTS


def test_nothing_runs_over_the_edge_and_tables_scroll_in_their_cards(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    wide = page.locator("#summary").evaluate("table => table.scrollWidth > table.parentElement.clientWidth")
    assert wide or page.viewport_size["width"] > 1000


def test_no_cell_is_squeezed(page: Any) -> None:
    tallest = page.locator("tbody tr").evaluate_all("rows => Math.max(...rows.map(row => row.offsetHeight))")
    assert 0 < tallest <= TALLEST_ROW
    listed = page.locator("dd").evaluate_all("cells => Math.min(...cells.map(cell => cell.offsetWidth))")
    assert listed >= 90


def test_text_stands_out_from_what_is_behind_it(page: Any) -> None:
    for kind in ("h1", "td", "th", "dt", "dd", ".verdict", ".warn li", ".small", ".en", ".sub"):
        assert page.locator(kind).evaluate_all(CONTRAST) >= READABLE, kind
    labels = page.locator(".js-plotly-plot .xtick text")
    behind = page.locator(".card").first.evaluate("one => getComputedStyle(one).backgroundColor")
    colour = labels.first.evaluate("one => one.style.fill")
    assert colour != behind and labels.count() > 10


def test_charts_follow_when_night_falls(browser: Any, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.goto(report.as_uri())
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {CHARTS}")
    before = page.evaluate("document.getElementById('equity').layout.font.color")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"document.getElementById('equity').layout.font.color !== '{before}'")
    page.close()
