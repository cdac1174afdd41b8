"""The signature of an adoption: who knows the account's secret says that a holding traded by hand is theirs.

The secret is the account's own app secret, as for the signed token of a live day; it signs every field, so that a
line in the operator's file cannot be changed or made by whoever may only write files. Not here: what the desk makes
of an adoption (``desk.corrections``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from haetae.domain import codec
from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import ManualAdoption
from haetae.domain.units import Shares, Symbol, Won
from haetae.kis.settings import KisSettings
from haetae.ports import Clock
from haetae.wiring.accounts import read_account
from haetae.wiring.operators import ask

_UNSIGNED = "unsigned"


def signed(wish: ManualAdoption, kis: KisSettings) -> ManualAdoption:
    """Return an adoption with the account's signature."""
    return replace(wish, signature=_signature(wish, kis))


def is_signed(wish: ManualAdoption, kis: KisSettings) -> bool:
    """Whether an adoption bears the account's signature of exactly these figures."""
    return hmac.compare_digest(wish.signature, _signature(wish, kis))


def _signature(wish: ManualAdoption, kis: KisSettings) -> str:
    text = f"{kis.account}-{kis.product}|{codec.encode(replace(wish, signature=_UNSIGNED))}"
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
        wish = ManualAdoption(now, f"a-{now}", symbol, shares, paid, who, why or "traded by hand", _UNSIGNED)
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
