"""Getting bytes from outside without being led inside: guarded addresses, one door, politeness, and bytes kept as they came."""
