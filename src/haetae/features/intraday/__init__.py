"""The wide set of minute features, ``intraday``: what research and rankers may learn from within a session.

``SET`` is the face. ``columns`` declares the features, ``places`` lays out the state, ``prices``, ``flow``, ``context``
compute the families, ``fold`` runs them over the rows. The narrow set that desk, policies and learning
environment see is ``features.minute``.

What the values mean where the market is not whole:

- A halt or a minute without a trade is a flat bar with volume 0, as in ``minute``. A symbol has no bars before its
  first trade: all its values are NaN and windows begin with that trade.
- A minute without a row (a hole in the feed) is not there: windows count rows and the next bar follows the last one.
  What is usual at a minute is kept by its number, so holes do not shift it.
- A session begins where the trading day of the rows changes. Windows run on across it, an overnight gap is one
  return; VWAP, session range, gap and the returns of the day begin anew.
- No index, or no order book, makes the features that need it NaN while it is missing and as long as it is in their
  windows; the others do not notice. There is no stand-in for the index: the panel's own market has its own features.
- Only ``breadth_*`` and ``panel_relative_*`` look at other symbols; they count those that have bars.

All are free of scale (a symbol at ten times the price gives the same values) but ``amihud_60m``, which is per won.
"""

from haetae.features.intraday.fold import SET

__all__ = ["SET"]
