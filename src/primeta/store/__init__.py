"""What people did and what cannot be computed again: a database."""
