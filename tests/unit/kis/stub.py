"""A KIS of our own making for the tests of the connection: answers are scripted per operation name."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire import control
from haetae.kis.wire.envelope import build_refusal, build_reply
from haetae.kis.wire.frames import NOTICES, CipherKey
from haetae.kis.wire.operations import OPERATIONS, Mode, operation_for

KEY = CipherKey("k" * 32, "i" * 16)


@dataclass
class Answer:
    body: bytes
    status: int = 200
    tr_cont: str = ""
    delay_s: float = 0.0
    drop: bool = False


def ok(name: str, outputs=None, *, next_key: str = "") -> Answer:
    return Answer(build_reply(OPERATIONS[name], outputs or {}, next_key=next_key), tr_cont="M" if next_key else "D")


def refused(code: str, status: int = 500) -> Answer:
    return Answer(build_refusal(code), status)


@dataclass
class StubKis:
    """Scripted answers; the last one of an operation repeats. ``calls`` keeps (name, request, headers)."""

    answers: dict[str, list[Answer | Callable]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    tokens: int = 0
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    subscribed: list[tuple[str, str, bool]] = field(default_factory=list)
    echoed: list[str] = field(default_factory=list)
    ack_code: dict[tuple[str, str], str] = field(default_factory=dict)
    ack_key: CipherKey | None = KEY
    on_socket: Callable | None = None
    """What happens to each socket beside its registrations: a coroutine function of the socket."""
    tasks: list[asyncio.Task] = field(default_factory=list)
    held: dict[int, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    most_held: int = 0
    url: str = ""
    ws_url: str = ""

    def named(self, name: str) -> list[dict[str, str]]:
        return [request for called, request, _ in self.calls if called == name]

    async def rest(self, request: web.Request) -> web.StreamResponse:
        operation = operation_for(request.path, request.headers.get("tr_id", ""))
        if operation is None:
            return web.Response(status=404, body=build_refusal("MCA00124"))
        sent = await request.json() if request.method == "POST" else dict(request.query)
        asked = operation.read(sent)
        self.calls.append((operation.name, asked, {k.lower(): v for k, v in request.headers.items()}))
        if operation.name == "tokenP" and not self.answers["tokenP"]:
            self.tokens += 1
            body = {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 86400}
            return web.json_response(body)
        if operation.name == "Approval":
            return web.json_response({"approval_key": f"approval-{len(self.named('Approval'))}"})
        script = self.answers[operation.name]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if callable(answer):
            answer = answer(asked)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.drop:
            request.transport.close()
            return web.Response()
        return web.Response(body=answer.body, status=answer.status, headers={"tr_cont": answer.tr_cont})

    async def ws(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        held = self.held[len(self.sockets)]
        if self.on_socket is not None:
            self.tasks.append(asyncio.create_task(self.on_socket(socket)))
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            if "PINGPONG" in message.data:
                self.echoed.append(message.data)
                continue
            asked = control.read_subscription(message.data)
            self.subscribed.append((asked.tr_id, asked.tr_key, asked.register))
            code = self.ack_code.get((asked.tr_id, asked.tr_key))
            if code == "silent":
                continue
            code = code or (control.SUBSCRIBED if asked.register else control.UNSUBSCRIBED)
            if code == control.SUBSCRIBED:
                held.add((asked.tr_id, asked.tr_key))
            elif code == control.UNSUBSCRIBED:
                held.discard((asked.tr_id, asked.tr_key))
            self.most_held = max(self.most_held, len(held))
            key = self.ack_key if asked.tr_id in {NOTICES.real, NOTICES.mock} else None
            text = control.ACK_TEXTS[code]
            if code == control.APPKEY_IN_USE:
                await socket.send_str(control.build_ack(control.Ack("(null)", "", "9", code, text)))
                continue
            await socket.send_str(control.build_ack(control.Ack(asked.tr_id, asked.tr_key, "0", code, text, key)))
        return socket

    async def push(self, text: str) -> None:
        await self.sockets[-1].send_str(text)

    def settings(self, **changed) -> KisSettings:
        defaults = {
            "rest_url": self.url,
            "ws_url": self.ws_url,
            "app_key": "a" * 36,
            "app_secret": Secret("s" * 180),
            "account": "50123456",
            "mode": Mode.REAL,
            "hts_id": "tester",
            "calls_per_second": float("inf"),
            "read_timeout_s": 0.4,
            "connect_timeout_s": 0.4,
            "ack_timeout_s": 0.5,
        }
        return KisSettings(**{**defaults, **changed})


@asynccontextmanager
async def serving():
    stub = StubKis()
    application = web.Application()
    application.router.add_get("/tryitout", stub.ws)
    application.router.add_route("*", "/{path:.*}", stub.rest)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    stub.url, stub.ws_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    try:
        yield stub
    finally:
        for task in stub.tasks:
            task.cancel()
        await asyncio.gather(*stub.tasks, return_exceptions=True)
        for socket in stub.sockets:
            await socket.close()
        await runner.cleanup()


async def until(condition: Callable[[], bool], *, within_s: float = 15.0) -> None:
    """Wait for something that the event loop is about to do."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - any condition, not one event
            await asyncio.sleep(0.002)
