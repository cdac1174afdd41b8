"""Dice by name: one generator for each seed, purpose, day and symbol.

What is drawn for one name of one day then depends on nothing else: not on who asks first, not on which names
are listed beside it. Not here: what the dice decide.
"""

from __future__ import annotations

import hashlib

import numpy as np


def dice(seed: int, *words: object) -> np.random.Generator:
    """Return a fresh generator that is a function of the seed and the words alone."""
    text = ":".join(map(str, (seed, *words))).encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64)))
