"""The main picture of a report as PNG: equity over drawdown, for mails and readme pages.

Labels are English and names that are not ASCII become "strategy" and "benchmark n", since a machine
may have no Korean font and would draw boxes. Needs the extra ``report`` (matplotlib), imported only
here and only when asked. Not here: the interactive charts of the page (``charts``).
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from haetae.backtest.drawdowns import drawdown, equity_path
from haetae.backtest.result import Result
from haetae.domain.errors import ConfigError, Text


def png(run: Result, benchmarks: Sequence[Result], *, title: str = "", dots_per_inch: int = 120) -> bytes:
    """Return the picture of a run and its benchmarks; the same input gives the same bytes.

    Parameters
    ----------
    run : Result
    benchmarks : sequence of Result
        At least one that does not know the future is drawn beside the run; bounds are left out.
        Raises ``ValueError`` where there is none.
    title : str
        Left out where it is not ASCII.

    Raises
    ------
    ConfigError
        Where matplotlib is not installed.
    """
    shown = [one for one in benchmarks if not one.bound]
    if not shown:
        raise ValueError("a picture needs at least one benchmark beside the run")
    try:
        from matplotlib.figure import Figure
    except ImportError as absent:
        raise ConfigError(
            Text(ko="그림을 그릴 matplotlib이 없습니다", en="matplotlib, which draws the picture, is not installed"),
            expected="the extra `report`",
            found=str(absent),
            next_step='install it with `pip install "haetae[report]"`, or ask for the HTML page only',
        ) from absent
    picture = Figure(figsize=(10, 6), layout="constrained")
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for place, one in enumerate([run, *shown]):
        days = one.daily_days().astype("U8")
        dates = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in days], dtype="datetime64[D]")
        strong = place == 0
        look = {"color": "#c2410c", "lw": 2.0} if strong else {"lw": 0.9, "alpha": 0.8, "ls": "--"}
        plain = "strategy" if strong else f"benchmark {place}"
        name = one.name if one.name.isascii() else plain
        upper.plot(dates, one.daily_equity() / one.initial_cash, label=name, zorder=3 if strong else 2, **look)
        under = 100.0 * drawdown(equity_path(one))[1:]
        lower.plot(dates, under, zorder=3 if strong else 2, **look)
        if strong:
            lower.fill_between(dates, under, 0.0, color="#c2410c", alpha=0.15)
    upper.set_ylabel("equity (start = 1), after costs")
    lower.set_ylabel("drawdown, %")
    upper.legend(loc="upper left", fontsize=8, ncols=2, frameon=False)
    if title.isascii():
        upper.set_title(title)
    for axes in (upper, lower):
        axes.grid(visible=True, color="#e2e8f0")
    written = io.BytesIO()
    # Without the program's name and version the bytes do not change with the machine's matplotlib.
    picture.savefig(written, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return written.getvalue()
