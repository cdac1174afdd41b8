"""No error, log line or reason shows a secret, whatever server and library do with it (I8)."""

import base64
import json
import traceback
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from haetae.domain.errors import ConfigError, HaetaeError, Retryable
from haetae.kis.pacing import Lane
from haetae.kis.secrecy import Redactor
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire.envelope import build_refusal
from haetae.kis.wire.operations import Mode
from unit.kis import raw
from unit.kis.raw import hang, reply, reset
from unit.kis.test_broker import cleared
from unit.kis.test_rest import START, QuickClock
from unit.kis.test_standing import Account, served
from unit.kis.test_transport_faults import ORDER

KEY, SECRET, TOKEN = "PSCANARY" + "k" * 28, "SECRETCANARY" + "s" * 168, "TOKENCANARY" + "t" * 100
ACCOUNT, HTS, APPROVAL = "87654321", "hts-canary", "approval-canary-0123"
CANARIES = [KEY, SECRET, TOKEN, ACCOUNT, HTS, APPROVAL]


def leaks(text: str) -> list[str]:
    found = []
    for canary in CANARIES:
        forms = [canary, canary[:20], quote(canary, safe=""), base64.b64encode(canary.encode()).decode(), canary[::-1]]
        found += [canary[:8] for form in forms if form in text]
    return found


ECHO = json.dumps({"you": {"key": KEY, "secret": SECRET, "token": TOKEN, "account": ACCOUNT}})
FAILURES = {
    "echo": reply(("<html>" + ECHO).encode(), status=200),
    "echo 500": reply(ECHO.encode()[:70], status=500),
    "refused with echo": reply(build_refusal("APBK0001", f"{ACCOUNT} {TOKEN}"), status=200),
    "stop": reply(build_refusal("EGW00304", f"{KEY}"), status=500),
    "odd": reply(build_refusal("ZZZZ0001", f"{SECRET}"), status=500),
    "reset": reset,
    "hang": hang,
    "cut": reply(TOKEN.encode(), length=5_000),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_no_error_and_no_log_line_shows_a_secret(failure):
    hidden = {"app_key": KEY, "app_secret": Secret(SECRET), "account": ACCOUNT, "hts_id": HTS}
    issued = json.dumps({"access_token": TOKEN, "expires_in": 86400}).encode()
    approved = json.dumps({"approval_key": APPROVAL}).encode()
    shown: list[str] = []
    async with served(read_timeout_s=0.1, **hidden) as (server, rest):
        server.acts |= {"tokenP": [reply(issued)], "Approval": [reply(approved)]}
        server.acts |= {name: [failure] for name in ("inquire-balance", "order-cash", "order-rvsecncl")}
        with capture_logs() as told:
            await rest.approval_key()
            for name in ("inquire-balance", "inquire-psbl-order"):
                server.acts.setdefault(name, [failure])
                try:
                    await rest.pages(name, {"CANO": ACCOUNT}, lane=Lane.URGENT, about="balance")
                except HaetaeError as fault:
                    shown += ["".join(traceback.format_exception(fault)), repr(fault), str(fault), fault.found]
                    shown += [str(fault.expected), str(fault.next_step)]
            async with Account(rest, QuickClock(START)) as desk:
                shown.append(repr(await desk.broker.submit(cleared())))
            shown += [repr(await rest.send("order-rvsecncl", {"CANO": ACCOUNT})), repr(rest.health())]
        shown += [repr(entry) for entry in told]
    assert shown
    assert leaks("\n".join(shown)) == []


@pytest.mark.parametrize(
    "failure",
    [
        reply(b'{"access_token": "' + TOKEN.encode() + b'", '),
        reply(ECHO.encode()),
        reset,
        reply(TOKEN.encode(), status=403),
    ],
    ids=["cut", "no token", "reset", "text"],
)
async def test_a_token_that_does_not_parse_is_not_shown(failure):
    shown = []
    async with served(app_key=KEY, app_secret=Secret(SECRET), account=ACCOUNT, hts_id=HTS) as (server, rest):
        server.acts["tokenP"] = [failure]
        with capture_logs() as told:
            for call in (rest.call("inquire-price", {}), rest.prepare()):
                with pytest.raises(HaetaeError) as caught:
                    await call
                shown += ["".join(traceback.format_exception(caught.value)), caught.value.found]
            shown.append(repr(await rest.send("order-cash-buy", ORDER)))
    assert leaks("\n".join([*shown, *map(repr, told)])) == []


async def test_a_connection_that_is_refused_names_no_query():
    hidden = {"app_key": KEY, "app_secret": Secret(SECRET), "account": ACCOUNT}
    async with served(**hidden, connect_timeout_s=0.1, read_timeout_s=0.1) as (server, rest):
        server.acts["tokenP"] = [reply(json.dumps({"access_token": TOKEN, "expires_in": 86400}).encode())]
        await rest.prepare()
        object.__setattr__(rest.settings, "rest_url", f"http://127.0.0.1:{raw.free_port()}")
        with capture_logs() as told, pytest.raises(Retryable) as caught:
            await rest.call("inquire-balance", {"CANO": ACCOUNT})
    text = "".join(traceback.format_exception(caught.value)) + caught.value.found + repr(told)
    assert leaks(text) == []


def test_a_redactor_finds_secrets_that_were_cut_or_made_part_of_an_address():
    redact = Redactor("a secret/of=some length", "87654321")
    assert redact("x a secret/of=some length y") == "x *** y"
    assert redact("x a secret/of") == "x ***"
    assert redact(quote("a secret/of=some length", safe="")) == "***"
    assert redact("CANO=87654321&x=1 and 87654321") == "CANO=***&x=1 and ***"
    assert redact("nothing here") == "nothing here"


def test_faults_of_the_settings_name_no_secret():
    with pytest.raises(ConfigError) as caught:
        KisSettings("ftp://x", "ws://y", KEY + "x", Secret(SECRET + "y"), "1" + ACCOUNT, mode=Mode.REAL)
    assert leaks(str(caught.value) + caught.value.found) == []
