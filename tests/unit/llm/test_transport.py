"""What the network and the service may do; real sockets on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from pathlib import Path

import pytest
import structlog

from haetae.domain.decisions import AgentReply
from haetae.llm.client import Names
from rigs import language_model as model
from rigs.language_model import reviewing, status, text
from rigs.reviewing import brief, reviewing_with

GOOD = reviewing()
QUOTA = {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}


async def test_case_43_a_page_of_html_is_a_protocol_fault(tmp_path: Path) -> None:
    page = model.raw(model.http(200, b"<html>proxy</html>", kind="text/html"))
    async with reviewing_with(tmp_path, page) as review:
        assert (await review.decide()).status == "ABSTAIN_PROTOCOL"


@pytest.mark.parametrize(
    "body",
    [
        model.completion("{}", choices=[]),
        model.completion("{}", choices=None),
        model.completion("{}", choices=[{"index": 0, "finish_reason": "stop"}]),
        model.completion("{}", choices=[model.completion("{}")["choices"][0]] * 2),
        model.completion(["{}"]),
        model.completion(None, message={"tool_calls": [{"id": "1", "type": "function", "function": {}}]}),
        [],
        None,
    ],
    ids=["none", "null", "no message", "two", "parts", "tool", "array", "null body"],
)
async def test_case_44_a_reply_without_one_choice_is_a_protocol_fault(tmp_path: Path, body: object) -> None:
    async with reviewing_with(tmp_path, model.record(body)) as review:
        assert (await review.decide()).status == "ABSTAIN_PROTOCOL"
        assert review.calls()[0]["settled"] == review.calls()[0]["reserved"] or body


@pytest.mark.parametrize("code", [401, 403])
async def test_case_45_a_refused_key_is_asked_once_and_then_held(tmp_path: Path, code: int) -> None:
    async with reviewing_with(tmp_path, status(code), GOOD) as review:
        for number in range(4):
            assert (await review.decide(brief(leg_id=f"P1.0{number}"))).status == "ABSTAIN_KEY"
        assert len(review.server.asked) == 1
        review.clock.seconds += review.client.settings.refused_hold_s
        assert (await review.decide()).status == "MODEL_APPROVE"


async def test_case_46_a_short_pause_is_waited_for_and_a_long_one_is_not(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, status(429, headers="retry-after: 1\r\n"), GOOD, deadline_s=8.0) as review:
        review.clock.seconds = 0.0
        waiting = asyncio.create_task(review.decide())
        await asyncio.sleep(0.5)
        review.clock.seconds = 1.0
        assert (await waiting).status == "MODEL_APPROVE"
    async with reviewing_with(tmp_path, status(429, headers="retry-after: 3600\r\n"), GOOD) as review:
        began = time.monotonic()
        assert (await review.decide()).status == "ABSTAIN_RATE"
        assert (await review.decide()).status == "ABSTAIN_RATE"
        assert len(review.server.asked) == 1 and time.monotonic() - began < 2


@pytest.mark.parametrize("answer", [status(429, QUOTA), status(402)])
async def test_case_47_an_empty_account_stops_the_calls(tmp_path: Path, answer: model.Answering) -> None:
    async with reviewing_with(tmp_path, answer, GOOD) as review:
        first = await review.decide()
        assert first.status == "ABSTAIN_BUDGET" and "account is empty" in first.rationale
        assert (await review.decide()).status == "ABSTAIN_BUDGET"
        assert len(review.server.asked) == 1
        assert review.calls()[0]["settled"] == 0


@pytest.mark.parametrize("code", [500, 502, 503, 529])
async def test_case_48_three_failures_open_the_breaker_and_one_probe_closes_it(tmp_path: Path, code: int) -> None:
    failing = status(code)
    async with reviewing_with(tmp_path, failing, failing, failing, failing, GOOD) as review:
        for _ in range(5):
            assert (await review.decide()).status == "ABSTAIN_UNAVAILABLE"
        assert len(review.server.asked) == 3
        review.clock.seconds += 61.0
        probes = await asyncio.gather(*(review.decide(brief(leg_id=f"P1.0{n}")) for n in range(3)))
        assert {found.status for found in probes} == {"ABSTAIN_UNAVAILABLE"}
        assert len(review.server.asked) == 4
        review.clock.seconds += 61.0
        assert (await review.decide()).status == "MODEL_APPROVE"
        assert (await review.decide()).status == "MODEL_APPROVE"


@pytest.mark.parametrize("answer", [model.hanging, model.dripping, model.stalling], ids=["hang", "drip", "stall"])
async def test_case_49_the_deadline_ends_every_slow_reply(tmp_path: Path, answer: model.Answering) -> None:
    async with reviewing_with(tmp_path, answer, deadline_s=0.4) as review:
        began = time.monotonic()
        assert (await review.decide()).status == "ABSTAIN_TIMEOUT"
        assert time.monotonic() - began < 1.5
        (call,) = review.calls()
        assert (call["status"], call["settled"]) == ("LATE", call["reserved"])


async def test_case_49_the_deadline_covers_both_tries(tmp_path: Path) -> None:
    async def slow_prose(body: dict[str, object], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await text("well")(body, writer)

    async with reviewing_with(tmp_path, slow_prose, model.hanging, deadline_s=0.6) as review:
        began = time.monotonic()
        assert (await review.decide()).status == "ABSTAIN_TIMEOUT"
        assert time.monotonic() - began < 1.5
        assert [call["status"] for call in review.calls()] == ["OK", "LATE"]


async def test_case_50_a_reply_after_its_question_is_dead_is_never_executed(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD) as review:

        async def late(body: dict[str, object], writer: asyncio.StreamWriter) -> None:
            review.clock.at = brief().valid_until + 1
            await GOOD(body, writer)

        review.server.script[:] = [late]
        found = await review.decide()
        assert (found.status, found.quantity) == ("ABSTAIN_STALE", 0)
        assert (await review.decide()).status == "ABSTAIN_STALE"
        assert len(review.server.asked) == 1


async def test_case_50_a_cancelled_review_stays_booked(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, model.hanging) as review:
        task = asyncio.create_task(review.decider.decide(brief()))
        await review.server.reached.wait()
        assert review.decider.busy
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not review.decider.busy
        (call,) = review.calls()
        assert (call["status"], call["settled"]) == ("LATE", call["reserved"])


async def test_case_51_a_body_that_breaks_off_abstains(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, model.breaking) as review:
        assert (await review.decide()).status in ("ABSTAIN_PROTOCOL", "ABSTAIN_UNAVAILABLE")


async def test_case_51_a_compressed_body_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = model.raw(model.http(200, bomb, headers="content-encoding: gzip\r\n"))
    async with reviewing_with(tmp_path, answer) as review:
        found = await review.decide()
        assert found.status == "ABSTAIN_PROTOCOL" and "compressed" in found.rationale


async def test_a_service_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD, base_url="http://127.0.0.1:9/v1") as review:
        found = await review.decide()
        assert found.status == "ABSTAIN_UNAVAILABLE"
        assert review.calls()[0]["settled"] == 0


async def test_a_refusal_of_the_model_is_told_apart(tmp_path: Path) -> None:
    for answer in (text(None, message={"refusal": "I cannot"}), text("{}", finish_reason="content_filter")):
        async with reviewing_with(tmp_path, answer) as review:
            assert (await review.decide()).status == "ABSTAIN_REFUSED"


async def test_case_54_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with model.ModelServer([GOOD]) as elsewhere:
        moved = status(307, headers=f"location: {elsewhere.url}/chat/completions\r\n")
        async with reviewing_with(tmp_path, moved) as review:
            found = await review.decide()
            assert found.status == "ABSTAIN_PROTOCOL" and "redirect" in found.rationale
        assert not elsewhere.asked


async def test_case_53_another_model_in_the_reply_stops_the_reviews(tmp_path: Path) -> None:
    async def other(body: dict[str, object], writer: asyncio.StreamWriter) -> None:
        writer.write(model.http(200, json.dumps(model.completion("{}", model="cheap-0")).encode()))

    ledger = tmp_path / "one.db"
    async with reviewing_with(tmp_path, other, GOOD, ledger=ledger) as review:
        for _ in range(3):
            assert (await review.decide()).status == "ABSTAIN_DRIFT"
        assert len(review.server.asked) == 1
    async with reviewing_with(tmp_path, GOOD, ledger=ledger) as review:  # also after a restart
        assert (await review.decide()).status == "ABSTAIN_DRIFT"
    async with reviewing_with(tmp_path, other, ledger=ledger, names=Names.CHECK) as review:
        assert (await review.decide()).status == "ABSTAIN_DRIFT"
    async with reviewing_with(tmp_path, other, ledger=ledger, names=Names.ACCEPT) as review:
        assert (await review.decide()).status.startswith("ABSTAIN_")
    async with reviewing_with(tmp_path, other, ledger=ledger) as review:
        assert review.client.ledger.names(model.MODEL, "127.0.0.1") == {"cheap-0": True}


async def test_case_53_the_models_own_name_in_a_test_ends_the_stop(tmp_path: Path) -> None:
    ledger = tmp_path / "one.db"
    strange = model.record(model.completion("{}", model="cheap-0"))
    async with reviewing_with(tmp_path, GOOD, strange, ledger=ledger) as review:
        assert [(await review.decide()).status for _ in range(2)] == ["MODEL_APPROVE", "ABSTAIN_DRIFT"]
    async with reviewing_with(tmp_path, GOOD, ledger=ledger, names=Names.CHECK) as review:
        assert (await review.decide()).status == "MODEL_APPROVE"
    async with reviewing_with(tmp_path, GOOD, ledger=ledger) as review:
        assert (await review.decide()).status == "MODEL_APPROVE"


async def test_the_key_is_nowhere_but_in_its_header(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Case 41: prompt, books, logs, errors and replies never hold the key, even where the service repeats it."""
    caplog.set_level(logging.DEBUG)
    echoing = status(401, {"message": f"bad key {model.KEY}", "type": model.KEY, "code": model.KEY})
    ledger = tmp_path / "one.db"
    replies: list[AgentReply] = []
    with structlog.testing.capture_logs() as lines:
        for answer in (GOOD, text("prose"), echoing, model.breaking, status(500, {"message": model.KEY})):
            async with reviewing_with(tmp_path, answer, ledger=ledger) as review:
                replies.append(await review.decider.decide(brief()))
                prompts = json.dumps([item.body for item in review.server.asked])
                assert model.KEY not in prompts
                assert model.KEY not in repr(review.client.settings)
                assert model.KEY not in repr(review.client.ledger.last(50))
                assert all(model.KEY not in review.client.ledger.texts(c["call_id"])[0] for c in review.calls())
    assert model.KEY not in repr(replies) and model.KEY not in repr(lines)
    assert not any(model.KEY in record.getMessage() for record in caplog.records)


async def test_no_more_reviews_run_at_once_than_allowed(tmp_path: Path) -> None:
    running, most = 0, 0

    async def counted(body: dict[str, object], writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        await GOOD(body, writer)
        running -= 1

    async with reviewing_with(tmp_path, counted, concurrent=2) as review:
        found = await asyncio.gather(*(review.decide(brief(leg_id=f"P1.{n:02d}")) for n in range(6)))
        assert {decision.status for decision in found} == {"MODEL_APPROVE"}
        assert most == 2


async def test_organisation_and_proxy_of_the_environment_do_not_reach_the_wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "leak-of-the-environment")
    for name in ("HTTP_PROXY", "ALL_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with reviewing_with(tmp_path, GOOD) as review:
        assert (await review.decide()).status == "MODEL_APPROVE"
        assert "leak-of-the-environment" not in repr(review.server.asked)


async def test_two_reviews_of_a_process_do_not_share_an_answer(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD) as review:
        names = [f"P1.{n:02d}" for n in range(4)]
        found = await asyncio.gather(*(review.decide(brief(leg_id=name)) for name in names))
        assert [decision.leg.leg_id for decision in found] == names
        assert {decision.status for decision in found} == {"MODEL_APPROVE"}
