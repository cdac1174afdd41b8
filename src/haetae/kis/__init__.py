"""Korea Investment & Securities Open API: REST, WebSocket, codec.

``wire`` is the pure codec (the emulator uses it from the other side); ``settings``, ``auth``, ``pacing``, ``rest`` and
``stream`` are the connection; ``broker``, ``feed`` and ``source`` fulfil the ports ``Broker``, ``MarketFeed`` and
``MarketSource``. Not here: rules of the market (``krx``), decisions, journalling.
"""
