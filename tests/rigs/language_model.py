"""An OpenAI-compatible server on loopback that answers by script: good, malformed, slow, hostile.

Each item of ``script`` answers one call, the last one all later calls. What it was asked stays in ``asked``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

MODEL = "watchdog-1"
USAGE = {"prompt_tokens": 1_500, "completion_tokens": 200, "total_tokens": 1_700}
KEY = "sk-canary-7f3a9b2c4d5e6f70"

Writer = asyncio.StreamWriter
Answering = Callable[[dict[str, Any], Writer], Awaitable[None]]


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def question(self) -> dict[str, Any]:
        """The sealed question of the first user message."""
        text = next(m["content"] for m in self.body["messages"] if m["role"] == "user")
        return json.loads(text.split("\n")[1])


@dataclass
class ModelServer:
    script: list[Answering]
    asked: list[Asked] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> ModelServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
            body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
            self.asked.append(Asked(first.split(" ")[1], headers, body))
            self.reached.set()
            await self.script[min(len(self.asked), len(self.script)) - 1](body, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(status: int, body: bytes, *, headers: str = "", kind: str = "application/json") -> bytes:
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{headers}"
    )
    return head.encode() + b"\r\n" + body


def completion(content: object, **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": changes.pop("finish_reason", "stop")}
    record = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
        "usage": USAGE,
    }
    return {**record, **changes}


def raw(payload: bytes) -> Answering:
    async def answer(body: dict[str, Any], writer: Writer) -> None:
        writer.write(payload)

    return answer


def status(code: int, error: dict[str, Any] | None = None, headers: str = "") -> Answering:
    return raw(http(code, json.dumps({"error": error or {"message": "no", "type": "t"}}).encode(), headers=headers))


def record(value: object) -> Answering:
    return raw(http(200, json.dumps(value).encode()))


def text(content: object, **changes: Any) -> Answering:
    """A well-formed completion with this content."""
    return record(completion(content, **changes))


def decision(**changes: Any) -> dict[str, Any]:
    return {
        "action": "approve",
        "target_fraction": 1.0,
        "confidence": 0.8,
        "p_up": 0.6,
        "p_down": 0.3,
        "horizon_sessions": 5,
        "expected_return_bp": 120,
        "stop_bp": -80,
        "invalidation": None,
        "evidence_ids": ["px:last", "policy:score"],
        "counter_evidence_ids": [],
        "risk_flags": [],
        "rationale": "거래대금이 늘고 추세가 오릅니다.",
        **changes,
    }


def reviewing(edit: Callable[[str], object] = lambda text: text, **changes: Any) -> Answering:
    """Answers the question it is asked, with ``changes`` to the decision and ``edit`` of its text."""

    async def answer(body: dict[str, Any], writer: Writer) -> None:
        user = next(m["content"] for m in body["messages"] if m["role"] == "user")
        question = json.loads(user.split("\n")[1])
        echo = {name: question[name] for name in ("proposal_id", "nonce")}
        made = {**echo, **decision(**changes)}
        made = {name: value for name, value in made.items() if value is not ...}
        writer.write(http(200, json.dumps(completion(edit(json.dumps(made, ensure_ascii=False)))).encode()))

    return answer


async def hanging(body: dict[str, Any], writer: Writer) -> None:
    await asyncio.sleep(30)


async def dripping(body: dict[str, Any], writer: Writer) -> None:
    payload = http(200, json.dumps(completion("{}")).encode())
    for number in range(len(payload)):
        writer.write(payload[number : number + 1])
        await writer.drain()
        await asyncio.sleep(0.05)


async def stalling(body: dict[str, Any], writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(30)


async def breaking(body: dict[str, Any], writer: Writer) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"choices"')
