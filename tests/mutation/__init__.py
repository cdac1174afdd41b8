"""Mutants of the rooms that money depends on, killed by those rooms' own tests."""
