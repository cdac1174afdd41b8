"""How the dashboard is started: on loopback, beside the service, without the desk's keys."""

import tomllib
from pathlib import Path

import pytest

import haetae.dashboard
from haetae.dashboard.__main__ import command
from haetae.domain.errors import ConfigError
from haetae.wiring import dashboards


def test_the_pages_are_served_on_loopback_only():
    assert "--server.address=127.0.0.1" in command(8711)
    assert "--server.port=8711" in command(8711)


def test_the_dashboard_process_is_given_no_key_of_broker_or_model():
    desk = {"HAETAE_KIS_APP_KEY": "k", "HAETAE_LLM_API_KEY": "k", "PATH": "/bin"}
    assert dashboards.environment(desk, service_url="http://127.0.0.1:1") == {
        "PATH": "/bin",
        "HAETAE_SERVICE_URL": "http://127.0.0.1:1",
    }


def test_without_streamlit_the_verb_says_what_to_install(monkeypatch):
    monkeypatch.setattr(dashboards.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        dashboards.command(8711)
    assert "run.py dashboard" in caught.value.next_step.ko


def test_the_theme_lies_beside_the_start_script_and_tells_nobody_anything():
    theme = tomllib.loads(
        (Path(haetae.dashboard.__file__).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    )
    assert theme["browser"]["gatherUsageStats"] is False
    assert theme["theme"]["redColor"] == "#d6303a"
    assert theme["client"]["showErrorDetails"] == "none"


def test_no_folder_beside_the_start_script_is_taken_for_streamlit_s_own_menu():
    assert not list((Path(haetae.dashboard.__file__).parent / "pages").glob("*.py"))
