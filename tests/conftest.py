"""Shared by all tests: how Hypothesis runs, and where compiled code is kept.

Numba notices a change of the file a compiled loop stands in, not of the functions it calls from
other files. The folder of compiled code is therefore named by the content of those files, so that
no test passes on yesterday's arithmetic.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).parents[1] / "src/haetae"
_CALLED = (
    *("krx/scalar.py", "sim/admission.py", "sim/matching.py", "sim/batch/prefetch.py"),
    *("features/window.py", "features/moments.py", "features/together.py"),
    *sorted(f"features/alpha/{path.name}" for path in (_SOURCE / "features/alpha").glob("*.py")),
)
_STAMP = hashlib.sha256(b"".join((_SOURCE / name).read_bytes() for name in _CALLED)).hexdigest()[:16]
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"haetae-compiled-{getpass.getuser()}-{_STAMP}")
)

from hypothesis import settings  # noqa: E402 - numba reads its folder when it is first imported

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
