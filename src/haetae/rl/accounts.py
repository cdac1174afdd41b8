"""Accounts that live through a window of minutes on the simulated exchange.

Here: ``Group`` (accounts that share a start in time) and ``Accounts`` (many groups, the environment
of PPO). Not here: the Gymnasium form of one account (``env``), the window (``data``).

A decision at the end of row ``d`` sees bars up to ``d``; its orders meet row ``d + 1`` and, while
unfinished, the next few bars, by the same ``Rebalancer`` as a backtest. The reward of a symbol is
its profit until the next decision, all fees, taxes and slippage included, over equity at the
decision; summed over symbols it is the account's return to the won. It is measured in the window's
typical move of a full position, so its size does not depend on the market.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.rebalance import Rebalancer
from haetae.domain.market import Int64Array
from haetae.policies.actions import target_weights
from haetae.policies.observe import observe
from haetae.rl.data import Window
from haetae.rl.settings import EnvSettings
from haetae.sim import FillModel
from haetae.sim.batch import Batch

Float32Array = NDArray[np.float32]


class Group:
    """``n`` accounts that start at the same session and see the same bars.

    ``row`` is the newest closed bar: a decision row, or the last row of an ended episode.
    """

    def __init__(self, window: Window, settings: EnvSettings, n: int, model: FillModel | None = None) -> None:
        self.window = window
        self._settings = settings
        self._batch = Batch(window.market, n, settings.cash, model, keep_fills=True)
        self._rebalancer = Rebalancer(self._batch)
        self._place = 0
        self._end = 0
        self._seen_fills = 0
        self.row = 0
        self.reward_unit = settings.limits.max_weight * window.move

    @property
    def starts(self) -> int:
        """How many sessions an episode may start at."""
        return max(1, self.window.sessions - self._settings.episode_sessions + 1)

    @property
    def equity(self) -> Int64Array:
        """Equity of each account at the close of the current row, won."""
        return self._batch.equity(self.row)

    @property
    def costs(self) -> tuple[Int64Array, Int64Array]:
        """Fees and taxes paid so far, won each."""
        return self._batch.fees, self._batch.taxes

    def reset(self, session: int) -> None:
        """Begin an episode with cash only at a session of the window."""
        last = min(session + self._settings.episode_sessions, self.window.sessions) - 1
        self._place = int(np.searchsorted(self.window.session_of, session))
        self._end = int(np.searchsorted(self.window.session_of, last, side="right"))
        self.row = int(self.window.rows[self._place])
        self._batch.reset(self.row + 1)
        self._rebalancer.reset()
        self._seen_fills = 0

    def observe(self) -> tuple[Float32Array, Float32Array]:
        """Return observation ``(n, S, K)`` and active mask ``(n, S)`` at the current row."""
        window, row = self.window, self.row
        weights, cash = self._weights()
        shape = (*weights.shape, window.scaled.shape[-1])
        seen = observe(
            np.broadcast_to(window.scaled[row], shape),
            np.broadcast_to(window.scores[row if len(window.scores) > 1 else 0], weights.shape),
            weights,
            cash,
            np.full(len(weights), window.progress[row], np.float32),
        )
        return seen, np.broadcast_to(self._tradable(), weights.shape).astype(np.float32)

    def step(self, scores: NDArray[np.floating]) -> tuple[Float32Array, bool]:
        """Act on scores ``(n, S)``; return rewards ``(n, S)`` and whether the episode ended.

        After an end the group must be reset.
        """
        batch, panel, row = self._batch, self.window.panel, self.row
        before = batch.equity(row)
        value = batch.shares * panel.close[row]
        weights, _cash = self._weights()
        tradable = np.broadcast_to(self._tradable(), weights.shape)
        self._rebalancer.decide(target_weights(scores, weights, tradable, self._settings.limits), row)
        self._place += 1
        ended = self._place >= self._end
        session = self.window.session_of[self._place - 1]
        self.row = int(self.window.last_rows[session] if ended else self.window.rows[self._place])
        self._advance(self.row)
        profit = batch.shares * panel.close[self.row] - value + self._flows()
        rewards = profit / np.maximum(before, 1)[:, None] / self.reward_unit
        return rewards.astype(np.float32), ended

    def _weights(self) -> tuple[Float32Array, Float32Array]:
        equity = np.maximum(self.equity, 1)
        held = self._batch.shares * self.window.panel.close[self.row] / equity[:, None]
        return held.astype(np.float32), (self._batch.cash / equity).astype(np.float32)

    def _tradable(self) -> NDArray[np.bool_]:
        return self.window.panel.close[self.row] > 0

    def _advance(self, until: int) -> None:
        batch = self._batch
        for _ in range(min(self._settings.work_bars, until + 1 - batch.next_bar)):
            if self._rebalancer.arrived:
                break
            self._rebalancer.work()
            batch.advance(batch.next_bar)
        self._rebalancer.give_up()
        while batch.next_bar <= until and batch.working.any():
            batch.advance(batch.next_bar)
        batch.next_bar = until + 1  # a bar without working orders changes nothing

    def _flows(self) -> Int64Array:
        fresh = self._batch.fills[self._seen_fills :]
        self._seen_fills += len(fresh)
        flows = np.zeros_like(self._batch.shares)
        paid = -fresh["quantity"] * fresh["price"] - fresh["fee"] - fresh["tax"]
        np.add.at(flows, (fresh["env"], fresh["symbol"]), paid)
        return flows


class Accounts:
    """Many groups at different times; an ended episode starts again at a random session."""

    def __init__(
        self, window: Window, settings: EnvSettings, *, groups: int, accounts: int, model: FillModel | None = None
    ) -> None:
        self._groups = [Group(window, settings, accounts, model) for _ in range(groups)]

    def reset(self, rng: np.random.Generator) -> tuple[Float32Array, Float32Array]:
        """Start every group at a random session; return observation and active mask."""
        for group in self._groups:
            group.reset(int(rng.integers(group.starts)))
        return self._observe()

    def step(
        self, scores: NDArray[np.floating], rng: np.random.Generator
    ) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
        """Act on scores ``(N, S)``; see ``ppo.ManyAccounts``."""
        rewards, ends = [], []
        for group, part in zip(self._groups, np.split(scores, len(self._groups)), strict=True):
            reward, ended = group.step(part)
            rewards.append(reward)
            ends.append(np.full(len(part), float(ended), np.float32))
            if ended:
                group.reset(int(rng.integers(group.starts)))
        return *self._observe(), np.concatenate(rewards), np.concatenate(ends)

    def _observe(self) -> tuple[Float32Array, Float32Array]:
        seen, active = zip(*(group.observe() for group in self._groups), strict=True)
        return np.concatenate(seen), np.concatenate(active)
