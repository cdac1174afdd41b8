"""The day so far of many symbols, by REST: thirty a call where KIS serves that, one by one where it does not.

Here: `Snapshots`. Not here: when to ask (`feed`), what minutes become of it (`minutes`). The call for many prices is
few calls, so it goes before data; single prices wait with the rest, or they would hold up orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haetae.domain.errors import Text, WireError
from haetae.domain.units import Shares, Symbol, Won
from haetae.kis.minutes import Snapshot
from haetae.kis.pacing import Lane
from haetae.kis.rest import KisRest
from haetae.kis.wire import rows
from haetae.kis.wire.operations import MULTPRICE_SLOTS, OPERATIONS

_MANY, _ONE = "intstock-multprice", "inquire-price"


@dataclass(frozen=True, slots=True)
class Sight:
    """One symbol as REST shows it: the day so far, and the best bid and ask, 0 where they are not told."""

    day: Snapshot
    bid: Won = 0
    ask: Won = 0
    bid_size: Shares = 0
    ask_size: Shares = 0


class Snapshots:
    """Reads the day so far over one connection."""

    def __init__(self, rest: KisRest) -> None:
        """Ask nothing yet."""
        self._rest = rest

    @property
    def is_cheap(self) -> bool:
        """Whether many symbols cost few calls: on the real domain."""
        return bool(OPERATIONS[_MANY].tr_id(self._rest.settings.mode))

    async def read(self, symbols: Sequence[Symbol], *, within_s: float | None = None) -> dict[Symbol, Sight]:
        """Return every symbol; raises ``WireError`` where one is missing, and what the calls raise."""
        if self.is_cheap:
            groups = [symbols[i : i + MULTPRICE_SLOTS] for i in range(0, len(symbols), MULTPRICE_SLOTS)]
            parts = await asyncio.gather(*(self._many(group, within_s) for group in groups))
            found = {symbol: seen for part in parts for symbol, seen in part.items()}
        else:
            sights = await asyncio.gather(*(self._one(symbol, within_s) for symbol in symbols))
            found = dict(zip(symbols, sights, strict=True))
        missing = sorted(set(symbols) - set(found))
        if missing:
            raise WireError(
                Text(ko=f"시세가 없는 종목: {', '.join(missing[:5])}", en=f"no price for {', '.join(missing[:5])}"),
                expected=f"{len(symbols)} symbols",
                found=f"{len(found)}",
                next_step="take symbols that are not listed out of the universe",
            )
        return found

    async def _many(self, symbols: Sequence[Symbol], within_s: float | None) -> dict[Symbol, Sight]:
        asked: dict[str, str] = {}
        for slot, symbol in enumerate(symbols, start=1):
            asked[f"FID_COND_MRKT_DIV_CODE_{slot}"] = "J"
            asked[f"FID_INPUT_ISCD_{slot}"] = symbol
        about = f"{len(symbols)} symbols"
        reply = await self._rest.call(_MANY, asked, lane=Lane.ORDER, about=about, within_s=within_s)
        wanted, found = set(symbols), {}
        for row in reply.rows("output"):
            symbol = str(rows.SNAPSHOT.value(row, "inter_shrn_iscd", tr=reply.tr)).strip()
            if symbol in wanted:
                found[symbol] = _sight(row, symbol, reply.tr)
        return found

    async def _one(self, symbol: Symbol, within_s: float | None) -> Sight:
        asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol}
        reply = await self._rest.call(_ONE, asked, lane=Lane.DATA, about=symbol, within_s=within_s)
        row = reply.row("output")
        names = ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "acml_vol", "stck_sdpr")
        price, opened, high, low, volume, base = (
            rows.PRICE.value(row, name, tr=reply.tr, about=symbol) for name in names
        )
        return Sight(Snapshot(price or base, opened, high, low, volume))


def _sight(row: Mapping[str, str], symbol: Symbol, tr: str) -> Sight:
    names = ("inter2_prpr", "inter2_oprc", "inter2_hgpr", "inter2_lwpr", "acml_vol", "inter2_prdy_clpr")
    price, opened, high, low, volume, base = (rows.SNAPSHOT.value(row, name, tr=tr, about=symbol) for name in names)
    best = ("inter2_bidp", "inter2_askp", "shnu_rsqn", "seln_rsqn")
    bid, ask, bid_size, ask_size = (rows.SNAPSHOT.value(row, name, tr=tr, about=symbol) for name in best)
    return Sight(Snapshot(price or base, opened, high, low, volume), bid, ask, bid_size, ask_size)
