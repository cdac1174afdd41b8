"""The WebSocket session: acks awaited, frames delivered, everything registered anew after a loss."""

import asyncio

import pytest

from haetae.domain.errors import Fatal, Retryable
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream, Taker
from haetae.kis.wire import control
from haetae.kis.wire.frames import build_frame
from unit.kis.stub import KEY, serving, until
from unit.kis.test_rest import START, QuickClock


class Seen:
    """A taker that remembers."""

    def __init__(self) -> None:
        self.records: list[list[str]] = []
        self.gaps = 0

    def taker(self) -> Taker:
        return Taker(self.records.extend, self.gap)

    def gap(self) -> None:
        self.gaps += 1


@pytest.fixture
async def stub():
    async with serving() as running:
        yield running


@pytest.fixture
async def stream(stub):
    clock = QuickClock(START)
    async with KisRest(stub.settings(), clock) as rest:
        made = KisStream(rest.settings, clock, rest.approval_key)
        yield made
        await made.close()


async def test_registration_waits_for_every_ack(stub, stream):
    await stream.register("H0STCNT0", ["005930", "000660"])
    assert stub.subscribed == [("H0STCNT0", "005930", True), ("H0STCNT0", "000660", True)]
    assert stream.connected
    assert stream.free == 39
    assert not stream.busy


async def test_a_missing_ack_is_told_not_waited_for_for_ever(stub, stream):
    stub.ack_code["H0STCNT0", "000660"] = "silent"
    with pytest.raises(Retryable):
        await stream.register("H0STCNT0", ["005930", "000660"])


async def test_a_refused_registration_is_fatal(stub, stream):
    stub.ack_code["H0STCNT0", "000000"] = "OPSP8992"
    with pytest.raises(Fatal, match="invalid tr_key"):
        await stream.register("H0STCNT0", ["000000"])


async def test_the_forty_second_registration_is_refused_here_before_kis_sees_it(stub, stream):
    await stream.register("H0STCNI0", ["tester"])
    await stream.register("H0STCNT0", [f"{n:06d}" for n in range(40)])
    with pytest.raises(Fatal):
        await stream.register("H0STCNT0", ["999999"])
    assert len(stub.subscribed) == 41


async def test_the_same_pair_is_registered_once(stub, stream):
    await stream.register("H0STCNT0", ["005930"])
    await stream.register("H0STCNT0", ["005930"])
    assert len(stub.subscribed) == 1


async def test_all_records_of_a_frame_reach_the_taker_and_are_counted_afterwards(stub, stream, sample_trade):
    seen = Seen()
    stream.attach("H0STCNT0", seen.taker())
    await stream.register("H0STCNT0", ["005930"])
    await stub.push(build_frame("H0STCNT0", [sample_trade.encode()] * 3))
    await until(lambda: stream.received == 1)
    assert len(seen.records) == 3


async def test_encrypted_notices_open_with_the_key_of_the_ack(stub, stream):
    seen = Seen()
    stream.attach("H0STCNI0", seen.taker())
    await stream.register("H0STCNI0", ["tester"])
    await stub.push(build_frame("H0STCNI0", [[str(n) for n in range(26)]], KEY))
    await until(lambda: stream.received == 1)
    assert seen.records[0][25] == "25"


async def test_the_heart_beat_is_echoed(stub, stream):
    await stream.register("H0STCNT0", ["005930"])
    ping = control.build_ping("20261123090000")
    await stub.push(ping)
    await until(lambda: stub.echoed == [ping])
    assert stream.received == 0


async def test_a_frame_that_does_not_parse_is_counted_and_leaves_a_gap(stub, stream):
    seen = Seen()
    stream.attach("H0STCNT0", seen.taker())
    await stream.register("H0STCNT0", ["005930"])
    await stub.push("0|H0STCNT0|002|" + "^".join(["1"] * 91))
    await until(lambda: stream.malformed == 1)
    assert (seen.records, seen.gaps, stream.received) == ([], 1, 1)


async def test_after_a_loss_everything_is_registered_anew_and_every_taker_hears_of_the_gap(stub, stream):
    seen = Seen()
    stream.attach("H0STCNT0", seen.taker())
    await stream.register("H0STCNT0", ["005930"])
    await stream.register("H0STCNI0", ["tester"])
    stub.subscribed.clear()
    await stub.sockets[-1].close()
    await until(lambda: stream.reconnects == 1 and stream.connected)
    assert sorted(key for _, key, _ in stub.subscribed) == ["005930", "tester"]
    assert seen.gaps == 2  # at the loss, and when everything is held again
    assert len(stub.named("Approval")) == 1


async def test_what_was_given_back_is_not_registered_again(stub, stream):
    await stream.register("H0STCNT0", ["005930", "000660"])
    await stream.unregister("H0STCNT0", ["000660"])
    stub.subscribed.clear()
    await stub.sockets[-1].close()
    await until(lambda: stream.reconnects == 1 and stream.connected)
    assert stub.subscribed == [("H0STCNT0", "005930", True)]


async def test_an_unknown_approval_key_is_replaced(stub, stream):
    await stream.register("H0STCNT0", ["005930"])
    stub.ack_code["H0STCNT0", "005930"] = control.APPROVAL_UNKNOWN
    await stub.sockets[-1].close()
    await until(lambda: stream.reconnects >= 2)
    stub.ack_code.clear()
    await until(lambda: stream.connected)
    assert len(stub.named("Approval")) >= 2


async def test_registrations_that_an_expired_key_cannot_give_back_end_with_their_session(stub, stream):
    await stream.register("H0STCNT0", ["005930", "000660"])
    stub.ack_code["H0STCNT0", "005930"] = control.APPROVAL_UNKNOWN
    await stream.unregister("H0STCNT0", ["005930", "000660"])
    await until(lambda: len(stub.sockets) == 2 and stream.connected)
    stub.ack_code.clear()
    await stream.register("H0STCNT0", ["000660"])
    assert stream.holds("H0STCNT0", "000660")
    assert stub.held[2] == {("H0STCNT0", "000660")}
    assert len(stub.named("Approval")) == 2


async def test_a_silent_socket_counts_as_dead(stub):
    clock = QuickClock(START)
    async with KisRest(stub.settings(silence_s=0.1), clock) as rest:
        stream = KisStream(rest.settings, clock, rest.approval_key)
        await stream.register("H0STCNT0", ["005930"])
        await until(lambda: stream.reconnects >= 1)
        await stream.close()


async def test_a_server_that_is_not_there_is_tried_with_growing_pauses():
    async with serving() as stub:
        slept: list[float] = []

        class Remembering(QuickClock):
            async def sleep(self, seconds: float) -> None:
                slept.append(seconds)
                await asyncio.sleep(0)
                await super().sleep(seconds)

        clock = Remembering(START)
        async with KisRest(stub.settings(ws_url="ws://127.0.0.1:1"), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            waiting = asyncio.create_task(stream.register("H0STCNT0", ["005930"]))
            await until(lambda: len(slept) >= 4)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await stream.close()
        assert slept[:4] == sorted(slept[:4])
        assert slept[0] < slept[3]


async def test_received_counts_the_present_session(stub, stream, sample_trade):
    await stream.register("H0STCNT0", ["005930"])
    await stub.push(build_frame("H0STCNT0", [sample_trade.encode()]))
    await until(lambda: stream.received == 1)
    await stub.sockets[-1].close()
    await until(lambda: stream.reconnects == 1 and stream.connected)
    assert stream.received == 0
