"""Settings: typing errors are told, addresses are checked, keys stay hidden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError
from haetae.llm.hosts import address_fault, is_inner
from haetae.llm.settings import LlmSettings, read_environment

KEY = "sk-canary-7f3a9b2c4d5e6f70"
ENV = {
    "HAETAE_LLM_BASE_URL": "https://api.openai.com/v1/",
    "HAETAE_LLM_MODEL": "gpt-4o-mini",
    "HAETAE_LLM_API_KEY": KEY,
}


def test_nothing_set_means_no_model() -> None:
    assert read_environment({"HOME": "/"}) is None
    assert read_environment({"HAETAE_LLM_BASE_URL": " "}) is None


def test_the_three_variables_are_enough() -> None:
    found = read_environment(ENV)
    assert found is not None
    assert (found.base_url, found.host, found.model) == ("https://api.openai.com/v1", "api.openai.com", "gpt-4o-mini")
    assert found.key_hint == "…6f70" and KEY not in repr(found)


def test_optional_values_are_read() -> None:
    more = {"HAETAE_LLM_DEADLINE_S": "7.5", "HAETAE_LLM_DAILY_KRW": "12,000", "HAETAE_LLM_FORMAT": "text"}
    found = read_environment(ENV | more)
    assert found is not None
    assert (found.deadline_s, found.daily_krw, found.reply_format) == (7.5, 12_000, "text")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"HAETAE_LLM_DAILY_KWR": "5"}, "DAILY_KRW?"),
        ({"HAETAE_LLM_DAILY_KRW": "lots"}, "DAILY_KRW"),
        ({"HAETAE_LLM_DAILY_KRW": "-1"}, "DAILY_KRW"),
        ({"HAETAE_LLM_DEADLINE_S": "soon"}, "DEADLINE_S"),
        ({"HAETAE_LLM_DEADLINE_S": "nan"}, "DEADLINE_S"),
        ({"HAETAE_LLM_DEADLINE_S": "600"}, "DEADLINE_S"),
        ({"HAETAE_LLM_MODEL": ""}, "MODEL"),
        ({"HAETAE_LLM_MODEL": "offline_rules_v1"}, "not AI"),
        ({"HAETAE_LLM_API_KEY": ""}, "API_KEY"),
        ({"HAETAE_LLM_API_KEY": "a b\n"}, "API_KEY"),
        ({"HAETAE_LLM_FORMAT": "yaml"}, "FORMAT"),
        ({"HAETAE_LLM_BASE_URL": ""}, "BASE_URL"),
    ],
)
def test_wrong_values_are_told_by_name_and_never_show_the_key(changes: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_environment(ENV | changes)
    text = f"{caught.value.message} {caught.value.expected} {caught.value.found} {caught.value.next_step}"
    assert told in text and KEY not in text


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/v1",
        "https://user:pass@host/v1",
        "https://user@host/v1",
        "http://169.254.169.254/latest",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/v1",
        "https://[fe80::1]/v1",
        "https://[::ffff:169.254.169.254]/v1",
        "https://metadata.google.internal/v1",
        "https://0.0.0.0/v1",
        "http://api.openai.com/v1",
        "http://192.168.0.9:11434/v1",
        "https://host/v1?key=1",
        "https://host/v1#x",
        "https://ho st/v1",
        "https:///v1",
        "https://host:99999/v1",
        "localhost:11434/v1",
        "",
    ],
)
def test_case_54_addresses_that_are_refused(url: str) -> None:
    assert address_fault(url)
    with pytest.raises(ConfigError):
        LlmSettings(url, "m")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:11434/v1", "http://localhost:1234/v1", "http://[::1]:8000/v1", "https://api.deepseek.com"]
)
def test_addresses_that_are_taken(url: str) -> None:
    assert address_fault(url) == ""


def test_a_server_on_this_machine_may_do_without_a_key() -> None:
    assert LlmSettings("http://localhost:11434/v1", "qwen").key_hint == "none"


@given(st.text(max_size=40))
def test_no_text_makes_the_check_of_addresses_fail(text: str) -> None:
    address_fault(text)
    address_fault("https://" + text)
    is_inner(text)
