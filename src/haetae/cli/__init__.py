"""haetae <noun> <verb>."""
