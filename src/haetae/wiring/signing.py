"""Signatures: who knows the account's secret says that a holding traded by hand, or an order, is the desk's.

The secret is the account's own app secret, as for the signed token of a live day; it signs every field, so that a
line in the operator's file cannot be changed or made by whoever may only write files. Not here: what the desk makes
of an adoption (``desk.corrections``) and of a claim (``desk.claiming``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from haetae.domain import codec
from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import ManualAdoption, OrderClaim
from haetae.domain.orders import BrokerOrderId
from haetae.domain.units import Shares, Symbol, Won, day_of
from haetae.kis.settings import KisSettings
from haetae.ports import Clock
from haetae.wiring.accounts import read_account
from haetae.wiring.operators import Signed, ask

UNSIGNED = "unsigned"
"""Stands where the signature will: no signature is made of it."""
_Wish = TypeVar("_Wish", ManualAdoption, OrderClaim)


def signed(wish: _Wish, kis: KisSettings) -> _Wish:
    """Return an adoption or a claim with the account's signature."""
    return replace(wish, signature=_signature(wish, kis))


def is_signed(wish: Signed, kis: KisSettings) -> bool:
    """Whether an adoption or a claim bears the account's signature of exactly what it says."""
    return hmac.compare_digest(wish.signature, _signature(wish, kis))


def _signature(wish: Signed, kis: KisSettings) -> str:
    text = f"{kis.account}-{kis.product}|{codec.encode(replace(wish, signature=UNSIGNED))}"
    return hmac.new(kis.app_secret.reveal().encode(), b"haetae adopt|" + text.encode(), hashlib.sha256).hexdigest()


def ask_adoption(
    folder: Path,
    account: Path,
    env: Mapping[str, str],
    clock: Clock,
    *,
    symbol: Symbol,
    shares: Shares,
    paid: Won,
    who: str,
    why: str,
) -> ManualAdoption:
    """Write a signed adoption into a desk's operator file and return it.

    Parameters
    ----------
    folder : the desk's folder.
    account : folder of the account whose secret signs.
    shares, paid : as in ``ManualAdoption``.
    """
    _, kis = read_account(account, env, reading=True)
    now = clock.now()
    try:
        wish = ManualAdoption(now, f"a-{now}", symbol, shares, paid, who, why or "traded by hand", UNSIGNED)
    except ValueError as fault:
        raise ConfigError(
            Text(ko="거래일 수 없는 주수와 금액입니다", en="no trade has these shares and this money"),
            expected="--shares 10 --paid 700000 | --shares -10 --paid -700000",
            found=f"--shares {shares} --paid {paid}",
            next_step=Text(ko="증권사 거래내역의 주수와 정산금액을 쓰세요", en="take both from the broker's statement"),
        ) from fault
    wish = signed(wish, kis)
    ask(folder, wish)
    return wish


def ask_claim(
    folder: Path,
    account: Path,
    env: Mapping[str, str],
    clock: Clock,
    *,
    intent_id: str,
    number: str,
    branch: str,
    day: dt.date | None,
    who: str,
    why: str,
) -> OrderClaim:
    """Write a signed claim into a desk's operator file and return it.

    Parameters
    ----------
    folder : the desk's folder.
    account : folder of the account whose secret signs.
    number : the broker's number of the order, with or without leading zeros; blank where the broker never had it.
    branch : the broker's branch, blank where it is not known.
    day : of the broker's order, none is today.
    """
    _, kis = read_account(account, env, reading=True)
    now = clock.now()
    named = None
    if number:
        if not (number.isascii() and number.isdecimal()):
            raise _no_claim("--order 0000117057", f"--order {number}")
        named = BrokerOrderId(day or day_of(now), branch, str(int(number)))
    elif not why:
        raise _no_claim('--absent --why "…"', "--absent")
    wish = signed(OrderClaim(now, f"o-{now}", intent_id, named, who, why, UNSIGNED), kis)
    ask(folder, wish)
    return wish


def _no_claim(expected: str, found: str) -> ConfigError:
    return ConfigError(
        Text(
            ko="주문번호(숫자)나, 없었다는 말과 그 이유가 있어야 합니다",
            en="a claim names a number of the broker, or says why there was none",
        ),
        expected=expected,
        found=found,
        next_step=Text(
            ko="증권사 주문 내역의 주문번호를 쓰세요", en="take the number from the broker's list of orders"
        ),
    )
