"""The verbs in a terminal."""
