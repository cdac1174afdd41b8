"""A running emulator and clients that speak to its sockets, well-behaved ones and raw ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from haetae.domain.units import instant_at
from haetae.emulator.faults.script import check_script
from haetae.emulator.market import World
from haetae.emulator.server import open_service
from haetae.emulator.service import Service
from haetae.emulator.settings import EmulatorSettings, LimitSettings
from haetae.kis.wire.control import Ack, Subscription, build_subscription, read_control
from haetae.kis.wire.frames import is_data, parse_frame, records
from unit.emulator.service_rig import DAY, KEY, SECRET, SMALL, shared_world

OPEN = instant_at(DAY, 100_000)
NO_LIMITS = LimitSettings(real_calls_per_second=0, mock_calls_per_second=0)
QUOTES, TRADING = "/uapi/domestic-stock/v1/quotations/", "/uapi/domestic-stock/v1/trading/"
PRICE = (f"{QUOTES}inquire-price?FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930", "FHKST01010100")


def settings(**changes) -> EmulatorSettings:
    ports = {"rest_real_port": 0, "rest_mock_port": 0, "ws_real_port": 0, "ws_mock_port": 0}
    limits = LimitSettings(real_calls_per_second=0)
    return EmulatorSettings(**{"market": SMALL, "start": OPEN, "speed": 0.0, "limits": limits, **ports, **changes})


class Client:
    """A client of one running emulator."""

    def __init__(self, ready: dict, session: aiohttp.ClientSession, service: Service | None = None) -> None:
        self.ready, self.session, self.token, self.service = ready, session, "", service

    async def post(self, url: str, body: dict | str, headers: dict | None = None) -> dict:
        data = body if isinstance(body, str) else json.dumps(body)
        async with self.session.post(url, data=data, headers=headers) as answer:
            return await answer.json()

    async def control(self, path: str, body: dict | None = None, method: str = "") -> dict:
        url = f"{self.ready['control']}{path}"
        if body is not None:
            return await self.post(url, body)
        async with self.session.request(method or "GET", url) as answer:
            return await answer.json()

    async def arm(self, toml: str) -> list[int]:
        answer = await self.control("/faults", {"toml": toml})
        assert "keys" in answer, answer
        return answer["keys"]

    async def fired(self, place: int = 0) -> int:
        return (await self.control("/faults"))[place]["fired"]

    async def log_in(self, key: str = KEY) -> "Client":
        body = {"grant_type": "client_credentials", "appkey": key, "appsecret": SECRET}
        self.token = (await self.post(f"{self.ready['rest_real']}/oauth2/tokenP", body))["access_token"]
        return self

    def headers(self, tr_id: str, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "appKey": KEY, "appSecret": SECRET, "TR_ID": tr_id, **more}

    async def approval(self, host: str = "rest_real") -> str:
        body = {"grant_type": "client_credentials", "appkey": KEY, "secretkey": SECRET}
        return (await self.post(f"{self.ready[host]}/oauth2/Approval", body))["approval_key"]

    async def get(self, path: str, tr_id: str, **more: str) -> dict:
        url = f"{self.ready['rest_real']}{path}"
        async with self.session.get(url, headers=self.headers(tr_id, **more)) as answer:
            return await answer.json(content_type=None)

    async def buy(self, **body: str) -> dict:
        url = f"{self.ready['rest_real']}{TRADING}order-cash"
        values = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_DVSN": "01", "ORD_UNPR": "0", **body}
        return await self.post(url, {"ORD_QTY": "1", **values}, self.headers("TTTC0012U"))

    async def orders(self) -> list[dict]:
        """What has happened, whatever the lists say."""
        return await self.control("/orders?account=12345678")

    async def to(self, seconds: float) -> dict:
        return await self.control("/clock", {"step_s": seconds})

    def request(self, path: str, tr_id: str, body: dict | None = None) -> bytes:
        """Return the bytes of a request, for a raw socket."""
        data = json.dumps(body).encode() if body is not None else b""
        lines = [f"{'POST' if body is not None else 'GET'} {path} HTTP/1.1", "Host: broker"]
        lines += [f"{name}: {value}" for name, value in self.headers(tr_id).items()]
        lines += [f"Content-Length: {len(data)}"] if data else []
        return "\r\n".join([*lines, "", ""]).encode() + data

    def order_bytes(self) -> bytes:
        values = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_DVSN": "01", "ORD_UNPR": "0"}
        return self.request(f"{TRADING}order-cash", "TTTC0012U", {**values, "ORD_QTY": "1"})

    async def connect(self, door: str = "rest_real") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = urlsplit(self.ready[door])
        return await asyncio.open_connection(place.hostname, place.port)


@asynccontextmanager
async def running(faults: str = "", world: World | None = None, **changes) -> AsyncIterator[Client]:
    """Run an emulator with a stopped clock and a client that has logged in; then its faults are armed."""
    async with (
        open_service(settings(**changes), world or shared_world()) as (service, ready),
        aiohttp.ClientSession() as session,
    ):
        client = await Client(ready, session, service).log_in()
        if faults:
            _, mistakes = check_script(faults)
            assert not mistakes
            await client.arm(faults)
        yield client


async def read_answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return head and body of an honest answer on a raw socket."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length:"))
    return head, await asyncio.wait_for(reader.readexactly(int(length.split(":")[1])), 5)


async def register(ws, approval: str, tr_id: str, tr_key: str, *, on: bool = True) -> Ack:
    await ws.send_str(build_subscription(Subscription(approval, tr_id, tr_key, register=on)))
    ack = read_control((await ws.receive(timeout=5)).data)
    assert isinstance(ack, Ack)
    return ack


async def collect(ws, wait: float = 0.3) -> list[str]:
    """Return the data frames that come until nothing more does."""
    frames = []
    while True:
        try:
            message = await ws.receive(timeout=wait)
        except TimeoutError:
            return frames
        if message.type is not aiohttp.WSMsgType.TEXT:
            return frames
        if is_data(message.data):
            frames.append(message.data)


def rows_of(frames: list[str], tr_id: str = "H0STCNT0") -> list[list[str]]:
    parsed = [parse_frame(text) for text in frames]
    return [row for frame in parsed if frame.tr_id == tr_id for row in records(frame)]
