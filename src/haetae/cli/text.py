"""The language of messages: Korean, or English by ``HAETAE_LANG=en``."""

from __future__ import annotations

import os

from haetae.domain.errors import Text


def language() -> str:
    """Return ``ko`` or ``en``."""
    return "en" if os.environ.get("HAETAE_LANG", "").lower().startswith("en") else "ko"


def say(message: str | Text) -> str:
    """Return a message in the chosen language; plain text has one form only."""
    return message.in_language(language()) if isinstance(message, Text) else message


def hint(ko: str, en: str) -> str:
    """Return the help text of an option or a verb in the chosen language."""
    return say(Text(ko=ko, en=en))
