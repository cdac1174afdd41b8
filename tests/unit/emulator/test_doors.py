"""Ports: what is bound, who is refused, and what a stranger is told."""

import asyncio
import json
import socket

import aiohttp
import pytest

from haetae.domain.errors import ConfigError
from haetae.emulator.server import open_service
from haetae.emulator.settings import OutageSettings
from unit.emulator.service_rig import DAY, KEY, SECRET, shared_world
from unit.emulator.wire_rig import OPEN, PRICE, QUOTES, read_answer, register, running, settings

DOORS = ("rest_real", "rest_mock", "ws_real", "ws_mock", "control")


def can_bind(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.mark.parametrize("door", DOORS)
async def test_a_taken_port_is_named_and_nothing_stays_bound(door: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        free = [port_of_free() for _ in DOORS]
        ports = {f"{name}_port": port for name, port in zip(DOORS, free, strict=True)} | {f"{door}_port": taken}
        with pytest.raises(ConfigError) as caught:
            async with open_service(settings(**ports), shared_world()):
                pass
        assert str(taken) in caught.value.found
        assert all(can_bind(port) for name, port in ports.items() if port != taken)


def port_of_free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def test_every_port_is_free_again_after_the_end() -> None:
    async with running() as client:
        ports = [int(client.ready[name].rsplit(":", 1)[1]) for name in DOORS]
        assert not any(map(can_bind, ports))
        await client.connect("rest_real")
        await client.session.ws_connect(f"{client.ready['ws_real']}/")
    assert all(map(can_bind, ports))


async def test_doubled_slashes_any_casing_and_no_customer_type_are_taken() -> None:
    async with running() as client:
        reader, writer = await client.connect()
        path = f"/{QUOTES}inquire-price?fid_input_iscd=005930&Fid_Cond_Mrkt_Div_Code=J"
        writer.write(client.request(path, "FHKST01010100").replace(b"appKey", b"aPPKey"))
        head, body = await read_answer(reader)
        assert json.loads(body)["output"]["stck_shrn_iscd"] == "005930"
        names = [line.split(":")[0] for line in head.split("\r\n")[1:] if line]
        assert [name for name in names if name == name.lower()] == ["tr_id", "tr_cont", "gt_uid"]
        assert "tr_cont: \r\n" in head
        writer.write(client.request(path, "FHKST01010100").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await read_answer(reader)
        assert await asyncio.wait_for(reader.read(), 2) == b""


@pytest.mark.parametrize("path", ["", "/", "/tryitout", "/tryitout/H0STCNT0", "//tryitout"])
async def test_streams_are_served_on_every_path_clients_use(path: str) -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}{path}") as ws:
        assert (await register(ws, await client.approval(), "H0STCNT0", "005930")).rt_cd == "0"


async def test_pings_are_answered_and_pongs_and_silence_taken() -> None:
    async with (
        running(ping_interval_s=0.05) as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/", autoping=False) as ws,
    ):
        await ws.ping(b"are you there")
        while (message := await ws.receive(timeout=2)).type is not aiohttp.WSMsgType.PONG:
            assert message.type is aiohttp.WSMsgType.TEXT
        assert message.data == b"are you there"
        await ws.pong(b"unasked")
        assert "PINGPONG" in (await ws.receive(timeout=2)).data
        await ws.send_str((await ws.receive(timeout=2)).data)
        assert "PINGPONG" in (await ws.receive(timeout=2)).data


async def test_an_ordinary_request_on_a_stream_port_is_told_so() -> None:
    async with running() as client:
        url = client.ready["ws_real"].replace("ws://", "http://")
        async with client.session.get(url) as answer:
            assert answer.status == 400


@pytest.mark.parametrize(
    ("path", "tr_id", "code"),
    [
        (f"{QUOTES}no-such-call", "FHKST01010100", "MCA00124"),
        (f"{QUOTES}inquire-price", "FHKST99999999", "MCA00124"),
        (f"{QUOTES}inquire-price", "", "MCA00124"),
        ("/", "FHKST01010100", "MCA00124"),
        (f"{QUOTES}inquire-elw-price", "FHKEW15010000", "MCA00124"),
    ],
)
async def test_what_is_not_known_is_refused_and_never_made_up(path: str, tr_id: str, code: str) -> None:
    async with running() as client:
        url = f"{client.ready['rest_real']}{path}"
        async with client.session.get(url, headers=client.headers(tr_id)) as answer:
            body = await answer.json()
            assert (answer.status, body["rt_cd"], body["msg_cd"]) == (500, "1", code)
            assert set(body) == {"rt_cd", "msg_cd", "msg1"}


async def test_the_other_domains_tr_is_refused_with_the_services_words() -> None:
    async with running() as client:
        mock = {"grant_type": "client_credentials", "appkey": "M" * 36, "appsecret": SECRET}
        token = (await client.post(f"{client.ready['rest_mock']}/oauth2/tokenP", mock))["access_token"]
        headers = {"authorization": f"Bearer {token}", "appkey": "M" * 36, "appsecret": SECRET, "tr_id": "TTTC8434R"}
        url = f"{client.ready['rest_mock']}/uapi/domestic-stock/v1/trading/inquire-balance"
        async with client.session.get(url, headers=headers) as answer:
            body = await answer.json()
            assert (body["msg_cd"], body["msg1"]) == ("EGW02004", "모의투자 TR 이 아닙니다.")


async def test_servers_may_have_schemas_of_their_own() -> None:
    chosen = {"trade_fields": 47, "notice_fields": 26, "mock_trade_fields": 46, "mock_notice_fields": 23}
    async with running(**chosen) as client:
        mock = {"grant_type": "client_credentials", "appkey": "M" * 36, "appsecret": SECRET, "secretkey": SECRET}
        token = (await client.post(f"{client.ready['rest_mock']}/oauth2/tokenP", mock))["access_token"]
        mock_approval = (await client.post(f"{client.ready['rest_mock']}/oauth2/Approval", mock))["approval_key"]
        from haetae.kis.wire.frames import parse_frame, records

        async with (
            client.session.ws_connect(f"{client.ready['ws_real']}/") as real,
            client.session.ws_connect(f"{client.ready['ws_mock']}/") as other,
        ):
            approval = await client.approval()
            keys = {}
            for ws, key, notices in ((real, approval, "H0STCNI0"), (other, mock_approval, "H0STCNI9")):
                await register(ws, key, "H0STCNT0", "005930")
                keys[ws] = (await register(ws, key, notices, "id")).key
            await client.buy()
            headers = {"authorization": f"Bearer {token}", "appkey": "M" * 36, "appsecret": SECRET}
            body = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_DVSN": "01", "ORD_UNPR": "0"}
            url = f"{client.ready['rest_mock']}/uapi/domestic-stock/v1/trading/order-cash"
            answer = await client.post(url, {**body, "ORD_QTY": "1"}, {**headers, "tr_id": "VTTC0012U"})
            assert answer["rt_cd"] == "0"
            await client.to(30)
            for ws, trades, notices in ((real, 47, 26), (other, 46, 23)):
                frames = [parse_frame((await ws.receive(timeout=2)).data) for _ in range(3)]
                widths = {frame.encrypted: len(records(frame, keys[ws])[0]) for frame in frames}
                assert widths == {False: trades, True: notices}


async def test_the_mock_host_refuses_connections_at_weekends_where_asked() -> None:
    import datetime as dt

    from haetae.domain.units import instant_at

    saturday = instant_at(DAY + dt.timedelta(days=5), 100_000)
    async with running(outages=OutageSettings(mock_weekends=True)) as client:
        await client.connect("rest_mock")
        await client.control("/clock", {"advance_to": saturday})
        with pytest.raises(ConnectionRefusedError):
            await client.connect("rest_mock")
        await client.connect("rest_real")
        await client.control("/clock", {"advance_to": saturday + 2 * 86_400 * 10**9})
        await client.connect("rest_mock")


async def test_a_session_that_reads_nothing_does_not_hold_up_the_market() -> None:
    async with running(reader_patience_s=0.3) as client:
        ws = await client.session.ws_connect(f"{client.ready['ws_real']}/", max_msg_size=0)
        approval = await client.approval()
        for symbol in shared_world().symbols[:41]:
            await register(ws, approval, "H0STASP0", symbol)
        ws._response.connection.transport.pause_reading()
        far = OPEN + 5 * 3_600 * 10**9
        await asyncio.wait_for(client.control("/clock", {"advance_to": far}), 60)
        assert (await client.control("/state"))["now"] == far
        assert (await client.control("/lines")) == []
        assert (await client.get(*PRICE))["rt_cd"] == "0"


async def test_the_index_of_the_control_port_names_every_call() -> None:
    async with running() as client:
        index = await client.control("/")
        for route in index:
            assert route["gives"]
            if route["method"] == "GET":
                answer = await client.control(route["path"] + (route["takes"] and "?account=12345678"))
                assert "error" not in answer
        assert {(route["method"], route["path"]) for route in index} >= {("POST", "/faults"), ("GET", "/calls")}


async def test_orders_and_ledger_of_the_control_port_tell_what_is() -> None:
    async with running('[[fault]]\nid = "B01"\nwhat = { seconds = 3600 }\n') as client:
        await client.buy(ORD_QTY="2")
        await client.to(30)
        (order,) = await client.orders()
        assert (order["filled"], order["working"], order["mode"]) == (2, False, "real")
        ledger = await client.control("/ledger?account=12345678-01")
        assert (ledger["holdings"], ledger["balanced"]) == ({"005930": 2}, True)
        assert (await client.control("/ledger?account=99999999"))["accounts"] == []
        day = f"{DAY:%Y%m%d}"
        asked = f"CANO=12345678&ACNT_PRDT_CD=01&INQR_STRT_DT={day}&INQR_END_DT={day}"
        path = f"/uapi/domestic-stock/v1/trading/inquire-daily-ccld?{asked}"
        assert (await client.get(path, "TTTC0081R"))["output1"] == []


@pytest.mark.parametrize(
    "body", [{"step_s": -1}, {"step_s": "x"}, {"step_s": True}, {"speed": 1e9}, {"speed": float("nan")}]
)
async def test_clock_calls_out_of_range_are_refused(body: dict) -> None:
    async with running() as client:
        answer = await client.control("/clock", body)
        assert answer["expected"]


async def test_a_real_key_asks_the_mock_host_for_approval_and_streams_from_the_real_one() -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}/tryitout") as ws:
        approval = await client.approval("rest_mock")
        assert (await register(ws, approval, "H0STCNT0", "005930")).rt_cd == "0"
        lines = await client.control("/lines")
        assert lines[0]["app_key"] == f"{KEY[:4]}…"
