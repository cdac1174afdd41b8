"""One finished demo in its short form for all end-to-end tests: it takes most of their time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT_S = 600


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the demo as a user does, once for all workers; return its folder, its facts and its screen.

    ``out`` may be read by all at once; who would change the folder copies ``kept``, which nobody opens: a reader of
    the journal makes and removes files beside it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo"
    shared.mkdir(exist_ok=True)
    out, facts, screen = shared / "out", shared / "facts.json", shared / "screen.txt"
    with (shared / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not screen.exists():
            done = subprocess.run(
                [sys.executable, "-m", "haetae.cli.main", "demo", "--short", "--out", str(out), "--json", str(facts)],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT / "src"),
                    "OMP_WAIT_POLICY": "passive",
                    "PYTHONUTF8": "1",
                    "COLUMNS": "120",
                    "HAETAE_LANG": "ko",
                },
                capture_output=True,
                text=True,
                timeout=SHORT_S,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            shutil.copytree(out, shared / "kept")
            screen.write_text(done.stdout, encoding="utf-8")
    told = {"facts": json.loads(facts.read_text()), "screen": screen.read_text(encoding="utf-8")}
    return {"out": out, "kept": shared / "kept", **told}
