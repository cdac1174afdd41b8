"""Who may call and how often: keys, tokens, approval keys, rate limits.

Here: ``Gate``, pure of sockets; every question takes the emulator's instant. Limits are counted in
a sliding second on that clock, by key and domain. Not here: what a call answers (``core``), which keys
there are (``keys``), how many calls a day's rules admit (``rates``).
Sources: the protocol pages on authentication, rate limits and gateway codes.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.units import NS_PER_DAY, NS_PER_SECOND, Instant, day_of, instant_at
from haetae.emulator.keys import APP_KEY_LENGTH, APP_SECRET_LENGTH, read_keys, well_formed
from haetae.emulator.rates import customer_of, rate_on
from haetae.emulator.settings import LimitSettings
from haetae.emulator.windows import Intervals, Window
from haetae.kis.wire import codes
from haetae.kis.wire.operations import Mode

TOKEN_LIFE_S = 86_400
MAINTENANCE = (30_000, 60_000)
"""Wall-clock times between which the service is away, where that is asked for."""
_WINDOW_NS = NS_PER_SECOND
"""Calls are counted in a sliding second."""
_SAME_TOKEN_NS = 6 * 3_600 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that is not served: the service's code, and words other than its usual ones."""

    code: str
    text: str = ""
    rt_cd: str = "1"


@dataclass(slots=True)
class Token:
    """An access token of a key."""

    text: str
    app_key: str
    issued: Instant
    revoked: bool = False
    expired: bool = False

    @property
    def expires(self) -> Instant:
        """Instant of expiry, 24 hours after issue."""
        return self.issued + TOKEN_LIFE_S * NS_PER_SECOND


@dataclass(slots=True)
class CallCount:
    """Calls of one key on one domain: those that came, and those that were admitted."""

    seen: Window = field(default_factory=Window)
    admitted: Window = field(default_factory=Window)
    ledger: Window = field(default_factory=Window)
    refused: int = 0
    refused_in_flood: int = 0
    """Of those, what was refused because a dark network had delivered calls of earlier seconds at once."""
    ledger_refused: int = 0
    limit: int = 0
    peak: int = 0
    by_tr: Counter[str] = field(default_factory=Counter)


class Gate:
    """Keys, tokens and rates of one emulator."""

    def __init__(
        self, seed: int, limits: LimitSettings, keys_file: Path | None = None, *, maintained: bool = False
    ) -> None:
        """Accept any well-formed key pair, or those of a file only; ``maintained``: tokens die at night."""
        self._seed = seed
        self._limits = limits
        self._maintained = maintained
        self._rows = read_keys(keys_file) if keys_file else None
        self._secrets: dict[str, str] = {}
        self._modes: dict[str, Mode] = {}
        self._tokens: dict[str, Token] = {}
        self._latest: dict[str, Token] = {}
        self._asked: dict[str, Instant] = {}
        self._approvals: dict[str, tuple[str, Instant]] = {}
        self._approving: dict[str, Window] = defaultdict(Window)
        self._issues = 0
        self._holidays: Counter[tuple[str, object]] = Counter()
        self.counts: dict[tuple[str, Mode], CallCount] = defaultdict(CallCount)
        self.token_calls: dict[str, Intervals] = defaultdict(Intervals)
        self.token_refusals = 0
        self._dated: dict[tuple[str, Mode], tuple[Instant, int]] = {}
        self._flooded_until: Instant = 0

    def _pair(self, app_key: str, secret: str) -> Refusal | None:
        if not well_formed(app_key, APP_KEY_LENGTH):
            return Refusal("EGW00103")
        if not well_formed(secret, APP_SECRET_LENGTH):
            return Refusal("EGW00105")
        if self._rows is not None and (app_key not in self._rows or self._rows[app_key].secret != secret):
            return Refusal("EGW00103" if app_key not in self._rows else "EGW00105")
        return None if self._secrets.setdefault(app_key, secret) == secret else Refusal("EGW00105")

    def _domain(self, app_key: str, mode: Mode) -> Refusal | None:
        row = self._rows.get(app_key) if self._rows else None
        known = row.mode if row and row.mode else self._modes.setdefault(app_key, mode)
        self._modes[app_key] = known
        return None if known is mode else Refusal("EGW02004", _WRONG_KEY[mode])

    def issue(self, app_key: str, secret: str, mode: Mode, now: Instant) -> Token | Refusal:
        """Issue a token: at most one a minute and key; the same one within six hours."""
        self.token_calls[app_key].add(now)
        refusal = self._pair(app_key, secret)
        if refusal:
            return refusal
        asked = self._asked.get(app_key)
        if asked is not None and now - asked < self._limits.token_interval_s * NS_PER_SECOND:
            self.token_refusals += 1
            return Refusal(codes.TOKEN_RATE_EXCEEDED)
        refusal = self._domain(app_key, mode)
        if refusal:
            return refusal
        self._asked[app_key] = now
        latest = self._latest.get(app_key)
        if latest and self._dead(latest, now) is None and now - latest.issued < _SAME_TOKEN_NS:
            return latest
        token = Token(self._text("token", app_key) * 4, app_key, now)
        self._tokens[token.text] = self._latest[app_key] = token
        return token

    def refuse_token(self, app_key: str, now: Instant) -> Refusal:
        """Return the refusal of a token that was asked for too early, counted, whatever the clock says."""
        self.token_calls[app_key].add(now)
        self.token_refusals += 1
        return Refusal(codes.TOKEN_RATE_EXCEEDED)

    def revoke(self, app_key: str, text: str) -> Refusal | None:
        """Revoke a token."""
        token = self._tokens.get(text)
        if token is None or token.app_key != app_key:
            return Refusal(codes.TOKEN_UNKNOWN)
        token.revoked = True
        return None

    def kill_token(self, app_key: str, *, expired: bool) -> None:
        """Let the newest token of a key die: as if its day were over, or as if it had been revoked."""
        token = self._latest.get(app_key)
        if token is not None:
            token.expired, token.revoked = expired or token.expired, token.revoked or not expired

    def occupy_token(self, app_key: str, now: Instant) -> None:
        """Let somebody else have asked for a token of a key just now."""
        self._asked[app_key] = now

    def approve(self, app_key: str, secret: str, now: Instant) -> str | Refusal:
        """Issue an approval key for the WebSocket; good on both domains, for a day."""
        refusal = self._pair(app_key, secret)
        if refusal:
            return refusal
        allowed, asked = self._limits.approvals_per_second, self._approving[app_key]
        if allowed and asked.inside(now) >= allowed:
            return Refusal(codes.RATE_EXCEEDED)
        asked.add(now)
        digest = self._text("approval", app_key)
        key = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
        self._approvals[key] = (app_key, now)
        return key

    def owner(self, approval_key: str, now: Instant) -> str | None:
        """Return the app key an approval key was issued to, none once a day has passed."""
        app_key, issued = self._approvals.get(approval_key, ("", 0))
        return app_key if app_key and now - issued < NS_PER_DAY else None

    def registrations(self, app_key: str) -> int:
        """Return how many registrations a session of a key may hold."""
        row = self._rows.get(app_key) if self._rows else None
        return row.registrations if row and row.registrations else self._limits.registrations

    def check(
        self, headers: Mapping[str, str], mode: Mode, tr: str, now: Instant, *, is_ledger: bool = False
    ) -> str | Refusal:
        """Return the app key of an admitted call; counts it against the rate of its key and domain."""
        app_key, secret = headers.get("appkey", ""), headers.get("appsecret", "")
        refusal = self._pair(app_key, secret)
        if refusal:
            return Refusal("EGW00304") if refusal.code == "EGW00105" else refusal
        self.counts[app_key, mode].seen.add(now)
        bearer = headers.get("authorization", "")
        if not bearer:
            return Refusal(codes.TOKEN_MISSING)
        if not bearer.startswith("Bearer "):
            return Refusal("EGW00205", "credentials_type이 유효하지 않습니다.(Bearer)")
        token = self._tokens.get(bearer.removeprefix("Bearer ").strip())
        if token is None or token.app_key != app_key:
            return Refusal(codes.TOKEN_UNKNOWN)
        dead = self._dead(token, now)
        if dead:
            return dead
        if self._modes[app_key] is not mode:
            return Refusal("EGW02004", _WRONG_KEY[mode])
        return self._count(app_key, mode, tr, now, is_ledger=is_ledger) or app_key

    def _dead(self, token: Token, now: Instant) -> Refusal | None:
        if token.revoked:
            return Refusal(codes.TOKEN_UNKNOWN)
        over = token.expired or now >= token.expires
        if not over and self._maintained:
            over = token.issued < instant_at(day_of(now), MAINTENANCE[0]) <= now
        return Refusal(codes.TOKEN_EXPIRED) if over else None

    def _allowed(self, app_key: str, mode: Mode, now: Instant) -> int:
        limits = self._limits
        given = limits.real_calls_per_second if mode is Mode.REAL else limits.mock_calls_per_second
        if given is not None:
            return given
        known = self._dated.get((app_key, mode))
        if known is None or not known[0] <= now < known[0] + NS_PER_DAY:
            row = self._rows.get(app_key) if self._rows else None
            since, day = row.since if row and row.since else limits.new_customers_since, day_of(now)
            known = (instant_at(day, 0), rate_on(customer_of(mode, since, day), day).per_second)
            self._dated[app_key, mode] = known
        return known[1]

    def _count(self, app_key: str, mode: Mode, tr: str, now: Instant, *, is_ledger: bool) -> Refusal | None:
        count = self.counts[app_key, mode]
        allowed = self._allowed(app_key, mode, now)
        count.limit = allowed
        count.by_tr[tr] += 1
        if allowed and count.admitted.inside(now, _WINDOW_NS) >= allowed:
            count.refused += 1
            count.refused_in_flood += now < self._flooded_until
            return Refusal(codes.RATE_EXCEEDED)
        if is_ledger:
            ledger = self._limits.ledger_calls_per_second
            if ledger and count.ledger.inside(now, _WINDOW_NS) >= ledger:
                count.ledger_refused += 1
                return Refusal(codes.LEDGER_RATE_EXCEEDED)
            count.ledger.add(now, _WINDOW_NS)
        count.admitted.add(now, _WINDOW_NS)
        count.peak = max(count.peak, count.admitted.inside(now, _WINDOW_NS))
        return None

    def occupy(self, app_key: str, mode: Mode, now: Instant, calls: int) -> None:
        """Let somebody else have made calls with a key just now; they fill the window like any other."""
        self.counts[app_key, mode].admitted.add(now, _WINDOW_NS, times=calls)

    def flood(self, now: Instant) -> None:
        """Say that a dark network delivers now what was sent in earlier seconds; refusals of a second count apart."""
        self._flooded_until = now + _WINDOW_NS

    def count_holiday(self, app_key: str, now: Instant) -> None:
        """Count a holiday inquiry: the service asks for one a day."""
        self._holidays[app_key, day_of(now)] += 1

    def report(self) -> dict[str, object]:
        """Return how many calls came, were admitted and were refused per key and domain; keys are shortened.

        ``peak_per_second`` is the most calls admitted in a sliding second.
        """
        rows = [
            {
                "app_key": _short(app_key),
                "mode": mode.value,
                "limit_per_second": count.limit,
                "calls": count.admitted.count,
                "seen": count.seen.count,
                "violations": count.refused,
                "ledger_violations": count.ledger_refused,
                "peak_per_second": count.peak,
                "by_tr": dict(sorted(count.by_tr.items())),
            }
            for (app_key, mode), count in self.counts.items()
        ]
        return {
            "keys": rows,
            "violations": sum(count.refused for count in self.counts.values()),
            "violations_in_flood": sum(count.refused_in_flood for count in self.counts.values()),
            "ledger_violations": sum(count.ledger_refused for count in self.counts.values()),
            "token_refusals": self.token_refusals,
            "token_calls": sum(item.count for item in self.token_calls.values()),
            "holiday_calls_over_one_a_day": sum(count - 1 for count in self._holidays.values()),
        }

    def rates(self) -> dict[str, object]:
        """Return how calls were spread over time: figures of a run, where ``report`` has those of the work.

        ``peak_seen`` is the most calls of any kind in a sliding second, ``peak_admitted`` those let through; distances
        are market seconds, none before there are two.
        """
        rows = [
            {
                "app_key": _short(app_key),
                "mode": mode.value,
                "limit_per_second": count.limit,
                "peak_admitted": count.admitted.peak,
                "peak_seen": count.seen.peak,
                "longest_idle_s": count.admitted.longest_idle_ns / NS_PER_SECOND,
            }
            for (app_key, mode), count in self.counts.items()
        ]
        tokens = {
            _short(app_key): item.shortest_ns / NS_PER_SECOND if item.shortest_ns is not None else None
            for app_key, item in self.token_calls.items()
        }
        return {"keys": rows, "shortest_between_tokens_s": tokens}

    def _text(self, purpose: str, app_key: str) -> str:
        self._issues += 1
        return hashlib.sha256(f"{self._seed}:{purpose}:{self._issues}:{app_key}".encode()).hexdigest()


_WRONG_KEY = {
    Mode.REAL: "실전투자 도메인은 모의투자 앱키로 호출하실 수 없습니다.",
    Mode.MOCK: "모의투자 도메인은 실전투자 앱키로 호출하실 수 없습니다.",
}


def _short(app_key: str) -> str:
    return f"{app_key[:4]}…"
