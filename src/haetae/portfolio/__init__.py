"""From scores to target weights under constraints and costs.

``construct`` chooses and sizes, ``Constraints`` holds the limits. Not here: scores (``ml``), the
turning of weights into whole shares and orders (``execution``, ``backtest``).
"""

from haetae.portfolio.construction import construct
from haetae.portfolio.settings import Constraints

__all__ = ["Constraints", "construct"]
