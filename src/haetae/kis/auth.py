"""The access token: one owner for all processes, renewed before it dies, never asked for twice a minute.

Here: `Tokens` (when to ask, what to give meanwhile) and `Approvals` (the keys that open a WebSocket session). Not here:
the calls themselves (`rest` passes them in), the file (`token_file`). All instants are of the injected clock.

A token is *due* after 20 hours, and on a trading day as soon as it would not live to 20:30; it is asked for while the
old one still serves, so nobody waits. A token that KIS refuses, in whatever words, is *dead*: one caller asks, the
others wait. Where KIS gives none, queries go on with the old token (it may have been refused by mistake), orders do
not leave, and the second failure in a row is an error that a person must see.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from haetae.domain.errors import BrokerError, MarketRuleError, Retryable, Text, WireError
from haetae.domain.units import NS_PER_SECOND, Instant, day_of, instant_at
from haetae.kis.limits import APPROVAL_INTERVAL_S
from haetae.kis.settings import KisSettings
from haetae.kis.token_file import Grant, TokenFile
from haetae.krx import is_trading_day
from haetae.ports import Clock, Passing, pass_by

__all__ = ["Approvals", "Grant", "Tokens"]

_log = structlog.get_logger(__name__)
_LOCK_WAIT_S = 0.5
_LAST_USE = 203_000
"""KST; the aftermarket ends at 20:00, its last readings half an hour later."""
_SAME_TOKEN_S = 6 * 3_600
"""KIS gives the same token again within six hours of its issue: asking earlier gains nothing."""
_AHEAD_S = 2 * 3_600
"""A token of the future is of another clock, save for a clock that was set back a little."""
_EARLY_AGAIN_S = 3_600
"""Where KIS answered an early request with the old token, it is left alone for an hour."""
_APPROVAL_LIFE_S = 23 * 3_600
"""An approval key lives a day and counts only when a session registers."""


class Tokens:
    """Gives out the token in force."""

    def __init__(
        self,
        settings: KisSettings,
        clock: Clock,
        issue: Callable[[], Awaitable[tuple[str, Instant]]],
        passing: Passing = pass_by,
    ) -> None:
        """Read nothing yet; ``issue`` asks KIS for (token, expiry)."""
        self._settings = settings
        self._clock = clock
        self._issue = issue
        self._file = TokenFile(settings.token_file, settings.fingerprint, passing)
        self._grant: Grant | None = None
        self._issuing = asyncio.Lock()
        self._failures = 0
        self._gave_none = False

    @property
    def left_s(self) -> float:
        """Return the seconds the present token has left; 0 without a good one."""
        grant, now = self._grant, self._clock.now()
        return (grant.expires_at - now) / NS_PER_SECOND if grant is not None and self._serves(grant, now) else 0.0

    async def token(self, *, within_s: float | None = None, for_order: bool = False) -> str:
        """Return a token that is good now, asking for one if need be.

        Parameters
        ----------
        within_s : float, optional
            Longest wait for the minute between two issues; a longer one raises ``Retryable``.
        for_order : bool
            Whether a token that KIS has refused is useless here even when there is no other.
        """
        grant, now = self._grant or self._read(), self._clock.now()
        if grant is not None and self._serves(grant, now):
            if self._may_renew(grant, now) and not for_order and not self._issuing.locked():
                await self._renew_early()
            return (self._grant or grant).token
        async with self._issuing:
            grant, now = self._read(), self._clock.now()
            if grant is not None and self._serves(grant, now):
                return grant.token
            wait = self._wait_s(grant, now) if grant is not None else 0.0
            if wait > 0 and self._gave_none and not for_order and grant is not None and self._unexpired(grant, now):
                return grant.token
            if within_s is not None and wait > within_s:
                raise Retryable(
                    Text(ko="새 토큰을 아직 받을 수 없습니다", en="no new token yet"),
                    expected=f"a token within {within_s:.0f} s",
                    found=f"KIS issues one a minute; {wait:.0f} s are left",
                    next_step=Text(ko="1분 뒤 다시 시도하세요", en="try again in a minute"),
                )
            try:
                return await self._renew()
            except (BrokerError, WireError):
                if for_order or grant is None or not self._unexpired(grant, now):
                    raise
                return grant.token

    def drop(self, token: str) -> None:
        """Forget a token KIS called unknown or expired; a newer one stays."""
        grant = self._grant
        if grant is None or grant.token != token or grant.dead:
            return  # another call of the same moment has said so already
        self._file.mark_dead(token, self._clock.now())
        self._grant = None
        self._failed("the token was refused")

    def worked(self, token: str) -> None:
        """Say that KIS took a token: failures before it are history."""
        if self._failures and self._grant is not None and token == self._grant.token and not self._grant.dead:
            self._failures = 0

    def _read(self) -> Grant | None:
        self._grant = self._file.read()
        return self._grant

    def _unexpired(self, grant: Grant, now: Instant) -> bool:
        return bool(grant.token) and now < grant.expires_at and grant.issued_at - now < _AHEAD_S * NS_PER_SECOND

    def _serves(self, grant: Grant, now: Instant) -> bool:
        return self._unexpired(grant, now) and not grant.dead

    def _is_due(self, grant: Grant, now: Instant) -> bool:
        age_s = (now - grant.issued_at) / NS_PER_SECOND
        if age_s >= self._settings.token_renew_s:
            return True
        last_use = instant_at(day_of(now), _LAST_USE)
        dies_today = now < last_use and grant.expires_at < last_use and _may_trade(day_of(now))
        return dies_today and age_s >= _SAME_TOKEN_S

    def _may_renew(self, grant: Grant, now: Instant) -> bool:
        """Whether a token that serves is worth a try now; KIS tells the owner of each one it issues."""
        since_s = (now - grant.tried_at) / NS_PER_SECOND
        return self._is_due(grant, now) and since_s >= (
            self._settings.token_interval_s if self._gave_none else _EARLY_AGAIN_S
        )

    def _wait_s(self, grant: Grant, now: Instant) -> float:
        """Return the seconds until KIS may be asked; a try of the future counts as one of this moment."""
        since = max(0.0, (now - grant.tried_at) / NS_PER_SECOND)
        return self._settings.token_interval_s - since

    async def _renew_early(self) -> None:
        """Ask while the old token serves; a failure changes nothing but the instant of the next try."""
        async with self._issuing:
            try:
                await self._renew(is_early=True)
            except (BrokerError, WireError) as fault:
                _log.warning("token.not_renewed", fault=str(fault))

    async def _renew(self, *, is_early: bool = False) -> str:
        while True:
            with self._file.asking() as may_ask:
                if may_ask:
                    return await self._ask()
            # Another process asks: its token is ours too.
            if is_early:
                return ""
            await self._clock.sleep(_LOCK_WAIT_S)

    async def _ask(self) -> str:
        before, now = self._read(), self._clock.now()
        if before is not None and self._serves(before, now) and not self._is_due(before, now):
            return before.token
        if before is not None and (wait := self._wait_s(before, now)) > 0:
            await self._clock.sleep(wait)
        asked_at = self._clock.now()
        old = before or Grant("", 0, 0, 0)
        self._store(Grant(old.token, old.expires_at, old.issued_at, asked_at, dead=old.dead))
        try:
            token, expires_at = await self._issue()
        except (BrokerError, WireError) as fault:
            self._gave_none = True
            self._failed(str(fault))
            raise
        self._gave_none = False
        again = token == old.token
        self._store(Grant(token, expires_at, old.issued_at if again else asked_at, asked_at))
        _log.info("token.issued", expires_at=expires_at, again=again)
        return token

    def _store(self, grant: Grant) -> None:
        self._grant = grant
        self._file.write(grant, self._clock.now())

    def _failed(self, why: str) -> None:
        self._failures += 1
        tell = _log.error if self._failures > 1 else _log.warning
        tell("token.failed", failures=self._failures, why=why)


class Approvals:
    """The key that opens a WebSocket session: kept while it lives, asked for at most once a second."""

    def __init__(self, clock: Clock, issue: Callable[[], Awaitable[str]]) -> None:
        """Hold none yet; ``issue`` asks KIS."""
        self._clock = clock
        self._issue = issue
        self._key = ""
        self._issued_s = 0.0
        self._tried_s = -float(APPROVAL_INTERVAL_S)
        self._issuing = asyncio.Lock()

    async def key(self, *, refused: str = "") -> str:
        """Return a key that is good for a registration now; never ``refused``, one that KIS did not know any more."""
        async with self._issuing:
            if refused and refused == self._key:
                self._key = ""
            if self._key and self._clock.monotonic() - self._issued_s < _APPROVAL_LIFE_S:
                return self._key
            wait = self._tried_s + APPROVAL_INTERVAL_S - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            self._tried_s = self._clock.monotonic()
            self._key = await self._issue()
            self._issued_s = self._clock.monotonic()
            return self._key


def _may_trade(day: dt.date) -> bool:
    """Whether a day may have a session; a weekday beyond the calendar may."""
    try:
        return is_trading_day(day)
    except MarketRuleError:
        return day.weekday() < 5
