"""When a WebSocket session that was lost may be opened again. Pure; times are seconds of a monotonic clock.

Here: `Reconnects`: growing pauses, a rest from the stream when it flaps, patience with a key that is still in use. KIS
blocks addresses and keys that connect and disconnect again and again, so five losses in five minutes mean that
the stream rests for minutes and REST carries on alone.
"""

from __future__ import annotations

from collections import deque

_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_IN_USE_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""After a drop the server may hold the old session for some seconds (OPSP8996)."""
_GOOD_S = 60.0
"""A session that lived a minute was a good one: pauses begin anew."""
_FLAPS, _FLAP_SPAN_S = 5, 300.0
_RESTS_S = (120.0, 240.0, 480.0, 600.0)


class Reconnects:
    """The losses of one stream.

    Attributes
    ----------
    is_resting : bool
        Whether the stream rests because it flapped.
    in_use : int
        Times in a row that the server said the key is in use: from the third on, another process uses it.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.is_resting = False
        self.in_use = 0
        self._failures = 0
        self._rests = 0
        self._losses: deque[float] = deque(maxlen=_FLAPS)

    def opened(self) -> None:
        """Say that a session is open with all it should hold."""
        self.is_resting = False
        self.in_use = 0

    def pause_s(self, now: float, lived_s: float | None, *, key_in_use: bool = False) -> float:
        """Return how long to wait after a loss.

        Parameters
        ----------
        lived_s : float or None
            How long there was a connection; None where none came about, which is no flapping.
        key_in_use : bool
            Whether the server said so.
        """
        self.is_resting = False
        if key_in_use:
            self.in_use += 1
            return _IN_USE_S[min(self.in_use, len(_IN_USE_S)) - 1]
        if lived_s is not None and lived_s >= _GOOD_S:
            self._failures = self._rests = 0
            self._losses.clear()
        self._failures += 1
        if lived_s is not None:
            self._losses.append(now)
        if (
            lived_s is not None
            and len(self._losses) == _FLAPS
            and now - self._losses[0] <= _FLAP_SPAN_S + sum(_RESTS_S[: self._rests])
        ):
            self.is_resting = True
            self._rests += 1
            return _RESTS_S[min(self._rests, len(_RESTS_S)) - 1]
        return _PAUSES_S[min(self._failures, len(_PAUSES_S)) - 1]
