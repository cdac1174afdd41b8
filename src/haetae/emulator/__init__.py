"""The simulated exchange as a KIS-shaped broker on loopback.

``serve(settings)`` opens REST and WebSocket of both domains and a control port; ``SimBroker`` is the
same exchange in process. Behind both: ``market`` (a seeded synthetic KRX) or ``replay`` (bars of a
lake), ``core`` (accounts, rates, orders, notices) and ``sim.Venue``. The ledger of ``accounts`` is
append-only: the oracle of every reconciliation.
"""
