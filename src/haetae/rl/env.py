"""One account as a Gymnasium environment, for anybody's learning library.

Here: ``TradingEnv`` with the standard interface. Not here: our own training (``ppo``), which uses
``accounts`` directly. The end of an episode is a truncation; losing nine tenths is a termination.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from haetae.policies.observe import ACCOUNT_COLUMNS
from haetae.rl.accounts import Group
from haetae.rl.data import Window
from haetae.rl.settings import EnvSettings
from haetae.sim import FillModel

_LARGEST_SCORE = 8.0
"""Beyond it the sigmoid of the action map is flat."""
_RUIN = 0.1


class TradingEnv(gym.Env[NDArray[np.float32], NDArray[np.float32]]):
    """Scores per symbol in, return after costs out; seeds decide the start session.

    Observation ``(n_symbols, n_columns)`` float32 (``policies.observe``), action ``(n_symbols,)``
    float32 scores (``policies.actions``), reward the account's return until the next decision in
    units of a full position's typical move.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - the name and form Gymnasium asks for

    def __init__(self, window: Window, settings: EnvSettings | None = None, model: FillModel | None = None) -> None:
        settings = settings or EnvSettings()
        self._group = Group(window, settings, 1, model)
        self._cash = settings.cash
        symbols = len(window.panel.symbols)
        columns = window.scaled.shape[-1] + len(ACCOUNT_COLUMNS)
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (symbols, columns), np.float32)
        self.action_space = gym.spaces.Box(-_LARGEST_SCORE, _LARGEST_SCORE, (symbols,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode; ``options={"session": i}`` chooses where instead of chance."""
        super().reset(seed=seed)
        chosen = (options or {}).get("session")
        self._group.reset(int(self.np_random.integers(self._group.starts)) if chosen is None else int(chosen))
        return self._group.observe()[0][0], self._info()

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Decide once and live until the next decision."""
        rewards, truncated = self._group.step(np.asarray(action, np.float32)[None])
        info = self._info()
        ruined = info["equity"] < _RUIN * self._cash
        return self._group.observe()[0][0], float(rewards.sum()), ruined, truncated, info

    def _info(self) -> dict[str, Any]:
        fees, taxes = self._group.costs
        return {
            "equity": int(self._group.equity[0]),
            "fees": int(fees[0]),
            "taxes": int(taxes[0]),
            "row": self._group.row,
        }
