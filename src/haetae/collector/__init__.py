"""Market data from a broker into the lake."""
