"""What can go wrong with a WebSocket session: T14 to T21 of the fault matrix, on real sockets."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from haetae.domain.errors import Fatal, Retryable
from haetae.kis.registrations import Rank
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream, Taker
from haetae.kis.wire import control
from haetae.kis.wire.frames import CipherKey, build_frame
from unit.kis.raw import hang, raw_server
from unit.kis.stub import KEY, serving, until
from unit.kis.test_rest import START, QuickClock
from unit.kis.test_stream import Seen

TRADES, NOTICES = "H0STCNT0", "H0STCNI0"


class Patient(QuickClock):
    """Sleeping moves the clock at once and is remembered."""

    def __init__(self) -> None:
        super().__init__(START)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.005)
        await super().sleep(seconds)


@asynccontextmanager
async def session(**changed):
    """A stub, a stream to it, and the clock of both."""
    async with serving() as stub:
        clock = Patient()
        async with KisRest(stub.settings(**changed), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            yield stub, stream, clock
            await stream.close()


def print_of(sample_trade, count: int = 1) -> str:
    return build_frame(TRADES, [sample_trade.encode()] * count)


async def test_t14_a_half_open_socket_is_given_up_and_opened_anew():
    async with session(silence_s=0.2, data_silence_s=None) as (stub, stream, _):
        seen = Seen()
        stream.attach(TRADES, seen.taker())
        await stream.register(TRADES, ["005930"])
        await until(lambda: len(stub.sockets) == 2 and stream.connected)
        assert seen.gaps == 2


async def test_t14_a_server_that_takes_the_connection_and_never_answers_is_given_up():
    async with raw_server() as server, serving() as stub:
        server.acts["tryitout"] = [hang]
        clock = Patient()
        changed = {"ws_url": f"ws://127.0.0.1:{server.port}", "connect_timeout_s": 0.1, "read_timeout_s": 0.1}
        async with KisRest(stub.settings(**changed), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            with pytest.raises(Retryable):
                await stream.register(TRADES, ["005930"])
            await until(lambda: len(server.seen) >= 2)
            await stream.close()


async def beat(socket) -> None:
    while True:
        await socket.send_str(control.build_ping("20261123100000"))
        await asyncio.sleep(0.02)


async def test_t14_heart_beats_without_data_are_a_dead_stream_where_data_is_due():
    async with session(silence_s=5.0, data_silence_s=0.2) as (stub, stream, _):
        stub.on_socket = beat
        due = [False]
        stream.expects_data = lambda: due[0]
        await stream.register(TRADES, ["005930"])
        await asyncio.sleep(0.5)
        assert len(stub.sockets) == 1
        due[0] = True
        await until(lambda: len(stub.sockets) == 2)


async def test_t14_a_market_that_stands_still_is_left_alone_longer_and_longer():
    async with session(silence_s=9.0, data_silence_s=0.1) as (stub, stream, _):
        stub.on_socket = beat
        stream.expects_data = lambda: True
        loop = asyncio.get_running_loop()
        opened: list[float] = []
        await stream.register(TRADES, ["005930"])
        for _ in range(4):
            count = len(stub.sockets)
            opened.append(loop.time())
            await until(lambda count=count: len(stub.sockets) > count)
        lives = [later - earlier for earlier, later in itertools.pairwise(opened)]
        assert lives[1] > 1.5 * lives[0]
        assert lives[2] > 1.5 * lives[1]


async def test_t14_a_server_that_pauses_between_data_is_learnt_after_one_reconnect(sample_trade):
    async def drip(socket) -> None:
        while True:
            await asyncio.sleep(0.3)
            await socket.send_str(print_of(sample_trade))

    async with session(silence_s=9.0, data_silence_s=0.2) as (stub, stream, _):
        stub.on_socket = drip
        stream.expects_data = lambda: True
        await stream.register(TRADES, ["005930"])
        await asyncio.sleep(2.5)
        assert stream.reconnects == 1
        assert stream.received >= 4


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
async def test_t15_after_any_close_the_session_is_opened_and_registered_anew(code):
    async with session() as (stub, stream, clock):
        seen = Seen()
        stream.attach(TRADES, seen.taker())
        await stream.register(TRADES, ["005930"])
        stub.subscribed.clear()
        if code == 1006:
            stub.sockets[-1]._req.transport.abort()
        else:
            await stub.sockets[-1].close(code=code)
        await until(lambda: stream.reconnects == 1 and stream.connected)
        assert stub.subscribed == [(TRADES, "005930", True)]
        assert seen.gaps == 2
        assert clock.slept == [1.0]


async def test_t16_a_stream_that_flaps_is_left_to_rest_and_never_looks_like_abuse(sample_trade):
    async def flap(socket) -> None:
        await socket.send_str(print_of(sample_trade))
        await asyncio.sleep(0.01)
        await socket.close()

    async with session() as (stub, stream, clock):
        stub.on_socket = flap
        began = clock.monotonic()
        stream.want(TRADES, ["005930"], Rank.SYMBOL)
        await until(lambda: clock.monotonic() - began >= 600)
        assert len(stub.sockets) <= 8
        assert max(clock.slept) >= 120
        await until(lambda: stream.is_resting)
        stub.on_socket = None
        await until(lambda: stream.connected)
        assert not stream.is_resting


async def test_t17_a_pair_without_an_ack_is_not_held_and_is_tried_again_later():
    async with session(ack_timeout_s=0.1) as (stub, stream, _):
        stub.ack_code[TRADES, "000660"] = "silent"
        stream.want(TRADES, ["005930", "000660"], Rank.SYMBOL)
        await until(lambda: stream.connected)
        assert stream.holds(TRADES, "005930")
        assert not stream.holds(TRADES, "000660")
        assert len(stub.sockets) == 1
        stub.ack_code.clear()
        await until(lambda: stream.holds(TRADES, "000660"))
        assert len(stub.sockets) == 1


async def test_t17_an_ack_that_comes_late_counts():
    async with session(ack_timeout_s=0.1) as (stub, stream, _):
        stub.ack_code[TRADES, "000660"] = "silent"
        await stream.register(TRADES, ["005930"])
        with pytest.raises(Retryable):
            await stream.register(TRADES, ["000660"])
        await stub.push(control.build_ack(control.Ack(TRADES, "000660", "0", control.SUBSCRIBED, "SUBSCRIBE SUCCESS")))
        await until(lambda: stream.holds(TRADES, "000660"))


async def test_t17_a_pair_that_is_refused_harms_no_other():
    async with session() as (stub, stream, _):
        stub.ack_code[TRADES, "999999"] = "OPSP8992"
        stream.want(TRADES, ["005930", "999999", "000660"], Rank.SYMBOL)
        await until(lambda: stream.connected)
        assert [stream.holds(TRADES, key) for key in ("005930", "999999", "000660")] == [True, False, True]
        stream.want(TRADES, ["000270"], Rank.SYMBOL)
        await until(lambda: stream.holds(TRADES, "000270"))
        assert [key for _, key, _ in stub.subscribed].count("999999") == 1


async def test_t17_a_key_that_is_in_use_is_waited_for_and_the_third_time_is_told():
    async with session(ack_timeout_s=0.2) as (stub, stream, clock):
        stub.ack_code[TRADES, "005930"] = control.APPKEY_IN_USE
        with capture_logs() as told:
            stream.want(TRADES, ["005930"], Rank.SYMBOL)
            await until(lambda: stream.is_key_in_use)
            stub.ack_code.clear()
            await until(lambda: stream.connected)
            assert not stream.is_key_in_use
        assert clock.slept[:3] == [5.0, 10.0, 20.0]
        levels = [entry["log_level"] for entry in told if entry["event"] == "stream.lost"]
        assert levels[:3] == ["warning", "warning", "error"]


async def test_t17_a_key_that_is_not_taken_at_all_ends_the_stream():
    async with session() as (stub, stream, _):
        stub.ack_code[TRADES, "005930"] = "OPSP9994"
        with pytest.raises(Fatal, match="INVALID appkey"):
            await stream.register(TRADES, ["005930"])
        assert len(stub.sockets) == 1


async def test_a_server_that_takes_fewer_registrations_is_believed():
    async with session() as (stub, stream, _):
        for number in range(3, 10):
            stub.ack_code[TRADES, f"{number:06d}"] = control.TOO_MANY
        stream.want(TRADES, [f"{number:06d}" for number in range(10)], Rank.SYMBOL)
        await until(lambda: stream.connected)
        assert stream.target(TRADES) == {"000000", "000001", "000002"}
        assert len(stub.subscribed) == 10
        await stub.sockets[-1].close()
        await until(lambda: stream.reconnects == 1 and stream.connected)
        assert len(stub.subscribed) == 13


async def test_the_limit_is_never_passed_while_registrations_are_swapped():
    async with session() as (stub, stream, _):
        await stream.register(NOTICES, ["tester"])
        symbols = [f"{number:06d}" for number in range(50)]
        stream.want(TRADES, symbols, Rank.SYMBOL)
        await until(lambda: stream.holds(TRADES, "000039"))
        assert stub.most_held == 41
        assert not stream.holds(TRADES, "000040")
        stream.want(TRADES, ["000045", "000049"], Rank.HELD_SYMBOL)
        await until(lambda: stream.holds(TRADES, "000045") and stream.holds(TRADES, "000049"))
        assert [stream.holds(TRADES, key) for key in ("000037", "000038", "000039")] == [True, False, False]
        assert stub.most_held == 41
        assert stream.holds(NOTICES, "tester")


async def test_endless_swapping_is_slowed_down():
    async with session() as (_, stream, clock):
        await stream.register(TRADES, [f"{number:06d}" for number in range(41)])
        stream._registrations.want([(TRADES, f"{number:06d}") for number in range(41)], Rank.SYMBOL)
        began = clock.monotonic()
        for turn in range(12):
            ranks = (Rank.HELD_SYMBOL, Rank.SYMBOL) if turn % 2 else (Rank.SYMBOL, Rank.HELD_SYMBOL)
            stream.want(TRADES, ["900000"], ranks[0])
            stream.want(TRADES, ["900001"], ranks[1])
            key = "900000" if turn % 2 else "900001"
            await until(lambda key=key: stream.holds(TRADES, key))
        assert clock.monotonic() - began >= 10


@pytest.mark.parametrize(
    "frame",
    [
        build_frame(NOTICES, [["x"] * 26], CipherKey("q" * 32, "i" * 16)),
        f"1|{NOTICES}|001|AAAA",
        f"1|{NOTICES}|001|not base64",
        f"0|{NOTICES}|001|" + "^".join(["x"] * 26),
    ],
    ids=["wrong key", "padding", "base64", "plain"],
)
async def test_t20_a_notice_that_does_not_open_is_told_and_asked_for_by_rest(frame):
    async with session() as (stub, stream, _):
        seen = Seen()
        stream.attach(NOTICES, seen.taker())
        await stream.register(NOTICES, ["tester"])
        with capture_logs() as told:
            await stub.push(frame)
            await until(lambda: stream.malformed == 1)
        assert (seen.records, seen.gaps, stream.received) == ([], 1, 1)
        assert [entry["log_level"] for entry in told if entry["event"] == "stream.frame_malformed"] == ["error"]
        assert "xxxx" not in repr(told)


async def test_t20_a_key_that_changed_is_fetched_with_a_new_registration():
    async with session() as (stub, stream, _):
        seen = Seen()
        stream.attach(NOTICES, seen.taker())
        await stream.register(NOTICES, ["tester"])
        other = CipherKey("q" * 32, "j" * 16)
        stub.ack_key = other
        await stub.push(build_frame(NOTICES, [["x"] * 26], other))
        await until(lambda: len(stub.subscribed) == 2)
        await until(lambda: stream.holds(NOTICES, "tester"))
        await stub.push(build_frame(NOTICES, [["x"] * 26], other))
        await until(lambda: seen.records)


async def test_t20_the_key_of_a_session_that_ended_opens_nothing_in_the_next():
    async with session(ack_timeout_s=0.1) as (stub, stream, _):
        await stream.register(NOTICES, ["tester"])
        stub.ack_key = None
        await stub.sockets[-1].close()
        await until(lambda: stream.reconnects == 1 and stream.connected)
        assert not stream.holds(NOTICES, "tester")


async def test_an_encrypted_stream_without_a_key_does_not_count_as_held():
    async with session(ack_timeout_s=0.1) as (stub, stream, _):
        stub.ack_key = None
        with pytest.raises(Retryable):
            await stream.register(NOTICES, ["tester"])
        assert not stream.holds(NOTICES, "tester")
        stub.ack_key = KEY
        await until(lambda: stream.holds(NOTICES, "tester"))


async def test_t21_a_storm_of_heart_beats_is_bounded_work():
    async with session() as (stub, stream, _):
        await stream.register(TRADES, ["005930"])
        for number in range(2_000):
            await stub.push(control.build_ping(f"{number:014d}"))
        await stub.push("0|x")
        await until(lambda: stream.malformed == 1 and bool(stub.echoed))
        await asyncio.sleep(0.05)
        assert len(stub.echoed) <= 20


async def test_t21_data_without_heart_beats_is_a_living_stream(sample_trade):
    async with session(silence_s=0.3) as (stub, stream, _):
        await stream.register(TRADES, ["005930"])
        for _ in range(10):
            await stub.push(print_of(sample_trade))
            await asyncio.sleep(0.06)
        assert stream.reconnects == 0


async def test_a_frame_larger_than_eight_kilobytes_is_read(sample_trade):
    async with session() as (stub, stream, _):
        seen = Seen()
        stream.attach(TRADES, seen.taker())
        await stream.register(TRADES, ["005930"])
        await stub.push(print_of(sample_trade, 999))
        await until(lambda: stream.received == 1)
        assert len(seen.records) == 999


async def test_a_taker_of_whole_frames_gets_them_and_its_refusals_count(sample_trade):
    async with session() as (stub, stream, _):
        frames, gaps = [], []

        def take(frame) -> None:
            frames.append(frame)

        stream.attach(TRADES, Taker(lambda _: None, lambda: gaps.append(1), take))
        await stream.register(TRADES, ["005930"])
        await stub.push(print_of(sample_trade, 3))
        await until(lambda: stream.received == 1)
        assert [frame.count for frame in frames] == [3]
        assert gaps == []


async def test_closing_for_good_is_no_gap():
    async with session() as (_, stream, _):
        seen = Seen()
        stream.attach(TRADES, seen.taker())
        await stream.register(TRADES, ["005930"])
        await stream.close()
        assert seen.gaps == 0


async def test_pauses_are_spread_by_the_dice():
    import numpy as np

    slept = []
    for seed in (1, 2):
        async with serving() as stub:
            clock = Patient()
            async with KisRest(stub.settings(ws_url="ws://127.0.0.1:1"), clock) as rest:
                stream = KisStream(rest.settings, clock, rest.approval_key, np.random.default_rng(seed))
                stream.want(TRADES, ["005930"], Rank.SYMBOL)
                await until(lambda clock=clock: len(clock.slept) >= 4)
                await stream.close()
            slept.append(clock.slept[:4])
    assert slept[0] != slept[1]
    assert all(
        0.75 * base <= pause <= 1.25 * base for one in slept for pause, base in zip(one, (1, 2, 4, 8), strict=True)
    )
