"""The client: every way a call can fail has a state and a next step; the token goes nowhere else."""

import dataclasses
import socket

import pytest

from haetae.dashboard.client import Kind, ServiceClient, Trouble
from haetae.dashboard.settings import DashboardSettings, from_environment
from haetae.domain.errors import ConfigError
from rigs.told_service import DAY, full_day, problem, serving

TOKEN = "hae_viewer_canary"


def client(url, token=TOKEN, **more):
    return ServiceClient(DashboardSettings(service_url=url, timeout_s=2.0, **more), token)


def trouble(call):
    with pytest.raises(Trouble) as caught:
        call()
    assert TOKEN not in repr(caught.value) + caught.value.found
    return caught.value


def test_an_answer_becomes_the_service_s_own_schema():
    with serving(full_day()) as told:
        assert client(told.url).today(DAY) == full_day()["/v1/today"]
        assert told.asked == ["/v1/today?day=2026-11-24"]
        assert told.tokens == [f"Bearer {TOKEN}"]


def test_a_service_that_is_down_is_a_state_of_its_own():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = trouble(client(f"http://127.0.0.1:{port}").today)
    assert found.kind is Kind.DOWN
    assert "haetae serve" in found.next_step.ko


def test_nothing_is_sent_without_a_token():
    with serving(full_day()) as told:
        assert trouble(client(told.url, "").today).kind is Kind.NO_TOKEN
        assert told.asked == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Kind.TOKEN_REFUSED), (403, Kind.ROLE_TOO_SMALL), (404, Kind.NOTHING_THERE), (409, Kind.REFUSED),
     (422, Kind.REFUSED), (500, Kind.FAULT), (503, Kind.FAULT)],
)  # fmt: skip
def test_a_refusal_keeps_the_service_s_words(status, kind):
    said = problem("token.expired", "토큰의 기한이 지났습니다", next_step_ko="새로 만드세요")
    with serving({"/v1/today": (status, said)}) as told:
        found = trouble(client(told.url).today)
    assert (found.kind, found.message.ko, found.next_step.ko) == (kind, "토큰의 기한이 지났습니다", "새로 만드세요")


def test_a_refusal_without_words_still_says_what_happened():
    with serving({"/v1/today": (500, b"<html>oops")}) as told:
        assert "500" in trouble(client(told.url).today).message.ko


@pytest.mark.parametrize("raw", [b"{}", b"not json", b'{"day": 1}'])
def test_an_answer_that_does_not_fit_is_not_shown_as_figures(raw):
    with serving({"/v1/orders": (200, raw)}) as told:
        assert trouble(client(told.url).orders).kind is Kind.UNREADABLE


def test_an_answer_without_end_is_cut():
    with serving({"/v1/orders": (200, b"x" * 5_000)}) as told:
        assert trouble(client(told.url, answer_bytes=1_000).orders).kind is Kind.UNREADABLE


def test_the_kill_switch_repeats_its_state_as_confirmation():
    with serving({}) as told:
        client(told.url).move_operator("halt", "시장 급변")
        client(told.url).cancel("I-1", "가격 변동")
    assert told.commands == [
        ("/v1/operator", {"state": "halt", "confirm": "halt", "why": "시장 급변"}),
        ("/v1/orders/I-1/cancel", {"why": "가격 변동"}),
    ]


@pytest.mark.parametrize("url", ["http://10.0.0.1:8710", "https://127.0.0.1:8710", "http://127.0.0.1.evil.example"])
def test_a_token_never_leaves_this_machine(url):
    with pytest.raises(ConfigError):
        from_environment({"HAETAE_SERVICE_URL": url})


def test_settings_come_from_the_environment_once():
    made = from_environment({"HAETAE_SERVICE_URL": "http://127.0.0.1:9/", "HAETAE_LANG": "en_US"})
    assert (made.service_url, made.language, made.token) == ("http://127.0.0.1:9", "en", "")
    assert from_environment({}) == DashboardSettings()
    assert dataclasses.asdict(from_environment({}))["language"] == "ko"
