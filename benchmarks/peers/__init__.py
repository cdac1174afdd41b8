"""Peers that stand in environments of their own."""

from peers.environment import NAUTILUS, QLIB, Absent, Peer, run

__all__ = ["NAUTILUS", "QLIB", "Absent", "Peer", "run"]
