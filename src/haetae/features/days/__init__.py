"""The daily set in small files, one per family of features; ``haetae.features.daily`` is its face.

Read in this order: ``declare`` (how a feature is declared), ``tape`` (the past rows a symbol carries and how they
lie in the state), the families ``prices``, ``volatility``, ``trading``, ``relations``, ``flows`` (windows, summed anew
each day), ``recursive`` (averages that remember the first bar), ``market`` and ``peers`` (across symbols), ``fold``
(all of them over the rows).
"""
