"""Every page in a real browser: the product's own service and dashboard over a demo, figures against the journal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the dashboard extra is not installed")
pytest.importorskip("uvicorn", reason="the service extra is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is in locks/test.txt")

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = {
    "holdings": ("보유·주문·체결", "orders", 1),
    "": ("오늘", "denied", 3),
    "decisions": ("AI 의사결정", "steps", 0),
    "safety": ("안전장치", "guards", 0),
    "universe": ("종목 50", "members", 0),
    "models": ("모델·백테스트", "models", 1),
    "review": ("회고", "reviews", 1),
}
"""Title, the last table and the number of charts of each page; a deep link comes first."""
DRAWN_S = 40
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(DRAWN_S * 5):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} never answered")


@pytest.fixture(scope="module")
def served(demo: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Serve a copy of the demo's folder the way a user does, with ``haetae serve``."""
    folder = tmp_path_factory.mktemp("served") / "demo"
    shutil.copytree(demo["kept"], folder)
    told = folder.parent / "serve.json"
    ports = {"--port": free_port(), "--dashboard-port": free_port()}
    options = [str(word) for pair in ports.items() for word in pair]
    running = subprocess.Popen(
        [sys.executable, "-m", "haetae.cli.main", "serve", "--out", str(folder), "--json", str(told), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "HAETAE_LANG": "ko"},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{ports['--port']}/v1/health")
        wait_for(f"http://127.0.0.1:{ports['--dashboard-port']}/_stcore/health")
        yield {**json.loads(told.read_text()), "folder": folder, "facts": demo["facts"]}
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=20)


@pytest.fixture(scope="module")
def pages(served: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Open every page once and keep what a reader sees: text, tables by name, alerts, faults."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(DRAWN_S * 1_000)
        seen = {}
        for path, (title, last, charts) in PAGES.items():
            page.goto(f"{served['dashboard']}/{path}")
            page.locator("h1", has_text=title).wait_for()
            page.locator(f".hb-table[data-name={last}]").wait_for()
            page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {charts}")
            seen[title] = {
                "text": page.locator("[data-testid=stMain]").inner_text(),
                "tables": tables_of(page),
                "alerts": page.locator("[data-testid=stAlert]").all_inner_texts(),
                "faults": page.locator("[data-testid=stException]").count(),
                "charts": page.locator(".js-plotly-plot").count(),
            }
            for tab in page.get_by_role("tab").all()[1:]:
                tab.click()
                page.locator("[role=tabpanel]:visible .hb-table").first.wait_for()
                seen[title]["tables"] |= tables_of(page)
        yield seen
        browser.close()


def tables_of(page: Any) -> dict[str, list[list[str]]]:
    """Return the cells of every table in the document by its name."""
    found = page.locator(".hb-table").evaluate_all(
        """tables => tables.map(table => [table.dataset.name, [...table.tBodies[0].rows].map(
            row => [...row.cells].map(cell => cell.textContent))])"""
    )
    return dict(found)


def asked(served: dict[str, Any], query: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{served['folder'] / 'journal.db'}?mode=ro", uri=True) as journal:
        return journal.execute(query, values).fetchall()


def test_every_page_draws_without_a_fault(pages: dict[str, Any]) -> None:
    assert list(pages) == [title for title, _, _ in PAGES.values()]
    for title, seen in pages.items():
        assert seen["faults"] == 0, title
        assert not [text for text in seen["alerts"] if "HTTP" in text or "읽을 수 없습니다" in text], title


def test_equity_profit_and_costs_are_those_of_the_day(pages: dict[str, Any], served: dict[str, Any]) -> None:
    day = served["facts"]["sessions"][-1]
    text = pages["오늘"]["text"]
    for won in (day["closing_equity"], day["opening_equity"], abs(day["profit"]), day["fees"] + day["taxes"]):
        assert f"{won:,}원" in text
    assert ("▼" if day["profit"] < 0 else "▲") in text


def test_every_fill_on_the_page_is_in_the_journal_and_none_is_missing(
    pages: dict[str, Any], served: dict[str, Any]
) -> None:
    day = served["facts"]["sessions"][-1]["day"]
    rows = asked(served, "SELECT quantity, price, amount FROM fills WHERE day = ?", day)
    shown = pages["보유·주문·체결"]["tables"]["fills"]
    numbers = [tuple(int(cell.rstrip("주원").replace(",", "")) for cell in row[3:6]) for row in shown]
    assert sorted(numbers) == sorted(rows)
    assert len(rows) > 0


def test_decisions_of_the_page_count_as_in_the_journal(pages: dict[str, Any], served: dict[str, Any]) -> None:
    counted = served["facts"]["sessions"][-1]["decisions"]
    shown = pages["AI 의사결정"]["tables"]["decisions"]
    assert len(shown) == sum(counted.values())
    assert sum("가드 차단" in row for row in shown) == counted["GUARD_BLOCKED"]
    assert "AI가 아닙니다" in pages["AI 의사결정"]["text"]


def test_the_escape_of_the_second_day_is_on_the_safety_page(pages: dict[str, Any]) -> None:
    assert any("전량 청산" in row[1] for row in pages["안전장치"]["tables"]["escape"])


def test_fifty_names_lessons_and_models_are_listed(pages: dict[str, Any], served: dict[str, Any]) -> None:
    codes = [row[2] for row in pages["종목 50"]["tables"]["members"]]
    assert sorted(codes) == sorted(served["facts"]["universe"])
    assert len(pages["회고"]["tables"]["lessons"]) == asked(served, "SELECT count(*) FROM lessons")[0][0]
    assert len(pages["모델·백테스트"]["tables"]["models"]) == 2  # the committee of rankers and the policy


def test_charts_are_drawn(pages: dict[str, Any]) -> None:
    for title, _, charts in PAGES.values():
        assert pages[title]["charts"] >= charts, title
