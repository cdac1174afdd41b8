"""Settings of the language model, from ``HAETAE_LLM_*`` variables; every default with its reason.

Here: reading and checking them, all faults at once. The key comes from the environment only. Without
``HAETAE_LLM_BASE_URL`` no model is configured and nothing of this room is used.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from haetae.domain.errors import ConfigError, Text
from haetae.domain.secret import Secret
from haetae.llm.hosts import address_fault, is_loopback

PREFIX = "HAETAE_LLM_"
LEDGER = Path("data/llm/spend.db")
FORMATS = ("text", "json_object", "json_schema")
_RESERVED = "offline_rules"
"""Names of deciders that are not AI; a model may not carry one."""


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """How one model is reached and what it may cost. Raises ``ConfigError`` with every fault."""

    base_url: str
    """Address of the OpenAI-compatible service, up to and without ``/chat/completions``."""
    model: str
    """The model's id as the service knows it; every decision carries it."""
    api_key: Secret = field(default_factory=lambda: Secret(""))
    """Blank for a server of one's own."""
    deadline_s: float = 20.0
    """Real seconds for one review with all its tries: a third of the minute after which a reply is stale."""
    daily_krw: int = 3_000
    """Won a day: about 200 reviews of 3 k + 0.3 k tokens at 2.5/10 dollars a million; a stop, not a target."""
    ledger: Path = LEDGER
    """One file for every process that spends from the same purse."""
    reply_format: str = "json_object"
    """What the service is asked to enforce; ``json_object`` is what most understand. The reply is checked anyway."""
    max_output_tokens: int = 2_000
    """A reply has about 300; the rest is for models that think first. It bounds the reservation."""
    calls_per_minute: int = 60
    """A runaway loop is stopped before the purse is empty."""
    krw_per_usd: int = 1_500
    """Won a dollar for the ledger; above the usual rate, so that we count too much rather than too little."""
    prices: Path | None = None
    """A price table of one's own (TOML like ``prices.toml``), before the built-in one."""
    concurrent: int = 4
    """Reviews at once; providers refuse more from one key."""
    max_reply_bytes: int = 262_144
    """Largest HTTP body taken; a decision has under a thousand bytes."""
    failures_to_open: int = 3
    """Consecutive failures of the service after which it is left alone."""
    cool_down_s: float = 60.0
    """Seconds before a service that failed is tried once again."""
    refused_hold_s: float = 1_800.0
    """Seconds before a refused key or an empty account is tried once again: a person must act first."""

    def __post_init__(self) -> None:
        """Collect all faults."""
        faults = []
        if fault := address_fault(self.base_url):
            faults.append(f"BASE_URL: {fault}")
        if not self.model or len(self.model) > 128 or not self.model.isascii() or not self.model.isprintable():
            faults.append("MODEL: the id of a model, 1 to 128 ASCII characters")
        if self.model.startswith(_RESERVED):
            faults.append(f"MODEL: {_RESERVED}* names the rules that are not AI")
        key = self.api_key.reveal()
        if not key.isascii() or not key.isprintable() or " " in key or len(key) > 512:
            faults.append("API_KEY: characters a header cannot carry")
        if not key and not faults and not is_loopback(self.host):
            faults.append("API_KEY: missing; only a server on this machine may do without")
        if not 0.1 <= self.deadline_s <= 55.0:
            faults.append("DEADLINE_S: between 0.1 and 55 (a reply is stale after 60)")
        if not 0 <= self.daily_krw <= 10_000_000:
            faults.append("DAILY_KRW: whole won between 0 and 10,000,000")
        if self.reply_format not in FORMATS:
            faults.append(f"FORMAT: one of {', '.join(FORMATS)}")
        if not 64 <= self.max_output_tokens <= 32_000:
            faults.append("MAX_TOKENS: between 64 and 32,000")
        if not 1 <= self.calls_per_minute <= 1_000:
            faults.append("CALLS_PER_MINUTE: between 1 and 1,000")
        if not 500 <= self.krw_per_usd <= 5_000:
            faults.append("KRW_PER_USD: between 500 and 5,000")
        if faults:
            raise _refused(faults)

    @property
    def host(self) -> str:
        """Return the one host that is asked."""
        return (urlsplit(self.base_url).hostname or "").rstrip(".").lower()

    @property
    def key_hint(self) -> str:
        """Return the last four characters of a key long enough to be told apart by them, else a word."""
        key = self.api_key.reveal()
        if not key:
            return "none"
        return f"…{key[-4:]}" if len(key) >= 16 else "set"


_TEXTS = {"BASE_URL": "base_url", "MODEL": "model", "FORMAT": "reply_format"}
_NUMBERS = {
    "DAILY_KRW": "daily_krw",
    "MAX_TOKENS": "max_output_tokens",
    "CALLS_PER_MINUTE": "calls_per_minute",
    "KRW_PER_USD": "krw_per_usd",
}
_PATHS = {"LEDGER": "ledger", "PRICES": "prices"}
NAMES = (*_TEXTS, "API_KEY", "DEADLINE_S", *_NUMBERS, *_PATHS)


def read_environment(env: Mapping[str, str]) -> LlmSettings | None:
    """Return the configured model, or ``None`` where ``HAETAE_LLM_BASE_URL`` is not set or blank.

    Raises ``ConfigError`` for wrong values, and for ``HAETAE_LLM_`` names that mean nothing: a cap with a
    typing error would be no cap.
    """
    given = {name[len(PREFIX) :]: value.strip() for name, value in env.items() if name.startswith(PREFIX)}
    given = {name: value for name, value in given.items() if value}
    faults = []
    for name in sorted(set(given) - set(NAMES)):
        near = difflib.get_close_matches(name, NAMES, 1)
        faults.append(f"{name}: unknown" + (f"; {near[0]}?" if near else ""))
    if faults:
        raise _refused(faults)
    if "BASE_URL" not in given:
        if "MODEL" in given or "API_KEY" in given:
            raise _refused(["BASE_URL: missing beside MODEL or API_KEY"])
        return None
    values: dict[str, object] = {field: given[name] for name, field in _TEXTS.items() if name in given}
    values.setdefault("model", "")
    values["base_url"] = str(values["base_url"]).rstrip("/")
    values |= {field: Path(given[name]).expanduser() for name, field in _PATHS.items() if name in given}
    for name, place in _NUMBERS.items():
        if name in given:
            text = given[name].replace(",", "").replace("_", "")
            if text.isascii() and text.isdigit() and len(text) < 12:
                values[place] = int(text)
            else:
                faults.append(f"{name}: a whole number was expected, found {given[name][:20]!r}")
    if "DEADLINE_S" in given:
        try:
            values["deadline_s"] = float(given["DEADLINE_S"])
        except ValueError:
            faults.append(f"DEADLINE_S: seconds were expected, found {given['DEADLINE_S'][:20]!r}")
    if faults:
        raise _refused(faults)
    values["api_key"] = Secret(given.get("API_KEY", ""))
    return LlmSettings(**values)  # type: ignore[arg-type]


def _refused(faults: list[str]) -> ConfigError:
    rows = "\n    - ".join(["", *(PREFIX + fault for fault in faults)])
    return ConfigError(
        Text(ko="언어 모델 설정에 잘못이 있습니다", en="the settings of the language model are wrong"),
        expected=Text(
            ko="HAETAE_LLM_BASE_URL, HAETAE_LLM_MODEL, HAETAE_LLM_API_KEY 와 선택 값들",
            en="HAETAE_LLM_BASE_URL, HAETAE_LLM_MODEL, HAETAE_LLM_API_KEY and options",
        ),
        found=rows,
        next_step=Text(
            ko="위의 환경 변수를 고치세요; 모델 없이 쓰려면 HAETAE_LLM_* 을 모두 지우세요",
            en="mend the variables above, or unset every HAETAE_LLM_* to go without a model",
        ),
    )
