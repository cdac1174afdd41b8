"""Real and mock are facts of a deployment: addresses, trading ids and keys agree, or nothing is sent.

Here: which addresses belong together, the shape of keys and account, the last look before a call leaves. Not here: the
settings themselves (`settings`), whether real money may move at all (the wiring's gate). Loopback addresses serve both
domains, for the emulator has both; any other host must be KIS's own of the mode.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from haetae.kis.wire.operations import Mode, Operation

REAL_REST = "https://openapi.koreainvestment.com:9443"
MOCK_REST = "https://openapivts.koreainvestment.com:29443"
REAL_STREAM = "ws://ops.koreainvestment.com:21000"
MOCK_STREAM = "ws://ops.koreainvestment.com:31000"
MASTERS = "https://new.real.download.dws.co.kr"
KEY_LENGTH, SECRET_LENGTH = 36, 180
"""Characters of an app key and of its secret, as KIS issues them."""
ADDRESSES = {Mode.REAL: (REAL_REST, REAL_STREAM), Mode.MOCK: (MOCK_REST, MOCK_STREAM)}


@lru_cache(maxsize=64)
def is_loopback(url: str) -> bool:
    """Whether an address is on this machine (``localhost``, 127/8, ::1)."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def address_faults(mode: Mode, rest_url: str, ws_url: str, master_url: str, *, live_allowed: bool) -> tuple[str, ...]:
    """Return what is wrong with the addresses of a mode, all of it; empty where they agree.

    It is asked before every call, with what the settings say at that moment, so answers are remembered.
    """
    given = (("rest_url", rest_url), ("ws_url", ws_url), ("master_url", master_url))
    faults = [
        f"{name} {url!r} is not on this machine and live_allowed is false"
        for name, url in given
        if url and not live_allowed and not is_loopback(url)
    ]
    if faults:
        return tuple(faults)
    wanted = (*ADDRESSES[mode], MASTERS)
    for (name, url), own in zip(given, wanted, strict=True):
        if url and not is_loopback(url) and url.rstrip("/") != own:
            faults.append(f"{name} {url!r} is not the {mode.value} domain's {own}")
    if not faults and is_loopback(rest_url) is not is_loopback(ws_url):
        faults.append(f"rest_url {rest_url!r} and ws_url {ws_url!r}: one is on this machine, the other is not")
    return tuple(faults)


def key_faults(app_key: str, app_secret: str) -> list[str]:
    """Return what is wrong with the shape of a key pair; never the values."""
    faults = []
    for name, value, length in (("app_key", app_key, KEY_LENGTH), ("app_secret", app_secret, SECRET_LENGTH)):
        if not value:
            faults.append(f"{name} is missing")
        elif not (value.isascii() and value.isprintable() and " " not in value):
            faults.append(f"{name} has characters a header cannot carry")
        elif len(value) != length:
            faults.append(f"{name} has {len(value)} characters instead of {length}")
    return faults


def account_faults(account: str, product: str) -> list[str]:
    """Return what is wrong with the shape of an account number; never the number."""
    faults = []
    if not (len(account) == 8 and account.isascii() and account.isdigit()):
        faults.append("account is not eight digits")
    if not (len(product) == 2 and product.isascii() and product.isdigit()):
        faults.append("product is not two digits")
    return faults


def is_trading(operation: Operation) -> bool:
    """Whether a call belongs to orders and accounts, whose ids differ between the domains."""
    return "/trading/" in operation.path


def tr_fault(mode: Mode, operation: Operation, tr_id: str) -> str:
    """Return why a TR id must not be sent to a domain, blank where it may: V is mock money, anything else is real."""
    if not is_trading(operation):
        return ""
    if tr_id.startswith("V") is not (mode is Mode.MOCK):
        return f"TR {tr_id} of {operation.name} is not one of the {mode.value} domain"
    return ""


def answers_other_domain(asked: str, answered: str) -> bool:
    """Whether a reply bears a TR id of the other domain (V is mock money, T and C are real)."""
    kinds = [tr_id[:1] for tr_id in (asked, answered)]
    return all(kind in {"V", "T", "C"} for kind in kinds) and (kinds[0] == "V") is not (kinds[1] == "V")
