"""The simulated exchange and its array twin."""
