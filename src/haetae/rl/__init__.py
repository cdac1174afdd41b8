"""Reinforcement learning on the execution kernel."""
