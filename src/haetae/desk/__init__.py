"""The decision core: one reducer from events to commands.

``step(state, event, rules) -> (state', commands)`` is pure: the same state and event give the same
commands to the byte, so a day can be replayed from its journal. It composes the minute features, the
books, the order life, the guards and the agent's pure part; who performs the commands is the driver's
matter (``backtest``, ``live``, an RL episode).

``open_desk`` makes a state, ``warm`` gives it yesterday's bars. ``reviewed`` and ``what_if`` show what the guards
look at, for whoever explains an order.
"""

from haetae.desk.settings import DeskSettings, ReviewMode
from haetae.desk.state import DeskState, open_desk, warm
from haetae.desk.step import event_at, reviewed, step, what_if

__all__ = ["DeskSettings", "DeskState", "ReviewMode", "event_at", "open_desk", "reviewed", "step", "warm", "what_if"]
