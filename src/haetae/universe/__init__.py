"""Which symbols may be traded on a day, and why not the others."""
