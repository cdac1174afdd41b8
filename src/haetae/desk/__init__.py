"""The decision core: one reducer from events to commands."""
