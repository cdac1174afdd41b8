"""Ready policies: from what is known to target weights.

Here: simple baselines, the rank policy over model scores, the trained net with its files, and the
one observation function that training and live trading share. Not here: how targets become orders
(``execution`` live, ``backtest.sizing`` in simulation), training (``rl``).
"""

from haetae.policies.baselines import BASELINES, Baseline, Task
from haetae.policies.net import NetPolicy
from haetae.policies.rank import RankPolicy

__all__ = ["BASELINES", "Baseline", "NetPolicy", "RankPolicy", "Task"]
