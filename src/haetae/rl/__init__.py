"""Learning to trade: environments on the simulated exchange, PPO in numpy, honest evaluation.

Here: prepared windows of minutes, many accounts at once, the Gymnasium form, the algorithm, and
the train-choose-test run that exports a policy. Not here: the net's forward pass, observation and
action map (``policies``), the engine of the evaluation (``backtest``).
"""

from haetae.rl.learn import Learned, Material, learn
from haetae.rl.settings import EnvSettings, LearnSettings, PpoSettings

__all__ = ["EnvSettings", "LearnSettings", "Learned", "Material", "PpoSettings", "learn"]
