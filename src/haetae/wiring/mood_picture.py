"""The history of fear & greed as a small picture: plain SVG that every browser and page shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

_WIDTH, _HEIGHT = 960, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 8, 26, 22
_POINTS: Final = 520
"""Points drawn of a line; more are not seen at this width."""
_BANDS: Final = (
    (0, 25, "#c9dbf6"),
    (25, 45, "#e3ecfa"),
    (45, 55, "#f2f1ef"),
    (55, 75, "#fbe4e5"),
    (75, 100, "#f5c6c9"),
)


def picture_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return an SVG of the days of ``mood_history``: our index in black, CNN's in grey beside it."""
    first, last = (dt.date.fromisoformat(rows[place]["day"]).toordinal() for place in (0, -1))

    def across(day: int) -> float:
        return _LEFT + (day - first) / max(last - first, 1) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _TOP + (100.0 - value) / 100.0 * (_HEIGHT - _TOP - _BOTTOM)

    shown = [*rows[:: max(1, -(-len(rows) // _POINTS))], rows[-1]]

    def line(name: str, colour: str, width: float) -> str:
        runs: list[list[str]] = [[]]  # a stretch without the value breaks the line
        for row in shown:
            if row.get(name) is None:
                runs.append([])
            else:
                runs[-1].append(f"{across(dt.date.fromisoformat(row['day']).toordinal()):.1f},{down(row[name]):.1f}")
        pen = f'fill="none" stroke="{colour}" stroke-width="{width}"'
        return "".join(f'<polyline points="{" ".join(run)}" {pen}/>' for run in runs if run)

    parts = [
        f'<rect x="{_LEFT}" y="{down(high):.1f}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{down(low) - down(high):.1f}" fill="{colour}"/>'
        for low, high, colour in _BANDS
    ]
    parts += [f'<text x="4" y="{down(level) + 4:.1f}">{level}</text>' for level in (0, 25, 45, 55, 75, 100)]
    for year in range(dt.date.fromordinal(first).year + 1, dt.date.fromordinal(last).year + 1):
        place = across(dt.date(year, 1, 1).toordinal())
        parts.append(f'<path d="M{place:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#fff"/>')
        parts.append(f'<text x="{place + 3:.1f}" y="{_HEIGHT - 6}">{year}</text>')
    parts += [line("cnn", "#9a948d", 1.0), line("value", "#1c1917", 1.5)]
    parts.append(f'<text x="{_LEFT}" y="16">공포·탐욕 (검정), CNN (회색) / fear &amp; greed (black), CNN (grey)</text>')
    box, letters = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"', 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} {letters}>'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>', *parts, "</svg>"]) + "\n"
