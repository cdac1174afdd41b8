"""Versions of the journal's tables in PostgreSQL, run by ``haetae journal migrate``."""
