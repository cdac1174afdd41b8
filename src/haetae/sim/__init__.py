"""The simulated exchange: how orders meet the market, and its array twin ``sim.batch``.

A ``Venue`` is a value; ``accept`` enters orders, ``step`` lets a slice of the market happen,
``open_day`` and ``close_day`` turn the day. What the fill model assumes is
``FillModel().assumptions()``; the eight laws are tests in tests/property/test_laws_of_the_exchange.py.
"""

from haetae.sim.admission import RejectCode
from haetae.sim.assumptions import ALWAYS, LAWS, REFUSES
from haetae.sim.book import DayOrders, VenueOrder
from haetae.sim.changes import cancel_part, reissue
from haetae.sim.entry import accept
from haetae.sim.faults import check_bars
from haetae.sim.kinds import Pricing, Terms, entry_price, takes
from haetae.sim.settings import FillModel
from haetae.sim.trading import step
from haetae.sim.venue import Venue, close_day, open_day, open_venue, set_call, set_halt
from haetae.sim.waiting import join_closing

__all__ = [
    "ALWAYS",
    "LAWS",
    "REFUSES",
    "DayOrders",
    "FillModel",
    "Pricing",
    "RejectCode",
    "Terms",
    "Venue",
    "VenueOrder",
    "accept",
    "cancel_part",
    "check_bars",
    "close_day",
    "entry_price",
    "join_closing",
    "open_day",
    "open_venue",
    "reissue",
    "set_call",
    "set_halt",
    "step",
    "takes",
]
