"""The last word before an order."""
