"""The simulated exchange on arrays: many accounts or long walks, equal to ``sim.Venue`` to the won."""

from haetae.sim.batch.engine import FILL, Batch
from haetae.sim.batch.market import BatchMarket, prepare
from haetae.sim.batch.signals import BatchResult, run_signals

__all__ = ["FILL", "Batch", "BatchMarket", "BatchResult", "prepare", "run_signals"]
