"""Append-only, hash-chained record of what we knew and did."""
