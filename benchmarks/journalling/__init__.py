"""What the journal's benchmark is made of."""
