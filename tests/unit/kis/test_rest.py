"""Queries are repeated until a deadline; an order is sent exactly once and its fate is classed."""

import json

import pytest

from haetae.domain.errors import BrokerError, Fatal, Retryable, WireError
from haetae.domain.units import NS_PER_SECOND
from haetae.kis.pacing import Lane
from haetae.kis.rest import Acked, KisRest, NotSent, Refused, Unknown
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import DrivenClock
from unit.kis.stub import Answer, ok, refused, serving

START = 1_795_390_200 * NS_PER_SECOND
ORDER = {"CANO": "50123456", "PDNO": "005930", "ORD_QTY": "1", "ORD_UNPR": "71000"}
ACK = {"output": {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": 117057, "ORD_TMD": 90001}}
PRICE = {"output": {"stck_prpr": 71_000}}


class QuickClock(DrivenClock):
    """Sleeping moves the clock at once."""

    async def sleep(self, seconds: float) -> None:
        self.advance(self.now() + round(seconds * NS_PER_SECOND))


@pytest.fixture
async def stub():
    async with serving() as running:
        yield running


@pytest.fixture
async def rest(stub):
    async with KisRest(stub.settings(), QuickClock(START)) as made:
        yield made


async def test_a_query_carries_every_header_kis_asks_for(stub, rest):
    stub.answers["inquire-price"] = [ok("inquire-price", PRICE)]
    reply = await rest.call("inquire-price", {"FID_INPUT_ISCD": "005930"})
    _, asked, headers = stub.calls[-1]
    assert asked["FID_INPUT_ISCD"] == "005930"
    assert headers["authorization"] == "Bearer token-1"
    assert (headers["tr_id"], headers["custtype"]) == ("FHKST01010100", "P")
    assert reply.row("output")["stck_prpr"] == "71000"


@pytest.mark.parametrize(
    "failure",
    [
        refused("EGW00201"),
        refused("EGW00215"),
        refused("EGW00316"),
        refused("OPSQ0003"),
        Answer(b"<html>bad gateway</html>", 502),
        Answer(b"", 200, delay_s=1.0),
        Answer(b"", drop=True),
    ],
    ids=["pace", "ledger-pace", "ask-again", "transient", "no-json", "timeout", "reset"],
)
async def test_a_query_that_may_be_repeated_is_repeated(stub, rest, failure):
    stub.answers["inquire-price"] = [failure, failure, ok("inquire-price", PRICE)]
    reply = await rest.call("inquire-price", {})
    assert reply.ok
    assert len(stub.named("inquire-price")) >= 3


async def test_a_dead_token_is_replaced_once_and_the_query_repeated(stub, rest):
    stub.answers["inquire-price"] = [refused("EGW00123"), ok("inquire-price", PRICE)]
    assert (await rest.call("inquire-price", {})).ok
    assert stub.tokens == 2


async def test_a_query_fails_at_its_deadline_with_the_last_reason(stub, rest):
    stub.answers["inquire-price"] = [refused("EGW00201")]
    with pytest.raises(Retryable) as caught:
        await rest.call("inquire-price", {}, about="005930")
    assert caught.value.code == "EGW00201"
    assert "005930" in str(caught.value)


@pytest.mark.parametrize(("code", "kind"), [("EGW00304", Fatal), ("EGW02004", Fatal), ("APBK0656", BrokerError)])
async def test_what_no_repeat_can_help_is_raised_at_once(stub, rest, code, kind):
    stub.answers["inquire-price"] = [refused(code, 200 if code.startswith("APBK") else 500)]
    with pytest.raises(kind):
        await rest.call("inquire-price", {})
    assert len(stub.named("inquire-price")) == 1


async def test_an_error_never_shows_key_secret_or_token(stub, rest):
    stub.answers["inquire-price"] = [refused("EGW00304")]
    with pytest.raises(Fatal) as caught:
        await rest.call("inquire-price", {})
    shown = f"{caught.value!r} {caught.value.found} {caught.value.expected}"
    assert not any(hidden in shown for hidden in ("a" * 36, "s" * 180, "token-1"))


async def test_all_pages_are_read_with_key_and_header(stub, rest):
    pages = [
        ok("inquire-balance", {"output1": [{"pdno": str(i)}], "output2": [{}]}, next_key=key)
        for i, key in enumerate(["after-1", "after-2", ""])
    ]
    stub.answers["inquire-balance"] = list(pages)
    replies = await rest.pages("inquire-balance", {"CANO": "50123456"}, lane=Lane.URGENT)
    assert [reply.rows("output1")[0]["pdno"] for reply in replies] == ["0", "1", "2"]
    asked = stub.named("inquire-balance")
    assert [request["CTX_AREA_NK100"].strip() for request in asked] == ["", "after-1", "after-2"]
    assert [headers["tr_cont"] for _, _, headers in stub.calls[-3:]] == ["", "N", "N"]


async def test_a_page_that_fails_fails_the_whole(stub, rest):
    stub.answers["inquire-balance"] = [
        ok("inquire-balance", {"output1": [{}], "output2": [{}]}, next_key="after-1"),
        refused("EGW00316"),
    ]
    with pytest.raises(Retryable):
        await rest.pages("inquire-balance", {}, lane=Lane.URGENT)


async def test_a_cursor_that_does_not_move_is_a_fault(stub, rest):
    stub.answers["inquire-balance"] = [
        ok("inquire-balance", {"output1": [{}], "output2": [{}]}, next_key="same"),
    ]
    with pytest.raises(WireError, match="does not end"):
        await rest.pages("inquire-balance", {}, lane=Lane.URGENT)


async def test_an_empty_result_is_no_rows(stub, rest):
    body = json.dumps({"rt_cd": "7", "msg_cd": "KIOK0560", "msg1": "조회할 내용이 없습니다"}).encode()
    stub.answers["inquire-daily-ccld"] = [Answer(body)]
    assert (await rest.call("inquire-daily-ccld", {})).rows("output1") == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ok("order-cash-buy", ACK), Acked),
        (refused("APBK0952", 200), Refused),
        (refused("40250000", 200), Refused),
        (refused("EGW00201"), Refused),
        (refused("EGW00123"), Refused),
        (refused("EGW00301"), Unknown),
        (refused("EGW00202"), Unknown),
        (refused("ZZZZ0001", 200), Unknown),
        (Answer(b"oops", 502), Unknown),
        (Answer(b"", delay_s=1.0), Unknown),
        (Answer(b"", drop=True), Unknown),
        (ok("order-cash-buy", {"output": {"ODNO": ""}}), Unknown),
    ],
)
async def test_an_order_is_sent_once_and_its_outcome_is_classed_by_proof(stub, rest, answer, outcome):
    stub.answers["order-cash-buy"] = [answer]
    sent = await rest.send("order-cash-buy", ORDER)
    assert isinstance(sent, outcome)
    assert len(stub.named("order-cash-buy")) == 1


async def test_a_refusal_about_pace_or_token_says_that_the_order_itself_was_not_judged(stub, rest):
    stub.answers["order-cash-buy"] = [refused("EGW00123"), refused("APBK0952", 200)]
    assert (await rest.send("order-cash-buy", ORDER)).again
    assert not (await rest.send("order-cash-buy", ORDER)).again


async def test_a_server_that_is_not_there_proves_that_nothing_was_sent(stub):
    settings = stub.settings(token_file=None)
    async with KisRest(settings, QuickClock(START)) as rest:
        stub.answers["inquire-price"] = [ok("inquire-price", PRICE)]
        await rest.call("inquire-price", {})
        object.__setattr__(rest.settings, "rest_url", "http://127.0.0.1:1")
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)


async def test_without_a_token_no_order_leaves(stub, rest):
    stub.answers["tokenP"] = [Answer(json.dumps({"error_code": "EGW00103"}).encode(), 403)]
    assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
    assert stub.named("order-cash-buy") == []


async def test_the_mock_domain_uses_its_own_ids_and_lacks_some_calls(stub):
    async with KisRest(stub.settings(mode=Mode.MOCK), QuickClock(START)) as rest:
        stub.answers["order-cash-buy"] = [ok("order-cash-buy", ACK)]
        await rest.send("order-cash-buy", ORDER)
        assert stub.calls[-1][2]["tr_id"] == "VTTC0012U"
        with pytest.raises(Fatal, match="mock domain"):
            await rest.call("intstock-multprice", {})
