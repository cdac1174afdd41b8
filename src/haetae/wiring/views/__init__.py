"""What faces may see of a desk's folder: the journal folded into days, and the files beside it.

Here: ``chronicle`` (a journal folded while it grows), ``days`` (a day's figures, orders, decisions),
``files`` (universe, models, backtest), ``bars`` (candles, equity, fear and greed), ``views`` (one door
for all of them). Everything is read-only and returns plain values; money is integer won, moments carry
Korea's offset. Not here: HTTP (``service``), pictures (``dashboard``), any decision.
"""
