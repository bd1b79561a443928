"""How things are written down for people: locale, lines, tables, pictures."""
