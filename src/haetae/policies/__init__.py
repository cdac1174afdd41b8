"""Ready policies: baselines, rank, net."""
