"""What can go wrong on the way to KIS and back, byte by byte: an order is sent once, its fate classed by proof.

The numbers are those of the fault matrix: T01 to T13 on real sockets.
"""

import asyncio
import json
import socket
import time
from contextlib import asynccontextmanager

import pytest

from haetae.domain.errors import Fatal, Retryable, WireError
from haetae.domain.units import NS_PER_SECOND
from haetae.kis.rest import Acked, KisRest, NotSent, Refused, Unknown
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire.envelope import build_refusal
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import SystemClock
from unit.kis import raw
from unit.kis.raw import ack, close, drip, hang, later, raw_server, reply, reset, then_close
from unit.kis.test_rest import START, QuickClock

ORDER = {"CANO": "50123456", "PDNO": "005930", "ORD_QTY": "1", "ORD_UNPR": "71000"}
PRICE = reply(json.dumps({"rt_cd": "0", "msg_cd": "MCA00000", "output": {"stck_prpr": "71000"}}).encode())
HTML = b"<html><body>maintenance</body></html>"


def settings(url: str, **changed) -> KisSettings:
    given = {
        "rest_url": url,
        "ws_url": "ws://127.0.0.1:1",
        "app_key": "a" * 36,
        "app_secret": Secret("s" * 180),
        "account": "50123456",
        "mode": Mode.REAL,
        "calls_per_second": float("inf"),
        "connect_timeout_s": 0.5,
        "read_timeout_s": 0.4,
        "late_answer_s": 3.0,
    }
    return KisSettings(**{**given, **changed})


@asynccontextmanager
async def connection(*, clock=None, **changed):
    """A server of bytes, and a connection to it that holds a token already."""
    async with raw_server() as server, KisRest(settings(server.url, **changed), clock or QuickClock(START)) as rest:
        await rest.prepare()
        yield server, rest


# Orders


async def test_t01_a_refused_connection_proves_that_nothing_was_sent():
    async with connection() as (_, rest):
        object.__setattr__(rest.settings, "rest_url", f"http://127.0.0.1:{raw.free_port()}")
        sent = await rest.send("order-cash-buy", ORDER)
        assert isinstance(sent, NotSent)
        assert sent.again


async def test_t02_a_reset_before_the_body_is_complete_leaves_the_fate_open():
    async with connection() as (server, rest):
        server.early.add("order-cash")
        server.acts["order-cash"] = [reset]
        big = {**ORDER, "PDNO": "0" * 4_000_000}
        assert isinstance(await rest.send("order-cash-buy", big), Unknown)
        assert len(server.named("order-cash")) == 1


@pytest.mark.parametrize("end", [close, reset], ids=["closed", "reset"])
async def test_t03_t04_a_response_that_is_dropped_leaves_the_fate_open(end):
    async with connection() as (server, rest):
        server.acts["order-cash"] = [end, reply(ack())]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Unknown)
        await asyncio.sleep(0.1)
        assert len(server.named("order-cash")) == 1


@pytest.mark.parametrize(
    "slow",
    [later(reply(ack()), 2.0), drip(ack(), 2.0)],
    ids=["silent", "byte by byte"],
)
async def test_t05_a_slow_response_is_unknown_in_time_and_adopted_when_it_comes(slow):
    async with connection() as (server, rest):
        server.acts["order-cash"] = [slow]
        began = time.monotonic()
        sent = await rest.send("order-cash-buy", ORDER)
        assert time.monotonic() - began < 1.6, "told before the answer came, on a machine that others use too"
        assert isinstance(sent, Unknown)
        assert not rest.busy
        late = await sent.late
        assert isinstance(late, Acked)
        assert late.reply.row("output")["ODNO"] == "0000117057"
        assert len(server.named("order-cash")) == 1


async def test_t05_a_late_refusal_proves_that_the_order_was_not_taken():
    async with connection() as (server, rest):
        server.acts["order-cash"] = [later(reply(build_refusal("APBK0952")), 0.8)]
        sent = await rest.send("order-cash-buy", ORDER)
        assert await sent.late == Refused("APBK0952", "주문가능금액을 초과 했습니다")


async def test_t05_a_response_that_never_comes_ends_unknown():
    async with connection(late_answer_s=1.0) as (server, rest):
        server.acts["order-cash"] = [hang]
        sent = await rest.send("order-cash-buy", ORDER)
        assert isinstance(await sent.late, Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        reply(ack()[:-20]),
        then_close(reply(ack(), length=len(ack()) + 50)),
        reply(ack(), length=len(ack()) - 20),
        reply(b""),
        reply(b"[]"),
        reply(b"[" * 200_000),
        reply(json.dumps({"rt_cd": "0", "msg_cd": "APBK0013", "output": {"ODNO": "1e5"}}).encode()),
        reply(json.dumps({"rt_cd": "0", "msg_cd": "APBK0013"}).encode()),
    ],
    ids=["cut", "longer than told", "shorter", "empty", "list", "nested", "odd number", "no output"],
)
async def test_t06_an_answer_that_does_not_parse_leaves_the_fate_open(answer):
    async with connection() as (server, rest):
        server.acts["order-cash"] = [answer]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Unknown)
        assert len(server.named("order-cash")) == 1


@pytest.mark.parametrize("status", [200, 302, 404, 500, 502, 503, 504])
async def test_t07_t08_a_page_in_place_of_an_answer_leaves_the_fate_open(status):
    async with connection() as (server, rest):
        server.acts["order-cash"] = [reply(HTML, status=status, headers={"Location": "/elsewhere"})]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Unknown)
        assert [request.name for request in server.seen] == ["tokenP", "order-cash"]


@pytest.mark.parametrize("code", ["EGW00301", "EGW00302", "EGW00202", "ZZZZ9999"])
async def test_t08_a_server_error_with_a_body_leaves_the_fate_open(code):
    async with connection() as (server, rest):
        server.acts["order-cash"] = [reply(build_refusal(code), status=500)]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        reply(build_refusal("EGW00201"), status=500),
        reply(build_refusal("EGW00215"), status=500),
        reply(HTML, status=429),
        reply(build_refusal("EGW00123"), status=500),
        reply(build_refusal("EGW00999", "접근토큰이 만료되었습니다"), status=500),
        reply(build_refusal("", "token expired"), status=401),
    ],
    ids=["pace", "ledger pace", "429", "token", "odd token", "401"],
)
async def test_t09_a_refusal_of_the_gateway_says_that_the_order_itself_was_not_judged(answer):
    async with connection() as (server, rest):
        server.acts["order-cash"] = [answer]
        sent = await rest.send("order-cash-buy", ORDER)
        assert isinstance(sent, Refused)
        assert sent.again
        assert len(server.named("order-cash")) == 1


async def test_t10_an_order_takes_a_connection_of_its_own_and_is_never_replayed():
    async with connection() as (server, rest):
        server.acts["order-cash"] = [reply(ack(1)), close, reply(ack(3))]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Acked)
        assert isinstance(await rest.send("order-cash-buy", ORDER), Unknown)
        await asyncio.sleep(0.1)
        orders = server.named("order-cash")
        assert len(orders) == 2
        assert len({request.connection for request in orders}) == 2
        assert all(request.headers["connection"] == "close" for request in orders)


async def test_t10_a_query_on_a_kept_alive_connection_that_closes_is_repeated_by_us_not_by_the_library():
    async with connection(calls_per_second=18.0) as (server, rest):
        server.acts["inquire-price"] = [PRICE, close, PRICE]
        await rest.call("inquire-price", {})
        assert rest.counts.repeats == 0
        await rest.call("inquire-price", {})
        prices = server.named("inquire-price")
        assert len(prices) == 3
        assert prices[0].connection == prices[1].connection != prices[2].connection
        assert rest.counts.repeats == 1
        assert rest.counts.calls == 1 + 3


@pytest.mark.parametrize("days", [-1, 30], ids=["expired", "of an unknown maker"])
async def test_t11_a_certificate_that_does_not_hold_ends_before_anything_is_told(tmp_path, days):
    async with raw_server(tls=raw.certificate(tmp_path, days=days)) as server:
        async with KisRest(settings(server.url), QuickClock(START)) as rest:
            with pytest.raises(Fatal, match="not to be trusted"):
                await rest.call("inquire-price", {})
            sent = await rest.send("order-cash-buy", ORDER)
            assert isinstance(sent, NotSent)
            assert not sent.again
        assert server.seen == []


async def test_t11_a_name_that_does_not_resolve_is_no_send(monkeypatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    async with connection() as (server, rest):
        object.__setattr__(rest.settings, "rest_url", f"http://localhost:{server.port}")
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        assert server.named("order-cash") == []


async def test_t12_latency_and_jitter_cause_no_cascade_of_time_outs():
    async with connection(read_timeout_s=2.0, calls_per_second=18.0, clock=SystemClock()) as (server, rest):
        server.acts["inquire-price"] = [later(PRICE, 0.05 * (1 + k % 7)) for k in range(40)]
        server.acts["order-cash"] = [later(reply(ack()), 0.3)]
        reads = [asyncio.create_task(rest.call("inquire-price", {})) for _ in range(30)]
        await asyncio.sleep(0.3)
        began = time.monotonic()
        assert isinstance(await rest.send("order-cash-buy", ORDER), Acked)
        assert time.monotonic() - began < 0.3 + 0.25
        await asyncio.gather(*reads)
        assert rest.counts.repeats == 0


async def test_t13_while_nothing_answers_data_rests_and_comes_back_by_itself():
    async with connection(read_timeout_s=0.15) as (server, rest):
        server.acts["inquire-price"] = [hang]
        with pytest.raises(Retryable):
            await rest.call("inquire-price", {})
        asked = len(server.named("inquire-price"))
        assert rest.health().is_open
        assert rest.health().error_ratio > 0.5
        assert asked <= 11
        server.acts["order-cash"] = [reply(ack())]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Acked)
        assert not rest.health().is_open
        server.acts["inquire-price"] = [PRICE]
        assert (await rest.call("inquire-price", {})).ok


async def test_an_order_goes_on_when_its_caller_is_cancelled():
    async with connection() as (server, rest):
        server.acts["order-cash"] = [later(reply(ack()), 0.2)]
        caller = asyncio.create_task(rest.send("order-cash-buy", ORDER))
        await asyncio.sleep(0.1)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        await rest.close()
        assert len(server.named("order-cash")) == 1
        assert not rest.busy
        assert rest.health().error_ratio == 0.0


# Queries


async def test_a_page_with_status_200_is_told_as_what_it_is():
    async with connection() as (server, rest):
        server.acts["inquire-price"] = [reply(HTML)]
        with pytest.raises(WireError, match="HTML page") as caught:
            await rest.call("inquire-price", {})
        assert len(server.named("inquire-price")) == 3
        assert "address" in str(caught.value.next_step)


async def test_a_redirect_is_not_followed():
    async with connection() as (server, rest):
        server.acts["inquire-price"] = [reply(HTML, status=302, headers={"Location": server.url + "/elsewhere"})]
        with pytest.raises(Retryable):
            await rest.call("inquire-price", {})
        assert {request.name for request in server.seen} == {"tokenP", "inquire-price"}


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{raw.free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{raw.free_port()}")
    async with connection() as (server, rest):
        server.acts["inquire-price"] = [PRICE]
        assert (await rest.call("inquire-price", {})).ok


async def test_a_cookie_is_not_sent_back():
    async with connection() as (server, rest):
        object.__setattr__(rest.settings, "rest_url", f"http://localhost:{server.port}")  # jars ignore bare numbers
        server.acts["inquire-price"] = [reply(b"{}", status=500, headers={"Set-Cookie": "a=b"}), PRICE]
        await rest.call("inquire-price", {})
        assert all("cookie" not in request.headers for request in server.seen)


@pytest.mark.parametrize("end", ["EGW00316", "OPSQ0003", "IGW00009"])
async def test_an_error_of_the_moment_within_a_walk_is_never_the_end_of_the_data(end):
    pages = [
        json.dumps({"rt_cd": "0", "output1": [{"pdno": str(n)}], "ctx_area_nk100": f"after-{n}"}) for n in range(3)
    ]
    more = [reply(page.encode(), headers={"tr_cont": "M" if n < 2 else "D"}) for n, page in enumerate(pages)]
    async with connection() as (server, rest):
        failure = reply(build_refusal(end), status=500)
        server.acts["inquire-balance"] = [more[0], failure, more[1], failure, failure, more[2]]
        replies = await rest.pages("inquire-balance", {}, lane=0)
        assert [one.rows("output1")[0]["pdno"] for one in replies] == ["0", "1", "2"]


async def test_a_query_that_drips_without_end_is_given_up():
    async with connection(read_timeout_s=0.2) as (server, rest):
        server.acts["inquire-price"] = [drip(b" " * 100, 20.0), PRICE]
        began = time.monotonic()
        assert (await rest.call("inquire-price", {})).ok
        assert time.monotonic() - began < 3
        assert rest.counts.repeats == 1


async def test_a_hashkey_is_asked_for_and_sent_where_it_is_wanted():
    async with connection(hashkey=True) as (server, rest):
        server.acts["hashkey"] = [reply(json.dumps({"BODY": {}, "HASH": "h" * 64}).encode())]
        server.acts["order-cash"] = [reply(ack())]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Acked)
        (asked,), (order,) = server.named("hashkey"), server.named("order-cash")
        assert json.loads(asked.body)["PDNO"] == "005930"
        assert asked.headers["appkey"] == "a" * 36
        assert order.headers["hashkey"] == "h" * 64
        server.acts["hashkey"] = [reply(build_refusal("EGW00131"), status=500)]
        sent = await rest.send("order-cash-buy", ORDER)
        assert isinstance(sent, NotSent)
        assert len(server.named("order-cash")) == 1


async def test_a_connection_for_reading_sends_no_order():
    async with connection(read_only=True) as (server, rest):
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        assert server.named("order-cash") == []


async def test_repeats_are_spread_by_the_dice():
    import numpy as np

    slept: list[float] = []

    class Remembering(QuickClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await super().sleep(seconds)

    async with raw_server() as server:
        server.acts["inquire-price"] = [reply(build_refusal("EGW00316"), status=500)] * 5 + [PRICE]
        for seed in (1, 2):
            server.acts["inquire-price"] = [reply(build_refusal("EGW00316"), status=500)] * 5 + [PRICE]
            async with KisRest(settings(server.url), Remembering(START), np.random.default_rng(seed)) as rest:
                await rest.call("inquire-price", {})
    first, second = slept[:5], slept[5:]
    assert first != second
    for pauses in (first, second):
        assert all(0.5 * base <= pause <= 1.5 * base for pause, base in zip(pauses, (0, 0.25, 0.5, 1, 2), strict=True))


async def test_a_call_that_never_left_costs_no_budget():
    async with connection(calls_per_second=1.0) as (server, rest):
        server.acts["inquire-price"] = [PRICE]
        where = rest.settings.rest_url
        object.__setattr__(rest.settings, "rest_url", f"http://127.0.0.1:{raw.free_port()}")
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        assert rest.health().budget_used == 0.0
        object.__setattr__(rest.settings, "rest_url", where)
        await rest.call("inquire-price", {})
        assert rest.health().budget_used == 1.0


async def test_the_clock_that_counts_the_token_s_life_is_the_injected_one():
    async with connection() as (_, rest):
        assert rest.health().token_left_s == pytest.approx(86_400, abs=60)
        rest._clock.advance(START + 3_600 * NS_PER_SECOND)
        assert rest.health().token_left_s == pytest.approx(82_800, abs=60)
