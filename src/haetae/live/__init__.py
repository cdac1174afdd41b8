"""The real or paper day around the desk."""
