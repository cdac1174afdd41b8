"""One page a file: ``show(client, day)`` draws it from what the service tells of a trading day."""
