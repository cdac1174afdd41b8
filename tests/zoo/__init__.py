"""Bugs that others paid for, planted one at a time: a suite that does not find them proves nothing when it passes."""
