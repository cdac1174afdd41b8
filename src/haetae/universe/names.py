"""Names where no list of them is known: what a code and its bars tell, and what a name tells of its kind.

KRX short codes of common shares end in 0, other lines of an issuer do not. A symbol counts as listed from its first
bar, or long ago if the bars begin with it. Funds whose code ends in 0 cannot be told apart without a list, so a
symbol of this kind is flagged ``listing.assumed``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import numpy as np

from haetae.domain.market import BoolArray, Instrument, Int64Array, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from

LONG_AGO = dt.date(1970, 1, 1)
"""``as_of`` of an instrument that nobody announced."""

_SPAC = re.compile("스팩|기업인수목적")
_REIT = re.compile("(?<!메)리츠$|부동산투자회사")
"""Names of REITs end in 리츠; the insurer 메리츠 is none."""


def assumed(panel: Panel, rows: int | None = None) -> Mapping[Symbol, Instrument]:
    """Return an instrument for each symbol with a close in the first ``rows`` bars (all by default)."""
    close = panel.close[:rows]
    if not len(close):
        return {}
    known: BoolArray = np.greater(close, 0)
    there: BoolArray = np.any(known, axis=0)
    first: Int64Array = np.argmax(known, axis=0)
    made = {}
    for column, symbol in enumerate(panel.symbols):
        if not there[column]:
            continue
        row = int(first[column])
        made[symbol] = Instrument(
            symbol=symbol,
            name=symbol,
            market=Market.KOSPI,
            kind=Kind.COMMON if symbol.endswith("0") else Kind.PREFERRED,
            listed_on=day_from(int(panel.days[row])) if row else LONG_AGO,
            base_price=0,
            shares_outstanding=0,
            as_of=LONG_AGO,
        )
    return made


def kind_on(instrument: Instrument) -> Kind:
    """Return what a name is: its kind, but what the name gives away as a SPAC or a REIT is no common share."""
    if instrument.kind is not Kind.COMMON:
        return instrument.kind
    if _SPAC.search(instrument.name):
        return Kind.SPAC
    if _REIT.search(instrument.name):
        return Kind.REIT
    return Kind.COMMON
