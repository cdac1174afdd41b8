"""A client that sends what it is told, byte by byte, and shows what comes back as it came: the wire without a library.

Here: one key on one domain (`Client`), a WebSocket session (`Stream`). Not here: what ought to come.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from clients.driving import ACCOUNT, APP_KEY, SECRET, SYMBOL, Emulated

CANO, PRODUCT = ACCOUNT.split("-")
QUOTES = "/uapi/domestic-stock/v1/quotations/"
TRADING = "/uapi/domestic-stock/v1/trading/"


class Client:
    """A client of one key on one domain that sends what it is told and shows what comes back, byte by byte."""

    def __init__(self, emulator: Emulated, key: str = APP_KEY, side: str = "real") -> None:
        self.emulator, self.key, self.side, self.token = emulator, key, side, ""

    def url(self, what: str = "rest", side: str = "") -> str:
        return str(self.emulator.ready[f"{what}_{side or self.side}"])

    async def send(self, *requests: bytes, side: str = "") -> list[tuple[str, dict[str, str], bytes]]:
        """Send requests one after the other on one connection; return status line, headers as sent, body of each."""
        host, port = self.url(side=side).removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        found = []
        try:
            for request in requests:
                writer.write(request)
                head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
                headers = dict(
                    line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in head[1:] if line
                )
                body = await asyncio.wait_for(reader.readexactly(int(headers["Content-Length"])), 5)
                found.append((head[0], headers, body))
        finally:
            writer.close()
        return found

    def request(self, method: str, path: str, tr_id: str = "", body: object = None, **headers: str) -> bytes:
        data = b"" if body is None else json.dumps(body).encode()
        lines = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {self.token}",
            "appkey": self.key,
            "appsecret": SECRET,
            "tr_id": tr_id,
            **{name.replace("__", "-"): value for name, value in headers.items()},
            "Content-Length": str(len(data)),
        }
        head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""]
        return "\r\n".join(head).encode() + data

    async def ask(self, method: str, path: str, tr_id: str = "", body: object = None, **headers: str) -> Any:
        """Return status and JSON of one request."""
        ((status, _, answer),) = await self.send(self.request(method, path, tr_id, body, **headers))
        return int(status.split(" ")[1]), json.loads(answer)

    async def log_in(self) -> Client:
        body = {"grant_type": "client_credentials", "appkey": self.key, "appsecret": SECRET}
        _, told = await self.ask("POST", "/oauth2/tokenP", body=body)
        self.token = told["access_token"]
        return self

    async def approval(self, side: str = "") -> str:
        body = {"grant_type": "client_credentials", "appkey": self.key, "secretkey": SECRET}
        ((_, _, answer),) = await self.send(self.request("POST", "/oauth2/Approval", body=body), side=side)
        return json.loads(answer)["approval_key"]

    async def order(self, quantity: int = 3, tr_id: str = "TTTC0802U", **more: str) -> Any:
        body = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "PDNO": SYMBOL, "ORD_DVSN": "01", "ORD_QTY": str(quantity)}
        return (await self.ask("POST", f"{TRADING}order-cash", tr_id, {**body, "ORD_UNPR": "0", **more}))[1]


class Stream:
    """A WebSocket session that registers and keeps what comes."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, approval: str) -> None:
        self.socket, self.approval = socket, approval

    async def told(self) -> Any:
        return (await self.socket.receive(timeout=5)).data

    async def register(self, tr_id: str, tr_key: str, tr_type: str = "1", **header: str) -> dict[str, Any]:
        head = {"approval_key": self.approval, "custtype": "P", "tr_type": tr_type, "content-type": "utf-8", **header}
        await self.socket.send_str(json.dumps({"header": head, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}}))
        return json.loads(await self.told())


async def stepped(client: Client, http: aiohttp.ClientSession, nanoseconds: int) -> dict[str, Any]:
    control = client.emulator.ready["control"]
    to = client.emulator.service.core.now + nanoseconds
    async with http.post(f"{control}/clock", json={"advance_to": to}) as answer:
        return await answer.json()
