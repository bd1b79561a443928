"""Experiments: declared, sized, assigned by a stateless hash, analysed, decided, rolled out."""
