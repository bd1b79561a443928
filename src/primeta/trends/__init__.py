"""Evidence, cards, filters, scenarios and decisions."""
