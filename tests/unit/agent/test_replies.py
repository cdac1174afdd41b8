"""The reply parser against hostile answers, and the gate behind it.

Common oracle: never more shares than proposed; no buy unless a valid, fresh, sure approval; a sale
stops only for a valid and sure rejection.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.agent import AgentSettings, answer, read_reply, unreviewed, write_brief
from haetae.domain.decisions import Action, AgentReply, Brief, Decision
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_SECOND
from rigs import question
from rigs.question import AT, LEG

CONTEXT = replace(question.CONTEXT, features={"ret_1m": 0.001, "rsi_14": float("nan")})
SETTINGS = AgentSettings()


def brief(side: Side = Side.BUY, **context: object) -> Brief:
    return write_brief(replace(LEG, side=side), replace(CONTEXT, **context), at=AT, settings=SETTINGS)


def good(**changes: object) -> dict:
    return {
        "proposal_id": "P1.00",
        "nonce": brief().nonce,
        "action": "approve",
        "target_fraction": 1.0,
        "confidence": 0.8,
        "p_up": 0.6,
        "p_down": 0.3,
        "horizon_sessions": 1,
        "expected_return_bp": 50,
        "stop_bp": -100,
        "invalidation": None,
        "evidence_ids": ["px:last", "policy:score"],
        "counter_evidence_ids": [],
        "risk_flags": [],
        "rationale": "추세 양호",
        **changes,
    }


def text(**changes: object) -> str:
    return json.dumps(good(**changes), ensure_ascii=False)


def decide(answered: str, side: Side = Side.BUY, *, held: int = 0, late_s: int = 0, failure: str = "") -> Decision:
    reply = AgentReply("P1.00", AT, "model", answered, failure)
    asked = brief(side, held=held)
    moment = asked.valid_until + late_s * NS_PER_SECOND if late_s else AT + NS_PER_SECOND
    return read_reply(asked, reply, at=moment, last=50_000, held=held, settings=SETTINGS)


def without(key: str) -> str:
    found = good()
    del found[key]
    return json.dumps(found)


PLAIN = text()
HOSTILE = [
    ("", "ABSTAIN_EMPTY"),
    ("null", "ABSTAIN_EMPTY"),
    ("   \n", "ABSTAIN_EMPTY"),
    ("I would not buy", "ABSTAIN_PARSE"),
    ("Sure! " + PLAIN, "ABSTAIN_PARSE"),
    (PLAIN + " I am sure", "ABSTAIN_PARSE"),
    ("```json\n" + PLAIN + "\n``` trust me", "ABSTAIN_PARSE"),
    ("```json\n" + text(action="reject", target_fraction=0.0) + PLAIN + "\n```", "ABSTAIN_AMBIGUOUS"),
    (text(action="reject", target_fraction=0.0) + PLAIN, "ABSTAIN_AMBIGUOUS"),
    (PLAIN + "[]", "ABSTAIN_AMBIGUOUS"),
    ('{"action":"reject",' + PLAIN[1:], "ABSTAIN_DUPLICATE_KEY"),
    ("[-2099, -2181] " + PLAIN, "ABSTAIN_AMBIGUOUS"),
    ("thinking: [1, 2]\n" + PLAIN, "ABSTAIN_PARSE"),
    (PLAIN[:-20], "ABSTAIN_TRUNCATED"),
    (PLAIN[:-1], "ABSTAIN_TRUNCATED"),
    ("{", "ABSTAIN_TRUNCATED"),
    ("[" + PLAIN + "]", "ABSTAIN_SCHEMA"),
    ('"approve"', "ABSTAIN_SCHEMA"),
    ("1", "ABSTAIN_SCHEMA"),
    (text(leverage=10), "ABSTAIN_SCHEMA"),
    (text(order_type="market"), "ABSTAIN_SCHEMA"),
    (text(quantity=10**15), "ABSTAIN_SCHEMA"),
    (text(quantity="10"), "ABSTAIN_SCHEMA"),
    (text(price=1), "ABSTAIN_SCHEMA"),
    (PLAIN.replace("0.8", "NaN"), "ABSTAIN_PARSE"),
    (PLAIN.replace("0.8", "Infinity"), "ABSTAIN_PARSE"),
    (PLAIN.replace("0.8", "-Infinity"), "ABSTAIN_PARSE"),
    (PLAIN.replace("0.8", "1e999"), "ABSTAIN_SCHEMA"),
    (text(confidence=1.7), "ABSTAIN_SCHEMA"),
    (text(confidence=-0.1), "ABSTAIN_SCHEMA"),
    (text(confidence=85), "ABSTAIN_SCHEMA"),
    (text(confidence="0.9"), "ABSTAIN_SCHEMA"),
    (text(confidence=True), "ABSTAIN_SCHEMA"),
    (text(confidence=None), "ABSTAIN_SCHEMA"),
    (without("confidence"), "ABSTAIN_SCHEMA"),
    (without("nonce"), "ABSTAIN_SCHEMA"),
    (text(target_fraction=1.5), "ABSTAIN_SCHEMA"),
    (text(target_fraction=0.5), "ABSTAIN_SCHEMA"),
    (text(action="reduce"), "ABSTAIN_SCHEMA"),
    (text(action="reject"), "ABSTAIN_SCHEMA"),
    (text(action="APPROVE"), "ABSTAIN_SCHEMA"),
    (text(action="매수"), "ABSTAIN_SCHEMA"),
    (text(action="buy"), "ABSTAIN_SCHEMA"),
    (text(action="increase"), "ABSTAIN_SCHEMA"),
    (PLAIN.replace("{", "｛", 1), "ABSTAIN_PARSE"),
    (PLAIN.replace('"', "“"), "ABSTAIN_PARSE"),
    ("\ufeff" + PLAIN, "ABSTAIN_PARSE"),
    (PLAIN.replace('"action"', '"act\u200dion"'), "ABSTAIN_SCHEMA"),
    (PLAIN.replace("'", '"').replace('"approve"', "'approve'"), "ABSTAIN_PARSE"),
    ("{" + " " * 5_000_000 + PLAIN[1:], "ABSTAIN_TOO_LARGE"),
    ('{"a":' * 10_000, "ABSTAIN_TOO_LARGE"),
    ('{"a":' * 10 + "1" + "}" * 10, "ABSTAIN_TOO_LARGE"),
    (text(rationale="\ud800" * 2).replace("\\ud800", "\ud800"), "ABSTAIN_PARSE"),
    (text(proposal_id="P2.00"), "ABSTAIN_REPLAY"),
    (text(nonce="0" * 16), "ABSTAIN_REPLAY"),
    (text(evidence_ids=["px:last", "news:9"]), "ABSTAIN_SCHEMA"),
    (text(evidence_ids=[]), "ABSTAIN_SCHEMA"),
    (text(counter_evidence_ids=["made:up"]), "ABSTAIN_SCHEMA"),
    (text(rationale="x" * 601), "ABSTAIN_SCHEMA"),
    (text(horizon_sessions=0), "ABSTAIN_SCHEMA"),
    (text(horizon_sessions=10_000), "ABSTAIN_SCHEMA"),
    (text(horizon_sessions=1.0), "ABSTAIN_SCHEMA"),
    (text(p_up=0.7, p_down=0.5), "ABSTAIN_SCHEMA"),
    (text(expected_return_bp=-10), "ABSTAIN_SCHEMA"),
    (text(stop_bp=10), "ABSTAIN_SCHEMA"),
    (text(risk_flags=["moon"]), "ABSTAIN_SCHEMA"),
    (text(invalidation={"kind": "price", "value": "60000", "comparator": "below"}), "ABSTAIN_SCHEMA"),
    (text(invalidation={"kind": "price", "value": "50000", "comparator": "below"}), "ABSTAIN_SCHEMA"),
    (text(invalidation={"kind": "price", "value": "-1", "comparator": "below"}), "ABSTAIN_SCHEMA"),
    (text(action="exit", target_fraction=0.0), "ABSTAIN_SCHEMA"),
    ("<html>502 Bad Gateway</html>", "ABSTAIN_PARSE"),
    ("9" * 5_000, "ABSTAIN_PARSE"),
]


@pytest.mark.parametrize(("answered", "status"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_reply_buys_nothing_and_says_why(answered: str, status: str) -> None:
    decision = decide(answered)
    assert decision.status == status
    assert decision.quantity == 0
    assert decision.action is Action.ABSTAIN


@pytest.mark.parametrize(("answered", "status"), HOSTILE, ids=range(len(HOSTILE)))
def test_the_same_hostile_reply_does_not_stop_a_sale(answered: str, status: str) -> None:
    assert decide(answered, Side.SELL, held=100).quantity == 100


@pytest.mark.parametrize(
    "answered",
    [
        PLAIN,
        " \n" + PLAIN + "\r\n",
        "```json\n" + PLAIN + "\n```",
        "```\n" + PLAIN + "\n```",
        text(confidence=1),
        PLAIN.replace("0.8", "8.0e-1"),
        text(invalidation={"kind": "price", "value": "49000", "comparator": "below"}),
    ],
)
def test_a_good_reply_is_read_as_it_stands(answered: str) -> None:
    decision = decide(answered)
    assert decision.status == "MODEL_APPROVE"
    assert decision.quantity == 100


def test_a_reduction_floors_the_shares() -> None:
    decision = decide(text(action="reduce", target_fraction=0.339))
    assert (decision.status, decision.quantity) == ("MODEL_REDUCE", 33)


@pytest.mark.parametrize(
    ("confidence", "status", "quantity"),
    [(0.2, "BELOW_THRESHOLD", 0), (0.6499, "BELOW_THRESHOLD", 0), (0.65, "MODEL_APPROVE", 100)],
)
def test_the_gate_is_at_the_minimum_confidence(confidence: float, status: str, quantity: int) -> None:
    decision = decide(text(confidence=confidence))
    assert (decision.status, decision.quantity) == (status, quantity)


def test_confidence_belongs_to_the_action() -> None:
    decision = decide(text(action="reject", target_fraction=0.0, confidence=0.99))
    assert (decision.status, decision.quantity) == ("MODEL_REJECT", 0)


def test_a_rationale_against_its_own_action_is_not_acted_upon() -> None:
    assert decide(text(rationale="We should avoid this stock")).status == "ABSTAIN_CONTRADICTION"
    assert decide(text(rationale="이 종목은 피하는 것이 좋다")).quantity == 0


def test_a_late_reply_is_stale_and_a_failed_one_keeps_its_reason() -> None:
    assert decide(PLAIN, late_s=1).status == "ABSTAIN_STALE"
    asked = brief()
    on_time = AgentReply("P1.00", asked.valid_until, "model", PLAIN)
    at_the_end = read_reply(asked, on_time, at=asked.valid_until, last=50_000, held=0, settings=SETTINGS)
    assert at_the_end.status == "MODEL_APPROVE"
    assert decide("", failure="TIMEOUT").status == "ABSTAIN_TIMEOUT"
    assert decide("", failure="budget").status == "ABSTAIN_BUDGET"
    assert decide("", failure="socket exploded").status == "ABSTAIN_PROTOCOL"


@pytest.mark.parametrize("failure", ["TIMEOUT", "REFUSED", "RATE", "BUDGET", "KEY"])
def test_a_sale_goes_on_when_the_agent_does_not_answer(failure: str) -> None:
    decision = decide("", Side.SELL, held=100, failure=failure)
    assert (decision.status, decision.quantity) == (f"ABSTAIN_{failure}", 100)


def test_only_a_sure_rejection_stops_a_sale() -> None:
    sell = {"expected_return_bp": 0, "stop_bp": 0}
    sure = decide(text(action="reject", target_fraction=0.0, confidence=0.9, **sell), Side.SELL, held=100)
    unsure = decide(text(action="reject", target_fraction=0.0, confidence=0.5, **sell), Side.SELL, held=100)
    idle = decide(text(action="abstain", target_fraction=0.0, **sell), Side.SELL, held=100)
    assert (sure.quantity, unsure.quantity, idle.quantity) == (0, 100, 100)
    assert unsure.status == "BELOW_THRESHOLD"


def test_an_exit_sells_what_is_held_and_needs_confidence() -> None:
    leave = text(action="exit", target_fraction=0.0)
    assert decide(leave, held=70).quantity == 70
    assert decide(text(action="exit", target_fraction=0.0, confidence=0.5), held=70).quantity == 0


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_text_whatsoever_buys_by_accident(answered: str) -> None:
    decision = decide(answered)
    assert decision.quantity == 0
    assert decision.status.startswith("ABSTAIN_")


@given(
    st.dictionaries(
        st.sampled_from([*good(), "quantity", "price"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
        max_size=5,
    )
)
@settings(max_examples=300, deadline=None)
def test_no_change_of_a_good_reply_enlarges_the_order(changes: dict) -> None:
    decision = decide(json.dumps(good(**changes)))
    assert 0 <= decision.quantity <= 100
    if decision.quantity:
        assert decision.confidence >= SETTINGS.min_confidence
        assert decision.status in ("MODEL_APPROVE", "MODEL_REDUCE")


def test_a_gate_below_a_coin_toss_cannot_be_configured() -> None:
    with pytest.raises(ValueError, match="min_confidence"):
        AgentSettings(min_confidence=0.3)


def test_without_review_the_leg_stands_and_any_other_status_refuses_it() -> None:
    assert unreviewed(LEG, AT, "UNREVIEWED").quantity == 100
    assert unreviewed(LEG, AT, "GUARD_BLOCKED").quantity == 0


def test_the_request_is_canonical_and_names_only_what_was_known() -> None:
    asked = brief()
    request = json.loads(asked.request)
    assert asked.request == brief().request
    assert request["schema"] == "decision_request/1"
    assert request["snapshot"]["features"]["rsi_14"] is None
    assert tuple(item["id"] for item in request["evidence"]) == asked.evidence_ids
    assert "exit" not in request["limits"]["actions"]
    assert "exit" in json.loads(brief(held=5).request)["limits"]["actions"]


def test_each_question_has_its_own_echo_word() -> None:
    other = write_brief(replace(LEG, leg_id="P1.01"), CONTEXT, at=AT, settings=SETTINGS)
    later = write_brief(LEG, CONTEXT, at=AT + 1, settings=SETTINGS)
    assert len({brief().nonce, other.nonce, later.nonce}) == 3


def offline(**context: object) -> Decision:
    asked = brief(**context)
    reply = AgentReply("P1.00", AT, "offline_rules_v1", answer(asked))
    return read_reply(asked, reply, at=AT, last=50_000, held=0, settings=SETTINGS)


@pytest.mark.parametrize(
    ("context", "status", "quantity"),
    [
        ({}, "MODEL_APPROVE", 100),
        ({"score_rank": 0.0, "fear_greed": 20.0}, "BELOW_THRESHOLD", 0),
        ({"last": 63_500}, "MODEL_REJECT", 0),
        ({"last": 35_000}, "MODEL_REJECT", 0),
        ({"average_turnover": 100_000_000}, "MODEL_REJECT", 0),
        ({"base_price": 55_000}, "MODEL_REJECT", 0),
        ({"snapshot_at": AT - 100 * NS_PER_SECOND}, "MODEL_ABSTAIN", 0),
        ({"regime": "elevated", "base_price": 50_500}, "MODEL_REJECT", 0),
        ({"regime": "elevated"}, "MODEL_REDUCE", 50),
    ],
)
def test_the_offline_rules_answer_in_the_same_schema(context: dict, status: str, quantity: int) -> None:
    decision = offline(**context)
    assert (decision.status, decision.quantity) == (status, quantity)
    assert "AI 아님" in decision.rationale


@given(
    last=st.integers(1, 200_000),
    base=st.integers(0, 200_000),
    ratio=st.floats(0, 50, allow_nan=False),
    rank=st.floats(0, 1),
    turnover=st.integers(0, 10**13),
    regime=st.sampled_from(["calm", "elevated", "stress"]),
    side=st.sampled_from(list(Side)),
)
@settings(max_examples=200, deadline=None)
def test_the_offline_rules_never_fall_through_the_strict_parser(
    last, base, ratio, rank, turnover, regime, side
) -> None:
    asked = brief(
        side,
        last=last,
        base_price=base,
        volatility_ratio=ratio,
        score_rank=rank,
        average_turnover=turnover,
        regime=regime,
        held=100 if side is Side.SELL else 0,
    )
    reply = AgentReply("P1.00", AT, "offline_rules_v1", answer(asked))
    decision = read_reply(asked, reply, at=AT, last=last, held=100, settings=SETTINGS)
    assert not decision.status.startswith("ABSTAIN_")
    if side is Side.SELL:
        assert decision.quantity == 100
