"""Model artefacts by content hash, and which of them is in charge.

``registry.registry.Registry`` is the adapter of ``ports.Registry``.
"""
