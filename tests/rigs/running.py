"""The command line as a user runs it, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("HAETAE_")},
    "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests" / "loopback"))),
    "OMP_WAIT_POLICY": "passive",
    "PYTHONUTF8": "1",
    "COLUMNS": "120",
}


def haetae(*arguments, check=True, language="ko", timeout=200, cwd=ROOT, **env):
    done = subprocess.run(
        [sys.executable, "-m", "haetae.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**ENVIRONMENT, "HAETAE_LANG": language, **env},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done
