"""Scores to target weights under constraints and costs."""
