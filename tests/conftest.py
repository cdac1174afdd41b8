"""Shared by all tests: how Hypothesis runs, and where compiled code and bytecode are kept.

Numba notices a change of the file a compiled loop stands in, not of the functions it calls from
other files. The folder of compiled code is therefore named by the content of every file with compiled code, so that
no test passes on yesterday's arithmetic.

Where the environment forbids bytecode beside the sources, every process of the suite would compile a thousand modules
anew, some seconds each; it is kept in a folder of its own then.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import sys
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).parents[1] / "src/haetae"
_COMPILED = [source for path in sorted(_SOURCE.rglob("*.py")) if b"njit" in (source := path.read_bytes())]
_STAMP = hashlib.sha256(b"".join(_COMPILED)).hexdigest()[:16]
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"haetae-compiled-{getpass.getuser()}-{_STAMP}")
)
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    os.environ["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / f"haetae-bytecode-{getpass.getuser()}")
    sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]

from hypothesis import settings  # noqa: E402 - numba reads its folder when it is first imported

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
