"""The lake: versioned tables of market data."""
