"""Scripted faults of the emulator: what is refused, lost, late, garbled or done behind a client's back.

``catalogue``  every kind of fault, with its parameters, source and an example
``script``     TOML to typed faults, every mistake at once
``engine``     ``Faults``: who is struck, and by what

A fault changes what is told, how and when; what has happened stands in the ledger and is never changed by one.
Faults that make things happen (a fill during a cancel, an order by hand) do so through the account, as anyone would.
"""
