"""Simulated days around the desk, and their reports."""
