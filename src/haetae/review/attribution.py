"""Where the day's profit came from: positions held over night, trades, slippage, costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from haetae.domain.account import Book
from haetae.domain.orders import Side
from haetae.domain.units import Instant, Symbol, Won
from haetae.review.story import read_story


@dataclass(frozen=True, slots=True)
class Attribution:
    """The day's change of equity in won, exactly: ``total == carried + traded - costs``.

    ``carried`` is what positions of the morning earned until the close as if nothing had been traded;
    ``traded`` what buys and sells added to that at their fill prices; ``escaped`` is the part of
    ``traded`` from escape orders; ``by_symbol`` splits carried + traded.
    """

    total: Won
    carried: Won
    traded: Won
    escaped: Won
    costs: Won
    by_symbol: Mapping[Symbol, Won]


def attribute(
    entries: Iterable[tuple[int, Instant, str, Any]],
    opening: Book,
    opening_prices: Mapping[Symbol, Won],
    closing_prices: Mapping[Symbol, Won],
) -> Attribution:
    """Return the attribution of a day.

    Parameters
    ----------
    opening : books before the first fill of the day.
    opening_prices : previous closes of what was held; closing_prices : closes of all that was traded or held.
    """
    carried: dict[Symbol, Won] = {
        symbol: position.quantity * (closing_prices[symbol] - opening_prices[symbol])
        for symbol, position in opening.positions.items()
    }
    traded: dict[Symbol, Won] = {}
    escaped = costs = 0
    for done in read_story(entries).executions.values():
        if done.quantity == 0:
            continue
        sign = 1 if done.side is Side.BUY else -1
        gain = sign * (done.quantity * closing_prices[done.symbol] - done.amount)
        traded[done.symbol] = traded.get(done.symbol, 0) + gain
        escaped += gain if done.escape else 0
        costs += done.cost
    by_symbol = {s: carried.get(s, 0) + traded.get(s, 0) for s in sorted({*carried, *traded})}
    held, moved = sum(carried.values()), sum(traded.values())
    return Attribution(held + moved - costs, held, moved, escaped, costs, by_symbol)
