"""Named random generators from one run seed: the only place where dice are made."""

from __future__ import annotations

import hashlib
import os

import numpy as np


def rng(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one purpose; equal seed and name give equal numbers.

    The name is hashed into the seed, so adding a new generator never shifts an old one.
    """
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest[:16], dtype=np.uint32))


def process_dice(name: str) -> np.random.Generator:
    """Return a generator that differs from process to process: for repeats that should not come in step."""
    return rng(os.getpid(), name)
