"""The error tree. Each kind says who must act.

HaetaeError
├── ConfigError        the owner mends the configuration (all faults are listed at once)
├── DataError          the data must be repaired or collected again
│   └── WireError      the broker sent something that does not parse
├── MarketRuleError    a caller broke a rule of the market; a defect of ours
├── StrategyError      the author of a strategy mends it; nothing goes on with what it returned
├── JournalError       the journal cannot be trusted or written; trading stops
├── ModelError         an artefact does not fit (hash, features, version)
└── BrokerError        the broker refused
    ├── Retryable      the same call may be made again
    └── Fatal          a person must look (keys, permissions, wrong domain)

``OutcomeUnknown`` of an order is not an exception but an event (``domain.orders``).
Messages state what was expected, what was found, where, and the next step; never a secret.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A message for people in both languages; faces choose one, logs take English."""

    ko: str
    en: str

    def __str__(self) -> str:
        """Return the English form."""
        return self.en

    def in_language(self, language: str) -> str:
        """Return the form for ``ko`` or ``en``."""
        return self.en if language == "en" else self.ko


class HaetaeError(Exception):
    """Base of all expected failures; the command line prints it in one line and exits non-zero."""

    exit_code = 1

    def __init__(
        self, message: str | Text, *, expected: str | Text = "", found: str = "", next_step: str | Text = ""
    ) -> None:
        """Keep the parts apart so that faces can show them in their own language."""
        super().__init__(str(message))
        self.message = message
        self.expected = expected
        self.found = found
        self.next_step = next_step


class ConfigError(HaetaeError):
    """The configuration is wrong."""

    exit_code = 2


class DataError(HaetaeError):
    """Stored or given data is missing, corrupt or inconsistent."""

    exit_code = 3


class WireError(DataError):
    """A message of the broker does not parse."""


class MarketRuleError(HaetaeError):
    """A caller asked for what the market's rules forbid."""

    exit_code = 4


class StrategyError(HaetaeError):
    """A strategy cannot be loaded, or what it returned cannot be meant."""

    exit_code = 2


class JournalError(HaetaeError):
    """The journal is broken or cannot be written."""

    exit_code = 5


class ModelError(HaetaeError):
    """A model artefact does not fit its manifest or this program."""

    exit_code = 6


class BrokerError(HaetaeError):
    """The broker refused a call; ``code`` is the broker's own."""

    exit_code = 7

    def __init__(
        self,
        message: str | Text,
        *,
        code: str = "",
        expected: str | Text = "",
        found: str = "",
        next_step: str | Text = "",
    ) -> None:
        """Keep the broker's code as a field."""
        super().__init__(message, expected=expected, found=found, next_step=next_step)
        self.code = code


class Retryable(BrokerError):
    """The same call may be made again after a pause."""


class Fatal(BrokerError):
    """No retry can help; a person must look."""
