"""Parts of the escape's benchmark: an emulated market with an account full of shares, and a desk timed on it."""
