"""Each page draws a full day and an empty one, shows states in Korean, and escapes what comes from outside."""

from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="the dashboard extra is not installed")
from streamlit.testing.v1 import AppTest

import haetae.dashboard
from haetae.dashboard.app import pages
from rigs.told_service import WICKED, empty_day, full_day, problem, serving

APP = Path(haetae.dashboard.__file__).with_name("app.py")
PAGES = [path for path, _, _, _ in pages()]
TOLD_BY_PAGE = {
    "today": (
        "98,765,432원",
        "▼ 1,234,568원",
        "-1.23%",
        "축소",
        "가상 시장",
        "G24",
        "신고가·신저가",
        "100%",
        "2026-11-24",
    ),
    "holdings": ("765,432원", "▲ 54,432원", "+7.65%", "71,200원", "미체결", "▼ 1,207원"),
    "decisions": ("신뢰도 71.0%", "gpt-x", "목표 비중 2.00%", "4/10", "-12.5bp"),
    "safety": (
        "정상 → 축소",
        "코스피 하락",
        "하한가에서 대기",
        "-350.0bp",
        "6.2배",
        "새 종목 수",
        "정상 거래",
        "열린 차이 1건",
        "설명되지 않음",
        "보유 수량",
    ),
    "universe": ("KOSPI", "71,000원", "+1.23%", "ETF"),
    "models": ("-0.03%", "0.0200", "+25.4bp", "운용", "0 / 1"),
    "review": ("▼ 1,234,568원", "10시대의 결정", "후보 · 효과 없음", "-12.5bp"),
}


def opened(page, url, token="t"):
    script = f"""
from haetae.dashboard import states
from haetae.dashboard.client import ServiceClient, Trouble
from haetae.dashboard.screens import {page}
from haetae.dashboard.settings import DashboardSettings
try:
    {page}.show(ServiceClient(DashboardSettings(service_url={url!r}), {token!r}), None)
except Trouble as trouble:
    states.explain(trouble)
"""
    return AppTest.from_string(script, default_timeout=30).run()


def written(app):
    kinds = ("html", "markdown", "caption", "subheader", "info", "error", "warning", "success")
    return "\n".join(
        getattr(each.proto, "body", "") or getattr(each, "value", "") for kind in kinds for each in app.get(kind)
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_figures_it_was_told(page):
    with serving(full_day()) as told:
        app = opened(page, told.url)
    assert not app.exception
    assert not app.error
    text = written(app)
    for figure in TOLD_BY_PAGE[page]:
        assert figure in text, figure


@pytest.mark.parametrize("page", PAGES)
def test_a_text_from_outside_never_becomes_markup(page):
    with serving(full_day()) as told:
        app = opened(page, told.url)
    drawn = "".join(each.proto.body for each in app.get("html")) + "".join(each.value for each in app.markdown)
    assert WICKED not in drawn
    assert page in ("today", "models") or "&lt;img" in drawn


@pytest.mark.parametrize("page", PAGES)
def test_a_day_without_anything_is_told_in_words(page):
    with serving(empty_day()) as told:
        app = opened(page, told.url)
    assert not app.exception
    assert not app.error
    assert page == "safety" or app.info


@pytest.mark.parametrize("page", PAGES)
def test_an_expired_token_is_told_with_the_next_step(page):
    said = problem("token.expired", "토큰의 기한이 지났습니다", next_step_ko="새로 만드세요")
    with serving(dict.fromkeys(full_day(), (401, said))) as told:
        app = opened(page, told.url)
    assert not app.exception
    assert "토큰의 기한이 지났습니다" in app.error[0].value
    assert "새로 만드세요" in app.error[0].value


def test_one_missing_part_leaves_the_rest_of_a_page_readable():
    answers = full_day()
    del answers["/v1/equity"], answers["/v1/fear-greed"]
    with serving(answers) as told:
        app = opened("today", told.url)
    assert len(app.info) == 2
    assert "98,765,432원" in written(app)


def test_the_kill_switch_moves_only_with_confirmation_and_reason():
    with serving(full_day()) as told:
        app = opened("safety", told.url)
        app.button[0].click().run()
        assert "확인 칸" in app.warning[0].value
        app.checkbox[0].check()
        app.text_input[0].input("급")
        app.button[0].click().run()
        assert "3자 이상" in app.warning[0].value
        assert told.commands == []
        app.checkbox[0].check()
        app.text_input[0].input("시장 급변")
        app.radio[0].set_value("halt")
        app.button[0].click().run()
        assert app.success
    assert told.commands == [("/v1/operator", {"state": "halt", "confirm": "halt", "why": "시장 급변"})]


def test_a_viewer_who_presses_the_kill_switch_is_told_that_the_role_is_too_small():
    answers = full_day() | {"/v1/operator": (403, problem("role.too_small", "권한이 부족합니다"))}
    with serving(answers) as told:
        app = opened("safety", told.url)
        app.checkbox[0].check()
        app.text_input[0].input("시장 급변")
        app.button[0].click().run()
    assert "권한이 부족합니다" in app.error[0].value


def test_an_open_order_can_be_cancelled_with_a_reason():
    with serving(full_day()) as told:
        app = opened("holdings", told.url)
        app.text_input[0].input("가격 변동")
        app.button[0].click().run()
        assert app.success
    assert told.commands == [("/v1/orders/I-1/cancel", {"why": "가격 변동"})]


def test_the_frame_says_that_the_service_is_down_and_how_to_start_it(monkeypatch):
    monkeypatch.setenv("HAETAE_SERVICE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HAETAE_SERVICE_TOKEN", "t")
    app = AppTest.from_file(APP, default_timeout=30).run()
    assert not app.exception
    assert "연결할 수 없습니다" in app.error[0].value
    assert "haetae serve" in app.error[0].value


def test_the_frame_asks_for_a_token_and_takes_the_one_typed(monkeypatch):
    monkeypatch.delenv("HAETAE_SERVICE_TOKEN", raising=False)
    with serving(full_day()) as told:
        monkeypatch.setenv("HAETAE_SERVICE_URL", told.url)
        app = AppTest.from_file(APP, default_timeout=30).run()
        assert "토큰이 필요합니다" in app.info[0].value
        assert told.asked == []
        app.text_input(key="token").input("hae_trader_typed").run()
    assert not app.exception
    assert set(told.tokens) == {"Bearer hae_trader_typed"}
    assert "98,765,432원" in written(app)
    assert app.selectbox(key="day").options == ["2026-11-24", "2026-11-23"]


def test_an_address_that_is_not_this_machine_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("HAETAE_SERVICE_URL", "http://10.1.2.3:8710")
    app = AppTest.from_file(APP, default_timeout=30).run()
    assert "쓸 수 없는 서비스 주소" in app.error[0].value


def test_english_is_one_variable_away(monkeypatch):
    monkeypatch.setenv("HAETAE_LANG", "en")
    with serving(full_day()) as told:
        app = opened("today", told.url)
    assert "Profit today" in written(app)
    assert "오늘 손익" not in written(app)
