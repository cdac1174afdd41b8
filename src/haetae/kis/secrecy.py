"""Keeps what must not be told out of everything that is told: errors, logs, reasons.

Here: `Redactor`. Secrets never reach a message on purpose; this is the second line, for texts of libraries (which name
whole addresses with their queries) and of servers (which echo what they were sent).
"""

from __future__ import annotations

from urllib.parse import quote

MASK = "***"
_SHOWN = 8
"""A run this long of a secret's beginning is taken for the secret, for texts are cut short."""


class Redactor:
    """Replaces the secrets it has been told of, whole or cut short, plain or as part of an address."""

    def __init__(self, *secrets: str) -> None:
        """Know some secrets."""
        self._secrets: dict[str, None] = {}
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Know one secret more; blank ones are none."""
        for form in (secret, quote(secret, safe="")):
            if form:
                self._secrets.setdefault(form)

    def __call__(self, text: str) -> str:
        """Return a text without the secrets."""
        for secret in self._secrets:
            text = _without(text, secret)
        return text


def _without(text: str, secret: str) -> str:
    head = secret[:_SHOWN]
    start = text.find(head)
    while start >= 0:
        end = start + len(head)
        while end < len(text) and end - start < len(secret) and text[end] == secret[end - start]:
            end += 1
        text = text[:start] + MASK + text[end:]
        start = text.find(head, start + len(MASK))
    return text
