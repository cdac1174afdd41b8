"""The light path of prices: prints go past the desk's queue to a watch, and only what may move the escape goes in.

A feed that hands out its prints has them looked at as they arrive (``guards.PriceWatch``, compiled); a ``Glance`` joins
the queue like any event and is journalled like one. Prints themselves are not: a day has millions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from haetae.desk import DeskState
from haetae.domain.events import Glance
from haetae.domain.market import Int64Array
from haetae.domain.units import Instant, Symbol
from haetae.guards import PriceWatch, make_ready

TakePrints = Callable[[Sequence[Symbol], Int64Array, Instant], None]


@runtime_checkable
class Printing(Protocol):
    """A feed that hands out each print as it comes: symbols, prices in won, when they arrived."""

    def on_prints(self, take: TakePrints) -> None:
        """Call ``take`` with prints that are newer than all of their name before; it does not wait."""
        ...


def watch_prints(feed: object, desk: Callable[[], DeskState], put: Callable[[Glance], None]) -> PriceWatch | None:
    """Look at every print of a feed beside the desk as it is; none where the feed hands none out."""
    if not isinstance(feed, Printing):
        return None
    make_ready(desk().settings.escape)
    tape = desk().tape
    watch = PriceWatch(tape.symbols, desk().settings.escape, tape.lower, tape.upper)

    def take(symbols: Sequence[Symbol], prices: Int64Array, at: Instant) -> None:
        glance = watch.take(symbols, prices, at, desk().escape)
        if glance is not None:
            put(glance)

    feed.on_prints(take)
    return watch
