"""Rules of the Korean market, valid on a date."""
