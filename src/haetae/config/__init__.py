"""Typed settings from TOML and environment."""
