"""The customer facts: engines, mapping, doctor, metrics and their series."""
