"""WebSocket control messages: register, unregister, ack, PINGPONG.

Here: parse and build of the JSON messages on both sides. Not here: data frames (`frames`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from haetae.domain.errors import WireError
from haetae.kis.wire.frames import CipherKey

_KEY_LENGTH, _IV_LENGTH = 32, 16
"""AES-256-CBC."""
SUBSCRIBED = "OPSP0000"
UNSUBSCRIBED = "OPSP0001"
ALREADY_SUBSCRIBED = "OPSP0002"
NOT_SUBSCRIBED = "OPSP0003"
TOO_MANY = "OPSP0008"
APPROVAL_UNKNOWN = "OPSP0011"
APPKEY_IN_USE = "OPSP8996"

ACK_TEXTS: dict[str, str] = {
    SUBSCRIBED: "SUBSCRIBE SUCCESS",
    UNSUBSCRIBED: "UNSUBSCRIBE SUCCESS",
    ALREADY_SUBSCRIBED: "ALREADY IN SUBSCRIBE",
    NOT_SUBSCRIBED: "UNSUBSCRIBE ERROR(not found!)",
    "OPSP0007": "SUBSCRIBE INTERNAL ERROR",
    TOO_MANY: "MAX SUBSCRIBE OVER",
    "OPSP0009": "SUBSCRIBE ERROR : mci send failed",
    "OPSP0010": "SUBSCRIBE WARNNING : invalid appkey",
    APPROVAL_UNKNOWN: "invalid approval : NOT FOUND",
    "OPSP8991": "SUBSCRIBE ERROR : invalid tr_id",
    "OPSP8992": "SUBSCRIBE ERROR : invalid tr_key",
    "OPSP8993": "JSON PARSING ERROR : invalid tr_key",
    APPKEY_IN_USE: "ALREADY IN USE appkey",
    "OPSP8997": "JSON PARSING ERROR : invalid tr_type",
    "OPSP8998": "JSON PARSING ERROR : invalid custtype",
    "OPSP9991": "JSON PARSING ERROR : input not found",
    "OPSP9992": "JSON PARSING ERROR : body not found",
    "OPSP9993": "JSON PARSING ERROR : internal error",
    "OPSP9994": "JSON PARSING ERROR : INVALID appkey",
    "OPSP9998": "JSON PARSING ERROR : header not found",
    "OPSP9999": "JSON PARSING ERROR : invalid json format",
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """A client's request to register (or, with ``register`` False, to unregister) one (TR, key) pair."""

    approval_key: str
    tr_id: str
    tr_key: str
    register: bool


@dataclass(frozen=True, slots=True)
class Ack:
    """The server's answer to a subscription.

    ``key`` comes with every registration (recorded by users, also of plain streams); it opens those that are
    ``encrypted``.
    """

    tr_id: str
    tr_key: str
    rt_cd: str
    code: str
    text: str
    key: CipherKey | None = None
    encrypted: bool = False

    @property
    def active(self) -> bool:
        """Whether the pair is registered now."""
        return self.code in {SUBSCRIBED, ALREADY_SUBSCRIBED}


@dataclass(frozen=True, slots=True)
class Ping:
    """The server's heart beat; the client echoes ``text`` unchanged."""

    text: str


def build_subscription(subscription: Subscription) -> str:
    """Return the JSON a client sends."""
    header = {
        "approval_key": subscription.approval_key,
        "custtype": "P",
        "tr_type": "1" if subscription.register else "2",
        "content-type": "utf-8",
    }
    return json.dumps(
        {"header": header, "body": {"input": {"tr_id": subscription.tr_id, "tr_key": subscription.tr_key}}}
    )


def read_subscription(text: str) -> Subscription | str:
    """Return a client's request, or the ``OPSP`` code of what is wrong with it."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return "OPSP9999"
    if not isinstance(message, dict) or not isinstance(message.get("header"), dict):
        return "OPSP9998"
    header = message["header"]
    body = message.get("body")
    if not isinstance(body, dict):
        return "OPSP9992"
    given = body.get("input")
    if not isinstance(given, dict):
        return "OPSP9991"
    tr_type = str(header.get("tr_type", ""))
    if tr_type not in {"1", "2"}:
        return "OPSP8997"
    tr_id, tr_key = str(given.get("tr_id", "")), str(given.get("tr_key", ""))
    if not tr_key:
        return "OPSP8993"
    return Subscription(str(header.get("approval_key", "")), tr_id, tr_key, register=tr_type == "1")


def build_ack(ack: Ack) -> str:
    """Return the JSON a server answers with."""
    output = {"iv": ack.key.iv, "key": ack.key.key} if ack.key else {"iv": "", "key": ""}
    body: dict[str, Any] = {"rt_cd": ack.rt_cd, "msg_cd": ack.code, "msg1": ack.text, "output": output}
    header = {"tr_id": ack.tr_id, "tr_key": ack.tr_key, "encrypt": "Y" if ack.encrypted else "N"}
    return json.dumps({"header": header, "body": body})


def build_ping(at: str) -> str:
    """Return the heart beat of a server; ``at`` is ``YYYYMMDDHHMMSS`` in KST."""
    return json.dumps({"header": {"tr_id": "PINGPONG", "datetime": at}})


def _cipher_key(key: object, iv: object) -> CipherKey | None:
    """Return a key that fits the cipher; None for blanks and for what only looks like one."""
    fits = isinstance(key, str) and isinstance(iv, str) and len(key) == _KEY_LENGTH and len(iv) == _IV_LENGTH
    return CipherKey(str(key), str(iv)) if fits and f"{key}{iv}".isascii() else None


def read_control(text: str) -> Ack | Ping:
    """Return what a server's JSON message says; raises ``WireError`` where it is neither ack nor heart beat."""
    try:
        message = json.loads(text)
        header = message["header"]
        if header["tr_id"] == "PINGPONG":
            return Ping(text)
        body = message["body"]
        output = body.get("output") or {}
        key = _cipher_key(output.get("key"), output.get("iv"))
        return Ack(
            str(header["tr_id"]),
            str(header.get("tr_key", "")),
            str(body["rt_cd"]),
            str(body["msg_cd"]),
            str(body.get("msg1", "")),
            key,
            header.get("encrypt") == "Y",
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise WireError(
            "a WebSocket message is neither frame, ack nor heart beat",
            expected="JSON with header and body",
            found=repr(text[:80]),
            next_step="keep the message",
        ) from fault
