"""The pieces a page is laid with: headings, cards of figures, tables, marks, notices.

Everything that comes from outside (names, reasons, a model's words) is escaped here, once, so that
no text of the market or of a model can become markup. Not here: what a figure is (``figures``) and
what a code is called (``words``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from haetae.dashboard.figures import BLUE, GREY, RED, Tone

_WIDEST = 6
_STYLE = f"""<style>
[data-testid="stMainBlockContainer"] {{ padding: 2.6rem 3rem 4rem; max-width: 1320px; }}
[data-testid="stMainBlockContainer"] h1 {{ font-size: 1.9rem; padding: .2rem 0 .3rem; }}
[data-testid="stMainBlockContainer"] h3 {{ font-size: 1.2rem; padding: .7rem 0 .1rem; }}
.hb-cards {{ display: grid; gap: .75rem; margin: .1rem 0 .9rem;
  grid-template-columns: repeat(var(--n), 1fr); }}
@media (max-width: 1000px) {{ [data-testid="stMainBlockContainer"] {{ padding: 4.2rem 1.2rem 3rem; }}
  .hb-cards {{ grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); }} }}
.hb-card {{ border: 1px solid #e7e5e4; border-radius: .6rem; padding: .8rem 1rem .75rem; background: #fff; }}
.hb-card .l {{ color: #78716c; font-size: .82rem; }}
.hb-card .v {{ font-size: 1.45rem; font-weight: 700; line-height: 1.35; white-space: nowrap;
  font-variant-numeric: tabular-nums; letter-spacing: -.01em; }}
.hb-card .s {{ font-size: .82rem; color: #57534e; font-variant-numeric: tabular-nums; }}
.hb-up {{ color: {RED} !important; }} .hb-down {{ color: {BLUE} !important; }} .hb-flat {{ color: inherit; }}
.hb-scroll {{ overflow: auto; border: 1px solid #e7e5e4; border-radius: .6rem; margin: .1rem 0 .9rem; }}
.hb-table {{ border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }}
.hb-table th {{ position: sticky; top: 0; background: #f6f5f2; color: #57534e; font-weight: 600; text-align: left;
  padding: .5rem .8rem; white-space: nowrap; border-bottom: 1px solid #e7e5e4; }}
.hb-table td {{ padding: .42rem .8rem; border-bottom: 1px solid #f5f5f4; white-space: nowrap; }}
.hb-table tr:last-child td {{ border-bottom: 0; }}
.hb-table .r {{ text-align: right; }} .hb-table .w {{ white-space: normal; min-width: 16rem; }}
.hb-mark {{ display: inline-block; padding: .1rem .55rem; border-radius: 1rem; background: #f5f5f4; color: #44403c;
  font-size: .8rem; font-weight: 600; margin-right: .3rem; }}
.hb-mark.red {{ background: #fdecec; color: {RED}; }} .hb-mark.blue {{ background: #e8f0fc; color: {BLUE}; }}
.hb-mark.amber {{ background: #fef3c7; color: #92400e; }} .hb-mark.ink {{ background: #1c1917; color: #fafaf9; }}
.hb-steps {{ display: grid; grid-template-columns: repeat(4, 1fr); gap: .4rem; margin: .2rem 0 .9rem; }}
.hb-step {{ text-align: center; padding: .6rem .3rem; border-radius: .5rem; background: #f5f5f4; color: {GREY};
  font-size: .9rem; }}
.hb-step.on {{ color: #fff; font-weight: 700; }}
.hb-quote {{ border-left: 3px solid #d6d3d1; padding: .1rem .9rem; color: #44403c; margin: .2rem 0 .8rem;
  overflow-wrap: anywhere; }}
.hb-note {{ color: #78716c; font-size: .85rem; margin: 0 0 .6rem; }}
</style>"""


@dataclass(frozen=True, slots=True)
class Card:
    """A figure to read at a glance."""

    label: str
    value: str
    below: str = ""
    tone: Tone = "flat"
    below_tone: Tone = "flat"


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in a table, with its tone."""

    text: str
    tone: Tone = "flat"


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column: numbers stand right, long texts may wrap."""

    name: str
    number: bool = False
    wraps: bool = False


def style() -> None:
    """Put the style of these pieces on the page; once a run."""
    st.html(_STYLE)


def heading(title: str, note: str = "") -> None:
    """Write a title of a part and one line that says how to read it."""
    st.subheader(title, anchor=False)
    if note:
        st.html(f'<p class="hb-note">{escape(note)}</p>')


def cards(figures: Iterable[Card]) -> None:
    """Lay figures side by side, in two even rows where they are many."""
    shown = list(figures)
    across = len(shown) if len(shown) <= _WIDEST else (len(shown) + 1) // 2
    pieces = [
        f'<div class="hb-card"><div class="l">{escape(card.label)}</div>'
        f'<div class="v hb-{card.tone}">{escape(card.value)}</div>'
        f'<div class="s hb-{card.below_tone}">{escape(card.below) or "&nbsp;"}</div></div>'
        for card in shown
    ]
    st.html(f'<div class="hb-cards" style="--n:{across}">{"".join(pieces)}</div>')


def table(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], *, height_px: int = 460) -> None:
    """Draw a table that scrolls inside ``height_px``; ``name`` is its id in the document."""
    head = "".join(f'<th class="{"r" if column.number else ""}">{escape(column.name)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(_cell(column, cell) for column, cell in zip(columns, row, strict=True)) + "</tr>"
        for row in rows
    )
    st.html(
        f'<div class="hb-scroll" style="max-height:{height_px}px"><table class="hb-table" data-name="{escape(name)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(column: Column, cell: Cell | str) -> str:
    text, tone = (cell.text, cell.tone) if isinstance(cell, Cell) else (cell, "flat")
    place = "r" if column.number else "w" if column.wraps else ""
    return f'<td class="{place} hb-{tone}">{escape(text)}</td>'


def marks(texts: Iterable[tuple[str, str]]) -> None:
    """Draw short words in coloured pills: (text, one of red, blue, amber, ink or empty)."""
    st.html("".join(f'<span class="hb-mark {colour}">{escape(text)}</span>' for text, colour in texts))


def ladder(names: Sequence[str], at: int, colours: Sequence[str]) -> None:
    """Draw the steps of a level with the present one filled."""
    pieces = [
        f'<div class="hb-step on" style="background:{colours[place]}">{escape(name)}</div>'
        if place == at
        else f'<div class="hb-step">{escape(name)}</div>'
        for place, name in enumerate(names)
    ]
    st.html(f'<div class="hb-steps">{"".join(pieces)}</div>')


def quote(text: str) -> None:
    """Write foreign words as such."""
    st.html(f'<div class="hb-quote">{escape(text)}</div>')


def picture(figure: dict[str, object], key: str) -> None:
    """Draw a plotly figure across the page."""
    st.plotly_chart(figure, key=key, theme=None, width="stretch", config={"displayModeBar": False})
