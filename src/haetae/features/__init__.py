"""Windows of market data to feature columns; one fold serves batch and live."""
