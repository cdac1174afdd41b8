"""A text lies as it is up to a size, compressed above it, and comes back the same."""

from __future__ import annotations

import pytest

from haetae.journal.packing import PLAIN, ZSTD, packer, unpacker


@pytest.mark.parametrize(
    ("text", "packed"), [("", PLAIN), ("a" * 30, PLAIN), ("가" * 10, PLAIN), ("a" * 31, ZSTD), ("가" * 11, ZSTD)]
)
def test_only_what_is_longer_than_the_limit_in_bytes_is_compressed(text: str, packed: int) -> None:
    found, payload = packer(30)(text)
    assert found == packed
    assert (payload == text.encode()) is (packed == PLAIN)
    assert unpacker()(found, payload) == text
