"""What an audit found: a verdict for each check, in words and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from haetae.domain.errors import HaetaeError, Text


class Verdict(Enum):
    """How a check ended; a note is for the reader and fails nothing."""

    PASS = "pass"  # noqa: S105 - a verdict
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of an audit.

    Attributes
    ----------
    check : str
        Its stable name, as in the JSON.
    said : Text
        One sentence; of a failure it names the first row, day and symbol.
    numbers : mapping of JSON values
        What was counted and measured.
    """

    check: str
    verdict: Verdict
    said: Text
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {
            "check": self.check,
            "verdict": self.verdict.value,
            "said": {"ko": self.said.ko, "en": self.said.en},
            "numbers": dict(self.numbers),
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """All findings on one strategy."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The checks that failed."""
        return tuple(one for one in self.findings if one.verdict is Verdict.FAIL)

    def of(self, check: str) -> Finding:
        """Return the finding of a check; raises ``KeyError`` if it was not made."""
        return {one.check: one for one in self.findings}[check]

    def as_json(self) -> dict[str, Any]:
        """Return the audit as JSON values."""
        return {"name": self.name, "passed": self.passed, "checks": [one.as_json() for one in self.findings]}


def passed(check: str, ko: str, en: str, numbers: Mapping[str, Any] | None = None) -> Finding:
    """Return a check that passed."""
    return Finding(check, Verdict.PASS, Text(ko=ko, en=en), numbers or {})


def noted(check: str, ko: str, en: str, numbers: Mapping[str, Any] | None = None) -> Finding:
    """Return a check with something the reader should know."""
    return Finding(check, Verdict.NOTE, Text(ko=ko, en=en), numbers or {})


def failed(check: str, ko: str, en: str, numbers: Mapping[str, Any] | None = None) -> Finding:
    """Return a check that failed."""
    return Finding(check, Verdict.FAIL, Text(ko=ko, en=en), numbers or {})


def refused(check: str, fault: HaetaeError) -> Finding:
    """Return the failure of a check in which the strategy, or the run of it, raised."""
    message = fault.message if isinstance(fault.message, Text) else Text(ko=fault.message, en=fault.message)
    numbers = {"error": type(fault).__name__, "expected": str(fault.expected), "found": fault.found}
    told = f": {fault.found}" if fault.found else ""
    return Finding(check, Verdict.FAIL, Text(ko=message.ko + told, en=message.en + told), numbers)
