"""Where log lines go: one JSON object a line, into a file or to stderr, never into a person's way."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TextIO

import structlog


def log_to(target: Path | TextIO, *, level: int = logging.INFO) -> TextIO:
    """Send all log lines of this process to a file or stream; returns it, for the caller to close."""
    stream = target.open("a", encoding="utf-8") if isinstance(target, Path) else target
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    return stream
