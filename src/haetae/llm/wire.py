"""One call over HTTP, through the provider library and a transport of ours. Imported only when a model is asked.

The library builds the request and knows the dialects of models. The transport sees every byte: it asks
one host only, follows nowhere, takes no compressed body, cuts at a size. The verdict is read from the raw body,
strictly, because libraries are lenient there (a page of HTML, no choices). Our deadline stands around
all of it (``client``); the library repeats nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeAlias

import anyio
import httpx2
import openai
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import ModelMessage, ModelRequest, SystemPromptPart, UserPromptPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from haetae.llm.hosts import is_inner
from haetae.llm.settings import LlmSettings

Role: TypeAlias = Literal["system", "user"]
_LIBRARY = (
    AgentRunError,
    UserError,
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    EOFError,
    ExceptionGroup,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the libraries below were seen or may be thought to raise on strange replies; all of it is a failed call."""
_OPENAI_HOST = "api.openai.com"


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the service claims them; None where it says nothing usable."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply with text, or ``code`` and ``detail`` of why there is none. ``body`` is what came, raw."""

    text: str = ""
    code: str = ""
    detail: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    retry_after_s: float | None = None
    answered: bool = False
    """Whether the service did work that it may charge for."""
    body: bytes = b""


@dataclass(slots=True)
class _Exchange:
    status: int = 0
    retry_after: str = ""
    body: bytes = b""
    code: str = ""
    detail: str = ""


class _Refused(httpx2.TransportError):
    """Our transport stopped the exchange; the reason stands in the exchange."""


class _Transport(httpx2.AsyncBaseTransport):
    """Asks one host, over a fresh connection, and reads a bounded plain body."""

    def __init__(self, settings: LlmSettings, exchange: _Exchange) -> None:
        secure = settings.base_url.startswith("https")
        self._inner = httpx2.AsyncHTTPTransport(
            verify=ssl.create_default_context() if secure else False, trust_env=False, retries=0
        )
        self._settings = settings
        self._exchange = exchange

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        settings, exchange = self._settings, self._exchange
        host = request.url.host.rstrip(".").lower()
        if host != settings.host:
            raise self._stop("PROTOCOL", f"the library wanted to ask {host[:64]}")
        await self._check_addresses(host, request.url.port or 443)
        request.headers["accept-encoding"] = "identity"
        for name in ("openai-organization", "openai-project"):
            request.headers.pop(name, None)  # the library would take them from the environment
        response = await self._inner.handle_async_request(request)
        try:
            exchange.status = response.status_code
            exchange.retry_after = response.headers.get("retry-after", "")[:64]
            if 300 <= response.status_code < 400:
                raise self._stop("PROTOCOL", f"HTTP {response.status_code}: redirects are not followed")
            if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
                raise self._stop("PROTOCOL", "a compressed body was not asked for")
            parts: list[bytes] = []
            size = 0
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            async for part in response.stream:
                size += len(part)
                parts.append(part)
                if size > settings.max_reply_bytes:
                    exchange.body = b"".join(parts)[: settings.max_reply_bytes]
                    raise self._stop("TOO_LARGE", f"more than {settings.max_reply_bytes:,} bytes")
            exchange.body = b"".join(parts)
        finally:
            await response.aclose()
        kind = response.headers.get("content-type", "application/json")
        return httpx2.Response(
            response.status_code, headers={"content-type": kind}, content=exchange.body, request=request
        )

    async def _check_addresses(self, host: str, port: int) -> None:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, address in found:
            if is_inner(str(address[0])):
                raise self._stop("PROTOCOL", f"{host} leads to an inner address")

    def _stop(self, code: str, detail: str) -> _Refused:
        self._exchange.code, self._exchange.detail = code, detail
        return _Refused(detail)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def speak(settings: LlmSettings, messages: Sequence[tuple[Role, str]], schema: dict[str, Any]) -> Spoken:
    """Make one call; never raises for what the service or the network does. Cancelling it ends it."""
    exchange = _Exchange()
    try:
        await _exchanged(settings, messages, schema, exchange)
    except _LIBRARY as fault:
        if exchange.code:
            return Spoken(code=exchange.code, detail=exchange.detail, answered=True, body=exchange.body)
        if not exchange.status:
            return Spoken(code="UNAVAILABLE", detail=f"no reply: {_root(fault)}")
        judged = _judge(exchange)
        if judged.code:
            return judged
        detail = f"the library could not read it: {type(fault).__name__}"
        return replace(judged, text="", code="PROTOCOL", detail=detail)
    return _judge(exchange)


async def _exchanged(
    settings: LlmSettings, messages: Sequence[tuple[Role, str]], schema: dict[str, Any], exchange: _Exchange
) -> None:
    """Let the library make the call; what came is in ``exchange``."""
    timeout = httpx2.Timeout(settings.deadline_s)
    transport = _Transport(settings, exchange)
    async with httpx2.AsyncClient(
        transport=transport, timeout=timeout, follow_redirects=False, trust_env=False
    ) as http:
        client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.reveal() or "none",
            max_retries=0,
            timeout=timeout,
            http_client=http,
        )
        profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=settings.host == _OPENAI_HOST)
        model = OpenAIChatModel(settings.model, provider=OpenAIProvider(openai_client=client), profile=profile)
        await model_request(model, _library_messages(messages), model_settings=_parameters(settings, schema))


def _library_messages(messages: Sequence[tuple[Role, str]]) -> list[ModelMessage]:
    parts = [SystemPromptPart(text) if role == "system" else UserPromptPart(text) for role, text in messages]
    return [ModelRequest(parts=parts)]


def _parameters(settings: LlmSettings, schema: dict[str, Any]) -> OpenAIChatModelSettings:
    extra: dict[str, Any] = {}
    if settings.reply_format == "json_object":
        extra["response_format"] = {"type": "json_object"}
    elif settings.reply_format == "json_schema":
        named = {"name": "reply", "strict": True, "schema": schema}
        extra["response_format"] = {"type": "json_schema", "json_schema": named}
    return OpenAIChatModelSettings(
        max_tokens=settings.max_output_tokens, temperature=0.0, timeout=settings.deadline_s, extra_body=extra
    )


def _root(fault: BaseException) -> str:
    """Return the kind of the innermost cause; its words may quote what we sent and are left out."""
    while fault.__cause__ is not None:
        fault = fault.__cause__
    return type(fault).__name__


def _judge(exchange: _Exchange) -> Spoken:
    status, body = exchange.status, exchange.body
    if status != 200:
        return _refusal(exchange)
    try:
        record = json.loads(body.decode())
    except (ValueError, RecursionError):
        return Spoken(code="PROTOCOL", detail="HTTP 200 without JSON", answered=True, body=body)
    if not isinstance(record, dict):
        return Spoken(code="PROTOCOL", detail="HTTP 200 without a JSON object", answered=True, body=body)
    name = record.get("model")
    known: dict[str, Any] = {
        "model": name[:128] if isinstance(name, str) else "",
        "usage": _usage(record.get("usage")),
        "answered": True,
        "body": body,
    }
    choices = record.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return Spoken(code="PROTOCOL", detail="a reply has exactly one choice", **known)
    choice, message = choices[0], choices[0].get("message")
    if not isinstance(message, dict):
        return Spoken(code="PROTOCOL", detail="the choice has no message", **known)
    ending = choice.get("finish_reason")
    if message.get("refusal") or ending == "content_filter":
        return Spoken(code="REFUSED", detail="the model refused to answer", **known)
    if message.get("tool_calls") or message.get("function_call"):
        return Spoken(code="PROTOCOL", detail="the model called a tool; it has none", **known)
    if ending == "length":
        return Spoken(code="TRUNCATED", detail="cut at the token limit", **known)
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        return Spoken(code="PROTOCOL", detail="the content is no text", **known)
    return Spoken(text=content or "", **known)


def _refusal(exchange: _Exchange) -> Spoken:
    status, body = exchange.status, exchange.body
    word = _error_word(body)
    detail = f"HTTP {status}" + (f" {word}" if word else "")
    if status in (401, 403):
        return Spoken(code="KEY", detail=detail, body=body)
    if status == 402 or (status == 429 and word in ("insufficient_quota", "billing_hard_limit_reached")):
        return Spoken(code="BUDGET", detail=f"{detail}: the provider's account is empty", body=body)
    if status == 429:
        return Spoken(code="RATE", detail=detail, retry_after_s=_seconds(exchange.retry_after), body=body)
    if status in (408, 409) or status >= 500:
        return Spoken(code="UNAVAILABLE", detail=detail, body=body)
    return Spoken(code="PROTOCOL", detail=detail, body=body)


def _error_word(body: bytes) -> str:
    """Return the service's own error code if it is a plain word; its sentences are not ours to repeat."""
    try:
        record = json.loads(body.decode())
    except (ValueError, RecursionError):
        return ""
    error = record.get("error") if isinstance(record, dict) else None
    if not isinstance(error, dict):
        return ""
    for name in ("code", "type"):
        word = error.get(name)
        if isinstance(word, str) and word.isascii() and word.replace("_", "").isalnum() and len(word) <= 40:
            return word
    return ""


def _seconds(text: str) -> float | None:
    """Return a ``Retry-After`` in seconds; a date is read as far away, for its clock is not ours."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(text)
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return None
    return 3_600.0


def _usage(record: object) -> Usage:
    if not isinstance(record, dict):
        return Usage()
    details = record.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(_count(record.get("prompt_tokens")), _count(record.get("completion_tokens")), _count(cached))


def _count(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**62 else None
