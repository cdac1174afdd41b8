"""What the feature benchmarks share: bars, the peers' files, their sides, and how values are compared."""
