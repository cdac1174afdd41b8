"""Faults of the way: what a raw client on a socket sees of each, and what the broker has done all the same."""
# long: one test or more for each of the twenty-one faults, in the order of their table.

import asyncio
import json
import ssl
import time

import aiohttp
import pytest

from haetae.domain.errors import ConfigError
from haetae.emulator.faults.script import check_script
from haetae.emulator.server import open_service
from haetae.emulator.settings import LimitSettings
from unit.emulator.service_rig import KEY, Desk, shared_world
from unit.emulator.wire_rig import PRICE, TRADING, Client, collect, read_answer, register, running, settings


async def gone(reader: asyncio.StreamReader) -> bytes:
    """Return what came before the connection ended."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b"reset"


async def send(client: Client, data: bytes, door: str = "rest_real") -> asyncio.StreamReader:
    reader, writer = await client.connect(door)
    writer.write(data)
    await writer.drain()
    client.writers = [*getattr(client, "writers", []), writer]
    return reader


def broken(raw: bytes) -> tuple[bytes, bytes, int]:
    """Return head, body and the length that the head tells."""
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return head, body, int(length.split(b":")[1])


async def test_t01_connections_are_refused_for_a_while_and_kept_ones_end() -> None:
    async with running() as client:
        reader, writer = await client.connect()
        writer.write(client.request(*PRICE))
        await read_answer(reader)
        await client.arm(
            '[[fault]]\nid = "T01"\nwhen = { call = 2 }\nwhere = { operation = "quote" }\nwhat = { seconds = 0.4 }\n'
        )
        writer.write(client.request(*PRICE))
        await read_answer(reader)
        assert (await client.connect("rest_mock"))[0] is not None
        writer.write(client.request(*PRICE))
        await read_answer(reader)
        assert await gone(reader) in (b"", b"reset")
        for door in ("rest_real", "rest_mock"):
            with pytest.raises(ConnectionRefusedError):
                await client.connect(door)
        assert (await client.connect("ws_real"))[0] is not None
        assert await client.fired() == 1
        await asyncio.sleep(0.6)
        assert (await client.get(*PRICE))["rt_cd"] == "0"


async def test_t02_reset_before_the_body_means_that_no_order_is_taken() -> None:
    async with running('[[fault]]\nid = "T02"\n') as client:
        head, body = client.order_bytes().split(b"\r\n\r\n")
        reader = await send(client, head + b"\r\n\r\n" + body[: len(body) // 2])
        assert await gone(reader) == b"reset"
        assert await client.orders() == []
        assert await client.fired() == 1
        assert (await client.buy())["rt_cd"] == "0"


@pytest.mark.parametrize(("fault", "orders"), [("T03", 1), ("T04", 0)])
@pytest.mark.parametrize("how", ["closed", "reset", "silent"])
async def test_t03_and_t04_lose_the_answer_with_and_without_the_order(fault: str, orders: int, how: str) -> None:
    async with running(f'[[fault]]\nid = "{fault}"\nwhat = {{ how = "{how}" }}\n') as client:
        reader = await send(client, client.order_bytes())
        if how == "silent":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.3)
        else:
            assert await gone(reader) == (b"reset" if how == "reset" else b"")
        assert len(await client.orders()) == orders
        assert (await client.buy())["rt_cd"] == "0"


async def test_t03_leaves_quotes_and_other_symbols_alone() -> None:
    where = 'where = { operation = "order", symbol = "000660" }'
    async with running(f'[[fault]]\nid = "T03"\n{where}\ntimes = 0\n') as client:
        assert (await client.buy())["rt_cd"] == "0"
        assert (await client.get(*PRICE))["rt_cd"] == "0"
        assert await client.fired() == 0
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.buy(PDNO="000660")


async def test_t05_the_answer_comes_late() -> None:
    async with running('[[fault]]\nid = "T05"\nwhat = { seconds = 0.4 }\n') as client:
        begun = time.monotonic()
        reader = await send(client, client.order_bytes())
        await asyncio.sleep(0.1)
        assert len(await client.orders()) == 1
        assert time.monotonic() - begun < 0.3
        head, body = await read_answer(reader)
        assert time.monotonic() - begun >= 0.4
        assert head.startswith("HTTP/1.1 200")
        assert json.loads(body)["rt_cd"] == "0"


async def test_t05_may_be_late_on_the_markets_clock() -> None:
    async with running('[[fault]]\nid = "T05"\nclock = "market"\nwhat = { seconds = 30 }\n') as client:
        reader = await send(client, client.order_bytes())
        await client.to(29)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        await client.to(2)
        assert json.loads((await read_answer(reader))[1])["rt_cd"] == "0"


async def test_t05_drips_byte_by_byte() -> None:
    async with running('[[fault]]\nid = "T05"\nwhat = { how = "drip", seconds = 1.5 }\n') as client:
        begun = time.monotonic()
        reader = await send(client, client.order_bytes())
        pieces = []
        while piece := await asyncio.wait_for(reader.read(1 << 16), 5):
            pieces.append(piece)
        assert time.monotonic() - begun >= 1.4
        assert len(pieces) > 20
        _, body, length = broken(b"".join(pieces))
        assert len(body) == length
        assert json.loads(body)["rt_cd"] == "0"


async def test_t06_the_json_is_cut_while_the_length_is_right() -> None:
    async with running('[[fault]]\nid = "T06"\nwhat = { how = "truncated" }\n') as client:
        _, body = await read_answer(await send(client, client.order_bytes()))
        with pytest.raises(ValueError):
            json.loads(body)
        assert len(await client.orders()) == 1


@pytest.mark.parametrize("how", ["cut", "surplus"])
async def test_t06_the_length_that_is_told_is_not_what_comes(how: str) -> None:
    async with running(f'[[fault]]\nid = "T06"\nwhat = {{ how = "{how}" }}\n') as client:
        _, body, length = broken(await gone(await send(client, client.order_bytes())))
        assert (len(body) < length) if how == "cut" else (len(body) > length)
        assert body
        assert len(await client.orders()) == 1


@pytest.mark.parametrize(("taken", "orders"), [("false", 0), ("true", 1)])
async def test_t07_is_a_page_with_status_200(taken: str, orders: int) -> None:
    async with running(f'[[fault]]\nid = "T07"\nwhat = {{ taken = {taken} }}\n') as client:
        head, body = await read_answer(await send(client, client.order_bytes()))
        assert head.startswith("HTTP/1.1 200")
        assert "text/html" in head
        assert body.startswith(b"<!DOCTYPE html>")
        assert len(await client.orders()) == orders


@pytest.mark.parametrize(("taken", "orders"), [("false", 0), ("true", 1)])
@pytest.mark.parametrize(("status", "code"), [(500, "EGW00301"), (502, ""), (503, ""), (504, "EGW00302")])
async def test_t08_is_a_server_error(taken: str, orders: int, status: int, code: str) -> None:
    what = f'what = {{ status = {status}, code = "{code}", taken = {taken} }}'
    async with running(f'[[fault]]\nid = "T08"\n{what}\n') as client:
        head, body = await read_answer(await send(client, client.order_bytes()))
        assert head.startswith(f"HTTP/1.1 {status}")
        assert (json.loads(body)["msg_cd"] == code) if code else body.startswith(b"<!DOCTYPE")
        assert len(await client.orders()) == orders


async def test_t08_on_a_query_says_to_ask_again() -> None:
    fault = '[[fault]]\nid = "T08"\nwhere = { operation = "inquire-price" }\nwhat = { code = "EGW00316" }\n'
    async with running(fault) as client:
        assert (await client.get(*PRICE))["msg_cd"] == "EGW00316"
        assert (await client.get(*PRICE))["rt_cd"] == "0"


@pytest.mark.parametrize(("how", "status"), [("EGW00201", 500), ("EGW00215", 500), ("429", 429)])
async def test_t09_refuses_for_the_rate_and_takes_nothing(how: str, status: int) -> None:
    async with running(f'[[fault]]\nid = "T09"\nwhat = {{ how = "{how}" }}\ntimes = 2\n') as client:
        for _ in range(2):
            head, body = await read_answer(await send(client, client.order_bytes()))
            assert head.startswith(f"HTTP/1.1 {status}")
            assert how == "429" or json.loads(body)["msg_cd"] == how
        assert await client.orders() == []
        assert (await client.buy())["rt_cd"] == "0"


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_t10_closes_a_kept_connection_as_the_next_order_arrives(how: str) -> None:
    async with running(f'[[fault]]\nid = "T10"\nwhat = {{ how = "{how}" }}\n') as client:
        reader, writer = await client.connect()
        writer.write(client.order_bytes())
        await read_answer(reader)
        assert await client.fired() == 0
        writer.write(client.order_bytes())
        assert await gone(reader) == (b"reset" if how == "reset" else b"")
        assert len(await client.orders()) == 1
        assert await client.fired() == 1


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("expired", "expired"),
        ("unknown_ca", "unable to get local issuer"),
        ("wrong_host", "certificate is not valid for"),
    ],
)
async def test_t11_shows_a_certificate_that_must_be_refused(tmp_path, how: str, word: str) -> None:
    import datetime as dt

    from haetae.emulator.tls import open_authority

    authority = open_authority(tmp_path, dt.datetime.now(dt.UTC))
    trusted = ssl.create_default_context(cafile=authority.ca_file)
    async with (
        open_service(settings(), shared_world(), authority) as (service, ready),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session,
    ):
        client = await Client(ready, session, service).log_in()
        assert (await client.get(*PRICE))["rt_cd"] == "0"
        await client.arm(f'[[fault]]\nid = "T11"\nwhat = {{ how = "{how}", seconds = 0.5 }}\n')
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match=word):
            await client.get(*PRICE)
        await asyncio.sleep(0.7)
        assert (await client.get(*PRICE))["rt_cd"] == "0"
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


async def test_t11_without_tls_is_refused(tmp_path) -> None:
    async with running() as client:
        answer = await client.control("/faults", {"id": "T11"})
        assert "--tls" in answer["found"]
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nid = "T11"\n')
    with pytest.raises(ConfigError, match="T11"):
        async with open_service(settings(faults=path), shared_world()):
            pass


async def test_t12_every_answer_waits_at_least_its_latency() -> None:
    async with running('[[fault]]\nid = "T12"\nwhere = { operation = "quote" }\nwhat = { ms = 60 }\n') as client:
        for count in range(1, 4):
            begun = time.monotonic()
            assert (await client.get(*PRICE))["rt_cd"] == "0"
            assert time.monotonic() - begun >= 0.06
            assert await client.fired() == count


def test_t12_jitter_is_the_seeds() -> None:
    def waits(seed: int) -> list[float]:
        desk = Desk().log_in()
        what = f"what = {{ ms = 40, jitter_ms = 60 }}\nseed = {seed}\n"
        script, _ = check_script(f'[[fault]]\nid = "T12"\nwhere = {{ operation = "quote" }}\n{what}')
        desk.core.faults.arm(script.faults[0])
        asked = ("quotations/inquire-price", "FHKST01010100")
        return [desk.reply(*asked, FID_INPUT_ISCD="005930").delivery.wait_s for _ in range(50)]

    assert waits(5) == waits(5) != waits(6)
    assert 0.04 <= min(waits(5)) < 0.05
    assert 0.09 < max(waits(5)) <= 0.1


async def test_t13_nothing_gets_through_and_what_was_sent_is_lost() -> None:
    async with running() as client:
        kept, writer = await client.connect()
        writer.write(client.request(*PRICE))
        await read_answer(kept)
        await client.arm('[[fault]]\nid = "T13"\nwhat = { seconds = 0.6 }\n')
        fresh = await send(client, client.order_bytes())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fresh.read(1), 0.3)
        await asyncio.sleep(0.5)
        assert (await client.get(*PRICE))["rt_cd"] == "0"
        assert await client.orders() == []


async def test_t13_may_serve_late_what_came_meanwhile() -> None:
    for how, orders in (("late", 1), ("lost", 0)):
        async with running() as client:
            kept, writer = await client.connect()
            writer.write(client.request(*PRICE))
            await read_answer(kept)
            door = client.service.doors["rest_real"]
            fault = f'[[fault]]\nid = "T13"\nwhat = {{ seconds = 0.4, requests = "{how}", doors = ["rest_real"] }}\n'
            _, late = await client.connect()
            late.write(client.order_bytes()[:40])
            await asyncio.sleep(0.05)
            await client.arm(fault)
            assert not door.is_open
            late.write(client.order_bytes()[40:])
            await asyncio.sleep(0.2)
            assert await client.orders() == []
            await asyncio.sleep(0.4)
            assert len(await client.orders()) == orders
            late.close()


async def test_refusals_among_calls_that_a_dark_network_held_back_are_counted_apart() -> None:
    async with running(limits=LimitSettings(real_calls_per_second=3)) as client:
        await client.get(*PRICE)
        await client.to(2)
        await client.arm('[[fault]]\nid = "T13"\nwhat = { seconds = 0.4, requests = "late", doors = ["rest_real"] }\n')
        answers = await asyncio.gather(*(client.get(*PRICE) for _ in range(5)))
        assert sum(answer["rt_cd"] == "0" for answer in answers) == 3
        counts = await client.control("/calls")
        assert (counts["violations"], counts["violations_in_flood"]) == (2, 2)
        await client.to(3)
        for _ in range(4):
            await client.get(*PRICE)
        counts = await client.control("/calls")
        assert (counts["violations"], counts["violations_in_flood"]) == (3, 2)


async def test_t13_silences_the_streams_too() -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}/tryitout") as ws:
        await register(ws, await client.approval(), "H0STCNT0", "005930")
        await client.arm('[[fault]]\nid = "T13"\nclock = "market"\nwhat = { seconds = 60, doors = ["ws_real"] }\n')
        await client.to(59)
        assert await collect(ws) == []
        await client.to(61)
        assert await collect(ws)


async def test_t14_half_open_gives_nothing_and_the_key_is_free_later() -> None:
    async with running(ping_interval_s=0.05) as client:
        approval = await client.approval()
        async with (
            client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
            client.session.ws_connect(f"{client.ready['ws_real']}/") as other,
        ):
            await register(ws, approval, "H0STCNT0", "005930")
            await client.arm('[[fault]]\nid = "T14"\nwhen = { frame = 2 }\nwhat = { frees_key_after_s = 0.4 }\n')
            sent = await client.to(60)
            assert len(await collect(ws, 0.2)) == sent["ws_sent"][KEY] == 2
            assert not ws.closed
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=0.2)
            await asyncio.sleep(0.5)
            assert (await register_past_pings(other, approval)).rt_cd == "0"


async def register_past_pings(ws, approval: str):
    from haetae.kis.wire.control import Ack, Subscription, build_subscription, read_control

    await ws.send_str(build_subscription(Subscription(approval, "H0STCNT0", "005930", register=True)))
    while True:
        told = read_control((await ws.receive(timeout=5)).data)
        if isinstance(told, Ack):
            return told


async def test_t14_key_is_in_use_until_the_server_has_noticed() -> None:
    async with running() as client:
        approval = await client.approval()
        async with client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
            await register(ws, approval, "H0STCNT0", "005930")
            await client.arm('[[fault]]\nid = "T14"\nwhat = { frees_key_after_s = 30 }\n')
            async with client.session.ws_connect(f"{client.ready['ws_real']}/") as other:
                assert (await register(other, approval, "H0STCNT0", "005930")).code == "OPSP8996"


async def test_t14_no_data_keeps_the_heart_beat() -> None:
    async with (
        running(ping_interval_s=0.05) as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        await register(ws, await client.approval(), "H0STCNT0", "005930")
        await client.arm('[[fault]]\nid = "T14"\nwhat = { how = "no_data" }\n')
        sent = await client.to(60)
        assert sent["ws_sent"][KEY] == 0
        kinds = [json.loads((await ws.receive(timeout=2)).data)["header"]["tr_id"] for _ in range(3)]
        assert kinds == ["PINGPONG"] * 3


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
async def test_t15_the_session_closes_with_its_code(code: int) -> None:
    async with running() as client:
        approval = await client.approval()
        async with client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
            await register(ws, approval, "H0STCNT0", "005930")
            await client.arm(f'[[fault]]\nid = "T15"\nwhen = {{ at = "10:00:30" }}\nwhat = {{ code = {code} }}\n')
            await client.to(29)
            assert await collect(ws)
            await client.to(30)
            while (message := await ws.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
                pass
            assert ws.close_code == code
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        async with client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
            assert (await register(ws, approval, "H0STCNT0", "005930")).rt_cd == "0"


async def test_t16_every_session_ends_soon_until_it_is_over() -> None:
    async with running('[[fault]]\nid = "T16"\nwhat = { every_s = 0.15, seconds = 0.9 }\n') as client:
        lived = []
        for _ in range(3):
            begun = time.monotonic()
            async with client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
                message = await ws.receive(timeout=3)
                assert message.type is not aiohttp.WSMsgType.TEXT
            lived.append(time.monotonic() - begun)
        assert all(0.1 < life < 0.35 for life in lived), lived
        await asyncio.sleep(0.5)
        async with client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=0.4)


async def test_t21_heart_beats_are_withheld_or_storm() -> None:
    async with (
        running(ping_interval_s=0.05) as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        assert "PINGPONG" in (await ws.receive(timeout=2)).data
        await client.arm('[[fault]]\nid = "T21"\nwhat = { how = "withheld", seconds = 0.5 }\n')
        begun, beats = time.monotonic(), 0
        while time.monotonic() - begun < 0.4:
            assert "PINGPONG" in (await ws.receive(timeout=2)).data
            beats += 1
        assert beats <= 2
        await client.arm('[[fault]]\nid = "T21"\nwhat = { how = "storm", seconds = 1, per_second = 300 }\n')
        begun, beats = time.monotonic(), 0
        while time.monotonic() - begun < 0.8:
            assert "PINGPONG" in (await ws.receive(timeout=2)).data
            beats += 1
        assert beats > 100


async def test_sell_orders_are_struck_like_buys_and_changes(tmp_path) -> None:
    async with running('[[fault]]\nid = "T09"\nwhere = { tr = "TTTC0013U" }\n') as client:
        assert (await client.buy(ORD_DVSN="00", ORD_UNPR="1000"))["rt_cd"] in ("0", "7")
        body = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "ORGN_ODNO": "1", "KRX_FWDG_ORD_ORGNO": "06010"}
        url = f"{client.ready['rest_real']}{TRADING}order-rvsecncl"
        answer = await client.post(url, {**body, "RVSE_CNCL_DVSN_CD": "02"}, client.headers("TTTC0013U"))
        assert answer["msg_cd"] == "EGW00201"
