"""Every fact of the WebSocket wire that the three clients rely on, with a raw client: guarded without them too.

Beside each fact stands who would break. Sources: python-kis 2.1.6, mojito2 0.1.6, KIS samples of 2026-07, read and run.
"""

from __future__ import annotations

import json

import aiohttp
import pytest

from clients.driving import APP_KEY, MOCK_KEY, SYMBOL, Emulated, emulated
from clients.raw import CANO, PRODUCT, Client, Stream, stepped
from contract.worlds import small_world
from haetae.domain.units import NS_PER_MINUTE
from haetae.kis.wire.frames import CipherKey, parse_frame, records


@pytest.mark.parametrize("path", ["", "/", "/tryitout", "/tryitout/H0STCNT0"])
async def test_every_path_of_the_stream_registers(client: Client, http: aiohttp.ClientSession, path: str) -> None:
    """mojito connects to the bare host, python-kis and the samples to ``/tryitout``."""
    async with http.ws_connect(client.url("ws") + path) as socket:
        ack = await Stream(socket, await client.approval()).register("H0STCNT0", SYMBOL, personalseckey="1")
    assert ack["header"] == {"tr_id": "H0STCNT0", "tr_key": SYMBOL, "encrypt": "N"}
    assert (len(ack["body"]["output"]["key"]), len(ack["body"]["output"]["iv"])) == (32, 16)
    assert (ack["body"]["rt_cd"], ack["body"]["msg_cd"], ack["body"]["msg1"]) == ("0", "OPSP0000", "SUBSCRIBE SUCCESS")


@pytest.mark.parametrize("asked_at", ["real", "mock"])
async def test_approval_key_of_either_host_is_good_on_the_real_stream(
    client: Client, http: aiohttp.ClientSession, asked_at: str
) -> None:
    """python-kis in mock mode asks the mock host with the real key and shows what it got to the real stream."""
    approval = await client.approval(asked_at)
    async with http.ws_connect(client.url("ws") + "/tryitout") as socket:
        assert (await Stream(socket, approval).register("H0STCNT0", SYMBOL))["body"]["rt_cd"] == "0"


async def test_notices_go_to_the_session_of_the_key_that_ordered(
    emulator: Emulated, http: aiohttp.ClientSession
) -> None:
    """Each client names an HTS ID of its own liking, python-kis that of the login, the samples the one configured."""
    mine, other = await Client(emulator).log_in(), await Client(emulator, "PSother" + "0" * 29).log_in()
    async with (
        http.ws_connect(mine.url("ws")) as one,
        http.ws_connect(mine.url("ws") + "/tryitout") as two,
    ):
        stream, strange = Stream(one, await mine.approval()), Stream(two, await other.approval())
        ack = await stream.register("H0STCNI0", "whoever")
        assert (await strange.register("H0STCNI0", "whoever"))["body"]["rt_cd"] == "0"
        assert (ack["header"]["encrypt"], len(ack["body"]["output"]["key"]), len(ack["body"]["output"]["iv"])) == (
            "Y",
            32,
            16,
        )
        number = (await mine.order())["output"]["ODNO"]
        sent = (await stepped(mine, http, NS_PER_MINUTE))["ws_sent"]
        assert (sent[mine.key], sent.get(other.key, 0)) == (2, 0)
        key = CipherKey(ack["body"]["output"]["key"], ack["body"]["output"]["iv"])
        told = [records(parse_frame(await stream.told()), key)[0] for _ in range(2)]
        assert [(row[1], row[2], row[13], int(row[9])) for row in told] == [
            (CANO + PRODUCT, number, "1", 3),
            (CANO + PRODUCT, number, "2", 3),
        ]


@pytest.mark.parametrize(("side", "tr_id"), [("real", "H0GSCNI0"), ("mock", "H0GSCNI9")])
async def test_notice_of_executions_abroad_is_registered_counts_and_stays_silent(
    emulator: Emulated, http: aiohttp.ClientSession, side: str, tr_id: str
) -> None:
    """python-kis registers it beside the domestic one, whatever the account holds."""
    client = await Client(emulator, APP_KEY if side == "real" else MOCK_KEY, side).log_in()
    async with http.ws_connect(client.url("ws") + "/tryitout") as socket:
        stream = Stream(socket, await client.approval())
        ack = await stream.register(tr_id, "tester")
        assert (ack["header"]["encrypt"], ack["body"]["rt_cd"], len(ack["body"]["output"]["key"])) == ("Y", "0", 32)
        await client.order(tr_id="TTTC0802U" if side == "real" else "VTTC0802U")
        assert (await stepped(client, http, NS_PER_MINUTE))["ws_sent"][client.key] == 0
        for name in small_world().symbols[:40]:
            assert (await stream.register("H0STCNT0", name))["body"]["rt_cd"] == "0"
        assert (await stream.register("H0STCNT0", small_world().symbols[40]))["body"]["msg_cd"] == "OPSP0008"


@pytest.mark.parametrize(
    ("trade_fields", "notice_fields", "widths"),
    [(46, 23, (46, 59, 23)), (46, 26, (46, 59, 26)), (47, 26, (47, 60, 26))],
)
async def test_schema_generations_by_the_switch_of_the_server(
    http: aiohttp.ClientSession, trade_fields: int, notice_fields: int, widths: tuple[int, int, int]
) -> None:
    """Each client was written for one of them; which is asked for is what is sent, nothing else."""
    async with emulated(trade_fields=trade_fields, notice_fields=notice_fields) as emulator:
        client = await Client(emulator).log_in()
        async with http.ws_connect(client.url("ws") + "/tryitout") as socket:
            stream = Stream(socket, await client.approval())
            for tr_id in ("H0STCNT0", "H0STASP0"):
                await stream.register(tr_id, SYMBOL)
            cipher = (await stream.register("H0STCNI0", "tester"))["body"]["output"]
            await client.order()
            sent = (await stepped(client, http, NS_PER_MINUTE))["ws_sent"][client.key]
            key = CipherKey(cipher["key"], cipher["iv"])
            frames = [parse_frame(await stream.told()) for _ in range(sent)]
    found = {frame.tr_id: {len(row) for row in records(frame, key)} for frame in frames}
    assert found == {tr_id: {width} for tr_id, width in zip(("H0STCNT0", "H0STASP0", "H0STCNI0"), widths, strict=True)}


async def test_second_session_of_a_key_is_refused_and_the_first_goes_on(
    client: Client, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(client.url("ws")) as one, http.ws_connect(client.url("ws")) as two:
        first, second = Stream(one, await client.approval()), Stream(two, await client.approval())
        assert (await first.register("H0STCNT0", SYMBOL))["body"]["rt_cd"] == "0"
        refused = await second.register("H0STCNT0", SYMBOL)
        assert refused["header"] == {"tr_id": "(null)", "tr_key": "", "encrypt": "N"}
        assert (refused["body"]["rt_cd"], refused["body"]["msg_cd"]) == ("9", "OPSP8996")
        assert (await first.register("H0STASP0", SYMBOL))["body"]["rt_cd"] == "0"


async def test_forty_second_registration_is_refused_until_one_is_given_up(
    client: Client, http: aiohttp.ClientSession
) -> None:
    names = small_world().symbols
    async with http.ws_connect(client.url("ws")) as socket:
        stream = Stream(socket, await client.approval())
        assert (await stream.register("H0STCNI0", "tester"))["body"]["rt_cd"] == "0"
        for name in names[:40]:
            assert (await stream.register("H0STCNT0", name))["body"]["rt_cd"] == "0"
        refused = await stream.register("H0STCNT0", names[40])
        assert (refused["body"]["rt_cd"], refused["body"]["msg_cd"]) == ("1", "OPSP0008")
        assert (await stream.register("H0STCNT0", names[0], "2"))["body"]["msg_cd"] == "OPSP0001"
        assert (await stream.register("H0STCNT0", names[40]))["body"]["rt_cd"] == "0"


@pytest.mark.parametrize("answer", ["echo", "pong frame", "nothing"])
async def test_heart_beat_may_be_answered_in_any_way_or_not_at_all(http: aiohttp.ClientSession, answer: str) -> None:
    """python-kis and mojito echo the text, the samples send a PONG frame; a session lives on without either."""
    async with emulated(ping_interval_s=0.05) as emulator:
        client = await Client(emulator).log_in()
        async with http.ws_connect(client.url("ws") + "/tryitout") as socket:
            for _ in range(4):
                text = (await socket.receive(timeout=5)).data
                head = json.loads(text)["header"]
                assert (head["tr_id"], set(head)) == ("PINGPONG", {"tr_id", "datetime"})
                if answer == "echo":
                    await socket.send_str(text)
                elif answer == "pong frame":
                    await socket.pong(text.encode())
            stream = Stream(socket, await client.approval())
            ack = await stream.register("H0STCNT0", SYMBOL)
            while ack["header"]["tr_id"] == "PINGPONG":
                ack = json.loads(await stream.told())
            assert ack["body"]["rt_cd"] == "0"


async def test_ping_frames_of_a_client_are_answered(client: Client) -> None:
    """The library under the samples pings every 20 s and closes a session that does not answer."""
    async with aiohttp.ClientSession() as session, session.ws_connect(client.url("ws"), autoping=False) as socket:
        await socket.ping(b"are you there")
        answer = await socket.receive(timeout=5)
        assert (answer.type, bytes(answer.data)) == (aiohttp.WSMsgType.PONG, b"are you there")
