"""The simulated exchange as a KIS-shaped broker on loopback."""
