"""The gate to real money: it is shut unless four things agree, and it cannot open inside a test.

1. The build says so: a file ``LIVE_BUILD`` lies in the package, put there by hand on the one machine
   that trades; no repository, image or wheel contains it. 2. A token of the day, signed with the account's
   own secret, made by a person who typed the account's number. 3. The token names this account, this
   host and this day. 4. The settings are the live ones: halted at the start, told to the agent as live.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import haetae
from haetae.config import Settings
from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import Mandate, OperatorState
from haetae.domain.units import NS_PER_DAY, instant_at
from haetae.kis.settings import MASTERS, REAL_REST, REAL_STREAM, KisSettings
from haetae.kis.wire.operations import OPERATIONS, Mode
from haetae.wiring.accounts import read_account

BUILD_FLAG = Path(haetae.__file__).with_name("LIVE_BUILD")
TOKEN = "live.token"  # noqa: S105 - the name of a file
_TESTING = ("pytest", "_pytest", "unittest", "hypothesis")


def token_for(kis: KisSettings, day: dt.date) -> str:
    """Return the signed token of an account, host and day as one JSON text."""
    said = {"account": _hash(kis), "day": day.isoformat(), "host": kis.rest_url}
    return json.dumps({**said, "signature": _sign(kis, said)}, sort_keys=True)


def arm(account: Path, env: Mapping[str, str], day: dt.date, typed: str, files: tuple[Path, ...] = ()) -> Path:
    """Write the token of a day after a person typed the account's number; returns its path."""
    _, kis = read_account(account, env, files=files, live=True)
    if typed != kis.account:
        raise _shut(Text(ko="계좌번호가 다릅니다", en="the account's number differs"), "--account-number", "-")
    if kis.mode is not Mode.REAL:
        raise _shut(Text(ko="실전 계좌가 아닙니다", en="not a real account"), Mode.REAL.value, kis.mode.value)
    path = account / TOKEN
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(token_for(kis, day))
    return path


def pass_gate(
    account: Path, env: Mapping[str, str], day: dt.date, files: tuple[Path, ...]
) -> tuple[Settings, KisSettings]:
    """Return the settings of a live day; raises ``ConfigError`` with everything that is missing."""
    found, faults = _examined(account, env, day, files)
    if found is None or faults:
        raise shut("; ".join(faults))
    settings, kis = found
    return settings, replace(kis, live_allowed=True)


def shut(found: str) -> ConfigError:
    """Return the refusal of real trading with everything that was found missing."""
    return _shut(
        Text(ko="실거래 문이 닫혀 있습니다", en="the gate to real trading is shut"),
        Text(ko="실거래 빌드, 오늘의 서명, 같은 계좌와 주소, 실전 설정", en="build, token of the day, account, host"),
        found,
    )


def missing(account: Path, env: Mapping[str, str], day: dt.date, files: tuple[Path, ...]) -> list[str]:
    """Return everything that keeps the gate shut, in the order in which it is mended; empty where it is open."""
    return _examined(account, env, day, files)[1]


def _examined(
    account: Path, env: Mapping[str, str], day: dt.date, files: tuple[Path, ...]
) -> tuple[tuple[Settings, KisSettings] | None, list[str]]:
    faults = []
    if not BUILD_FLAG.is_file():
        faults.append(f"{BUILD_FLAG.name}: not a live build")
    if under_test():
        faults.append("a test is running")
    try:
        settings, kis = read_account(account, env, files=files, live=True)
    except ConfigError as fault:
        return None, [*faults, f"account: {fault.message} ({fault.found})"]
    faults += _token_faults(account / TOKEN, kis, day)
    if kis.mode is not Mode.REAL or (kis.rest_url, kis.ws_url) != (REAL_REST, REAL_STREAM):
        faults.append(f"host: {kis.rest_url} ({kis.mode.value}) is not the real one")
    if kis.master_url not in ("", MASTERS):
        faults.append("host: master files from elsewhere")
    if settings.desk.start_state is not OperatorState.HALT or settings.desk.agent.mode != "live":
        faults.append("settings: not configs/live.toml (start_state halt, mode live)")
    return (settings, kis), faults


def mandate(kis: KisSettings, account: Path, day: dt.date, *, live: bool) -> Mandate:
    """Return whose money orders of this connection move, proved anew: build, token, account, host (RELIABILITY G02)."""
    prefix = OPERATIONS["order-cash-buy"].tr_id(kis.mode)[:1]
    own = _hash(kis)
    if not live:  # without the port, which an emulator is given anew each time: equal days write equal journals
        host = urlsplit(kis.rest_url).hostname or ""
        return Mandate(live=False, build=False, account=own, host=host, tr_prefix=prefix)
    said = _said(account / TOKEN, kis, day)
    return Mandate(
        live=True,
        build=BUILD_FLAG.is_file() and not under_test(),
        account=own,
        host=kis.rest_url,
        tr_prefix=prefix,
        signed_account=said.get("account", ""),
        signed_host=said.get("host", ""),
        expires_at=instant_at(day, 0) + NS_PER_DAY if said else 0,
    )


def revoke(account: Path) -> None:
    """Take the day's token away: nothing new is sent from the next look at the vitals on."""
    (account / TOKEN).unlink(missing_ok=True)


def for_cancels(account: Path, env: Mapping[str, str], files: tuple[Path, ...]) -> KisSettings:
    """Return an account's connection for a kill: it may cancel whatever the gate says; in a test only loopback."""
    _, kis = read_account(account, env, files=files, live=True)
    if under_test() and not kis.is_local:
        raise _shut(Text(ko="시험 중입니다", en="a test is running"), "http://127.0.0.1:…", kis.rest_url)
    return kis if kis.is_local else replace(kis, live_allowed=True)


def under_test() -> bool:
    """Whether a test library is loaded in this process."""
    return any(name in sys.modules for name in _TESTING) or "PYTEST_CURRENT_TEST" in os.environ


def _said(path: Path, kis: KisSettings, day: dt.date) -> dict[str, str]:
    """Return what the day's token says, nothing where it does not hold."""
    if _token_faults(path, kis, day):
        return {}
    told: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return told


def _token_faults(path: Path, kis: KisSettings, day: dt.date) -> list[str]:
    try:
        if path.stat().st_mode & 0o077:
            return ["token: others can read it"]
        given = json.loads(path.read_text(encoding="utf-8"))
        said = {name: str(given[name]) for name in ("account", "day", "host")}
        signature = str(given["signature"])
    except FileNotFoundError:
        return ["token: none for today"]
    except (OSError, ValueError, KeyError, TypeError):
        return ["token: unreadable"]
    faults = []
    if not hmac.compare_digest(signature, _sign(kis, said)):
        faults.append("token: the signature does not fit")
    if said["day"] != day.isoformat():
        faults.append(f"token: of {said['day'][:10]}, not of today")
    if said["account"] != _hash(kis) or said["host"] != kis.rest_url:
        faults.append("token: of another account or host")
    return faults


def account_name(kis: KisSettings) -> str:
    """Return the hash that names an account in journals: never its number."""
    return _hash(kis)


def _hash(kis: KisSettings) -> str:
    return hashlib.sha256(f"{kis.account}-{kis.product}|{kis.app_key}".encode()).hexdigest()[:32]


def _sign(kis: KisSettings, said: Mapping[str, str]) -> str:
    text = json.dumps(said, sort_keys=True).encode()
    return hmac.new(kis.app_secret.reveal().encode(), b"haetae live|" + text, hashlib.sha256).hexdigest()


def _shut(message: Text, expected: str | Text, found: str) -> ConfigError:
    return ConfigError(
        message,
        expected=expected,
        found=found,
        next_step=Text(ko="CheckList.md 6장을 순서대로 하세요", en="walk chapter 6 of CheckList.md"),
    )
