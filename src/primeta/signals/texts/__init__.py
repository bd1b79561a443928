"""Texts as signs: languages, copies collapsed to one origin, topics that emerge, search."""
