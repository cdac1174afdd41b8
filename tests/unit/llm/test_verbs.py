"""``haetae llm``: what a person sees of the model, and that nothing of it is needed without one."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.wiring import deciders
from haetae.wiring.clocks import SystemClock
from rigs import language_model as model
from rigs.language_model import KEY, reviewing


@contextmanager
def served(*script: model.Answering) -> Iterator[str]:
    """Serve a script from a thread of its own: the verb runs its own loop."""
    loop = asyncio.new_event_loop()
    server = model.ModelServer(list(script))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(5)
    try:
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("HAETAE_LLM_MODEL", model.MODEL)
    monkeypatch.setenv("HAETAE_LLM_API_KEY", KEY)
    monkeypatch.setenv("HAETAE_LLM_LEDGER", str(tmp_path / "spend.db"))
    monkeypatch.delenv("HAETAE_LANG", raising=False)
    return monkeypatch


def test_without_a_model_both_verbs_say_that_the_rules_are_not_ai(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("status", "test"):
        assert main(["llm", verb]) == 0
        assert "오프라인 규칙 (AI 아님)" in capsys.readouterr().out
    assert deciders.open_decider({}, SystemClock()) is None
    assert deciders.open_critic({}, SystemClock()) is None


def test_a_good_model_passes_the_test_and_the_status_shows_the_bill(
    configured: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(reviewing()) as url:
        configured.setenv("HAETAE_LLM_BASE_URL", url)
        assert main(["llm", "test", "--json", str(tmp_path / "t.json")]) == 0
        assert main(["llm", "status", "--json", str(tmp_path / "s.json")]) == 0
    said = capsys.readouterr()
    assert "MODEL_APPROVE" in said.out and model.MODEL in said.out and "…6f70" in said.out
    trial, state = (json.loads((tmp_path / name).read_text()) for name in ("t.json", "s.json"))
    assert trial["usable"] and trial["cost_milliwon"] == 56_250
    assert (state["calls"], state["spent_krw"]) == (1, 57)
    assert KEY not in said.out + said.err + json.dumps([trial, state])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (model.status(401), "HAETAE_LLM_API_KEY"),
        (model.status(404), "HAETAE_LLM_BASE_URL"),
        (model.text("prose"), "HAETAE_LLM_FORMAT"),
        (model.record(model.completion("{}", model="cheap-0")), "--accept-name"),
    ],
)
def test_a_model_that_cannot_be_used_is_told_with_the_next_step(
    configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: model.Answering, told: str
) -> None:
    with served(answer) as url:
        configured.setenv("HAETAE_LLM_BASE_URL", url)
        assert main(["llm", "test"]) == 7
    said = capsys.readouterr()
    assert told in said.err and KEY not in said.err


def test_a_service_that_is_not_there_is_told(
    configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.setenv("HAETAE_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    assert main(["llm", "test"]) == 7
    assert "UNAVAILABLE" in capsys.readouterr().err


def test_wrong_settings_are_a_configuration_error(
    configured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.setenv("HAETAE_LLM_BASE_URL", "http://169.254.169.254/v1")
    assert main(["llm", "status"]) == 2
    assert "HAETAE_LLM_BASE_URL" in capsys.readouterr().err


def test_the_library_is_not_loaded_without_a_model() -> None:
    words = "import sys; import haetae.wiring.deciders as d; assert d.open_decider({}, None) is None; "
    words += "sys.exit(any(name.split('.')[0] in ('pydantic_ai', 'openai', 'httpx2') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_a_missing_library_is_told_and_never_becomes_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciders, "find_spec", lambda name: None)
    env = {"HAETAE_LLM_BASE_URL": "http://localhost:1/v1", "HAETAE_LLM_MODEL": "m"}
    with pytest.raises(deciders.ConfigError) as caught:
        deciders.open_decider(env, SystemClock())
    assert "setup full" in str(caught.value.next_step)
