"""Accounts hold nothing abroad, and what is not served never looks like success."""

import json

import pytest

from haetae.emulator.core import Call, Reply
from haetae.emulator.overseas import TABLE
from haetae.kis.wire.operations import Mode
from unit.emulator.service_rig import Desk

ACCOUNT = {"CANO": "12345678", "ACNT_PRDT_CD": "01"}


def sent(desk: Desk, path: str, tr_id: str, method: str = "GET", **params: str) -> Reply:
    body = json.dumps(params).encode() if method == "POST" else b""
    return desk.core.handle(Call(desk.mode, method, path, desk.headers(tr_id), params, body))


@pytest.mark.parametrize("operation", TABLE, ids=lambda operation: operation.name)
@pytest.mark.parametrize("mode", list(Mode))
def test_nothing_is_held_or_was_dealt_abroad(operation, mode: Mode) -> None:
    desk = Desk(mode=mode).log_in()
    tr_id = operation.tr_id(mode)
    reply = sent(desk, operation.path, tr_id or operation.real, **ACCOUNT)
    body = json.loads(reply.body)
    if not tr_id:
        assert (reply.status, body["msg_cd"]) == (500, "EGW02004")
        return
    assert (reply.status, body["rt_cd"], body["msg_cd"]) == (200, "0", "KIOK0560")
    assert reply.tr_cont == ("D" if operation.cursor else "")
    for output in operation.outputs:
        told = body[output.key]
        assert (
            told == [] if output.many else all(not value.strip("0.") for value in told.values()) or "dncl_amt" in told
        )


def test_won_of_the_account_stand_in_the_totals_of_the_present_balance() -> None:
    desk = Desk(initial_cash=12_345_678).log_in()
    reply = sent(desk, "/uapi/overseas-stock/v1/trading/inquire-present-balance", "CTRP6504R", **ACCOUNT)
    assert json.loads(reply.body)["output3"]["tot_dncl_amt"] == "12345678"


def test_keys_of_the_next_page_are_two_hundred_characters_of_blanks() -> None:
    desk = Desk().log_in()
    reply = sent(desk, "/uapi/overseas-stock/v1/trading/inquire-ccnl", "TTTS3035R", **ACCOUNT)
    body = json.loads(reply.body)
    assert (len(body["ctx_area_fk200"]), body["ctx_area_nk200"]) == (200, " " * 200)


@pytest.mark.parametrize(
    ("path", "tr_id", "method"),
    [
        ("/uapi/overseas-stock/v1/trading/order", "TTTT1002U", "POST"),
        ("/uapi/overseas-stock/v1/trading/dayornight", "JTTT3010R", "GET"),
        ("/uapi/overseas-price/v1/quotations/price", "HHDFS00000300", "GET"),
        ("/uapi/domestic-futureoption/v1/quotations/inquire-price", "FHMIF10000000", "GET"),
        ("/uapi/domestic-stock/v1/trading/order-credit", "TTTC0052U", "POST"),
    ],
)
def test_what_is_outside_is_an_unknown_service(path: str, tr_id: str, method: str) -> None:
    desk = Desk().log_in()
    reply = sent(desk, path, tr_id, method, **ACCOUNT)
    assert (reply.status, json.loads(reply.body)["msg_cd"]) == (500, "MCA00124")
    assert not desk.core.accounts
