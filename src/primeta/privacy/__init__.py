"""Keyed hashes and retention: customers are shown by pseudonyms, the erased are remembered by a digest alone."""
