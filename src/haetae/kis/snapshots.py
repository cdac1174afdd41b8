"""The day so far of many symbols, by REST: thirty a call where KIS serves that, one by one where it does not.

Here: `Snapshots`. Not here: when to ask (`feed`), what minutes become of it (`minutes`). The call for many prices is
few calls, so it goes before data; single prices wait with the rest, or they would hold up orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from haetae.domain.errors import Text, WireError
from haetae.domain.units import Shares, Symbol, Won
from haetae.kis.minutes import Snapshot
from haetae.kis.pacing import Lane
from haetae.kis.rest import KisRest
from haetae.kis.wire.calls import prices
from haetae.kis.wire.operations import MULTPRICE_SLOTS


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
        return bool(prices.PricesNow.operation.tr_id(self._rest.settings.mode))

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
        asked, about = prices.PricesNow(tuple(symbols)), f"{len(symbols)} symbols"
        reply = await self._rest.ask(asked, lane=Lane.ORDER, about=about, within_s=within_s)
        wanted, found = set(symbols), {}
        for row in reply.raw(prices.PriceOfMany):
            symbol = row.get("inter_shrn_iscd", "").strip()  # slots without a name come back blank, and do not parse
            if symbol in wanted:
                found[symbol] = _sight(prices.PriceOfMany.of(row, tr=reply.tr, about=symbol))
        return found

    async def _one(self, symbol: Symbol, within_s: float | None) -> Sight:
        asked = prices.PriceNow(fid_input_iscd=symbol)
        reply = await self._rest.ask(asked, lane=Lane.DATA, about=symbol, within_s=within_s)
        row = reply.one(prices.DaySoFar, about=symbol)
        price = row.stck_prpr or row.stck_sdpr
        return Sight(Snapshot(price, row.stck_oprc, row.stck_hgpr, row.stck_lwpr, row.acml_vol))


def _sight(row: prices.PriceOfMany) -> Sight:
    price = row.inter2_prpr or row.inter2_prdy_clpr
    day = Snapshot(price, row.inter2_oprc, row.inter2_hgpr, row.inter2_lwpr, row.acml_vol)
    return Sight(day, row.inter2_bidp, row.inter2_askp, row.shnu_rsqn, row.seln_rsqn)
