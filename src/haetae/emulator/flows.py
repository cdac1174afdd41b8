"""Who bought and who sold: seeded net purchases of foreigners, institutions and individuals.

Here: ``day_flows`` of all names of a session. The three and the rest of the market (other companies) add up to 0
in shares and in won; foreigners and institutions lean a little with the day's return, individuals against it.
A function of seed, day and symbol and of that day's bar. Not here: when they may be seen (``board``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haetae.domain.market import Int64Array
from haetae.domain.units import Shares, Won
from haetae.emulator.bridge import DayBars
from haetae.emulator.dice import dice

_LEAN = 0.35
"""How much of a standard deviation of net buying a standard return explains."""
_USUAL_MOVE = 0.025
_CROSSED = {"foreign": 0.25, "institution": 0.14, "other": 0.01}
"""Shares of what changes hands beyond net purchases, by who buys and sells it; the rest are individuals'."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Net purchases of a day, negative when sold; what is left to 0 are other companies."""

    foreign_sh: Shares = 0
    institution_sh: Shares = 0
    individual_sh: Shares = 0
    foreign_won: Won = 0
    institution_won: Won = 0
    individual_won: Won = 0

    def __add__(self, other: Flow) -> Flow:
        """Return both together."""
        mine, theirs = ((f.foreign_sh, f.institution_sh, f.individual_sh) for f in (self, other))
        won, more = ((f.foreign_won, f.institution_won, f.individual_won) for f in (self, other))
        return Flow(*(a + b for a, b in zip((*mine, *won), (*theirs, *more), strict=True)))


def day_flows(seed: int, day: dt.date, symbols: Sequence[str], bars: DayBars) -> list[Flow]:
    """Return the flows of all names on a day; none where nothing traded."""
    move = np.divide(bars.close - bars.before, bars.before, out=np.zeros(len(symbols)), where=bars.before > 0)
    price: Int64Array = np.maximum((bars.high + bars.low + bars.close) // 3, 1)
    found = []
    for column, symbol in enumerate(symbols):
        volume = int(bars.volume[column])
        if volume == 0:
            found.append(Flow())
            continue
        z = dice(seed, "flows", day, symbol).standard_normal(3)
        lean = _LEAN * float(np.clip(move[column] / _USUAL_MOVE, -3.0, 3.0))
        foreign = round(volume * 0.06 * float(np.clip(z[0] + lean, -4, 4)))
        institution = round(volume * 0.05 * float(np.clip(z[1] + lean, -4, 4)))
        others = round(volume * 0.004 * float(z[2]))
        shares = (foreign, institution, -(foreign + institution + others))
        found.append(Flow(*shares, *(part * int(price[column]) for part in shares)))
    return found


def both_sides(flow: Flow, volume: Shares) -> dict[str, tuple[Shares, Shares]]:
    """Return what individuals, foreigners, institutions and others bought and sold on a day of so many shares.

    Bought less sold is the net of ``flow``; all that was bought is the day's volume, and so is all that was sold.
    """
    net = {"individual": flow.individual_sh, "foreign": flow.foreign_sh, "institution": flow.institution_sh}
    net["other"] = -sum(net.values())
    crossed = volume - sum(max(part, 0) for part in net.values())
    share = {party: int(crossed * part) for party, part in _CROSSED.items()}
    share["individual"] = crossed - sum(share.values())
    return {party: (max(part, 0) + share[party], max(-part, 0) + share[party]) for party, part in net.items()}
