"""The account's owner: a person who trades in the app now and then, and knows which of the broker's orders are theirs.

Where the desk gives an order up to a person, the owner looks at the broker's screen some minutes later and says which
row is the desk's, or that there is none: signed, in the operator's file, as ``haetae trade claim`` does, and once more
later where the desk did not take it. Whoever judges a drill asks here too whose row is whose. Nothing is drawn: a
session in which no order is given up passes as if nobody were there.

Not here: when the owner orders by hand (a fault of the emulator), what the desk makes of a claim (``desk.claiming``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from haetae.desk import DeskState
from haetae.domain.events import OrderClaim
from haetae.domain.orders import BrokerOrderId, OrderStatus
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.emulator.accounts import Account
from haetae.emulator.orders import OrderRow
from haetae.kis.settings import KisSettings
from haetae.wiring.drills.shell import Sent
from haetae.wiring.signing import UNSIGNED, signed

_LOOKS_NS = 180 * NS_PER_SECOND
"""A person who was told comes to the screen about so late, and back as late where their word was not taken."""
_CANCEL = "2"
"""How a row says that it is the request of a cancel, which is no order."""


def own_rows(account: Account, sent: Iterable[Sent], day: dt.date) -> dict[str, list[OrderRow]]:
    """Return the broker's rows by our intent: those our calls made, and those that followed out of them."""
    chains: dict[str, list[OrderRow]] = defaultdict(list)
    for row in account.rows:
        if row.change != _CANCEL:
            chains[row.intent_id.partition("/")[0]].append(row)
    found: dict[str, list[OrderRow]] = {}
    for one in sent:
        if one.change or not one.number:
            continue
        made = account.row_of(day, one.number)
        if made is not None:
            found.setdefault(one.intent_id, []).extend(chains[made.intent_id.partition("/")[0]])
    return found


class Owner:
    """The person behind the account; see the module."""

    def __init__(self, account: Account, sent: list[Sent], day: dt.date, kis: KisSettings) -> None:
        """Know what the desk sends from ``sent``, which goes on growing."""
        self._account = account
        self._sent = sent
        self._day = day
        self._kis = kis
        self._due: dict[str, Instant] = {}

    def claims(self, desk: DeskState, now: Instant) -> tuple[OrderClaim, ...]:
        """Return what the owner says now of the orders that the desk gave up to a person."""
        lost = [order for order in desk.blotter.open_orders() if order.status is OrderStatus.STUCK]
        said = []
        for order in lost:
            name = order.intent.intent_id
            if now >= self._due.setdefault(name, now + _LOOKS_NS):
                self._due[name] = now + _LOOKS_NS
                said.append(self._claim(name, now))
        return tuple(said)

    def _claim(self, name: str, now: Instant) -> OrderClaim:
        rows = own_rows(self._account, self._sent, self._day).get(name)
        number = BrokerOrderId(self._day, "", str(rows[0].number)) if rows else None
        return signed(OrderClaim(now, f"o-{now}-{name}", name, number, "owner", "the screen", UNSIGNED), self._kis)

    def withdraw(self, at: Instant) -> None:
        """Cancel in the app what is open of the owner's own orders."""
        ours = {row.number for rows in own_rows(self._account, self._sent, self._day).values() for row in rows}
        for row in list(self._account.rows):
            if row.remaining and row.number not in ours:
                self._account.cancel(row, at, row.app_key)
