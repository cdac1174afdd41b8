"""M250: what ``m60.py`` does on 60 sessions, on 250.

PYTHONPATH=src python benchmarks/m250.py [OUT.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from minutes.measure import measure

SESSIONS, REPEATS = 250, 5


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    return measure(SESSIONS, REPEATS, out_json)


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
