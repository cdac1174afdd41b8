"""A text lies as it is up to a size, compressed above it, and comes back the same."""

from __future__ import annotations

import pytest

from haetae.journal.packing import pack, plain


@pytest.mark.parametrize(("text", "packed"), [("", 0), ("a" * 30, 0), ("가" * 10, 0), ("a" * 31, 1), ("가" * 11, 1)])
def test_only_what_is_longer_than_the_limit_in_bytes_is_compressed(text: str, packed: int) -> None:
    found, payload = pack(text, 30)
    assert found == packed
    assert (payload == text.encode()) is not bool(packed)
    assert plain(found, payload) == text
