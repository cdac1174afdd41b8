"""The pure part of the decision agent: brief, reply, offline rules."""
