"""Who may call and how often: keys, tokens, approval keys, rate limits.

Here: ``Gate``, pure of sockets; every question takes the emulator's instant. Limits are counted in
a sliding window on that clock. Not here: what a call answers (``core``).
Sources: the protocol pages on authentication, rate limits and gateway codes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.emulator.settings import LimitSettings
from haetae.kis.wire import codes
from haetae.kis.wire.operations import Mode

APP_KEY_LENGTH = 36
APP_SECRET_LENGTH = 180
TOKEN_LIFE_S = 86_400
_JITTER_S = 0.2
"""Longest hiccup of a busy machine that must not look like a broken limit, in real seconds."""
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

    @property
    def expires(self) -> Instant:
        """Instant of expiry, 24 hours after issue."""
        return self.issued + TOKEN_LIFE_S * NS_PER_SECOND


@dataclass(slots=True)
class CallCount:
    """Calls of one key on one domain."""

    calls: int = 0
    refused: int = 0
    peak: int = 0
    by_tr: Counter[str] = field(default_factory=Counter)


class Gate:
    """Keys, tokens and rates of one emulator."""

    def __init__(self, seed: int, limits: LimitSettings, keys_file: Path | None = None) -> None:
        """Accept any well-formed key pair, or those of a file only."""
        self._seed = seed
        self._limits = limits
        self._allowed = _read_keys(keys_file) if keys_file else None
        self._secrets: dict[str, str] = {}
        self._modes: dict[str, Mode] = {}
        self._tokens: dict[str, Token] = {}
        self._latest: dict[str, Token] = {}
        self._asked: dict[str, Instant] = {}
        self._approvals: dict[str, str] = {}
        self._issues = 0
        self._recent: dict[tuple[str, Mode], deque[Instant]] = defaultdict(deque)
        self.counts: dict[tuple[str, Mode], CallCount] = defaultdict(CallCount)
        self.token_refusals = 0
        self._window_s = 1.0

    def set_speed(self, speed: float) -> None:
        """Widen the window where time is accelerated, so that the machine's own jitter breaks no limit.

        At N times real time a hiccup of 0.2 s looks like 0.2 N seconds of silence and then a burst. The window
        grows by that much and the calls allowed in it with it: the average rate is held all the same.
        """
        self._window_s = 1.0 + _JITTER_S * max(0.0, speed - 1.0)

    def _pair(self, app_key: str, secret: str) -> Refusal | None:
        if len(app_key) != APP_KEY_LENGTH or not app_key.isascii():
            return Refusal("EGW00103")
        if len(secret) != APP_SECRET_LENGTH or not secret.isascii():
            return Refusal("EGW00105")
        if self._allowed is not None and self._allowed.get(app_key) != secret:
            return Refusal("EGW00103" if app_key not in self._allowed else "EGW00105")
        return None if self._secrets.setdefault(app_key, secret) == secret else Refusal("EGW00105")

    def issue(self, app_key: str, secret: str, mode: Mode, now: Instant) -> Token | Refusal:
        """Issue a token: at most one a minute and key; the same one within six hours."""
        refusal = self._pair(app_key, secret)
        if refusal:
            return refusal
        asked = self._asked.get(app_key)
        if asked is not None and now - asked < self._limits.token_interval_s * NS_PER_SECOND:
            self.token_refusals += 1
            return Refusal(codes.TOKEN_RATE_EXCEEDED)
        if self._modes.setdefault(app_key, mode) is not mode:
            return Refusal("EGW02004", _WRONG_KEY[mode])
        self._asked[app_key] = now
        latest = self._latest.get(app_key)
        if latest and not latest.revoked and now - latest.issued < _SAME_TOKEN_NS:
            return latest
        token = Token(self._text("token", app_key) * 4, app_key, now)
        self._tokens[token.text] = self._latest[app_key] = token
        return token

    def revoke(self, app_key: str, text: str) -> Refusal | None:
        """Revoke a token."""
        token = self._tokens.get(text)
        if token is None or token.app_key != app_key:
            return Refusal(codes.TOKEN_UNKNOWN)
        token.revoked = True
        return None

    def approve(self, app_key: str, secret: str) -> str | Refusal:
        """Issue an approval key for the WebSocket; good on both domains."""
        refusal = self._pair(app_key, secret)
        if refusal:
            return refusal
        digest = self._text("approval", app_key)
        key = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
        self._approvals[key] = app_key
        return key

    def owner(self, approval_key: str) -> str | None:
        """Return the app key an approval key was issued to."""
        return self._approvals.get(approval_key)

    def check(self, headers: dict[str, str], mode: Mode, tr: str, now: Instant) -> str | Refusal:
        """Return the app key of an admitted call; counts it against the rate of its key and domain."""
        app_key, secret = headers.get("appkey", ""), headers.get("appsecret", "")
        refusal = self._pair(app_key, secret)
        if refusal:
            return Refusal("EGW00304") if refusal.code == "EGW00105" else refusal
        bearer = headers.get("authorization", "")
        if not bearer:
            return Refusal(codes.TOKEN_MISSING)
        if not bearer.startswith("Bearer "):
            return Refusal("EGW00205", "credentials_type이 유효하지 않습니다.(Bearer)")
        token = self._tokens.get(bearer.removeprefix("Bearer ").strip())
        if token is None or token.revoked or token.app_key != app_key:
            return Refusal(codes.TOKEN_UNKNOWN)
        if now >= token.expires:
            return Refusal(codes.TOKEN_EXPIRED)
        if self._modes[app_key] is not mode:
            return Refusal("EGW02004", _WRONG_KEY[mode])
        return self._count(app_key, mode, tr, now) or app_key

    def _count(self, app_key: str, mode: Mode, tr: str, now: Instant) -> Refusal | None:
        limits = self._limits
        allowed = limits.real_calls_per_second if mode is Mode.REAL else limits.mock_calls_per_second
        recent, count = self._recent[app_key, mode], self.counts[app_key, mode]
        while recent and recent[0] <= now - int(self._window_s * NS_PER_SECOND):
            recent.popleft()
        count.by_tr[tr] += 1
        if allowed and len(recent) >= int(allowed * self._window_s):
            count.refused += 1
            return Refusal(codes.RATE_EXCEEDED)
        recent.append(now)
        count.calls += 1
        count.peak = max(count.peak, -(-len(recent) // int(self._window_s)))
        return None

    def report(self) -> dict[str, object]:
        """Return calls, refusals and peaks per key and domain; keys are shortened."""
        rows = [
            {
                "app_key": f"{app_key[:4]}…",
                "mode": mode.value,
                "calls": count.calls,
                "violations": count.refused,
                "peak_per_second": count.peak,
                "by_tr": dict(sorted(count.by_tr.items())),
            }
            for (app_key, mode), count in self.counts.items()
        ]
        violations = sum(count.refused for count in self.counts.values())
        return {"keys": rows, "violations": violations, "token_refusals": self.token_refusals}

    def _text(self, purpose: str, app_key: str) -> str:
        self._issues += 1
        return hashlib.sha256(f"{self._seed}:{purpose}:{self._issues}:{app_key}".encode()).hexdigest()


_WRONG_KEY = {
    Mode.REAL: "실전투자 도메인은 모의투자 앱키로 호출하실 수 없습니다.",
    Mode.MOCK: "모의투자 도메인은 실전투자 앱키로 호출하실 수 없습니다.",
}


def _read_keys(path: Path) -> dict[str, str]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {row["appkey"]: row["appsecret"] for row in rows}
    except (OSError, ValueError, TypeError, KeyError) as fault:
        raise ConfigError(
            Text(ko=f"키 파일을 읽을 수 없습니다: {path}", en=f"the keys file cannot be read: {path}"),
            expected='[{"appkey": "36 characters", "appsecret": "180 characters"}, …]',
            found=str(fault)[:120],
            next_step=Text(ko="파일을 고치거나 --keys 없이 실행하세요", en="mend the file, or run without --keys"),
        ) from fault
