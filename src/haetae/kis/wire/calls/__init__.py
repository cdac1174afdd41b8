"""Typed requests and readings of every call this platform makes, by area.

``orders``  orders, executions, holdings, cash, profit      ``prices``  present prices, NAVs, the index
``charts``  bars of names, indices and funds                ``studies`` flows, boards, statements, events, headlines
"""
