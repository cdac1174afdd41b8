"""A server of bytes: what it does to each request is a script, down to the byte and the moment."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = json.dumps({"access_token": "token-1", "token_type": "Bearer", "expires_in": 86400}).encode()


@dataclass
class Request:
    """One request as far as it was read."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return self.line.split(" ")[1].partition("?")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Raw:
    """Scripted per name of a path (``order-cash``, ``inquire-price``); the last act of a name repeats.

    ``seen`` keeps every request that was read whole. A name without a script is answered with a token.
    """

    acts: dict[str, list[Act]] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    early: set[str] = field(default_factory=set)
    """Names whose act comes as soon as the head is read, before the body."""
    connections: int = 0
    port: int = 0
    scheme: str = "http"
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def named(self, name: str) -> list[Request]:
        return [request for request in self.seen if request.name == name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        number = self.connections
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                request = Request(head[0], headers, b"", number)
                if request.name not in self.early:
                    request.body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append(request)
                script = self.acts.get(request.name, [reply(TOKEN)])
                await (script.pop(0) if len(script) > 1 else script[0])(writer)
        writer.close()


def reply(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None, length: int | None = None) -> Act:
    """Answer; ``length`` is what is claimed."""

    async def act(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return act


def ack(number: int = 117057) -> bytes:
    output = {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": f"{number:010d}", "ORD_TMD": "093000"}
    return json.dumps({"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "주문 전송 완료", "output": output}).encode()


def later(act: Act, seconds: float) -> Act:
    """Act after a while."""

    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await act(writer)

    return late


def drip(body: bytes, seconds: float) -> Act:
    """Answer byte by byte over a time."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds / len(body))

    return act


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing for ever."""
    await asyncio.Event().wait()


async def close(writer: asyncio.StreamWriter) -> None:
    """End the connection in order."""
    writer.close()
    raise ConnectionError


async def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a reset."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionError


def then_close(act: Act) -> Act:
    """Answer and close the kept-alive connection a moment later, unannounced."""

    async def both(writer: asyncio.StreamWriter) -> None:
        await act(writer)
        writer.close()
        raise ConnectionError

    return both


@asynccontextmanager
async def raw_server(*, tls: ssl.SSLContext | None = None):
    raw = Raw(scheme="https" if tls else "http")
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for writer in raw.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def certificate(folder: Path, *, days: int) -> ssl.SSLContext:
    """Return a server's context with a certificate of its own making, valid (or not) for so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
