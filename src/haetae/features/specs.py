"""Declarations of features and the hash that names a set of them.

Here: the hash over an ordered tuple of ``FeatureSpec``. Not here: the features (``minute``,
``daily``), which each own their declarations. A model stores the hash of the set it was trained
on and is refused where the hash differs, so a changed meaning must raise a feature's version.
"""

from __future__ import annotations

import hashlib

from haetae.domain import codec
from haetae.domain.learning import FeatureSpec


def feature_hash(specs: tuple[FeatureSpec, ...]) -> str:
    """Return sixteen hex digits naming an ordered feature set: names, versions, inputs, look-backs.

    Equal sets in equal order give equal hashes on every machine; any change gives another.
    """
    text = "\n".join(codec.encode(spec) for spec in specs)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


REMEMBERS = "nan until filled; remembers the first bar"
"""Missing policy of averages that forget slowly and never quite: another first bar gives others for a while."""


def windowed(spec: FeatureSpec) -> bool:
    """Tell whether bars older than the look-back leave a feature as it is, by what its declaration says."""
    return "remembers" not in spec.missing
