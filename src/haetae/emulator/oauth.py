"""Calls beside the broker's own: tokens and approval keys, the hash key, the files of listed names.

Here: their answers at an instant. Not here: who may ask (``gate``), faults and maintenance before them (``core``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from haetae.domain.market import Market
from haetae.domain.units import NS_PER_SECOND, Instant, kst_text
from haetae.emulator.calls import Call, Reply, refuse, refuse_oauth
from haetae.emulator.gate import TOKEN_LIFE_S, Gate, Refusal
from haetae.emulator.session import Session
from haetae.kis.wire import masters
from haetae.kis.wire.operations import Mode

OAUTH_PATH = "/oauth2/"
MASTER_PATH = "/common/master/"


def answer_oauth(
    gate: Gate,
    path: str,
    sent: Mapping[str, str],
    mode: Mode,
    now: Instant,
    wall: Callable[[], Instant] | None = None,
) -> Reply:
    """Issue or revoke a token, or hand out an approval key.

    ``wall`` is the clock that clients compare the expiry of a token with, where it is not the market's: the expiry is
    told on the later of both.
    """
    app_key = sent.get("appkey", "")
    match path.removeprefix(OAUTH_PATH):
        case "tokenP":
            return _token(gate, sent, mode, now, wall)
        case "revokeP":
            refusal = gate.revoke(app_key, sent.get("token", ""))
            if refusal:
                return refuse_oauth(refusal)
            return _told({"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})
        case "Approval":
            key = gate.approve(app_key, sent.get("secretkey", "") or sent.get("appsecret", ""), now)
            return refuse_oauth(key) if isinstance(key, Refusal) else _told({"approval_key": key})
    return refuse_oauth(Refusal("MCA00124"))


def _token(gate: Gate, sent: Mapping[str, str], mode: Mode, now: Instant, wall: Callable[[], Instant] | None) -> Reply:
    if sent.get("grant_type") != "client_credentials":
        return refuse_oauth(Refusal("EGW00116", "지원하지 않는 grant_type입니다."))
    token = gate.issue(sent.get("appkey", ""), sent.get("appsecret", ""), mode, now)
    if isinstance(token, Refusal):
        return refuse_oauth(token)
    left = token.expires - now
    told = token.expires if wall is None else max(token.expires, wall() + left)
    return _told(
        {
            "access_token": token.text,
            "access_token_token_expired": kst_text(told)[:19].replace("T", " "),
            "token_type": "Bearer",
            "expires_in": min(TOKEN_LIFE_S, left // NS_PER_SECOND),
        }
    )


def answer_hashkey(call: Call) -> Reply:
    """Return a digest of a body; no call asks for it to be right."""
    sent = call.json()
    if sent is None:
        return refuse(Refusal("OPSQ9997", "ERROR : INVALID JSON"), "")
    digest = hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()
    return _told({"BODY": sent, "HASH": digest})


def answer_master(path: str, session: Session) -> Reply:
    """Return a market's file of listed names as they stand in a session."""
    for market in (Market.KOSPI, Market.KOSDAQ):
        if path == f"{MASTER_PATH}{masters.FILES[market]}.zip":
            listed = [
                replace(item, base_price=int(session.base[place]), as_of=session.day)
                for place, item in enumerate(session.instruments)
                if session.base[place] > 0
            ]
            return Reply(masters.build_master(market, listed), media="application/zip")
    return Reply(b"not found", status=404, media="text/plain")


def _told(body: Mapping[str, object]) -> Reply:
    return Reply(json.dumps(body, ensure_ascii=False).encode())
