"""Compiled folds of indicators: ``(state, bars of all symbols) -> (state, values)``, to compose feature sets from.

One file a family: ``bars`` (what a bar is), ``sessions``, ``windows``, ``averages``, ``extremes``, ``oscillators``,
``bands``, ``volume``, ``volatility``, ``relation``, ``seasons``; ``blocks`` says what goes in and comes out. Not here:
which features there are (``intraday`` and the other sets), indicators of a whole panel (``indicators``).

A fold takes the state, ``(rows, n_symbols)`` float64, the row where its own part of it begins, and blocks of inputs,
``(n_bars, n_symbols)``; it moves its part on over those bars and returns one block of values a result. How many rows a
part takes is told beside the fold (``total_rows`` beside ``total``). It makes no difference where the bars are cut into
blocks: one bar at a time gives the same bits as all at once. Two clocks are handed in where a fold needs them:

``tick``
    Bars folded before the block, the same for all symbols: it turns the rings.
``seen``
    A block: the bars of each symbol up to and including each one. 0 before its first trade. It seeds the averages.

What comes out before a fold is filled means nothing; whoever calls says from which ``seen`` on a value counts
(``blocks.put``). A window is filled once ``seen`` reaches its length, however late the symbol came: nothing
older than the window enters it, so NaN in the inputs of a window is gone when its bar has left.

Loops run over the symbols innermost and hold few arrays each, which is what lets the compiler take several symbols at a
time; division follows IEEE (``error_model="numpy"``) for the same reason, so whoever divides looks at zero first.
"""
