"""Targets to orders, the life of an order, reconciliation."""
