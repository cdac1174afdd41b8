"""Keys, domains, clocks and secrets: what stops us, what is told, and what never is (B16 to B20, I8, I13)."""

import asyncio
import json
from contextlib import asynccontextmanager
from email.utils import format_datetime

import pytest
from structlog.testing import capture_logs

from haetae.domain.errors import Fatal
from haetae.domain.orders import Accepted, OutcomeUnknown, Rejected, Replaced
from haetae.domain.units import NS_PER_SECOND
from haetae.kis.broker import KisBroker
from haetae.kis.rest import KisRest, NotSent, Unknown
from haetae.kis.settings import MOCK_REST, MOCK_STREAM, REAL_REST, REAL_STREAM
from haetae.kis.skew import ClockWatch
from haetae.kis.wire.envelope import build_oauth_refusal, build_refusal
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import SystemClock
from unit.kis import raw
from unit.kis.raw import ack, later, raw_server, reply, reset
from unit.kis.stub import until
from unit.kis.test_broker import cleared
from unit.kis.test_rest import START, QuickClock
from unit.kis.test_transport_faults import HTML, ORDER, PRICE, settings

WRONG_KEY = [
    ("EGW02004", "실전투자 도메인은 모의투자 앱키로 호출하실 수 없습니다."),
    ("EGW00304", "고객식별키(appSecret)가 유효하지 않습니다."),
    ("EGW00103", "유효하지 않은 AppKey입니다."),
]


@asynccontextmanager
async def served(clock=None, **changed):
    async with raw_server() as server, KisRest(settings(server.url, **changed), clock or QuickClock(START)) as rest:
        yield server, rest


# Keys and domains (B20, a live key on the mock host)


@pytest.mark.parametrize(("code", "text"), WRONG_KEY)
async def test_a_key_of_the_other_domain_ends_in_one_line_and_no_storm(code, text):
    async with served(mode=Mode.MOCK, calls_per_second=1.0) as (server, rest):
        server.acts["inquire-price"] = [reply(build_refusal(code, text), status=500)]
        with capture_logs() as told:
            calls = (rest.call("inquire-price", {}) for _ in range(20))
            faults = await asyncio.gather(*calls, return_exceptions=True)
        assert {(type(fault), fault.code) for fault in faults} == {(Fatal, code)}
        assert "mock" in str(faults[0].expected)
        assert "secrets.env" in str(faults[0].next_step)
        assert len(server.seen) == 2
        assert [entry["log_level"] for entry in told if entry["event"] == "kis.stopped"] == ["error"]
        for _ in range(5):
            with pytest.raises(Fatal):
                await rest.call("inquire-price", {})
            assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        assert len(server.seen) == 2
        assert rest.health().stopped


@pytest.mark.parametrize(("code", "text"), WRONG_KEY)
async def test_a_key_that_gets_no_token_is_asked_for_once(code, text):
    async with served() as (server, rest):
        server.acts["tokenP"] = [reply(build_oauth_refusal(code, text), status=403)]
        for _ in range(3):
            with pytest.raises(Fatal):
                await rest.call("inquire-price", {})
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        assert [request.name for request in server.seen] == ["tokenP"]


async def test_a_call_that_the_mock_domain_does_not_know_stops_nothing_else():
    async with served(mode=Mode.MOCK) as (server, rest):
        server.acts["inquire-price"] = [reply(build_refusal("EGW02004"), status=500), PRICE]
        with pytest.raises(Fatal):
            await rest.call("inquire-price", {})
        assert (await rest.call("inquire-price", {})).ok
        with pytest.raises(Fatal, match="mock domain"):
            await rest.call("intstock-multprice", {})
        assert (await rest.call("inquire-price", {})).ok


@pytest.mark.parametrize(("mode", "answered"), [(Mode.MOCK, "TTTC0012U"), (Mode.REAL, "VTTC0012U")])
async def test_b20_an_answer_of_the_other_domain_is_a_hard_stop(mode, answered):
    async with served(mode=mode) as (server, rest):
        server.acts["order-cash"] = [reply(ack(), headers={"tr_id": answered})]
        assert isinstance(await rest.send("order-cash-buy", ORDER), Unknown)
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        with pytest.raises(Fatal, match="other domain"):
            await rest.call("inquire-price", {})
        assert [request.name for request in server.seen] == ["tokenP", "order-cash"]


@pytest.mark.parametrize(
    "changed",
    [
        {"rest_url": REAL_REST, "mode": Mode.MOCK},
        {"rest_url": MOCK_REST, "mode": Mode.REAL},
        {"rest_url": "https://openapi.koreainvestment.com.example.org:9443"},
        {"ws_url": MOCK_STREAM, "mode": Mode.REAL},
        {"ws_url": REAL_STREAM, "mode": Mode.MOCK},
    ],
)
async def test_addresses_that_change_after_the_start_are_seen_before_anything_leaves(changed):
    async with served() as (server, rest):
        server.acts["inquire-price"] = [PRICE]
        await rest.call("inquire-price", {})
        object.__setattr__(rest.settings, "live_allowed", True)
        for name, value in changed.items():
            object.__setattr__(rest.settings, name, value)
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        with pytest.raises(Fatal, match="nothing was sent"):
            await rest.call("inquire-price", {})
        assert len(server.seen) == 2


# Tokens (B16, B17, B18)


class Account:
    """A broker over the server of bytes, on a clock of its own."""

    def __init__(self, rest: KisRest, clock) -> None:
        self.broker = KisBroker(rest, None, clock)
        self.told: list = []

    async def __aenter__(self):
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.cancel()
        await self.broker.close()

    async def _listen(self) -> None:
        async for event in self.broker.events():
            self.told.append(event)


NO_ORDERS = reply(json.dumps({"rt_cd": "0", "msg_cd": "KIOK0510", "output1": []}).encode())


@asynccontextmanager
async def account(**changed):
    clock = QuickClock(START)
    async with served(clock, **changed) as (server, rest):
        server.acts["inquire-daily-ccld"] = [NO_ORDERS]
        await rest.prepare()
        clock.advance(START + 120 * NS_PER_SECOND)
        async with Account(rest, clock) as desk:
            yield server, rest, desk


DEAD_TOKEN = [
    reply(build_refusal("EGW00123"), status=500),
    reply(build_refusal("EGW00121"), status=500),
    reply(build_refusal("EGW00777", "기간이 만료된 접근토큰 입니다. 다시 발급 받으세요"), status=500),
    reply(build_refusal("", "token revoked"), status=403),
]


@pytest.mark.parametrize("refusal", DEAD_TOKEN, ids=["B16", "unknown", "B17", "B17 odd"])
async def test_b16_b17_an_order_whose_token_is_dead_is_sent_once_more_with_a_new_one(refusal):
    async with account() as (server, _, desk):
        server.acts["tokenP"] = [reply(raw.TOKEN.replace(b"token-1", b"token-2"))]
        server.acts["order-cash"] = [refusal, reply(ack())]
        assert isinstance(await desk.broker.submit(cleared()), Accepted)
        bearers = [request.headers["authorization"] for request in server.named("order-cash")]
        assert bearers == ["Bearer token-1", "Bearer token-2"]
        assert len(server.named("tokenP")) == 2


async def test_b16_a_token_that_is_refused_again_is_not_asked_for_again_within_the_minute():
    async with account() as (server, _, desk):
        server.acts["tokenP"] = [reply(raw.TOKEN.replace(b"token-1", b"token-2"))]
        server.acts["order-cash"] = [DEAD_TOKEN[0]]
        with capture_logs() as told:
            assert isinstance(await desk.broker.submit(cleared("one")), Rejected)
            assert isinstance(await desk.broker.submit(cleared("two")), Rejected)
        assert len(server.named("order-cash")) == 2
        assert len(server.named("tokenP")) == 2
        assert "error" in {entry["log_level"] for entry in told if entry["event"] == "token.failed"}


@pytest.mark.parametrize("refusal", DEAD_TOKEN)
async def test_b17_a_query_whose_token_is_dead_is_repeated_with_a_new_one(refusal):
    async with account() as (server, rest, _):
        server.acts["tokenP"] = [reply(raw.TOKEN.replace(b"token-1", b"token-2"))]
        server.acts["inquire-price"] = [refusal, PRICE]
        assert (await rest.call("inquire-price", {})).ok
        assert len(server.named("tokenP")) == 2


async def test_b18_while_the_token_endpoint_refuses_reads_go_on_and_orders_stay():
    async with account() as (server, rest, desk):
        server.acts["tokenP"] = [reply(build_oauth_refusal("EGW00133"), status=403)]
        server.acts["inquire-price"] = [DEAD_TOKEN[0], PRICE]
        assert (await rest.call("inquire-price", {})).ok  # the old token, refused by mistake
        assert server.named("inquire-price")[-1].headers["authorization"] == "Bearer token-1"
        answer = await desk.broker.submit(cleared())
        assert isinstance(answer, Rejected)
        assert answer.code == "NOT_SENT"
        assert server.named("order-cash") == []
        assert len(server.named("tokenP")) == 2


# Orders that may be sent once more, and those that may not (T01, T05, T09)


async def test_t01_an_order_that_did_not_leave_is_tried_once_more():
    async with account() as (server, rest, desk):
        server.acts["order-cash"] = [reply(ack())]
        where = rest.settings.rest_url
        object.__setattr__(rest.settings, "rest_url", f"http://127.0.0.1:{raw.free_port()}")
        clock = desk.broker._clock

        class Mending(type(clock)):
            async def sleep(self, seconds: float) -> None:
                object.__setattr__(rest.settings, "rest_url", where)
                await super().sleep(seconds)

        clock.__class__ = Mending
        assert isinstance(await desk.broker.submit(cleared()), Accepted)
        assert len(server.named("order-cash")) == 1


async def test_t01_two_tries_are_all():
    async with account() as (server, rest, desk):
        object.__setattr__(rest.settings, "rest_url", f"http://127.0.0.1:{raw.free_port()}")
        with capture_logs() as told:
            answer = await desk.broker.submit(cleared())
        assert (type(answer), answer.code) == (Rejected, "NOT_SENT")
        assert [entry["event"] for entry in told].count("order.sent_again") == 1
        assert server.named("order-cash") == []


@pytest.mark.parametrize("code", ["EGW00201", "EGW00215"])
async def test_t09_an_order_over_the_pace_is_sent_once_more_and_never_a_third_time(code):
    for answers, told in (([reply(ack())], Accepted), ([], Rejected)):
        async with account(calls_per_second=18.0) as (server, _, desk):
            server.acts["order-cash"] = [reply(build_refusal(code), status=500), *answers]
            before = desk.broker._clock.monotonic()
            assert isinstance(await desk.broker.submit(cleared()), told)
            assert desk.broker._clock.monotonic() - before >= 1.0
            assert len(server.named("order-cash")) == 2


@pytest.mark.parametrize("fate", [reset, reply(HTML), reply(build_refusal("EGW00302"), status=500), reply(ack()[:-10])])
async def test_an_order_whose_fate_is_open_is_never_sent_again(fate):
    async with account() as (server, _, desk):
        server.acts["order-cash"] = [fate, reply(ack())]
        assert isinstance(await desk.broker.submit(cleared()), OutcomeUnknown)
        await asyncio.sleep(0.2)
        assert len(server.named("order-cash")) == 1


async def test_t05_a_late_answer_names_the_order():
    async with account() as (server, _, desk):
        server.acts["order-cash"] = [later(reply(ack(7)), 0.7)]
        assert isinstance(await desk.broker.submit(cleared()), OutcomeUnknown)
        await until(lambda: desk.told)
        assert isinstance(desk.told[0], Accepted)
        assert int(desk.told[0].order_id.number) == 7
        assert len(server.named("order-cash")) == 1


async def test_t05_a_late_refusal_frees_the_order():
    async with account() as (server, _, desk):
        server.acts["order-cash"] = [later(reply(build_refusal("APBK0952")), 0.7)]
        assert isinstance(await desk.broker.submit(cleared()), OutcomeUnknown)
        await until(lambda: desk.told)
        assert (type(desk.told[0]), desk.told[0].code) == (Rejected, "APBK0952")


async def test_t05_a_late_answer_to_a_change_names_the_new_order():
    async with account() as (server, _, desk):
        server.acts["order-cash"] = [reply(ack(7))]
        taken = await desk.broker.submit(cleared())
        server.acts["order-rvsecncl"] = [later(reply(ack(8)), 0.7)]
        assert isinstance(await desk.broker.replace("one", taken.order_id, 70_900), OutcomeUnknown)
        await until(lambda: desk.told)
        changed = desk.told[0]
        assert (type(changed), int(changed.order_id.number), changed.limit_price) == (Replaced, 8, 70_900)
        assert len(server.named("order-rvsecncl")) == 1


async def test_t05_a_late_answer_to_a_cancel_is_followed_by_a_reading():
    async with account() as (server, _, desk):
        server.acts["order-cash"] = [reply(ack(7))]
        taken = await desk.broker.submit(cleared())
        server.acts["order-rvsecncl"] = [later(reply(ack(8)), 0.7)]
        assert isinstance(await desk.broker.cancel("one", taken.order_id), OutcomeUnknown)
        assert len(server.named("order-rvsecncl")) == 1


# The clock


def test_the_proven_difference_narrows_with_every_answer_and_never_says_more_than_is_proven():
    for skew_ms in (-4_000, -700, -300, 0, 300, 700, 4_000):
        watch = ClockWatch()
        proven = []
        for k in range(40):
            theirs_ms = 1_795_390_200_000 + 1_130 * k
            sent = (theirs_ms - 20 + skew_ms) * 1_000_000
            received = (theirs_ms + 30 + skew_ms) * 1_000_000
            watch.see(_date(theirs_ms // 1_000), sent, received)
            proven.append(watch.skew_s)
        assert all(abs(one) <= abs(skew_ms) / 1_000 + 1e-9 for one in proven)
        assert abs(proven[-1]) >= abs(skew_ms) / 1_000 - 0.08
        assert proven[-1] * skew_ms >= 0


def test_a_clock_that_is_set_is_seen_within_an_answer():
    watch = ClockWatch()
    for k in range(10):
        now = (1_795_390_200 + k) * NS_PER_SECOND
        watch.see(_date(1_795_390_200 + k), now, now)
    assert watch.skew_s == 0
    later_ = (1_795_390_210 + 30) * NS_PER_SECOND
    watch.see(_date(1_795_390_210), later_, later_)
    assert watch.skew_s == pytest.approx(29.5, abs=0.6)


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Nov 2026 09:00:00 GMT", "\0"])
def test_a_date_that_does_not_parse_teaches_nothing(text):
    watch = ClockWatch()
    watch.see(text, 0, 0)
    assert watch.skew_s is None


def _date(seconds: int) -> str:
    import datetime as dt

    return format_datetime(dt.datetime.fromtimestamp(seconds, dt.UTC), usegmt=True)


def dated(body: bytes, seconds: int, **more):
    return reply(body, headers={"Date": _date(seconds)}, **more)


PRICE_BODY = json.dumps({"rt_cd": "0", "msg_cd": "MCA00000", "output": {"stck_prpr": "71000"}}).encode()


@pytest.mark.parametrize("off", [-10, 10, 3_600])
async def test_a_clock_ten_seconds_off_ends_a_run_that_begins_with_one_line(off):
    async with served(watch_clock=True) as (server, rest):
        server.acts["tokenP"] = [dated(raw.TOKEN, START // NS_PER_SECOND - off)]
        with pytest.raises(Fatal) as caught:
            await rest.call("inquire-price", {})
        assert str(abs(off) - 1) in str(caught.value) or str(abs(off)) in str(caught.value)
        assert "2 s" in str(caught.value.expected)
        assert "NTP" in str(caught.value.next_step)
        assert isinstance(await rest.send("order-cash-buy", ORDER), NotSent)
        assert server.named("order-cash") == []


async def test_a_clock_that_goes_wrong_later_is_told_and_stops_nothing():
    async with served(watch_clock=True) as (server, rest):
        at = START // NS_PER_SECOND
        server.acts["tokenP"] = [dated(raw.TOKEN, at)]
        server.acts["inquire-price"] = [dated(PRICE_BODY, at), dated(PRICE_BODY, at - 4), dated(PRICE_BODY, at - 20)]
        await rest.call("inquire-price", {})
        assert abs(rest.skew_s) < 1
        with capture_logs() as told:
            for _ in range(3):
                await rest.call("inquire-price", {})
        assert [entry["log_level"] for entry in told if entry["event"] == "clock.skewed"] == ["error", "error"]
        assert rest.skew_s > 15
        assert rest.health().skew_s == rest.skew_s


async def test_an_emulator_s_clock_is_its_own_unless_it_is_to_be_watched():
    async with served() as (server, rest):
        server.acts["tokenP"] = [dated(raw.TOKEN, 1)]
        server.acts["inquire-price"] = [dated(PRICE_BODY, 1)]
        await rest.call("inquire-price", {})
        assert rest.skew_s is None


async def test_i13_the_clock_of_the_pace_is_the_machine_s_where_it_is_shared(tmp_path):
    given = {"token_file": tmp_path / "token.json", "share_pace": True, "calls_per_second": 5.0}
    clock = SystemClock()
    async with served(clock, **given) as (server, rest):
        server.acts["inquire-price"] = [PRICE]
        await rest.call("inquire-price", {})
        (file,) = tmp_path.glob("pace-*.json")
        assert "aaaa" not in file.name
        assert rest.health().budget_used == pytest.approx(0.2)
