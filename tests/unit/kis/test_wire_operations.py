"""The table of operations and the envelope, from both sides."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import WireError
from haetae.kis.wire import codes, envelope
from haetae.kis.wire.codes import Reaction
from haetae.kis.wire.operations import OPERATIONS, Mode, operation_for

PORTAL = Path(__file__).parents[3].parent / "shared/data/kis_raw/kis_portal_examples.jsonl"


def test_each_tr_id_names_one_operation_on_its_path():
    for operation in OPERATIONS.values():
        for tr_id in (operation.real, operation.mock, operation.legacy_real, operation.legacy_mock):
            if tr_id:
                assert operation_for(operation.path, tr_id) is operation


def test_old_and_new_order_ids_are_both_served_by_their_own_domain_only():
    buy = OPERATIONS["order-cash-buy"]
    assert buy.serves("TTTC0012U", Mode.REAL)
    assert buy.serves("TTTC0802U", Mode.REAL)
    assert buy.serves("VTTC0802U", Mode.MOCK)
    assert not buy.serves("VTTC0012U", Mode.REAL)
    assert not OPERATIONS["inquire-psbl-rvsecncl"].serves("", Mode.MOCK)


def test_request_names_are_read_whatever_their_case_and_completed():
    chart = OPERATIONS["inquire-daily-itemchartprice"]
    read = chart.read({"fid_input_iscd": "005930", "FID_PERIOD_DIV_CODE": "D"})
    assert read["FID_INPUT_ISCD"] == "005930"
    assert read["FID_ORG_ADJ_PRC"] == ""
    assert set(read) == set(chart.request)


def test_a_request_takes_no_misspelt_name():
    with pytest.raises(KeyError):
        OPERATIONS["inquire-price"].body({"FID_INPUT_ISDC": "005930"})


@given(st.text(st.characters(codec="ascii", exclude_characters=" "), max_size=20), st.integers(0, 120))
def test_a_paged_reply_gives_back_rows_and_cursor(key, count):
    operation = OPERATIONS["inquire-balance"]
    held = [{"pdno": f"{i:06d}", "hldg_qty": i} for i in range(count)]
    payload = envelope.build_reply(operation, {"output1": held, "output2": [{}]}, next_key=key)
    reply = envelope.read_reply(operation, "TTTC8434R", 200, "M" if key else "D", payload)
    assert reply.ok
    assert reply.more is bool(key)
    assert len(reply.rows("output1")) == count
    asked = envelope.next_request(operation, {}, reply.cursor)
    assert envelope.asked_cursor(operation, asked, "N") == key.strip()


def test_holiday_paging_uses_names_without_a_number():
    operation = OPERATIONS["chk-holiday"]
    reply = envelope.read_reply(
        operation, "CTCA0903R", 200, "M", envelope.build_reply(operation, {"output": []}, next_key="20260201")
    )
    assert envelope.next_request(operation, {}, reply.cursor)["CTX_AREA_NK"].strip() == "20260201"


def test_a_refusal_without_output_is_never_an_empty_list():
    reply = envelope.read_reply(
        OPERATIONS["inquire-balance"], "TTTC8434R", 500, "", envelope.build_refusal(codes.RATE_EXCEEDED)
    )
    assert not reply.ok
    assert reply.code == "EGW00201"
    with pytest.raises(WireError):
        reply.rows("output1")


def test_oauth_errors_and_successes_read_into_the_same_form():
    token = OPERATIONS["tokenP"]
    refused = envelope.read_reply(token, "", 403, "", envelope.build_oauth_refusal(codes.TOKEN_RATE_EXCEEDED))
    assert (refused.ok, refused.code) == (False, "EGW00133")
    granted = envelope.read_reply(token, "", 200, "", json.dumps({"access_token": "x"}).encode())
    assert granted.ok


def test_a_body_that_is_no_envelope_is_refused():
    for payload in (b"<html>", b"[]", b""):
        with pytest.raises(WireError):
            envelope.read_reply(OPERATIONS["inquire-price"], "FHKST01010100", 200, "", payload)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("EGW00201", 500, Reaction.LATER),
        ("EGW00215", 500, Reaction.LATER),
        ("EGW00123", 500, Reaction.NEW_TOKEN),
        ("EGW00304", 500, Reaction.STOP),
        ("EGW00301", 500, Reaction.AMBIGUOUS),
        ("EGW00302", 200, Reaction.AMBIGUOUS),
        ("EGW00202", 500, Reaction.AMBIGUOUS),
        ("APBK0952", 200, Reaction.REFUSED),
        ("APBK0952", 500, Reaction.AMBIGUOUS),
        ("40250000", 200, Reaction.REFUSED),
        ("ZZZZ9999", 200, Reaction.AMBIGUOUS),
        ("", 500, Reaction.AMBIGUOUS),
    ],
)
def test_only_proof_makes_a_refusal_certain(code, status, expected):
    assert codes.reaction(code, status=status) is expected


@pytest.mark.realdata
@pytest.mark.skipif(not PORTAL.exists(), reason="real KIS examples are not beside the checkout")
def test_documented_replies_have_only_fields_of_the_row_tables():
    checked = 0
    by_tr = {tr: op for op in OPERATIONS.values() for tr in (op.real, op.mock) if tr}
    for line in PORTAL.read_text(encoding="utf-8").splitlines():
        page = json.loads(line)
        operation = next((op for tr, op in by_tr.items() if tr in page["title"]), None)
        try:
            body = json.loads(page["response_example"] or "")
        except (ValueError, TypeError):
            continue
        if operation is None:
            continue
        for output in operation.outputs:
            found = body.get(output.key)
            for row in found if isinstance(found, list) else [found] if isinstance(found, dict) else []:
                known = {name.lower() for name in output.row.forms}
                strays = {name.strip() for name in row if name.strip().lower() not in known}
                assert strays <= {"itewhol_loan_rmnd_ratem name", "cncl_cfrm_qty"}, operation.name
                checked += 1
    assert checked >= 10
