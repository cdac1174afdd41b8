"""The simulated exchange: how orders meet the market, and its array twin ``sim.batch``.

A ``Venue`` is a value; ``accept`` enters orders, ``step`` lets a slice of the market happen,
``open_day`` and ``close_day`` turn the day. What the fill model assumes is
``FillModel().assumptions()``; the eight laws are tests in tests/property/test_laws_of_the_exchange.py.
"""

from haetae.sim.admission import RejectCode
from haetae.sim.entry import accept
from haetae.sim.settings import FillModel
from haetae.sim.trading import step
from haetae.sim.venue import Venue, VenueOrder, close_day, open_day, open_venue, set_halt

__all__ = [
    "FillModel",
    "RejectCode",
    "Venue",
    "VenueOrder",
    "accept",
    "close_day",
    "open_day",
    "open_venue",
    "set_halt",
    "step",
]
