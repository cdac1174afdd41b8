"""Korea Investment & Securities Open API: REST, WebSocket, codec.

``wire`` is the pure codec (the emulator uses it from the other side). The connection is in layers, each knowing those
above it in this list:

* facts: ``settings``, ``deployment`` (what belongs together), ``limits`` (what KIS allows, by day)
* pace: ``budget`` (the law), ``pace_file`` (shared by processes), ``pacing`` (who waits)
* exchange: ``transport``, ``secrecy``, ``skew``, ``refusals``, ``health``, ``standing`` (what came of it so far)
* keys: ``token_file``, ``auth``, ``issuing``
* calls: ``sending`` (orders, once), ``rest`` (queries, repeated)
* stream: ``registrations``, ``reconnects``, ``stream``
* market: ``minutes``, ``snapshots``, ``halts``, ``feed``; history: ``walking``, ``bars``, ``studies``, ``source``
* account: ``working``, ``broker``

``broker``, ``feed`` and ``source`` fulfil the ports ``Broker``, ``MarketFeed`` and ``MarketSource``. Not here: rules of
the market (``krx``), decisions, journalling.
"""
