"""Ready policies: from what is known to target weights.

Here: the interface of strategies (`strategy`, `forms`, `schedule`), simple baselines (`baselines`, by name in
`library`), the rank policy over model scores, the optimised policy over scores and risk, the trained net with its
files, and the one observation function that training and live trading share. Not here: how targets become orders
(``execution`` live, ``backtest.rebalance`` in simulation), training (``rl``).
"""

from haetae.domain.decisions import Proposal, View
from haetae.policies.baselines import Task
from haetae.policies.forms import SignalStrategy, TargetStrategy
from haetae.policies.library import LIBRARY
from haetae.policies.net import NetPolicy
from haetae.policies.optimised import OptimisedPolicy
from haetae.policies.rank import RankPolicy
from haetae.policies.strategy import Strategy

__all__ = [
    "LIBRARY",
    "NetPolicy",
    "OptimisedPolicy",
    "Proposal",
    "RankPolicy",
    "SignalStrategy",
    "Strategy",
    "TargetStrategy",
    "Task",
    "View",
]
