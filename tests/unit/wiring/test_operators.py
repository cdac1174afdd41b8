"""The file of a person's wishes: what was written is read, whatever a power cut left at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from haetae.domain.events import OperatorState
from haetae.wiring.operators import FILE, give, given


@dataclass(frozen=True, slots=True)
class Still:
    """A clock that stands."""

    def now(self) -> int:
        return 7

    def monotonic(self) -> float:
        return 7.0


@pytest.mark.parametrize("torn", [b'{"at": 7, "sta', b"{", b'{"at": 7, "state": "halt", "who": "a", "why": "b"}'])
def test_a_line_that_was_torn_is_taken_away_before_the_next_is_written(tmp_path: Path, torn: bytes) -> None:
    first = give(tmp_path, OperatorState.REDUCE_ONLY, who="a", why="first", clock=Still())
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole + torn)
    second = give(tmp_path, OperatorState.HALT, who="b", why="second", clock=Still())
    assert given(tmp_path) == (first, second)
    assert (tmp_path / FILE).read_bytes().startswith(whole + b'{"at"')
    assert torn not in (tmp_path / FILE).read_bytes().splitlines()
