"""Windows of market data to feature columns; one function serves the batch and the newest bar.

``minute`` is the fold the desk and the learning environment share, ``daily`` the columns the
rankers learn from, ``feargreed`` the mood of the market, ``specs`` the hash of a feature set.
Every value says when it is known; nothing later moves it.
"""
