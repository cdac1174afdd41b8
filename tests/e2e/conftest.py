"""One finished demo in its short form for all end-to-end tests: it takes most of their time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT_S = 200


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the demo as a user does; return its folder, its facts and its screen."""
    out = tmp_path_factory.mktemp("demo") / "out"
    facts = out.parent / "facts.json"
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
    return {"out": out, "facts": json.loads(facts.read_text()), "screen": done.stdout}
