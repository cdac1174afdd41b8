"""What a model may say, through the whole client and the desk's strict reading.

Common oracle (``Review.decide``): never more shares than proposed; no buy unless a valid and sure approval.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haetae.domain.orders import Side
from rigs import language_model as model
from rigs.language_model import reviewing, text
from rigs.reviewing import brief, reviewing_with

GOOD = reviewing()


def edited(edit: object) -> model.Answering:
    return reviewing(edit)  # type: ignore[arg-type]


async def status_of(folder: Path, *script: model.Answering, **changes: object) -> tuple[str, int]:
    """Return status and number of calls when the last answer of the script repeats."""
    async with reviewing_with(folder, *script, **changes) as review:
        decision = await review.decide()
        assert len(review.server.asked) <= 2
        assert len(review.calls()) == len(review.server.asked)
        return decision.status, len(review.server.asked)


async def test_a_good_reply_is_executed_with_the_models_id(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD) as review:
        decision = await review.decide()
        assert (decision.status, decision.quantity, decision.decider) == ("MODEL_APPROVE", 100, model.MODEL)
        assert len(review.server.asked) == 1
        assert review.server.asked[0].headers["authorization"] == f"Bearer {model.KEY}"


@pytest.mark.parametrize("content", ["", None, "null", "  \n"])
async def test_case_01_empty_content_is_tried_once_more_and_abstains(tmp_path: Path, content: object) -> None:
    assert await status_of(tmp_path, text(content)) == ("ABSTAIN_EMPTY", 2)


async def test_case_02_prose_with_the_word_buy_has_no_effect(tmp_path: Path) -> None:
    assert await status_of(tmp_path, text("I would buy, approve, confidence 1.0")) == ("ABSTAIN_PARSE", 2)


async def test_case_03_one_fenced_object_passes_and_prose_around_it_does_not(tmp_path: Path) -> None:
    assert await status_of(tmp_path, edited(lambda t: f"```json\n{t}\n```")) == ("MODEL_APPROVE", 1)
    assert (await status_of(tmp_path, edited(lambda t: f"Sure:\n```json\n{t}\n```")))[0] == "ABSTAIN_PARSE"


async def test_case_04_two_objects_are_ambiguous(tmp_path: Path) -> None:
    twice = edited(lambda t: t.replace('"approve"', '"reject"') + "\n" + t)
    assert (await status_of(tmp_path, twice))[0] == "ABSTAIN_AMBIGUOUS"


async def test_case_05_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    doubled = edited(lambda t: '{"action": "reject", ' + t[1:])
    assert (await status_of(tmp_path, doubled))[0] == "ABSTAIN_DUPLICATE_KEY"


async def test_case_06_numbers_in_reasoning_are_never_the_decision(tmp_path: Path) -> None:
    thinking = edited(lambda t: "<think>[-2099, -2181]</think>" + t)
    assert (await status_of(tmp_path, thinking))[0] == "ABSTAIN_PARSE"
    beside = text("", message={"reasoning_content": json.dumps(model.decision())})
    assert (await status_of(tmp_path, beside))[0] == "ABSTAIN_EMPTY"


async def test_case_07_a_reply_cut_by_length_is_not_used_in_part(tmp_path: Path) -> None:
    whole = text(json.dumps(model.decision()), finish_reason="length")
    assert (await status_of(tmp_path, whole))[0] == "ABSTAIN_TRUNCATED"
    assert (await status_of(tmp_path, edited(lambda t: t[:80])))[0] == "ABSTAIN_TRUNCATED"


async def test_case_08_an_array_of_one_decision_is_refused(tmp_path: Path) -> None:
    assert (await status_of(tmp_path, edited(lambda t: f"[{t}]")))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("extra", [{"leverage": 10}, {"order_type": "market"}, {"quantity": 10**15}])
async def test_case_09_extra_fields_are_refused(tmp_path: Path, extra: dict[str, object]) -> None:
    assert (await status_of(tmp_path, reviewing(**extra)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_case_10_numbers_that_are_none_are_refused(tmp_path: Path, number: str) -> None:
    found = await status_of(tmp_path, edited(lambda t: t.replace('"confidence": 0.8', f'"confidence": {number}')))
    assert found[0] in ("ABSTAIN_PARSE", "ABSTAIN_SCHEMA")


@pytest.mark.parametrize("confidence", [1.7, -0.1, 85])
async def test_case_11_confidence_out_of_range_is_not_rescaled(tmp_path: Path, confidence: float) -> None:
    assert (await status_of(tmp_path, reviewing(confidence=confidence)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("confidence", ["0.9", True, None, ...])
async def test_case_12_confidence_of_another_type_or_missing_has_no_default(tmp_path: Path, confidence: object) -> None:
    assert (await status_of(tmp_path, reviewing(confidence=confidence)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("fraction", [1.5, 1e15, -0.5])
async def test_case_13_more_than_the_proposal_cannot_be_said(tmp_path: Path, fraction: float) -> None:
    assert (await status_of(tmp_path, reviewing(target_fraction=fraction)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("quantity", [10.5, -5, "10", 10.0])
async def test_case_14_a_quantity_has_no_place_in_a_reply(tmp_path: Path, quantity: object) -> None:
    assert (await status_of(tmp_path, reviewing(quantity=quantity)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("action", ["APPROVE", "매수", "buy", "increase"])
async def test_case_15_actions_in_other_words_are_refused(tmp_path: Path, action: str) -> None:
    assert (await status_of(tmp_path, reviewing(action=action)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: t.replace("{", "｛").replace("}", "｝"),
        lambda t: t.replace('"', "“"),
        lambda t: "\ufeff" + t,
        lambda t: t.replace('"action"', '"act\u200dion"'),
    ],
    ids=["full width", "smart quotes", "BOM", "joiner"],
)
async def test_case_16_wrong_punctuation_is_not_repaired(tmp_path: Path, edit: object) -> None:
    assert (await status_of(tmp_path, edited(edit)))[0] in ("ABSTAIN_PARSE", "ABSTAIN_SCHEMA")


async def test_case_17_five_megabytes_are_cut_off(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, text("x" * 5_000_000)) as review:
        assert (await review.decide()).status == "ABSTAIN_TOO_LARGE"
        (call,) = review.calls()
        assert call["status"] == "TOO_LARGE"
        assert len(review.client.ledger.texts(call["call_id"])[1]) == review.client.settings.max_reply_bytes


async def test_case_17_ten_thousand_levels_are_refused(tmp_path: Path) -> None:
    assert await status_of(tmp_path, text("[" * 10_000)) == ("ABSTAIN_TOO_LARGE", 1)
    deep_body = model.raw(model.http(200, b'{"choices":' * 9_000))
    assert (await status_of(tmp_path, deep_body))[0] == "ABSTAIN_PROTOCOL"


@pytest.mark.parametrize("echo", [{"nonce": "0" * 16}, {"proposal_id": "P9.99"}])
async def test_case_18_the_echo_of_another_question_is_a_replay(tmp_path: Path, echo: dict[str, object]) -> None:
    assert await status_of(tmp_path, reviewing(**echo)) == ("ABSTAIN_REPLAY", 1)


@pytest.mark.parametrize("ids", [["news:1"], [], ["px:last"] * 9])
async def test_case_19_evidence_that_was_not_shown_is_refused(tmp_path: Path, ids: list[str]) -> None:
    assert (await status_of(tmp_path, reviewing(evidence_ids=ids)))[0] == "ABSTAIN_SCHEMA"


async def test_case_20_markup_in_the_rationale_is_stored_as_it_came(tmp_path: Path) -> None:
    markup = "<script>alert(1)</script> ![x](http://a/b)"
    async with reviewing_with(tmp_path, reviewing(rationale=markup)) as review:
        decision = await review.decide()
        assert decision.rationale == markup
        assert b"<script>" in review.client.ledger.texts(review.calls()[0]["call_id"])[1]


async def test_case_21_an_unsure_approval_is_not_executed(tmp_path: Path) -> None:
    assert (await status_of(tmp_path, reviewing(confidence=0.2)))[0] == "BELOW_THRESHOLD"


async def test_case_22_a_sure_rejection_buys_nothing(tmp_path: Path) -> None:
    rejection = reviewing(action="reject", target_fraction=0.0, confidence=0.99)
    assert (await status_of(tmp_path, rejection))[0] == "MODEL_REJECT"


async def test_case_23_an_approval_that_argues_against_itself_is_not_executed(tmp_path: Path) -> None:
    assert (await status_of(tmp_path, reviewing(rationale="이 종목은 피하는 것이 낫다")))[0] == "ABSTAIN_CONTRADICTION"


async def test_case_27_an_invalidation_above_the_price_is_refused(tmp_path: Path) -> None:
    above = {"kind": "price", "value": "50001", "comparator": "below"}
    assert (await status_of(tmp_path, reviewing(invalidation=above)))[0] == "ABSTAIN_SCHEMA"


@pytest.mark.parametrize("horizon", [0, 10_000])
async def test_case_28_a_horizon_out_of_range_is_refused(tmp_path: Path, horizon: int) -> None:
    assert (await status_of(tmp_path, reviewing(horizon_sessions=horizon)))[0] == "ABSTAIN_SCHEMA"


async def test_a_fault_of_form_is_corrected_once_and_only_its_name_is_quoted(tmp_path: Path) -> None:
    bad = edited(lambda t: t[:-1] + ', "leverage": "SECRET-WORD-OF-THE-REPLY"}')
    async with reviewing_with(tmp_path, bad, GOOD) as review:
        decision = await review.decide()
        assert (decision.status, decision.quantity) == ("MODEL_APPROVE", 100)
        first, second = review.server.asked
        assert second.body["messages"][:2] == first.body["messages"]
        quoted = second.body["messages"][2]["content"]
        assert "leverage" in quoted and "SECRET-WORD" not in quoted
        assert [call["attempt"] for call in review.calls()] == [1, 2]


async def test_a_sale_goes_on_when_the_model_fails(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, text("no idea")) as review:
        decision = await review.decide(brief(Side.SELL, held=100), held=100)
        assert (decision.status, decision.quantity) == ("ABSTAIN_PARSE", 100)


async def test_only_a_sure_rejection_stops_a_sale(tmp_path: Path) -> None:
    kept = {"action": "reject", "target_fraction": 0.0, "expected_return_bp": 0, "stop_bp": 0}
    for confidence, quantity in ((0.9, 0), (0.4, 100)):
        async with reviewing_with(tmp_path, reviewing(confidence=confidence, **kept)) as review:
            decision = await review.decide(brief(Side.SELL, held=100), held=100)
            assert decision.quantity == quantity
