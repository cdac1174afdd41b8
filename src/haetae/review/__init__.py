"""Journal to attribution and candidate lessons."""
