"""Labels, purged splits, rankers and their scores."""
