"""One file per version, in order; a file that was released never changes."""
