"""M60: 50 symbols, 60 sessions of minute bars, SMA(20)/SMA(60) cross, 2 % of equity per entry, beside vectorbt.

The bars are those of ``minutes/recipe.py``, what each side does stands in ``minutes/sides.py``. Both compute their own
signals inside the timed call, ours also checks the bars and prepares limits and tables there. They run in turns on one
thread; the figure is CPU time, the median of the runs. Peak memory and the first result (with nothing compiled, and
with compiled code in its folder, as after an installation) are those of fresh processes that hold ours only.

    PYTHONPATH=src python benchmarks/m60.py [OUT.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from minutes.measure import measure

SESSIONS, REPEATS = 60, 9


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    return measure(SESSIONS, REPEATS, out_json)


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
