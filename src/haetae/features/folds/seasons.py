"""What is usual at a minute of the session: means over past sessions, kept by the minute.

A mean is plain over the first sessions and exponential after, so it forgets slowly and never jumps when an old session
leaves. A minute that a session lacks is not counted in it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.market import Int64Array
from haetae.features.folds.blocks import Block, State, Window


def usual_rows(slots: int) -> int:
    """Return the rows that ``usual`` keeps."""
    return 2 * slots


@njit(cache=True, error_model="numpy")
def usual(
    state: State, window: Window, memory: float, slot: Int64Array, seen: Block, values: Block
) -> tuple[Block, Block]:
    """Return what was usual in each bar's slot before this bar, and from how many bars that is known.

    ``slot`` is ``(n_bars,)``; a bar outside the slots of the window knows nothing (0 bars) and leaves
    nothing. ``memory`` is the number of bars after which a mean turns exponential.
    """
    at, slots = window[0], window[1]
    before, known = np.zeros_like(values), np.zeros_like(values)
    for t in range(values.shape[0]):
        if slot[t] < 0 or slot[t] >= slots:
            continue
        held, count = at + 2 * slot[t], at + 2 * slot[t] + 1
        for s in range(values.shape[1]):
            before[t, s] = state[held, s]
            known[t, s] = state[count, s]
        for s in range(values.shape[1]):
            state[count, s] += 1.0 if seen[t, s] > 0.0 else 0.0
            times = state[count, s] if state[count, s] < memory else memory
            gap = values[t, s] - state[held, s]
            state[held, s] += gap / times if seen[t, s] > 0.0 else 0.0
    return before, known
