"""What a strategy's own code raises, told to its author with file and line.

Here: turning such an error into a ``StrategyError``. The platform's own errors pass as they are.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from haetae.domain.errors import HaetaeError, StrategyError, Text
from haetae.policies.strategy import Strategy


@contextmanager
def authors_errors(made: type[Strategy]) -> Iterator[None]:
    """Raise ``StrategyError`` for whatever the file of a strategy's class raises in here."""
    try:
        yield
    except HaetaeError:
        raise
    except Exception as fault:
        file = source_of(made)
        lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == file]
        if not lines:
            raise
        raise StrategyError(
            Text(ko="전략의 코드가 멈췄습니다", en="the strategy's code stopped"),
            expected=Text(ko="어떤 시장에서도 끝까지 도는 코드", en="code that runs through on any market"),
            found=f"{type(fault).__name__}: {fault} (line {lines[-1]})",
            next_step=Text(ko=f"{file}의 그 줄을 고치세요", en=f"mend that line of {file}"),
        ) from fault


def source_of(made: type) -> str:
    """Return the file a strategy is written in, as its frames name it."""
    return inspect.getfile(made)
