"""The emulator on sockets: header forms, streams, the control port."""

import asyncio
import json
import socket

import aiohttp
import pytest

from haetae.domain.errors import ConfigError
from haetae.domain.units import NS_PER_MINUTE
from haetae.emulator.server import serve
from haetae.kis.wire.control import read_control
from haetae.kis.wire.frames import is_data, parse_frame, records
from haetae.kis.wire.records import NoticeRecord, TradeRecord
from unit.emulator.service_rig import DAY, KEY, shared_world
from unit.emulator.wire_rig import OPEN, Client, register, settings


@pytest.fixture
async def client():
    async with serve(settings(), shared_world()) as ready, aiohttp.ClientSession() as session:
        yield await Client(ready, session).log_in()


async def test_header_names_are_what_third_party_clients_read(client: Client) -> None:
    host = client.ready["rest_real"].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host[0], int(host[1]))
    lines = [
        "GET //uapi/domestic-stock/v1/quotations/inquire-price?fid_input_iscd=005930 HTTP/1.1",
        f"Host: {host[0]}",
        *(f"{name}: {value}" for name, value in client.headers("FHKST01010100").items()),
        "",
        "",
    ]
    writer.write("\r\n".join(lines).encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    writer.close()
    assert head.startswith("HTTP/1.1 200")
    names = [line.split(":")[0] for line in head.split("\r\n")[1:] if line]
    assert {"Content-Type", "Content-Length", "tr_id", "tr_cont", "gt_uid"} <= set(names)
    assert [name for name in names if name == name.lower()] == ["tr_id", "tr_cont", "gt_uid"]


@pytest.mark.parametrize(("trade_fields", "notice_fields"), [(46, 23), (47, 26)])
async def test_trades_and_notices_have_the_widths_asked_for(trade_fields: int, notice_fields: int) -> None:
    chosen = settings(trade_fields=trade_fields, notice_fields=notice_fields)
    async with serve(chosen, shared_world()) as ready, aiohttp.ClientSession() as session:
        client = await Client(ready, session).log_in()
        approval = await client.approval("rest_mock")
        async with session.ws_connect(f"{ready['ws_real']}/tryitout") as ws:
            notice = await register(ws, approval, "H0STCNI0", "any-hts-id")
            assert notice.key is not None
            assert (await register(ws, approval, "H0STCNT0", "005930")).code == "OPSP0000"
            assert (await client.buy(ORD_QTY="3"))["rt_cd"] == "0"
            answer = await client.control("/clock", {"advance_to": OPEN + NS_PER_MINUTE})
            frames = []
            for _ in range(answer["ws_sent"][KEY]):
                frames.append(parse_frame((await ws.receive(timeout=5)).data))
            widths = {frame.tr_id: {len(row) for row in records(frame, notice.key)} for frame in frames}
            assert widths == {"H0STCNT0": {trade_fields}, "H0STCNI0": {notice_fields}}
            trades = [TradeRecord.decode(row) for f in frames if f.tr_id == "H0STCNT0" for row in records(f)]
            assert len(trades) == 4
            tape = shared_world().minutes(shared_world().row[DAY])
            column = shared_world().column["005930"]
            assert sum(trade.volume for trade in trades) == tape.volume[60, column]
            assert trades[-1].price == tape.close[60, column]
            told = [NoticeRecord.decode(row) for f in frames if f.encrypted for row in records(f, notice.key)]
            assert [record.executed for record in told][:1] == [False]
            assert sum(record.quantity for record in told if record.executed) == 3


async def test_second_session_of_a_key_and_the_42nd_registration_are_refused(client: Client) -> None:
    approval = await client.approval()
    symbols = shared_world().symbols
    async with client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
        for symbol in symbols[:41]:
            assert (await register(ws, approval, "H0STCNT0", symbol)).rt_cd == "0"
        assert (await register(ws, approval, "H0STCNT0", symbols[41])).code == "OPSP0008"
        assert (await register(ws, approval, "H0STCNT0", symbols[0])).code == "OPSP0002"
        assert (await register(ws, approval, "H0STXXX0", symbols[0])).code == "OPSP8991"
        assert (await register(ws, "no-such-key", "H0STCNT0", symbols[0])).code == "OPSP0011"
        async with client.session.ws_connect(f"{client.ready['ws_real']}/tryitout") as other:
            refused = await register(other, approval, "H0STCNT0", symbols[0])
            assert (refused.code, refused.rt_cd) == ("OPSP8996", "9")
        await ws.send_str("not json")
        assert read_control((await ws.receive(timeout=5)).data).code == "OPSP9999"


async def test_forty_symbols_of_a_moment_come_in_few_frames(client: Client) -> None:
    approval = await client.approval()
    async with client.session.ws_connect(f"{client.ready['ws_real']}/tryitout") as ws:
        for symbol in shared_world().symbols[:40]:
            await register(ws, approval, "H0STCNT0", symbol)
        answer = await client.control("/clock", {"advance_to": OPEN + NS_PER_MINUTE})
        counts = []
        for _ in range(answer["ws_sent"][KEY]):
            message = (await ws.receive(timeout=5)).data
            assert is_data(message)
            counts.append(parse_frame(message).count)
        assert max(counts) == 20
        assert len(counts) == 8


async def test_heart_beat_arrives_and_its_echo_is_ignored() -> None:
    chosen = settings(ping_interval_s=0.05)
    async with (
        serve(chosen, shared_world()) as ready,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{ready['ws_mock']}/tryitout") as ws,
    ):
        for _ in range(3):
            text = (await ws.receive(timeout=5)).data
            assert json.loads(text)["header"]["tr_id"] == "PINGPONG"
            await ws.send_str(text)


async def test_running_clock_moves_the_market_by_itself() -> None:
    async with serve(settings(speed=600.0), shared_world()) as ready, aiohttp.ClientSession() as session:
        client = Client(ready, session)
        await asyncio.sleep(0.3)
        state = await client.control("/state")
        assert state["now"] > OPEN + NS_PER_MINUTE
        paused = await client.control("/clock", {"pause": True})
        await asyncio.sleep(0.05)
        assert (await client.control("/state"))["now"] == paused["now"]


async def test_ledger_of_the_control_port_is_the_oracle(client: Client) -> None:
    assert (await client.buy(ORD_QTY="5"))["rt_cd"] == "0"
    await client.control("/clock", {"advance_to": OPEN + NS_PER_MINUTE})
    ledger = await client.control("/ledger?account=12345678")
    assert ledger["balanced"] is True
    assert ledger["holdings"] == {"005930": 5}
    spent = sum(fill["amount"] + fill["fee"] + fill["tax"] for fill in ledger["fills"])
    assert ledger["cash"] == 100_000_000 - spent
    calls = await client.control("/calls")
    assert (calls["violations"], calls["keys"][0]["by_tr"]["TTTC0012U"]) == (0, 1)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock", {}),
        ("/clock", {"speed": "fast"}),
        ("/clock", {"speed": -1}),
        ("/clock", {"advance_to": OPEN - 1}),
        ("/clock", {"advance_to": "tomorrow"}),
        ("/shock", {"at": OPEN - 1, "return_bp": -500}),
        ("/shock", {"at": OPEN + 1, "return_bp": -50_000}),
        ("/shock", {"at": OPEN + 1, "return_bp": -500, "symbols": ["999999"]}),
        ("/nothing", {}),
    ],
)
async def test_control_calls_that_cannot_be_done_say_what_is_expected(client: Client, path: str, body: dict) -> None:
    answer = await client.control(path, body)
    assert answer["expected"]
    assert answer["next_step"]


async def test_taken_port_is_one_clear_error_and_nothing_stays_open() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            async with serve(settings(ws_mock_port=taken), shared_world()):
                pass
        assert str(taken) in caught.value.found
        assert caught.value.next_step


async def test_only_loopback_is_bound(client: Client) -> None:
    for name in ("rest_real", "rest_mock", "ws_real", "ws_mock", "control"):
        assert "//127.0.0.1:" in client.ready[name]
