"""The simulated exchange: how orders meet the market, and its array twin ``sim.batch``."""

from haetae.sim.settings import FillModel

__all__ = ["FillModel"]
