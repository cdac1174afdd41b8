"""Model artefacts by content hash."""
