"""Cash, positions, settlement and costs as a fold over fills."""
